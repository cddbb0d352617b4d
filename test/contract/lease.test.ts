import { expect, test } from 'vitest';
import type { ApiClient } from '../../kube/client.ts';
import { leases } from '../../kube/resources.ts';
import { systemClock } from '../../runtime/clock.ts';
import { Elector, type Lease } from '../../operator/leader-election.ts';
import { clientOf, connectToCluster, makeNamespace } from './cluster.ts';

interface Stage {
  readonly api: ApiClient;
  readonly namespace: string;
  readonly elector: (identity: string, durationMs?: number) => Elector;
  readonly lease: () => Promise<Lease['spec']>;
}

const it = test.extend<{ readonly stage: Stage }>({
  stage: async ({}, use) => {
    const api = clientOf(await connectToCluster());
    const namespace = await makeNamespace(api);
    const ref = { namespace, name: 'operator' };
    await use({
      ...{ api, namespace },
      elector: (identity, durationMs = 3_000) =>
        new Elector({ api, ref, identity, clock: systemClock, durationMs, renewDeadlineMs: durationMs * 0.66, retryMs: 100 }),
      lease: async () => (await api.get<Lease>(leases, ref))?.spec,
    });
    await api.close();
  },
});

it('is held by one of two electors only', async ({ stage: { elector, lease } }) => {
  const stop = new AbortController();
  const [a, b] = [elector('a'), elector('b')];
  const winner = await Promise.race([a.acquire(stop.signal).then(() => a), b.acquire(stop.signal).then(() => b)]);
  const loser = winner === a ? b : a;
  const holding = winner.hold(stop.signal);
  // the loser waits as long as the winner renews: longer than the lease lasts without renewal
  await new Promise((resolve) => setTimeout(resolve, 4_000));
  expect([winner.leading, loser.leading]).toEqual([true, false]);
  expect((await lease())?.holderIdentity).toBe(winner === a ? 'a' : 'b');
  stop.abort();
  expect(await holding).toBe('stopped');
});

it('goes over at once when the holder releases it', async ({ stage: { elector, lease } }) => {
  const [stopA, stopB] = [new AbortController(), new AbortController()];
  const [a, b] = [elector('a', 600_000), elector('b', 600_000)];
  await a.acquire(stopA.signal);
  const waiting = b.acquire(stopB.signal);
  stopA.abort();
  await a.release();
  // b would have to wait ten minutes for a lease that was not released
  expect(await waiting).toBe(true);
  expect([a.leading, b.leading]).toEqual([false, true]);
  expect(await lease()).toMatchObject({ holderIdentity: 'b', leaseTransitions: 1 });
});

it('is taken up at once by the successor of the same name when the holder died', async ({ stage: { elector, lease } }) => {
  const stop = new AbortController();
  await elector('a', 600_000).acquire(stop.signal);
  // anybody else would have to wait ten minutes
  expect(await elector('a', 600_000).acquire(stop.signal)).toBe(true);
  expect(await lease()).toMatchObject({ holderIdentity: 'a', leaseTransitions: 0 });
});

it('goes over after its duration when the holder died', async ({ stage: { elector, lease } }) => {
  const stop = new AbortController();
  const [a, b] = [elector('a', 1_000), elector('b', 1_000)];
  await a.acquire(stop.signal);
  expect(await b.acquire(stop.signal)).toBe(true);
  expect((await lease())?.holderIdentity).toBe('b');
});

it('is noticed as lost by a holder who slept while another took it', async ({ stage: { elector } }) => {
  const stop = new AbortController();
  const [a, b] = [elector('a', 1_000), elector('b', 60_000)];
  await a.acquire(stop.signal);
  await b.acquire(stop.signal);
  expect(await a.hold(stop.signal)).toBe('lost');
  expect([a.leading, b.leading]).toEqual([false, true]);
});

it('is not taken when the wait is called off', async ({ stage: { elector } }) => {
  const [a, b] = [elector('a'), elector('b')];
  const stop = new AbortController();
  await a.acquire(new AbortController().signal);
  const waiting = b.acquire(stop.signal);
  stop.abort();
  expect(await waiting).toBe(false);
  expect(b.leading).toBe(false);
});
