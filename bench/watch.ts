// A raw watch that notes when each event came: no cache, no decision. What measures must cost little.

import type { ApiClient, Selection } from '../kube/client.ts';
import { resourceVersionOf, type KubeObject, type Resource } from '../kube/object.ts';
import type { WatchEvent } from '../kube/watch-stream.ts';
import { kindDefinitions, type Kind } from '../crds/kinds/registry.ts';
import { GROUP, VERSION } from '../crds/kinds/meta.ts';

export const nowMs = (): number => performance.timeOrigin + performance.now();

export const KINDS = Object.keys(kindDefinitions) as readonly Kind[];

export const resourceOf = (kind: Kind): Resource => ({
  ...{ group: GROUP, version: VERSION, plural: kindDefinitions[kind].plural, kind, namespaced: true },
});

export interface Watching {
  /** Resolves with the first object, from now on, for which `found` gives something. Rejects when the watch fails. */
  until<T>(found: (object: KubeObject, atMs: number) => T | undefined): Promise<T>;
  stop(): Promise<void>;
}

type Listener = (object: KubeObject, atMs: number) => void;

interface Selected extends Selection {
  readonly resource: Resource;
  /** Called for each change; deletions are left out. */
  readonly onChange?: Listener;
}

const HOUR_S = 3_600;

/** An API server that is busy ends the watch of whoever reads too slowly: it goes on from the last event. One that ends without an event is a failure. */
export const watchFromNow = async (client: ApiClient, { resource, onChange, ...selection }: Selected): Promise<Watching> => {
  let { resourceVersion } = await client.listPage(resource, { ...selection, limit: 1 });
  const stopped = new AbortController();
  const listeners = new Set<Listener>(onChange === undefined ? [] : [onChange]);
  const failed = Promise.withResolvers<never>();
  failed.promise.catch(() => undefined); // whoever waits hears of it
  const options = { timeoutSeconds: HOUR_S, idleTimeoutMs: HOUR_S * 1_000, signal: stopped.signal };
  const take = (event: WatchEvent): void => {
    if (event.type === 'ERROR') throw new Error(`the watch failed: ${event.message}`);
    resourceVersion = event.type === 'BOOKMARK' ? event.resourceVersion : (resourceVersionOf(event.object) ?? resourceVersion);
    if (event.type !== 'ADDED' && event.type !== 'MODIFIED') return;
    const atMs = nowMs();
    for (const listener of [...listeners]) listener(event.object as KubeObject, atMs);
  };
  const read = async (): Promise<void> => {
    for (let from = ''; from !== resourceVersion;) {
      from = resourceVersion;
      for await (const event of client.watch(resource, { ...selection, ...options, resourceVersion: from })) take(event);
    }
    throw new Error('the watch ended');
  };
  const reading = read().catch((error: unknown) => {
    if (!stopped.signal.aborted) failed.reject(error);
  });
  return {
    until: (found) => {
      const { promise, resolve } = Promise.withResolvers<NonNullable<ReturnType<typeof found>>>();
      const listener: Listener = (object, atMs) => {
        const result = found(object, atMs);
        if (result !== undefined && result !== null) resolve(result);
      };
      listeners.add(listener);
      return Promise.race([promise, failed.promise]).finally(() => listeners.delete(listener));
    },
    stop: async () => {
      stopped.abort();
      await reading;
    },
  };
};
