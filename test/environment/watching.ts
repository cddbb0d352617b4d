// Follows the Stories, Plans and Tasks of one namespace by watch, and waits for a state of them. Never polls, has no timeout of its own.
import { kindDefinitions, type Kind } from '../../crds/kinds/registry.ts';
import { GROUP, VERSION } from '../../crds/kinds/meta.ts';
import type { Plan } from '../../crds/kinds/plan.ts';
import type { Story } from '../../crds/kinds/story.ts';
import type { Task } from '../../crds/kinds/task.ts';
import { Cache } from '../../kube/cache.ts';
import { ApiClient } from '../../kube/client.ts';
import { loadConnection } from '../../kube/connection.ts';
import type { KubeObject, Resource } from '../../kube/object.ts';
import { Reflector } from '../../kube/reflector.ts';

export interface View {
  readonly stories: readonly Story[];
  readonly plans: readonly Plan[];
  readonly tasks: readonly Task[];
}

export interface Follower {
  readonly view: () => View;
  /** Resolves with what `found` gives as soon as it gives something; rejects when the signal aborts. */
  until<T>(found: (view: View) => T | undefined, signal?: AbortSignal): Promise<T>;
  /** Called after every change. */
  onChange(listener: (view: View) => void): void;
  close(): Promise<void>;
}

const resourceOf = (kind: Kind): Resource => ({
  group: GROUP,
  version: VERSION,
  plural: kindDefinitions[kind].plural,
  kind,
  namespaced: true,
});

export const follow = async (kubeconfig: string, namespace: string): Promise<Follower> => {
  const client = new ApiClient(await loadConnection(kubeconfig), { userAgent: 'swe-fleet-follower' });
  const stop = new AbortController();
  const caches = { Story: new Cache<KubeObject>(), Plan: new Cache<KubeObject>(), Task: new Cache<KubeObject>() };
  const kinds = Object.keys(caches) as (keyof typeof caches)[];
  const reflectors = kinds.map((kind) => new Reflector({ client, resource: resourceOf(kind), cache: caches[kind], namespace }));
  const running = reflectors.map((reflector) => reflector.run(stop.signal));
  await Promise.all(reflectors.map((reflector) => reflector.synced));
  const listeners = new Set<(view: View) => void>();
  const view = (): View => ({
    stories: [...caches.Story.values()] as unknown as readonly Story[],
    plans: [...caches.Plan.values()] as unknown as readonly Plan[],
    tasks: [...caches.Task.values()] as unknown as readonly Task[],
  });
  for (const kind of kinds) caches[kind].onChange(() => [...listeners].forEach((listener) => listener(view())));
  return {
    view,
    until: (found, signal) => untilFound({ view, listeners }, found, signal),
    onChange: (listener) => void listeners.add(listener),
    close: async () => {
      stop.abort();
      await Promise.all(running);
      await client.close();
    },
  };
};

interface Source<V> {
  readonly view: () => V;
  readonly listeners: Set<(view: V) => void>;
}

/** Looks now, and whenever the listeners are told. */
export const untilFound = async <V, T>(
  { view, listeners }: Source<V>,
  found: (view: V) => T | undefined,
  signal?: AbortSignal,
): Promise<T> =>
  new Promise((resolve, reject) => {
    const check = (now: V): void => {
      const result = found(now);
      if (result === undefined) return;
      listeners.delete(check);
      resolve(result);
    };
    const stop = (): void => {
      listeners.delete(check);
      reject(new Error('interrupted'));
    };
    if (signal?.aborted === true) return stop();
    signal?.addEventListener('abort', stop, { once: true });
    listeners.add(check);
    check(view());
  });
