// The ledger on a real JetStream bucket: many callers, two replicas, a replica that dies holding reservations.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { committed } from '../../../gateway/ledger/account.ts';
import { Ledger, type AccountStore } from '../../../gateway/ledger/ledger.ts';
import { Slots } from '../../../gateway/ledger/slots.ts';
import { KvAccounts } from '../../../gateway/store/kv-accounts.ts';
import { startNats, type NatsServer } from '../nats.ts';

const BUCKET = 'fleet-ledger';
const LIMIT = 1_000;

/** Counts what a ledger asks of the store. */
const counting = (inner: AccountStore): AccountStore & { readonly count: { reads: number; writes: number } } => {
  const count = { reads: 0, writes: 0 };
  return {
    count,
    read: async (name) => {
      count.reads += 1;
      return inner.read(name);
    },
    write: async (name, account, expected) => {
      count.writes += 1;
      return inner.write(name, account, expected);
    },
  };
};

const reserve = (id: string, amount: number, until = Date.now() + 60_000) =>
  ({ verb: 'reserve', id, amount, limit: LIMIT, until }) as const;

describe('the ledger on JetStream', () => {
  let nats: NatsServer;

  const accountsOf = async (name: string): Promise<KvAccounts> => {
    const { link } = await nats.connect(name);
    return new KvAccounts(link, BUCKET);
  };

  beforeAll(async () => {
    nats = await startNats();
    await nats.connect('setup', { buckets: [{ name: BUCKET }] });
  });

  afterAll(async () => nats.stop());

  describe('a hundred reservations at once', () => {
    it('never overspend, from one replica, and share writes', async () => {
      const store = counting(await accountsOf('one'));
      const ledger = new Ledger(store);
      const grants = await Promise.all(Array.from({ length: 100 }, (_, at) => ledger.change('story.one', reserve(`r${at}`, 30))));
      expect(grants.filter(({ granted }) => granted)).toHaveLength(33);
      expect(committed((await store.read('story.one')).account)).toBe(990);
      expect(store.count.writes).toBeLessThanOrEqual(3);
    });

    it('never overspend, from two replicas', async () => {
      const stores = await Promise.all(['a', 'b'].map(accountsOf));
      const ledgers = stores.map((store) => new Ledger(store));
      const grants = await Promise.all(
        ledgers.flatMap((ledger, replica) =>
          Array.from({ length: 50 }, (_, at) => ledger.change('story.two', reserve(`r${replica}-${at}`, 30))),
        ),
      );
      expect(grants.filter(({ granted }) => granted)).toHaveLength(33);
      expect(committed((await stores[0]?.read('story.two'))?.account ?? { spent: 0, reservations: [] })).toBe(990);
    });

    it('are settled to exactly what was used', async () => {
      const store = await accountsOf('settling');
      const ledger = new Ledger(store);
      const until = Date.now() + 60_000;
      await Promise.all(
        Array.from({ length: 100 }, async (_, at) => {
          const { granted } = await ledger.change('story.three', reserve(`r${at}`, 10, until));
          expect(granted).toBe(true);
          await ledger.change('story.three', { verb: 'settle', id: `r${at}`, amount: 7, until });
        }),
      );
      expect((await store.read('story.three')).account).toEqual({ spent: 700, reservations: [] });
    });
  });

  describe('a replica that dies', () => {
    it('holds what it reserved until its end, and not longer', async () => {
      const dying = new Ledger(await accountsOf('dying'));
      const living = new Ledger(await accountsOf('living'));
      const until = Date.now() + 3_600_000;
      await dying.change('story.four', reserve('stranded', 900, until));
      const before = await living.change('story.four', reserve('mine', 200), () => until - 1);
      expect(before).toEqual({ granted: false, available: 100, freeAt: until });
      const after = await living.change('story.four', reserve('mine', 200, until + 60_000), () => until);
      expect(after.granted).toBe(true);
    });
  });

  describe('the slots of an endpoint', () => {
    const never = new AbortController().signal;
    const request = (id: string, waitMs: number) =>
      ({ account: 'endpoint.gpu', slots: 2, id, holdMs: 60_000, waitMs, signal: never }) as const;

    it('are never more than there are, and a waiter gets one when another replica gives back', async () => {
      const [first, second] = await Promise.all(['slots-a', 'slots-b'].map(accountsOf));
      if (first === undefined || second === undefined) throw new Error('two stores were asked for');
      const here = new Slots(new Ledger(first), first);
      const there = new Slots(new Ledger(second), second);
      const held = await Promise.all([here.acquire(request('a', 0)), there.acquire(request('b', 0))]);
      expect(held.every((slot) => slot !== undefined)).toBe(true);
      expect(await here.acquire(request('c', 0))).toBeUndefined();
      const waiting = here.acquire(request('d', 60_000));
      await held[1]?.release();
      expect(await waiting).toBeDefined();
      expect((await first.read('endpoint.gpu')).account.reservations.map(({ id }) => id).toSorted()).toEqual(['a', 'd']);
    });
  });

  describe('a store that is away', () => {
    it('fails the change, and the next one after its return works', async () => {
      const store = await accountsOf('away');
      const ledger = new Ledger(store);
      await ledger.change('story.five', reserve('one', 1));
      await nats.kill();
      await expect(ledger.change('story.five', reserve('two', 1))).rejects.toThrow();
      await nats.restart();
      await expect
        .poll(() => ledger.change('story.five', reserve('three', 1)).catch(() => undefined), { timeout: 20_000 })
        .toMatchObject({
          granted: true,
        });
    });
  });
});
