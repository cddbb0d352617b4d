// The environment with its breakable parts: the box's processes, ports in front of git server and model, the store on a volume of its own.
// One installation serves all rounds. Tests that share an environment with others have no such ports and no such volume.
import { join } from 'node:path';
import { clusterConfig } from '../cluster/config.ts';
import { ensureBox } from '../cluster/cluster.ts';
import { boxLayout, cgroupName, type BoxLayout } from '../cluster/layout.ts';
import { RELEASE, RELEASE_NAMESPACE } from '../environment/chart.ts';
import { openEnvironment, type Environment, type Stage } from '../environment/environment.ts';
import { startFaultyPort, type FaultyPort } from '../environment/faulty-port.ts';
import { kubectlWith } from '../environment/kubernetes.ts';
import type { ModelRequestLine } from '../model/server.ts';
import { watchSteps, type StepProcess } from './pod-processes.ts';
import { watchPods, type WatchedPods } from './watched-pods.ts';

export type ServerName = 'git' | 'model';

export interface Rig {
  readonly environment: Environment;
  readonly layout: BoxLayout;
  readonly cgroup: string;
  readonly ports: ReadonlyMap<ServerName, FaultyPort>;
  /** Whoever wants to know of the model's requests. */
  readonly onModelRequest: Set<(line: ModelRequestLine) => void>;
  /** Whoever wants to know of steps as they begin. */
  readonly onStep: Set<(step: StepProcess) => void>;
  /** Of our own processes. */
  readonly pods: WatchedPods;
  close(): Promise<void>;
}

const STORE_SIZE = '256Mi';
const STORE_CLASS = 'chaos-store';
export const storePath = (layout: BoxLayout): string => join(layout.stateDir, 'store');

/** Bounded, in memory, and a volume to the cluster: it outlives NATS's pod, and can be full or lost without touching the machine's disk. */
const storeVolume = (path: string): object => ({
  apiVersion: 'v1',
  kind: 'PersistentVolume',
  metadata: { name: 'chaos-store' },
  spec: {
    capacity: { storage: STORE_SIZE },
    accessModes: ['ReadWriteOnce'],
    storageClassName: STORE_CLASS,
    persistentVolumeReclaimPolicy: 'Retain',
    claimRef: { namespace: RELEASE_NAMESPACE, name: `data-${RELEASE}-nats-0` },
    hostPath: { path, type: 'Directory' },
  },
});

const values = {
  nats: { storage: { persistent: true, size: STORE_SIZE, storageClassName: STORE_CLASS } },
  // twelve tasks of two Stories want to run side by side
  capacity: { workspaces: 8, perNamespace: 4, perStory: 4 },
};

/** What is watched of an environment on a box, from now until it is closed. */
export const rigOn = async (
  environment: Environment,
  parts: Partial<Pick<Rig, 'ports' | 'onModelRequest'>> = {},
): Promise<Rig> => {
  const { cluster } = environment;
  const layout = boxLayout(clusterConfig().cacheDir, cluster.name);
  const cgroup = cgroupName(layout);
  const pods = await watchPods(cluster.kubeconfig, RELEASE_NAMESPACE);
  const onStep = new Set<(step: StepProcess) => void>();
  const stop = new AbortController();
  const steps = watchSteps(cgroup, (step) => [...onStep].forEach((listener) => listener(step)), stop.signal);
  return {
    ...{ environment, layout, cgroup, pods, onStep },
    ports: parts.ports ?? new Map(),
    onModelRequest: parts.onModelRequest ?? new Set(),
    close: async () => {
      stop.abort();
      await Promise.all([steps, pods.close()]);
    },
  };
};

/** The box of that name with an installation for nothing but chaos. */
export const openRig = async (box: string, stage: Stage): Promise<Rig> => {
  const layout = boxLayout(clusterConfig().cacheDir, box);
  await stage('box', async (log) => {
    const cluster = await ensureBox({ name: box, log });
    const path = storePath(layout);
    const mount = `mkdir -p ${path} && { mountpoint -q ${path} || mount -t tmpfs -o size=256m,mode=0777 store ${path}; }`;
    await cluster.enter(['sh', '-c', mount]);
    await kubectlWith(cluster.binDir, cluster.kubeconfig).apply(storeVolume(path));
  });
  const ports = new Map<ServerName, FaultyPort>();
  const onModelRequest = new Set<(line: ModelRequestLine) => void>();
  const environment = await openEnvironment({
    ...{ box, stage, values, namespaces: [] },
    onModelRequest: (line) => [...onModelRequest].forEach((listener) => listener(line)),
    inFrontOf: async (name, port, hostIp) => {
      const front = await startFaultyPort(hostIp, { host: hostIp, port });
      ports.set(name, front);
      return front.port;
    },
  });
  const rig = await rigOn(environment, { ports, onModelRequest });
  return {
    ...rig,
    close: async () => {
      await Promise.all([rig.close(), environment.close()]);
      await Promise.all([...ports.values()].map((port) => port.close()));
    },
  };
};
