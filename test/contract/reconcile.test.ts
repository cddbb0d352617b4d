// The interpreter with a real API server, real caches and a real watch behind it; only the decisions are the tests' own.

import { expect, test } from 'vitest';
import type { Decision, Effect } from '../../controllers/contract.ts';
import type { Snapshot } from '../../controllers/snapshot.ts';
import { Cache } from '../../kube/cache.ts';
import { ApiClient, type Write } from '../../kube/client.ts';
import { apiVersionOf, keyOf, type KubeObject, type Resource, type Stored } from '../../kube/object.ts';
import { Reflector } from '../../kube/reflector.ts';
import { configMaps } from '../../kube/resources.ts';
import { Overlay } from '../../operator/state/overlay.ts';
import { Refusals } from '../../operator/state/refusals.ts';
import type { Next } from '../../runtime/queue.ts';
import { reconcile, type PassRecord, type ReconcilePorts } from '../../operator/reconcile/reconcile.ts';
import { startFaultyProxy } from './faulty-proxy.ts';
import { clientOf, connectToCluster, installWidgets, makeNamespace, widgets, type Widget } from './cluster.ts';

interface Kept {
  readonly resource: Resource;
  readonly cache: Cache<KubeObject>;
  readonly overlay: Overlay<KubeObject>;
}

interface Stage {
  /** Sees and writes without a shell. */
  readonly direct: ApiClient;
  readonly namespace: string;
  /** Writes of the passes since the last look. */
  readonly writes: () => readonly string[];
  readonly passes: readonly PassRecord[];
  readonly overlay: (kind: string) => Overlay<KubeObject>;
  readonly cache: (kind: string) => Cache<KubeObject>;
  readonly pass: (name: string, decision: Partial<Decision<unknown>>) => Promise<Next>;
  /** Holds back what the watches say until `sighted`. */
  readonly blind: () => void;
  readonly sighted: () => void;
  readonly subject: (name: string) => Promise<Stored<Widget>>;
  readonly until: (kind: string, holds: () => boolean) => Promise<void>;
}

const found = <T>(value: T | undefined): T => {
  if (value === undefined) throw new Error('not there');
  return value;
};

const keep = (resource: Resource): Kept => {
  const cache = new Cache<KubeObject>();
  return { resource, cache, overlay: new Overlay(cache, () => Date.now()) };
};

const it = test.extend<{ readonly stage: Stage }>({
  stage: async ({}, use) => {
    const connection = await connectToCluster();
    const direct = clientOf(connection);
    await installWidgets(direct);
    const namespace = await makeNamespace(direct);
    const proxy = await startFaultyProxy(connection);
    const watching = clientOf(proxy.connection);
    const log: string[] = [];
    const onWrite = ({ verb, resource, subresource, code }: Write): void =>
      void log.push(`${verb} ${resource.kind}${subresource === undefined ? '' : `/${subresource}`} ${code}`);
    const api = new ApiClient(connection, { userAgent: 'swe-fleet-contract-tests', onWrite });
    const kept = new Map([widgets, configMaps].map((resource) => [resource.kind, keep(resource)]));
    const stop = new AbortController();
    const backoff = { baseMs: 20, maxMs: 200 };
    const runs = [...kept.values()].map(({ resource, cache }) => {
      const reflector = new Reflector({ client: watching, resource, cache, namespace, backoff });
      return { synced: reflector.synced, end: reflector.run(stop.signal) };
    });
    await Promise.all(runs.map(({ synced }) => synced));
    const passes: PassRecord[] = [];
    const ports: ReconcilePorts = {
      api,
      resourceOf: (apiVersion, kind) =>
        found([...kept.values()].find(({ resource }) => apiVersionOf(resource) === apiVersion && resource.kind === kind))
          .resource,
      overlayOf: (kind) => found(kept.get(kind)).overlay,
      commands: { isSent: () => false, send: async () => undefined },
      nowMs: () => Date.now(),
      snapshot: { eventCursor: () => undefined } as unknown as Snapshot,
      onPass: (record) => passes.push(record),
      onDecided: () => undefined,
      onUnsure: () => undefined,
      onSure: () => undefined,
      refusals: new Refusals(),
    };
    const until: Stage['until'] = (kind, holds) =>
      new Promise((resolve) => {
        if (holds()) return resolve();
        const off = found(kept.get(kind)).cache.onChange(() => {
          if (!holds()) return;
          off();
          resolve();
        });
      });
    await use({
      ...{ direct, namespace, passes, until },
      writes: () => log.splice(0),
      overlay: (kind) => found(kept.get(kind)).overlay,
      cache: (kind) => found(kept.get(kind)).cache,
      pass: (name, decision) => {
        const whole = {
          outcome: { kind: 'done' },
          status: undefined,
          effects: [],
          why: 'a test',
          ...decision,
        } as Decision<unknown>;
        const controller = { kind: 'Widget', observe: () => ({}), decide: () => whole } as unknown as Parameters<
          typeof reconcile
        >[0];
        return reconcile(controller, `${namespace}/${name}`, ports);
      },
      blind: () => proxy.hold(),
      sighted: () => proxy.release(),
      subject: async (name) => {
        const object = { apiVersion: 'contract.test/v1', kind: 'Widget', metadata: { namespace, name } };
        const stored = await direct.create(widgets, object);
        await until('Widget', () => found(kept.get('Widget')).cache.get(`${namespace}/${name}`) !== undefined);
        return stored;
      },
    });
    stop.abort();
    await Promise.all(runs.map(({ end }) => end));
    await Promise.all([direct.close(), watching.close(), api.close()]);
    await proxy.close();
  },
});

const child = (owner: Stored, name: string, data: object = {}): KubeObject =>
  ({
    ...{ apiVersion: 'v1', kind: 'ConfigMap', data },
    metadata: {
      ...{ namespace: owner.metadata.namespace, name },
      ownerReferences: [
        { apiVersion: owner.apiVersion, kind: owner.kind, name: owner.metadata.name, uid: owner.metadata.uid, controller: true },
      ],
    },
  }) as KubeObject;

const remove = (object: KubeObject, uid: string): Effect => ({
  ...{ verb: 'delete', uid },
  ref: { apiVersion: 'v1', kind: 'ConfigMap', namespace: object.metadata.namespace ?? '', name: object.metadata.name },
});

it('writes once and then, the same decision made again and again, nothing more', async ({ stage }) => {
  const { pass, subject, writes, until, overlay, cache, namespace } = stage;
  const owner = await subject('one');
  const decision = {
    effects: [{ verb: 'apply', object: child(owner, 'kid', { a: '1' }) } as Effect],
    status: { phase: 'Running' },
  };
  await pass('one', decision);
  expect(writes()).toEqual(['create ConfigMap 200', 'apply Widget/status 200']);
  await pass('one', decision); // the overlay says so, whether or not the watch has
  await until('ConfigMap', () => cache('ConfigMap').get(`${namespace}/kid`) !== undefined);
  await until('Widget', () => (cache('Widget').get(`${namespace}/one`) as Widget).status?.phase === 'Running');
  await pass('one', decision); // and now the caches
  expect(writes()).toEqual([]);
  expect([overlay('Widget').size, overlay('ConfigMap').size]).toEqual([0, 0]);
});

it('still sees what it wrote when the watch is silent, until the watch says it', async ({ stage }) => {
  const { pass, subject, writes, overlay, cache, namespace, blind, sighted, until } = stage;
  const owner = await subject('one');
  blind();
  await pass('one', { effects: [{ verb: 'create', object: child(owner, 'kid') }] });
  const seen = overlay('ConfigMap').get(`${namespace}/kid`);
  expect(seen?.metadata.uid).toMatch(/^[0-9a-f-]{36}$/);
  expect(cache('ConfigMap').get(`${namespace}/kid`)).toBeUndefined();
  await pass('one', { effects: [{ verb: 'create', object: child(owner, 'kid') }] });
  expect(writes()).toEqual(['create ConfigMap 200']);
  sighted();
  await until('ConfigMap', () => cache('ConfigMap').get(`${namespace}/kid`) !== undefined);
  expect(overlay('ConfigMap').size).toBe(0);
});

it('takes a create that meets its own child for done, and finds its uid', async ({ stage }) => {
  const { pass, subject, writes, direct, overlay, namespace, blind, passes } = stage;
  const owner = await subject('one');
  blind();
  const made = await direct.create(configMaps, child(owner, 'kid'));
  expect(await pass('one', { effects: [{ verb: 'create', object: child(owner, 'kid') }], status: { phase: 'Running' } })).toEqual(
    {
      kind: 'done',
    },
  );
  expect(writes()).toEqual(['create ConfigMap 409', 'apply Widget/status 200']);
  expect(overlay('ConfigMap').get(`${namespace}/kid`)?.metadata.uid).toBe(made.metadata.uid);
  expect(passes.at(-1)?.problem).toBeUndefined();
});

it('does not take a stranger of that name for its child: it says so in a condition, and asks again later', async ({ stage }) => {
  const { pass, subject, writes, direct, namespace, blind } = stage;
  const owner = await subject('one');
  blind();
  await direct.create(configMaps, { apiVersion: 'v1', kind: 'ConfigMap', metadata: { namespace, name: 'kid' } });
  const next = await pass('one', { effects: [{ verb: 'create', object: child(owner, 'kid') }], status: { phase: 'Running' } });
  expect(next).toEqual({ kind: 'retry', minMs: 30_000 });
  expect(writes()).toEqual(['create ConfigMap 409', 'apply Widget/status 200']);
  const { status } = (await direct.get<Widget>(widgets, { namespace, name: 'one' })) ?? {};
  expect(status).toMatchObject({ conditions: [{ type: 'Stalled', reason: 'WriteRefused' }] });
  expect(status?.phase).toBeUndefined();
});

it('never deletes what another owns, and deletes its own by uid', async ({ stage }) => {
  const { pass, subject, writes, direct, namespace, until, cache, overlay } = stage;
  const owner = await subject('one');
  const stranger = await subject('two');
  const foreign = await direct.create(configMaps, child(stranger, 'foreign'));
  const mine = await direct.create(configMaps, child(owner, 'mine'));
  await until(
    'ConfigMap',
    () =>
      cache('ConfigMap').byUid(foreign.metadata.uid) !== undefined && cache('ConfigMap').byUid(mine.metadata.uid) !== undefined,
  );
  expect(await pass('one', { effects: [remove(foreign, foreign.metadata.uid)] })).toEqual({ kind: 'retry' });
  expect(writes()).toEqual([]);
  await pass('one', { effects: [remove(mine, mine.metadata.uid)] });
  expect(overlay('ConfigMap').get(keyOf(mine.metadata))).toBeUndefined();
  expect(writes()).toEqual(['delete ConfigMap 200']);
  await until('ConfigMap', () => cache('ConfigMap').get(`${namespace}/mine`) === undefined);
  expect(await direct.get(configMaps, { namespace, name: 'foreign' })).toBeDefined();
});

it('does not delete the successor of a child that its cache still shows', async ({ stage }) => {
  const { pass, subject, direct, namespace, until, cache, blind, sighted, overlay } = stage;
  const owner = await subject('one');
  const mine = await direct.create(configMaps, child(owner, 'kid'));
  await until('ConfigMap', () => cache('ConfigMap').byUid(mine.metadata.uid) !== undefined);
  blind();
  await direct.delete(configMaps, { namespace, name: 'kid' });
  const successor = await direct.create(configMaps, child(owner, 'kid'));
  const next = await pass('one', { effects: [remove(mine, mine.metadata.uid)] });
  expect([next.kind, (await direct.get(configMaps, { namespace, name: 'kid' }))?.metadata.uid]).toEqual([
    'retry',
    successor.metadata.uid,
  ]);
  sighted();
  await until('ConfigMap', () => cache('ConfigMap').get(`${namespace}/kid`)?.metadata.uid === successor.metadata.uid);
  expect(overlay('ConfigMap').get(`${namespace}/kid`)?.metadata.uid).toBe(successor.metadata.uid);
});

it('writes no status to the successor of an object that its cache still shows', async ({ stage }) => {
  const { pass, subject, direct, namespace, blind, cache, overlay } = stage;
  const old = await subject('one');
  blind();
  await direct.delete(widgets, { namespace, name: 'one' });
  await direct.create(widgets, { apiVersion: 'contract.test/v1', kind: 'Widget', metadata: { namespace, name: 'one' } });
  if (cache('Widget').get(`${namespace}/one`)?.metadata.uid !== old.metadata.uid) throw new Error('the watch was not blind');
  const next = await pass('one', { status: { phase: 'Running' } });
  expect(next.kind).toBe('retry');
  expect((await direct.get<Widget>(widgets, { namespace, name: 'one' }))?.status).toBeUndefined();
  expect((overlay('Widget').get(`${namespace}/one`) as Widget).status).toBeUndefined();
});
