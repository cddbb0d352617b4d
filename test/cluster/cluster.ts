/**
 * The cluster that tests and the demo work on: a box of our own, or the cluster that SWEFLEET_KUBECONFIG names.
 * This is the tooling's front door; what lies behind it is not imported from outside `test/cluster/`.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { ensureBinaries } from './binaries.ts';
import { down, runningBox, up, type RunningBox } from './box.ts';
import { openAuthority } from './certificates.ts';
import { run } from './command.ts';
import { apiUrlOf } from './component-files.ts';
import { clusterConfig, type ClusterConfig } from './config.ts';
import { externalCluster } from './external.ts';
import { importImage, inBox } from './image-import.ts';
import { kubeconfigText, writeKubeconfig } from './kubeconfig.ts';
import { checkedName } from './layout.ts';
import { ensurePackages, refuseUnlessPossible } from './packages.ts';
import { ensurePauseImage } from './pause-image.ts';
import type { Log } from './progress.ts';

export interface Cluster {
  readonly kind: 'box' | 'external';
  readonly name: string;
  /** Path of the administrator's kubeconfig. */
  readonly kubeconfig: string;
  readonly apiUrl: string;
  /** Where the API server and the node are. */
  readonly boxIp: string;
  /** The address at which pods reach servers of this machine. */
  readonly hostIp: string;
  readonly stateDir: string;
  /** kubectl, helm, nats-server and the rest. */
  readonly binDir: string;
  /** One JSON line per API write; only a box has one. */
  readonly auditLog: string | undefined;
  /** Path of a kubeconfig for a user of that name: a client certificate in a box, impersonation elsewhere. */
  userKubeconfig(name: string, groups?: readonly string[]): Promise<string>;
  /** Makes an image (an archive, or a directory with an OCI layout) known to the node; true when it was not yet. @throws on an external cluster */
  loadImage(path: string): Promise<boolean>;
  /** Runs a program in the namespaces of the box and returns its output. @throws on an external cluster */
  enter(argv: readonly string[]): Promise<string>;
  /** Ends a box; leaves an external cluster as it is. */
  down(options?: { readonly forget?: boolean }): Promise<void>;
}

export interface EnsureBoxOptions {
  readonly name?: string;
  /** How many GPUs the node pretends to have. */
  readonly gpus?: number;
  /** Without a node: etcd, API server, controller manager and scheduler alone, for who plays the pods himself. */
  readonly controlPlaneOnly?: boolean;
  /** Throw away what an earlier box of this name kept. */
  readonly fresh?: boolean;
  readonly log: Log;
  readonly config?: ClusterConfig;
}

/** Programs and packages of a box, made where they are missing; returns the programs' directory. */
export const ensureTools = async (config: ClusterConfig, log: Log): Promise<string> => {
  mkdirSync(config.cacheDir, { recursive: true });
  await refuseUnlessPossible(config.cacheDir); // at once, not after minutes of building
  const [binDir] = await Promise.all([ensureBinaries({ cacheDir: config.cacheDir, log }), ensurePackages(log)]);
  await ensurePauseImage(config.cacheDir, binDir, log);
  return binDir;
};

const clusterOf = (box: RunningBox, config: ClusterConfig, log: Log): Cluster => {
  const { layout, address, parameters } = box;
  const apiUrl = apiUrlOf(address);
  return {
    kind: 'box',
    name: layout.name,
    kubeconfig: layout.adminKubeconfig,
    apiUrl,
    boxIp: address.boxIp,
    hostIp: address.hostIp,
    stateDir: layout.stateDir,
    binDir: parameters.binDir,
    auditLog: layout.auditLog,
    async userKubeconfig(name, groups = []) {
      const authority = await openAuthority(layout.pki);
      const credentials = await authority.sign({ commonName: name, groups });
      const path = join(layout.kubeconfigs, 'users', `${encodeURIComponent(name)}.yaml`);
      writeKubeconfig(
        path,
        kubeconfigText({ cluster: layout.name, apiUrl, authority: authority.certificate, user: name, credentials }),
      );
      return path;
    },
    loadImage: (path) => importImage(box, path, log),
    enter: (argv) => run(inBox(box, argv)),
    down: (options) => down(config.cacheDir, layout.name, options?.forget),
  };
};

/** The cluster as it is now, neither started nor mended; undefined when the box does not run. */
export const presentCluster = async (name: string, config: ClusterConfig): Promise<Cluster | undefined> => {
  const quiet: Log = () => undefined;
  if (config.externalKubeconfig !== undefined) return externalCluster(config, config.externalKubeconfig, quiet);
  const box = runningBox(config.cacheDir, name);
  return box === undefined ? undefined : clusterOf(box, config, quiet);
};

/** The box of that name, running, with everything it needs made on the way; or the user's own cluster, which it says. */
export const ensureBox = async (options: EnsureBoxOptions): Promise<Cluster> => {
  const { log, config = clusterConfig(), name = 'default' } = options;
  checkedName(name);
  if (config.externalKubeconfig !== undefined) return externalCluster(config, config.externalKubeconfig, log);
  const binDir = await ensureTools(config, log);
  const box = await up({
    cacheDir: config.cacheDir,
    name,
    binDir,
    log,
    ...(options.gpus === undefined ? {} : { gpus: options.gpus }),
    ...(options.fresh === undefined ? {} : { fresh: options.fresh }),
    ...(options.controlPlaneOnly === undefined ? {} : { controlPlaneOnly: options.controlPlaneOnly }),
  });
  const how = box.reused ? 'reusing' : 'started';
  log(`${how} box "${name}": Kubernetes at ${apiUrlOf(box.address)}, kubeconfig ${box.layout.adminKubeconfig}`);
  return clusterOf(box, config, log);
};
