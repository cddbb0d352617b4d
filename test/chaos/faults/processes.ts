// Processes that are killed, frozen or starved, on the machine, by the number of the process: nothing in the cluster is asked.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { ensureBox } from '../../cluster/cluster.ts';
import type { BoxProcesses } from '../../cluster/box.ts';
import type { ComponentName } from '../../cluster/components.ts';
import { namespaceMembers } from '../../cluster/processes.ts';
import { readState } from '../../cluster/state-file.ts';
import type { BoxStatus } from '../../cluster/status.ts';
import type { Moment, Fault, Scene, Struck } from '../contract.ts';
import { podProcesses, type PodProcess } from '../pod-processes.ts';
import { storePath, type Rig } from '../rig.ts';
import type { Pod } from '../watched-pods.ts';

/** Our own processes, by a word of their command line. */
const PROGRAMS = {
  operator: '/opt/fleet/operator.mjs',
  gateway: '/opt/fleet/gateway.mjs',
  nats: '/etc/nats/conf/nats.conf',
} as const;
export type OwnProcess = keyof typeof PROGRAMS;

export const ownProcesses = (rig: Rig, name: OwnProcess): readonly PodProcess[] =>
  podProcesses(rig.cgroup).filter(({ argv }) => argv.includes(PROGRAMS[name]));

export const theProcess = (rig: Rig, name: OwnProcess): PodProcess => {
  const [found] = ownProcesses(rig, name);
  if (found === undefined) throw new Error(`no process of the ${name} runs in the box`);
  return found;
};

export const isReady = ({ metadata, status }: Pod): boolean =>
  metadata.deletionTimestamp === undefined && status?.containerStatuses?.every(({ ready }) => ready === true) === true;

/** That component has as many ready containers as it should, none of them the one that was killed. */
const serves =
  (name: OwnProcess, gone: readonly string[]) =>
  (pods: readonly Pod[]): true | undefined => {
    const ours = pods.filter(({ metadata }) => metadata.labels?.['app.kubernetes.io/component'] === name);
    const old = (pod: Pod): boolean =>
      pod.status?.containerStatuses?.some(({ containerID = '' }) => gone.some((id) => containerID.endsWith(id))) === true;
    return ours.length > 0 && ours.every((pod) => isReady(pod) && !old(pod)) ? true : undefined;
  };

export const servesAgain = async (scene: Scene, name: OwnProcess, gone: readonly string[]): Promise<void> => {
  await scene.rig.pods.until(serves(name, gone), scene.signal);
};

const killing = (name: OwnProcess, scene: Scene, what: string): Struck => {
  const { pid, containerId } = theProcess(scene.rig, name);
  process.kill(pid, 'SIGKILL');
  return { what, heal: () => servesAgain(scene, name, [containerId]) };
};

export const killed = (name: OwnProcess, ...moments: readonly Moment[]): Fault => ({
  moments,
  strike: async (scene) => killing(name, scene, `the process of the ${name} killed`),
});

/** The files go first, while the process stands still, so that nothing of them is written again. */
export const storeLost = (...moments: readonly Moment[]): Fault => ({
  moments,
  strike: async (scene) => {
    const { pid } = theProcess(scene.rig, 'nats');
    process.kill(pid, 'SIGSTOP');
    rmSync(`/proc/${pid}/root/data/jetstream`, { recursive: true, force: true });
    return killing('nats', scene, 'NATS killed, its volume empty');
  },
});

/** A volume of more than this is no bounded one, but the machine's disk. */
const MOST_BYTES = 1024 ** 3;

export const storeFull = (...moments: readonly Moment[]): Fault => ({
  moments,
  strike: async (scene) => {
    const data = `/proc/${theProcess(scene.rig, 'nats').pid}/root/data`;
    const { blocks, bsize } = statfsSync(data);
    if (blocks * bsize > MOST_BYTES) throw new Error('the store of NATS is on no bounded volume: it is not filled');
    const filler = fillerOf(scene.rig);
    const logBefore = natsLog(scene.rig).length;
    await scene.rig.environment.cluster.enter(['sh', '-c', `cat /dev/zero >${filler} 2>/dev/null; test -s ${filler}`]);
    return {
      what: 'the volume of NATS filled to its last byte',
      heal: async () => {
        while (
          !/no space|out of space|insufficient storage|resource limits|will be disabled/i.test(
            natsLog(scene.rig).slice(logBefore),
          )
        ) {
          if (scene.signal.aborted) throw new Error('the full volume was never felt');
          await delay(100);
        }
        await scene.rig.environment.cluster.enter(['rm', filler]);
        await scene.rig.pods.until(serves('nats', []), scene.signal);
      },
    };
  },
});

export const fillerOf = ({ layout }: Rig): string => join(storePath(layout), 'filler');

const natsLog = (rig: Rig): string => {
  const pod = rig.pods.pods().find(({ metadata }) => metadata.labels?.['app.kubernetes.io/component'] === 'nats');
  if (pod === undefined) return '';
  const folder = join(rig.layout.podLogs, `${pod.metadata.namespace ?? ''}_${pod.metadata.name}_${pod.metadata.uid}`, 'nats');
  const files = [...Array(20).keys()].map((number) => join(folder, `${number}.log`)).filter((file) => existsSync(file));
  return files.map((file) => readFileSync(file, 'utf8')).join('');
};

const componentPid = (rig: Rig, name: ComponentName): number => {
  const inner = readState<BoxStatus>(rig.layout.status)?.components.find((component) => component.name === name)?.pid;
  const first = readState<BoxProcesses>(rig.layout.processes)?.first.pid;
  const pid = inner === undefined || first === undefined ? undefined : namespaceMembers(first).get(inner);
  if (pid === undefined) throw new Error(`the ${name} of the box does not run`);
  return pid;
};

/** Wakes whatever a fault left standing still: a run may have been ended in the midst of it. */
export const wakeAll = (rig: Rig): void => {
  const components = readState<BoxStatus>(rig.layout.status)?.components.filter(({ death }) => death === undefined) ?? [];
  const pids = [...podProcesses(rig.cgroup).map(({ pid }) => pid), ...components.map(({ name }) => componentPid(rig, name))];
  for (const pid of pids) {
    try {
      process.kill(pid, 'SIGCONT');
    } catch {
      // it has ended meanwhile
    }
  }
};

/** Nobody restarts a component of a box but `up`. */
export const componentKilled = (name: ComponentName, ...moments: readonly Moment[]): Fault => ({
  moments,
  strike: async ({ rig }) => {
    process.kill(componentPid(rig, name), 'SIGKILL');
    const died = (): boolean =>
      readState<BoxStatus>(rig.layout.status)?.components.some((each) => each.name === name && each.death !== undefined) === true;
    while (!died()) await delay(20);
    return {
      what: `the ${name} killed`,
      heal: async () => void (await ensureBox({ name: rig.layout.name, log: () => undefined })),
    };
  },
});

/** The node's kubelet stands still until the control plane gives the node up, then goes on. */
export const nodeNotReady = (...moments: readonly Moment[]): Fault => ({
  moments,
  strike: async ({ rig }) => {
    const pid = componentPid(rig, 'kubelet');
    process.kill(pid, 'SIGSTOP');
    const until = (status: string): Promise<string> =>
      rig.environment.kubectl('wait', 'nodes', '--all', `--for=condition=Ready=${status}`, '--timeout=180s');
    return {
      what: 'the kubelet frozen until the node was NotReady',
      heal: async () => {
        await until('Unknown').finally(() => process.kill(pid, 'SIGCONT'));
        await until('True');
      },
    };
  },
});

/** The group of the container in which the kernel counts memory. */
const memoryGroup = ({ pid }: PodProcess): { readonly folder: string; readonly limit: string; readonly usage: string } => {
  const lines = readFileSync(`/proc/${pid}/cgroup`, 'utf8').split('\n');
  const v1 = lines.find((line) => line.split(':')[1] === 'memory')?.split(':')[2];
  if (v1 !== undefined)
    return { folder: `/sys/fs/cgroup/memory${v1}`, limit: 'memory.limit_in_bytes', usage: 'memory.usage_in_bytes' };
  return { folder: `/sys/fs/cgroup${lines[0]?.split(':')[2] ?? ''}`, limit: 'memory.max', usage: 'memory.current' };
};

const SPARE_BYTES = 16 * 1024 * 1024;

/**
 * The kernel's own killing: the container's limit is lowered to little more than it uses, and a process that joins it eats the rest. The
 * container's own process is the one that the kernel is told to prefer.
 */
export const outOfMemory = async (victim: PodProcess): Promise<void> => {
  const { folder, limit, usage } = memoryGroup(victim);
  const used = Number(readFileSync(join(folder, usage), 'utf8'));
  writeFileSync(join(folder, limit), String(used + SPARE_BYTES));
  writeFileSync(`/proc/${victim.pid}/oom_score_adj`, '1000');
  const eat = `echo $$ >${join(folder, 'cgroup.procs')}; head -c ${4 * SPARE_BYTES} /dev/zero | tail -c ${4 * SPARE_BYTES} >/dev/null`;
  await once(spawn('sh', ['-c', eat], { stdio: 'ignore' }), 'exit');
};

export const ownOutOfMemory = (name: OwnProcess, ...moments: readonly Moment[]): Fault => ({
  moments,
  strike: async (scene) => {
    const victim = theProcess(scene.rig, name);
    await outOfMemory(victim);
    return { what: `the ${name} out of memory`, heal: () => servesAgain(scene, name, [victim.containerId]) };
  },
});
