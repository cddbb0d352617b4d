// An endpoint's slots: how many calls all replicas together may have running on it. A slot is a reservation of 1 on account
// `endpoint.<name>`, so the bound is exact across replicas and a killed replica's slots come back at `until`.
//
// Waiting is woken by the account's changes, ours and the other replicas'; the timer is for a reservation's end, which nothing announces.

import { pause } from '../../runtime/clock.ts';
import type { Ledger } from './ledger.ts';

export interface AccountChanges {
  /** Calls back on each change of that account until the returned function is called. */
  onChange(account: string, listener: () => void): () => void;
}

export interface SlotRequest {
  readonly account: string;
  readonly slots: number;
  readonly id: string;
  /** How long the slot is held at most, from when it is got. */
  readonly holdMs: number;
  readonly waitMs: number;
  readonly signal: AbortSignal;
}

export interface Slot {
  release(): Promise<void>;
}

/** Looks again no later than this, whatever the changes say: their subscription may be the thing that is broken. */
const LOOK_AGAIN_MS = 5_000;

export class Slots {
  readonly #ledger: Ledger;
  readonly #changes: AccountChanges;

  constructor(ledger: Ledger, changes: AccountChanges) {
    this.#ledger = ledger;
    this.#changes = changes;
  }

  /** Undefined when none came free in time. Throws when the ledger is away or the signal aborts. */
  async acquire(request: SlotRequest): Promise<Slot | undefined> {
    const { account, slots, id, holdMs, waitMs, signal } = request;
    const deadline = Date.now() + waitMs;
    for (;;) {
      const changed = nextChange(this.#changes, account);
      try {
        const until = Date.now() + waitMs + holdMs;
        const grant = await this.#ledger.change(account, { verb: 'reserve', id, amount: 1, limit: slots, until });
        if (grant.granted) return this.#slot(account, id, until);
        const now = Date.now();
        if (now >= deadline) return undefined;
        const wakeAt = Math.min(deadline, grant.freeAt ?? deadline, now + LOOK_AGAIN_MS);
        await Promise.race([changed.happened, pause(Math.max(1, wakeAt - now), signal)]);
        signal.throwIfAborted();
      } finally {
        changed.cancel();
      }
    }
  }

  #slot(account: string, id: string, until: number): Slot {
    return { release: async () => void (await this.#ledger.change(account, { verb: 'settle', id, amount: 0, until })) };
  }
}

const nextChange = (
  changes: AccountChanges,
  account: string,
): { readonly happened: Promise<void>; readonly cancel: () => void } => {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { happened: promise, cancel: changes.onChange(account, resolve) };
};
