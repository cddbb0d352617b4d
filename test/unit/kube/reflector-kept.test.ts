// What a reflector lets into its cache. How it lists, watches and goes on after faults is tried on a real API server (test/contract).

import { describe, expect, it } from 'vitest';
import { Cache } from '../../../kube/cache.ts';
import type { KubeObject } from '../../../kube/object.ts';
import { Reflector } from '../../../kube/reflector.ts';
import type { WatchEvent } from '../../../kube/watch-stream.ts';

interface Thing extends KubeObject {
  readonly spec?: { readonly size: number };
  readonly status?: { readonly phase: string };
}

const resource = { group: 'test', version: 'v1', plural: 'things', kind: 'Thing', namespaced: true };

const raw = (version: number, size: number, phase: string, more: object = {}) => ({
  metadata: { namespace: 'ns', name: 'one', uid: 'uid-one', resourceVersion: String(version), managedFields: [{}] },
  spec: { size },
  status: { phase },
  ...more,
});

/** Lists the first of the objects and is told of the others. */
const reflected = async (objects: readonly object[], options: object = {}) => {
  const cache = new Cache<Thing>();
  const seen: (Thing | undefined)[] = [];
  cache.onChange((change) => seen.push(change.type === 'deleted' ? undefined : change.object));
  const checked: boolean[] = [];
  const end = new AbortController();
  const told = Promise.withResolvers<void>();
  const client = {
    listPage: async () => ({ items: objects.slice(0, 1), resourceVersion: '1', continueToken: undefined }),
    watch: async function* (): AsyncGenerator<WatchEvent, void, undefined> {
      for (const object of objects.slice(1)) yield { type: 'MODIFIED', object };
      told.resolve();
      await new Promise<void>((resolve) => end.signal.addEventListener('abort', () => resolve()));
    },
  };
  const check = (_object: object, isSpecKnown: boolean): number => checked.push(isSpecKnown);
  const run = new Reflector<Thing>({ client, resource, cache, check, ...options }).run(end.signal);
  await told.promise;
  end.abort();
  await run;
  return { seen, checked };
};

describe('what a reflector lets into its cache', () => {
  it('an unchanged spec is the very object that was there, and is not looked at again', async () => {
    const { seen, checked } = await reflected([raw(1, 3, 'a'), raw(2, 3, 'b'), raw(3, 4, 'b')]);
    expect(seen.map((thing) => thing?.status?.phase)).toEqual(['a', 'b', 'b']);
    expect(seen[1]?.spec).toBe(seen[0]?.spec);
    expect(seen[2]?.spec).toEqual({ size: 4 });
    expect(checked).toEqual([false, true, false]);
  });

  it('only the fields that are read', async () => {
    const fields = { metadata: { name: true, namespace: true, uid: true, resourceVersion: true }, status: true };
    const { seen } = await reflected([raw(1, 3, 'a', { template: { containers: [] } })], { fields });
    const meta = { namespace: 'ns', name: 'one', uid: 'uid-one', resourceVersion: '1' };
    expect(seen).toEqual([{ apiVersion: 'test/v1', kind: 'Thing', metadata: meta, status: { phase: 'a' } }]);
  });

  it('nothing that cannot be changed afterwards', async () => {
    const { seen } = await reflected([raw(1, 3, 'a'), raw(2, 3, 'b')]);
    for (const thing of seen) expect([thing, thing?.metadata, thing?.spec, thing?.status].every(Object.isFrozen)).toBe(true);
  });
});
