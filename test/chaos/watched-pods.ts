// The pods of one namespace, by watch. Waits for a state of them; has no timeout of its own.
import { Cache } from '../../kube/cache.ts';
import { ApiClient } from '../../kube/client.ts';
import { loadConnection } from '../../kube/connection.ts';
import type { KubeObject } from '../../kube/object.ts';
import { pods as resource } from '../../kube/resources.ts';
import { Reflector } from '../../kube/reflector.ts';
import { untilFound } from '../environment/watching.ts';

export interface Pod extends KubeObject {
  readonly status?: {
    readonly phase?: string;
    readonly containerStatuses?: readonly {
      readonly containerID?: string;
      readonly ready?: boolean;
      readonly restartCount?: number;
    }[];
  };
}

export interface WatchedPods {
  readonly pods: () => readonly Pod[];
  until<T>(found: (pods: readonly Pod[]) => T | undefined, signal?: AbortSignal): Promise<T>;
  close(): Promise<void>;
}

export const watchPods = async (kubeconfig: string, namespace: string): Promise<WatchedPods> => {
  const client = new ApiClient(await loadConnection(kubeconfig), { userAgent: 'swe-fleet-chaos' });
  const stop = new AbortController();
  const cache = new Cache<Pod>();
  const reflector = new Reflector({
    client,
    resource,
    cache,
    namespace,
    idleTimeoutMs: 20_000,
    backoff: { baseMs: 200, maxMs: 1_000 },
  });
  const running = reflector.run(stop.signal);
  await reflector.synced;
  const listeners = new Set<(pods: readonly Pod[]) => void>();
  const pods = (): readonly Pod[] => [...cache.values()];
  cache.onChange(() => [...listeners].forEach((listener) => listener(pods())));
  return {
    pods,
    until: (found, signal) => untilFound({ view: pods, listeners }, found, signal),
    close: async () => {
      stop.abort();
      await running;
      await client.close();
    },
  };
};
