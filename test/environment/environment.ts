// A whole installation to work with: cluster, images, git server, scripted model, chart, persons. Demo and end-to-end tests use this one.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { newAuthority, newServerCertificate, type KeyPair } from '../../install/certificates.ts';
import { clusterConfig } from '../cluster/config.ts';
import { ensureBox, type Cluster } from '../cluster/cluster.ts';
import { attempt, type CommandEnd } from '../cluster/command.ts';
import { deliverImages, textOf, type ImageReferences } from '../cluster/images/delivery.ts';
import type { Log } from '../cluster/progress.ts';
import { builtPlugin, PLUGIN_PATH } from '../cluster/plugin.ts';
import { installChart, PERSONS, RELEASE_NAMESPACE, type Person } from './chart.ts';
import { kubectlWith, type Kubectl } from './kubernetes.ts';
import { GIT_HOST, gitRootOf, startOutside, type Outside, type OutsideOptions } from './outside.ts';
import { createRepository } from './repository.ts';

/** Runs one part of the set-up under a label, so that whoever opens the environment shows its progress. */
export type Stage = <T>(label: string, work: (log: (line: string) => void) => Promise<T>) => Promise<T>;

export interface EnvironmentOptions extends Pick<
  OutsideOptions,
  'modelLatencyMs' | 'onGitRequest' | 'onModelRequest' | 'inFrontOf'
> {
  readonly box: string;
  readonly namespaces: readonly string[];
  readonly stage: Stage;
  /** Told which cluster it is, as soon as it is there. */
  readonly onCluster?: (cluster: Cluster) => void;
  /** Laid over the chart's values. */
  readonly values?: object;
}

export interface Environment {
  readonly cluster: Cluster;
  /** Folder of the git server's bare repositories. */
  readonly gitRoot: string;
  /** As administrator. */
  readonly kubectl: Kubectl;
  as(person: Person): Kubectl;
  /** `kubectl fleet …` as that person. */
  fleet(person: Person, ...args: readonly string[]): Promise<CommandEnd>;
  /** A fresh repository of that name with one commit of the folder's files. */
  createRepository(name: string, folder: string): Promise<Repository>;
}

/** A environment with the servers of the machine that belong to it. */
export interface OpenEnvironment extends Environment {
  readonly outside: Outside;
  /** Ends what runs on the machine; the cluster stays. */
  close(): Promise<void>;
}

export interface Repository {
  readonly url: string;
  readonly bare: string;
  readonly head: string;
}

const DAYS = 3650;

export const openEnvironment = async (options: EnvironmentOptions): Promise<OpenEnvironment> => {
  const { stage } = options;
  const cluster = await stage('cluster', (log) => ensureBox({ name: options.box, log }));
  options.onCluster?.(cluster);
  const images = await stage('programs and images', async (log) => {
    await builtPlugin(log);
    return prepareImages(cluster, log);
  });
  const kubectl = kubectlWith(cluster.binDir, cluster.kubeconfig);
  const pki = await gitPki(cluster.stateDir);
  const outside = await startOutside({
    ...options,
    hostIp: cluster.hostIp,
    stateDir: cluster.stateDir,
    gitCertificate: pki.server,
    kubectl,
  });
  try {
    const { namespaces, values = {} } = options;
    await stage('chart', () => installChart({ cluster, kubectl, namespaces, gitCaPem: pki.ca, images, values }));
    return { ...(await accessTo(cluster)), outside, close: () => outside.close() };
  } catch (error) {
    await outside.close();
    throw error;
  }
};

/** The environment that another process of this machine opened on that box. */
export const connectEnvironment = async (box: string): Promise<Environment> =>
  accessTo(await ensureBox({ name: box, log: () => undefined }));

const accessTo = async (cluster: Cluster): Promise<Environment> => {
  const gitRoot = gitRootOf(cluster.stateDir);
  const names = Object.keys(PERSONS) as Person[];
  const files = new Map(await Promise.all(names.map(async (name) => [name, await cluster.userKubeconfig(name)] as const)));
  const kubeconfigOf = (person: Person): string => files.get(person) ?? '';
  return {
    cluster,
    gitRoot,
    kubectl: kubectlWith(cluster.binDir, cluster.kubeconfig),
    as: (person) => kubectlWith(cluster.binDir, kubeconfigOf(person)),
    fleet: (person, ...args) =>
      attempt([PLUGIN_PATH, ...args], {
        env: { ...process.env, KUBECONFIG: kubeconfigOf(person), PATH: `${cluster.binDir}:${process.env['PATH'] ?? ''}` },
      }),
    createRepository: async (name, folder) => {
      const bare = join(gitRoot, 'team', `${name}.git`);
      const head = await createRepository(bare, folder);
      return { url: `https://${GIT_HOST}/team/${name}.git`, bare, head };
    },
  };
};

const prepareImages = async (cluster: Cluster, log: Log): Promise<ImageReferences> => {
  const images = await deliverImages({ cluster, config: clusterConfig(), log });
  if (cluster.kind === 'box') await restartOnNewImages(cluster, images);
  return images;
};

/** A kept box runs pods of the images it had: when one of ours is new under the same tag, its pods are replaced. */
const restartOnNewImages = async (cluster: Cluster, images: ImageReferences): Promise<void> => {
  const built = [...images.values()].map((image) => `${textOf(image)} ${image.built}`).join('\n');
  const file = join(cluster.stateDir, 'installed-images');
  const known = existsSync(file) ? readFileSync(file, 'utf8') : undefined;
  if (known === built) return;
  if (known !== undefined) {
    const ours = ['--namespace', RELEASE_NAMESPACE, '--selector', 'app.kubernetes.io/name=swe-fleet'];
    await kubectlWith(cluster.binDir, cluster.kubeconfig).attempt('delete', 'pods', ...ours, '--wait=false');
  }
  writeFileSync(file, built);
};

/** The git server's certificate and who signed it; kept, so that a kept box goes on trusting it. */
const gitPki = async (stateDir: string): Promise<{ readonly ca: string; readonly server: KeyPair }> => {
  const file = join(stateDir, 'git-pki.json');
  if (existsSync(file)) return JSON.parse(readFileSync(file, 'utf8')) as { ca: string; server: KeyPair };
  const now = Date.now();
  const authority = await newAuthority('outside git', now, DAYS);
  const server = await newServerCertificate(authority, { names: [GIT_HOST], now, days: DAYS });
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, JSON.stringify({ ca: authority.certificate, server }), { mode: 0o600 });
  return { ca: authority.certificate, server };
};
