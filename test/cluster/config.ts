/**
 * The environment of the cluster tooling, read in one place and nowhere else.
 * It may read process.env; it does no other I/O.
 */
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';

export interface ClusterConfig {
  /** Where programs and boxes live between runs; never inside the checkout. */
  readonly cacheDir: string;
  /** A cluster of the user's own, used instead of a box. */
  readonly externalKubeconfig: string | undefined;
  /** Where the images of an external cluster are pushed to, such as `127.0.0.1:5000/fleet`. */
  readonly registry: string | undefined;
  /** The address at which pods of an external cluster reach this machine. */
  readonly hostIp: string | undefined;
}

const set = (value: string | undefined): string | undefined => (value === undefined || value === '' ? undefined : value);

export const clusterConfig = (env: Readonly<NodeJS.ProcessEnv> = process.env): ClusterConfig => {
  const base = set(env['SWEFLEET_CACHE']) ?? set(env['XDG_CACHE_HOME']) ?? join(homedir(), '.cache');
  return Object.freeze({
    cacheDir: join(resolve(base), 'swe-fleet'),
    externalKubeconfig: set(env['SWEFLEET_KUBECONFIG']),
    registry: set(env['SWEFLEET_REGISTRY']),
    hostIp: set(env['SWEFLEET_HOST_IP']),
  });
};

/** What a program started by the tooling gets of our environment: enough to work, no tokens or proxies of the user's. */
export const plainEnvironment = (extra: Readonly<Record<string, string>> = {}): Record<string, string> => ({
  PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  HOME: homedir(),
  LANG: 'C.UTF-8',
  ...extra,
});
