import { describe, expect, test } from 'vitest';
import { Cache, type Change } from '../../kube/cache.ts';
import type { ApiClient } from '../../kube/client.ts';
import type { KubeObject, Stored } from '../../kube/object.ts';
import { Reflector, type ReflectorOptions, type Report } from '../../kube/reflector.ts';
import { configMaps } from '../../kube/resources.ts';
import { clientOf, connectToCluster, installWidgets, makeNamespace, widgets } from './cluster.ts';
import { startFaultyProxy, type FaultyProxy } from './faulty-proxy.ts';

interface ConfigMap extends KubeObject {
  readonly data?: Readonly<Record<string, string>>;
}

const configMap = (namespace: string, name: string, data: ConfigMap['data'] = {}): ConfigMap => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { namespace, name, labels: { suite: 'reflector' } },
  data,
});

interface Rig {
  readonly cache: Cache<ConfigMap>;
  readonly reports: Report[];
  readonly changes: string[];
  readonly reflector: Reflector<ConfigMap>;
}

const name = (change: Change<ConfigMap>): string => (change.type === 'deleted' ? change.old : change.object).metadata.name;

/** One API server, a faulty proxy before it, a namespace of its own, and reflectors through the proxy that end with the test. */
interface Stage {
  readonly direct: ApiClient;
  readonly proxy: FaultyProxy;
  readonly namespace: string;
  readonly start: (options?: Partial<ReflectorOptions<ConfigMap>>) => Rig;
  readonly create: (objectName: string, data?: ConfigMap['data']) => Promise<unknown>;
  readonly remove: (objectName: string) => Promise<unknown>;
  readonly has: (rig: Rig, objectName: string) => boolean;
}

const startRig = (
  defaults: Omit<ReflectorOptions<ConfigMap>, 'cache'>,
  signal: AbortSignal,
): Rig & { readonly end: Promise<void> } => {
  const cache = new Cache<ConfigMap>();
  const reports: Report[] = [];
  const changes: string[] = [];
  cache.onChange((change) => changes.push(`${change.type} ${name(change)}`));
  const reflector = new Reflector<ConfigMap>({ ...defaults, cache, onReport: (report: Report) => reports.push(report) });
  return { cache, reports, changes, reflector, end: reflector.run(signal) };
};

const it = test.extend<{ readonly stage: Stage }>({
  stage: async ({}, use) => {
    const connection = await connectToCluster();
    const direct = clientOf(connection);
    const proxy = await startFaultyProxy(connection);
    const proxied = clientOf(proxy.connection);
    const namespace = await makeNamespace(direct);
    const stop = new AbortController();
    const ends: Promise<void>[] = [];
    const defaults = {
      ...{ client: proxied, resource: configMaps, namespace, labelSelector: 'suite=reflector' },
      backoff: { baseMs: 20, maxMs: 200 },
    };
    await use({
      ...{ direct, proxy, namespace },
      start: (options) => {
        const rig = startRig({ ...defaults, ...options }, stop.signal);
        ends.push(rig.end);
        return rig;
      },
      create: (objectName, data) => direct.create(configMaps, configMap(namespace, objectName, data)),
      remove: (objectName) => direct.delete(configMaps, { namespace, name: objectName }),
      has: (rig, objectName) => rig.cache.get(`${namespace}/${objectName}`) !== undefined,
    });
    stop.abort();
    await Promise.all(ends);
    await Promise.all([proxied.close(), direct.close()]);
    await proxy.close();
  },
});

/** Resolves when the statement about the cache holds; the test's own limit ends a wait in vain. */
const until = (cache: Cache<ConfigMap>, holds: () => boolean): Promise<void> =>
  new Promise((resolve) => {
    if (holds()) return resolve();
    const off = cache.onChange(() => {
      if (!holds()) return;
      off();
      resolve();
    });
  });

const lists = (reports: readonly Report[]): number => reports.filter((report) => report.type === 'listed').length;

describe('a reflector on a real API server', () => {
  it('lists more objects than a page holds, page by page, and holds each once', async ({ stage }) => {
    const { proxy, start, create } = stage;
    const names = Array.from({ length: 1_203 }, (_, n) => `many-${String(n).padStart(4, '0')}`);
    for (let n = 0; n < names.length; n += 100) await Promise.all(names.slice(n, n + 100).map((each) => create(each)));
    const rig = start();
    await rig.reflector.synced;
    expect([...rig.cache.values()].map((object) => object.metadata.name).sort()).toEqual(names);
    const pages = proxy.requests.filter((request) => request.includes('limit=500'));
    expect(pages.map((request) => request.includes('continue='))).toEqual([false, true, true]);
  });

  it('sees additions, changes and deletions in order, without managedFields and frozen', async ({ stage }) => {
    const { direct, namespace, start, create, remove, has } = stage;
    const rig = start();
    await rig.reflector.synced;
    await create('one', { a: '1' });
    await direct.patch(configMaps, { namespace, name: 'one' }, { data: { a: '2' } });
    await until(rig.cache, () => rig.cache.get(`${namespace}/one`)?.data?.['a'] === '2');
    const seen = rig.cache.get(`${namespace}/one`) as Stored<ConfigMap>;
    expect(Object.keys(seen.metadata)).not.toContain('managedFields');
    expect(Object.isFrozen(seen) && Object.isFrozen(seen.data) && Object.isFrozen(seen.metadata.labels)).toBe(true);
    await remove('one');
    await until(rig.cache, () => !has(rig, 'one'));
    expect(rig.changes).toEqual(['added one', 'changed one', 'deleted one']);
  });

  for (const then of ['reset', 'end'] as const)
    it(`drops an object whose deletion was cut in mid-line (${then})`, async ({ stage }) => {
      const { proxy, start, create, remove, has } = stage;
      await create('doomed');
      const rig = start();
      await rig.reflector.synced;
      proxy.arm({ text: '"type":"DELETED"', then });
      await remove('doomed');
      await until(rig.cache, () => !has(rig, 'doomed'));
      expect(rig.changes).toEqual(['added doomed', 'deleted doomed']);
      expect(rig.reports.filter((report) => report.type === 'broken')).toHaveLength(1);
      await create('after');
      await until(rig.cache, () => has(rig, 'after'));
    });

  const noise = [
    { what: 'an unparsable line', line: '{"type":"ADDED","object":{' },
    { what: 'an event of unknown type', line: '{"type":"SOMETHING","object":{}}' },
    {
      what: 'an ERROR event of code 500',
      line: '{"type":"ERROR","object":{"kind":"Status","code":500,"message":"etcd is ill"}}',
    },
    { what: 'an ERROR event of code 410', line: '{"type":"ERROR","object":{"kind":"Status","code":410,"reason":"Expired"}}' },
  ];
  for (const { what, line } of noise)
    it(`lists again after ${what}, and so sees what that line hid`, async ({ stage }) => {
      const { proxy, start, create, has } = stage;
      const rig = start();
      await rig.reflector.synced;
      proxy.arm({ text: '"type":"ADDED"', then: 'replace', line });
      await create('hidden');
      await until(rig.cache, () => has(rig, 'hidden'));
      expect(lists(rig.reports)).toBe(2);
      await create('after');
      await until(rig.cache, () => has(rig, 'after'));
    });

  it('lists again when the server answers 410 to a resourceVersion that is too old', async ({ stage }) => {
    const { direct, namespace, proxy, start, has } = stage;
    // Of a kind that came after version 1: a young server still has all versions of the kinds that it was born with.
    await installWidgets(direct);
    const metadata = { namespace, labels: { suite: 'reflector' } };
    const create = (objectName: string): Promise<unknown> =>
      direct.create(widgets, { apiVersion: 'contract.test/v1', kind: 'Widget', metadata: { ...metadata, name: objectName } });
    await create('kept');
    const rig = start({ resource: widgets });
    await rig.reflector.synced;
    proxy.rewindNextWatch('1');
    await create('seen');
    await until(rig.cache, () => has(rig, 'seen'));
    proxy.cutWatches();
    await create('later');
    await until(rig.cache, () => has(rig, 'later'));
    const told = rig.reports.map((report) =>
      report.type === 'broken' ? `${report.then}: ${String(report.error)}` : report.type,
    );
    expect(told).toContainEqual(expect.stringMatching(/^relist: .*(410|too old resource version)/));
    expect(told.filter((line) => line.startsWith('relist'))).toHaveLength(1);
    expect(lists(rig.reports)).toBe(2);
    expect(rig.changes).toEqual(['added kept', 'added seen', 'added later']);
  });

  it('goes on from its last resourceVersion, without a list, when the connection is cut between events', async ({ stage }) => {
    const { proxy, start, create, has } = stage;
    const rig = start();
    await rig.reflector.synced;
    await create('before');
    await until(rig.cache, () => has(rig, 'before'));
    proxy.cutWatches();
    await create('after');
    await until(rig.cache, () => has(rig, 'after'));
    expect(lists(rig.reports)).toBe(1);
  });

  it('finds by its periodic list what a watch never said', async ({ stage }) => {
    const { proxy, start, create, has } = stage;
    const rig = start({ relistMs: 1_500 });
    await rig.reflector.synced;
    proxy.arm({ text: '"type":"ADDED"', then: 'swallow' });
    await create('silent');
    await until(rig.cache, () => has(rig, 'silent'));
    expect(lists(rig.reports)).toBeGreaterThan(1);
    expect(rig.changes).toEqual(['added silent']);
  });

  it('goes on when a listener throws, and tells the other listeners', async ({ stage }) => {
    const { start, create, has } = stage;
    const rig = start();
    const told: string[] = [];
    rig.cache.onChange(() => {
      throw new Error('a listener with a bug');
    });
    rig.cache.onChange((change) => told.push(name(change)));
    await rig.reflector.synced;
    await create('one');
    await create('two');
    await until(rig.cache, () => has(rig, 'two'));
    expect(told).toEqual(['one', 'two']);
  });

  it('drops only the object that its check refuses, and takes it once it is well', async ({ stage }) => {
    const { direct, namespace, start, create, has } = stage;
    const check = (object: Stored<ConfigMap>): void => {
      if (object.data?.['bad'] === 'yes') throw new Error('refused');
    };
    await create('ill', { bad: 'yes' });
    await create('well');
    const rig = start({ check });
    await rig.reflector.synced;
    expect([has(rig, 'ill'), has(rig, 'well')]).toEqual([false, true]);
    expect(rig.reports).toContainEqual(expect.objectContaining({ type: 'malformed', key: `${namespace}/ill` }));
    await direct.patch(configMaps, { namespace, name: 'ill' }, { data: { bad: 'no' } });
    await until(rig.cache, () => has(rig, 'ill'));
    await direct.patch(configMaps, { namespace, name: 'ill' }, { data: { bad: 'yes' } });
    await until(rig.cache, () => !has(rig, 'ill'));
  });

  it('watches all namespaces, and by label', async ({ stage }) => {
    const { direct, namespace, start, has } = stage;
    const other = await makeNamespace(direct);
    const rig = start({ namespace: undefined, labelSelector: `suite=${namespace}` });
    await rig.reflector.synced;
    const labels = { suite: namespace };
    const made = (each: string, objectName: string, labelled: boolean): ConfigMap => ({
      ...configMap(each, objectName),
      metadata: { namespace: each, name: objectName, ...(labelled && { labels }) },
    });
    await direct.create(configMaps, made(namespace, 'unlabelled', false));
    await direct.create(configMaps, made(namespace, 'here', true));
    await direct.create(configMaps, made(other, 'there', true));
    await until(rig.cache, () => rig.cache.get(`${other}/there`) !== undefined);
    expect(rig.changes).toEqual(['added here', 'added there']);
    await direct.patch(configMaps, { namespace, name: 'here' }, { metadata: { labels: null } });
    await until(rig.cache, () => !has(rig, 'here'));
  });

  it('watches one object by a field selector', async ({ stage }) => {
    const { start, create, has } = stage;
    const rig = start({ labelSelector: undefined, fieldSelector: 'metadata.name=chosen' });
    await rig.reflector.synced;
    await create('other');
    await create('chosen');
    await until(rig.cache, () => has(rig, 'chosen'));
    expect(rig.changes).toEqual(['added chosen']);
  });

  it('takes a silent watch for dead', async ({ stage }) => {
    const { start } = stage;
    const rig = start({ idleTimeoutMs: 1_000 });
    await rig.reflector.synced;
    await new Promise<void>((resolve) => {
      const poll = setInterval(() => {
        if (!rig.reports.some((report) => report.type === 'broken')) return;
        clearInterval(poll);
        resolve();
      }, 20);
    });
    expect(rig.reports.find((report) => report.type === 'broken')).toMatchObject({ then: 'rewatch' });
  });
});
