/**
 * A cluster of the user's own, named by SWEFLEET_KUBECONFIG: used as it is, never started, ended or looked into.
 */
import { createHash } from 'node:crypto';
import { lookup } from 'node:dns/promises';
import { existsSync, mkdirSync } from 'node:fs';
import { createSocket } from 'node:dgram';
import { join, resolve } from 'node:path';
import { ensureBinaries } from './binaries.ts';
import type { Cluster } from './cluster.ts';
import type { ClusterConfig } from './config.ts';
import { impersonating, serverOf, writeKubeconfig } from './kubeconfig.ts';
import type { Log } from './progress.ts';

/** Our address on the way to that server; a datagram socket finds it without sending anything. */
const addressTowards = async (host: string): Promise<string> => {
  const { address, family } = await lookup(host);
  const socket = createSocket(family === 6 ? 'udp6' : 'udp4');
  try {
    return await new Promise((found, reject) => {
      socket.once('error', reject);
      socket.connect(9, address, () => found(socket.address().address));
    });
  } finally {
    socket.close();
  }
};

const refuse = (what: string): Promise<never> => Promise.reject(new Error(what));

export const externalCluster = async (config: ClusterConfig, path: string, log: Log): Promise<Cluster> => {
  const kubeconfig = resolve(path);
  if (!existsSync(kubeconfig)) throw new Error(`SWEFLEET_KUBECONFIG names ${kubeconfig}, which is not there`);
  const apiUrl = serverOf(kubeconfig);
  const server = new URL(apiUrl).hostname.replace(/^\[|\]$/g, '');
  const stateDir = join(config.cacheDir, 'external', createHash('sha256').update(kubeconfig).digest('hex').slice(0, 12));
  mkdirSync(stateDir, { recursive: true });
  const only = ['kubectl', 'helm', 'kubeconform', 'nats-server'];
  const binDir = await ensureBinaries({ cacheDir: config.cacheDir, log, only });
  log(`using the cluster of SWEFLEET_KUBECONFIG: ${apiUrl}, kubeconfig ${kubeconfig}; no box is started`);
  return {
    kind: 'external',
    name: 'external',
    kubeconfig,
    apiUrl,
    boxIp: server,
    hostIp: config.hostIp ?? (await addressTowards(server)),
    stateDir,
    binDir,
    auditLog: undefined,
    userKubeconfig(name, groups = []) {
      const file = join(stateDir, 'users', `${encodeURIComponent(name)}.yaml`);
      writeKubeconfig(file, impersonating(kubeconfig, name, groups));
      return Promise.resolve(file);
    },
    loadImage: (path) =>
      refuse(`${path} cannot be loaded into ${apiUrl}: set SWEFLEET_REGISTRY to push there, or use "kind load image-archive"`),
    enter: (argv) => refuse(`"${argv.join(' ')}" needs a box; SWEFLEET_KUBECONFIG names ${apiUrl}`),
    down: () => Promise.resolve(),
  };
};
