// The ledger: accounts in a store that compares and sets. Calls that wait for one account share one write (group commit), so a
// hundred agents of one Story cost a few writes, not a hundred fights over one key.
//
// May: read and write accounts through the store's port. May not: know what an account stands for.

import { LRUCache } from 'lru-cache';
import { applyChange, type Account, type Change, type Grant } from './account.ts';

export interface Version {
  readonly account: Account;
  /** 0: there is none yet. */
  readonly revision: number;
}

/** The store did not hold the revision that a write expected. */
export class RevisionMoved extends Error {
  override readonly name = 'RevisionMoved';
}

export interface AccountStore {
  read(name: string): Promise<Version>;
  /** Returns the new revision. Throws RevisionMoved when another write came first. */
  write(name: string, account: Account, expected: number): Promise<number>;
}

interface Waiting {
  readonly change: Change;
  readonly now: () => number;
  readonly resolve: (grant: Grant) => void;
  readonly reject: (error: unknown) => void;
}

/** Conflicts in a row on one account before giving up: each means that another replica got on. */
const MAX_TRIES = 50;
const MAX_WAITING = 2_000;
const MAX_KNOWN = 1_000;

export class Ledger {
  readonly #store: AccountStore;
  readonly #queues = new Map<string, Waiting[]>();
  readonly #known = new LRUCache<string, Version>({ max: MAX_KNOWN });

  constructor(store: AccountStore) {
    this.#store = store;
  }

  /** Applies one change. Throws when the store cannot be reached; then nothing is known of whether it was applied. */
  change(name: string, change: Change, now: () => number = Date.now): Promise<Grant> {
    return new Promise((resolve, reject) => {
      const waiting: Waiting = { change, now, resolve, reject };
      const queue = this.#queues.get(name);
      if (queue !== undefined && queue.length >= MAX_WAITING) reject(new Error(`too many changes wait for account ${name}`));
      else if (queue !== undefined) queue.push(waiting);
      else {
        this.#queues.set(name, [waiting]);
        void this.#drain(name);
      }
    });
  }

  async #drain(name: string): Promise<void> {
    for (let batch = this.#queues.get(name) ?? []; batch.length > 0; batch = this.#queues.get(name) ?? []) {
      this.#queues.set(name, []);
      try {
        const grants = await this.#commit(name, batch);
        batch.forEach((one, at) => one.resolve(grants[at] ?? { granted: false, available: 0 }));
      } catch (error) {
        this.#known.delete(name);
        for (const one of batch) one.reject(error);
      }
    }
    this.#queues.delete(name);
  }

  async #commit(name: string, batch: readonly Waiting[]): Promise<readonly Grant[]> {
    for (let tries = 0; tries < MAX_TRIES; tries += 1) {
      const known = this.#known.get(name);
      const version = known ?? (await this.#store.read(name));
      const { account, grants } = applyAll(version.account, batch);
      try {
        const wrote = account !== version.account;
        const revision = wrote ? await this.#store.write(name, account, version.revision) : version.revision;
        this.#known.set(name, { account, revision });
        // a write proves that the version was the newest; a refusal from memory alone may be out of date, so look again
        if (wrote || known === undefined || grants.every((grant) => grant.granted)) return grants;
        this.#known.delete(name);
      } catch (error) {
        this.#known.delete(name);
        if (!(error instanceof RevisionMoved)) throw error;
      }
    }
    throw new Error(`account ${name} is fought over: ${MAX_TRIES} writes in a row were overtaken`);
  }
}

const applyAll = (start: Account, batch: readonly Waiting[]): { account: Account; grants: readonly Grant[] } => {
  let account = start;
  const grants = batch.map(({ change, now }) => {
    const next = applyChange(account, change, now());
    account = next.account;
    return next.grant;
  });
  return { account, grants };
};
