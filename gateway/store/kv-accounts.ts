// The ledger's accounts in a JetStream key-value bucket: one key each, compared and set by revision. Also tells of their changes, so
// that who waits for a slot wakes when another replica gives one back.

import { KvWatchInclude } from '@nats-io/kv';
import { ENDPOINT_ACCOUNTS } from '../../crds/contracts/commands.ts';
import { isApiError } from '../../runtime/bus/errors.ts';
import type { JetStreamLink } from '../../runtime/bus/link.ts';
import { EMPTY, type Account } from '../ledger/account.ts';
import { RevisionMoved, type AccountStore, type Version } from '../ledger/ledger.ts';
import type { AccountChanges } from '../ledger/slots.ts';

export class KvAccounts implements AccountStore, AccountChanges {
  readonly #link: JetStreamLink;
  readonly #bucket: string;
  readonly #listeners = new Map<string, Set<() => void>>();
  #watching = false;

  constructor(link: JetStreamLink, bucket: string) {
    this.#link = link;
    this.#bucket = bucket;
  }

  async read(name: string): Promise<Version> {
    const entry = await (await this.#link.session.bucket(this.#bucket)).get(name);
    if (entry === null) return { account: EMPTY, revision: 0 };
    return { account: entry.operation === 'PUT' ? parseAccount(entry.value) : EMPTY, revision: entry.revision };
  }

  async write(name: string, account: Account, expected: number): Promise<number> {
    try {
      const bucket = await this.#link.session.bucket(this.#bucket);
      return await bucket.put(name, JSON.stringify(account), { previousSeq: expected });
    } catch (error) {
      if (isApiError(error, 'wrongLastSequence')) throw new RevisionMoved(name, { cause: error });
      throw error;
    }
  }

  onChange(account: string, listener: () => void): () => void {
    const listeners = this.#listeners.get(account) ?? new Set();
    this.#listeners.set(account, listeners.add(listener));
    void this.#watch();
    return () => {
      listeners.delete(listener);
      if (listeners.size === 0 && this.#listeners.get(account) === listeners) this.#listeners.delete(account);
    };
  }

  /** Runs while somebody listens; a watch that breaks is begun again by the next listener, who looks again by himself meanwhile. */
  async #watch(): Promise<void> {
    if (this.#watching) return;
    this.#watching = true;
    try {
      const { session } = this.#link;
      const updates = await (
        await session.bucket(this.#bucket)
      ).watch({ key: ENDPOINT_ACCOUNTS, include: KvWatchInclude.UpdatesOnly });
      session.ended.addEventListener('abort', () => updates.stop(), { once: true });
      if (session.ended.aborted) updates.stop();
      for await (const { key } of updates) {
        for (const listener of this.#listeners.get(key) ?? []) listener();
      }
    } catch {
      // the store is away: whoever waits finds out by asking it
    } finally {
      this.#watching = false;
    }
  }
}

const isAmount = (value: unknown): value is number => typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;

/** Throws on a value that is no account: better no model call than a wrong balance. */
export const parseAccount = (bytes: Uint8Array): Account => {
  const value = JSON.parse(Buffer.from(bytes).toString('utf8')) as Partial<Account> | null;
  const reservations = value?.reservations;
  if (!isAmount(value?.spent) || !Array.isArray(reservations)) throw new Error('a value of the ledger is no account');
  for (const one of reservations as readonly Record<string, unknown>[])
    if (typeof one['id'] !== 'string' || !isAmount(one['amount']) || !isAmount(one['until']))
      throw new Error('a value of the ledger holds a broken reservation');
  return { spent: value.spent, reservations: reservations as Account['reservations'] };
};
