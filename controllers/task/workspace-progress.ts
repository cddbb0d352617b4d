// How far a workspace is that has not ended: whether anything of it has started, what it waits for, and the date from which on it counts as
// lost. The Job controller withholds `Failed` while a pod of the Job is being ended, and the kubelet of a lost node ends none: whoever
// waited for them would wait for ever, so that a workspace has a date of our own.
// May: read Jobs and pods. May not: call waiting a fault; a pod that no node takes costs no attempt.

import { epochMs, timestamp } from '../../crds/time.ts';
import type { ContainerStatus, Job, Pod } from '../kubernetes.ts';

/** After a pod should have ended, kubelet and Job controller are given so long to say that it did. */
const LOST_MS = 120_000;
/** Pulling and scheduling take a while: what a young workspace waits for is not told. */
const TOLD_MS = 60_000;

export interface Progress {
  /** A container of it ran, so that it may have done something. */
  readonly hasStarted: boolean;
  /** What it waits for, in words for people; undefined: for nothing, or for nothing worth telling yet. */
  readonly waitsFor: string | undefined;
  /** When to look again, epoch milliseconds: no watch tells that nothing has happened. */
  readonly lookAgainMs: number | undefined;
  /** It should have ended at `at`, and nobody says that it did. */
  readonly lost: { readonly at: string; readonly message: string } | undefined;
}

export const statusesOf = ({ status }: Pod): readonly ContainerStatus[] => [
  ...(status?.initContainerStatuses ?? []),
  ...(status?.containerStatuses ?? []),
];

/** While steps run that are init containers, the phase of their pod is Pending. */
export const podHasStarted = (pod: Pod): boolean =>
  (pod.status?.phase !== undefined && pod.status.phase !== 'Pending') ||
  statusesOf(pod).some(({ state }) => state?.running !== undefined || state?.terminated !== undefined);

const latest = (...dates: readonly (number | undefined)[]): number => Math.max(...dates.map((date) => date ?? 0));

interface Due {
  readonly atMs: number;
  readonly message: string;
}

/** When a pod should have ended by itself, as far as that is known. */
const podDue = (pod: Pod): readonly Due[] => {
  const { deletionTimestamp, creationTimestamp } = pod.metadata;
  const deletedMs = epochMs(deletionTimestamp);
  const deleted = deletedMs === undefined ? [] : [{ atMs: deletedMs, message: 'its pod is being ended, and nobody ends it' }];
  const seconds = pod.spec?.activeDeadlineSeconds;
  if (seconds === undefined || !podHasStarted(pod)) return deleted;
  // the later of two clocks: that of a node which is behind must not call a pod lost that has just begun
  const startedMs = latest(epochMs(pod.status?.startTime), epochMs(creationTimestamp));
  return [...deleted, { atMs: startedMs + seconds * 1000, message: 'its pod is past its deadline, and nobody ends it' }];
};

const conditionMs = ({ status }: Job, wanted: string): number | undefined =>
  epochMs(status?.conditions?.find(({ type, status: held }) => type === wanted && held === 'True')?.lastTransitionTime);

const jobDue = (job: Job): readonly Due[] => {
  const atMs = conditionMs(job, 'FailureTarget');
  return atMs === undefined ? [] : [{ atMs, message: 'its Job is to fail, and cannot while its pod is not ended' }];
};

const PULLING: readonly string[] = ['ErrImagePull', 'ImagePullBackOff', 'ErrImageNeverPull', 'InvalidImageName'];
const MAKING: readonly string[] = ['CreateContainerConfigError', 'CreateContainerError', 'RunContainerError'];

/** The reasons change back and forth while the kubelet tries again; the words stay. */
const containerWait = ({ name, state }: ContainerStatus): string | undefined => {
  const reason = state?.waiting?.reason ?? '';
  if (PULLING.includes(reason)) return `the image of step ${name}, which cannot be pulled`;
  return MAKING.includes(reason) ? `the container of step ${name}, which cannot be made (${reason})` : undefined;
};

const nodeWait = ({ status }: Pod): string | undefined => {
  const scheduled = status?.conditions?.find(({ type }) => type === 'PodScheduled');
  return scheduled?.status === 'False' ? `a node that takes its pod: ${scheduled.message ?? scheduled.reason ?? ''}` : undefined;
};

const podWait = (pod: Pod): string | undefined => {
  for (const each of statusesOf(pod)) {
    const wait = containerWait(each);
    if (wait !== undefined) return wait;
  }
  return podHasStarted(pod) ? undefined : (nodeWait(pod) ?? 'its pod to start');
};

const jobWait = (job: Job, pods: readonly Pod[]): string | undefined => {
  const [pod] = pods;
  if (pod !== undefined) return podWait(pod);
  if (conditionMs(job, 'Suspended') !== undefined) return `Job ${job.metadata.name} to be resumed: somebody suspended it`;
  return `its pod, which is not made: kubectl describe job ${job.metadata.name} says why`;
};

export const progressOf = (job: Job, pods: readonly Pod[], now: number): Progress => {
  const due = [...pods.flatMap(podDue), ...jobDue(job)].toSorted((a, b) => a.atMs - b.atMs)[0];
  const hasStarted = pods.some(podHasStarted);
  const toldMs = (epochMs(job.metadata.creationTimestamp) ?? 0) + TOLD_MS;
  const isToldYet = hasStarted || now >= toldMs;
  const lostMs = due === undefined ? undefined : due.atMs + LOST_MS;
  return {
    hasStarted,
    waitsFor: isToldYet ? jobWait(job, pods) : undefined,
    lookAgainMs: isToldYet ? lostMs : Math.min(toldMs, lostMs ?? toldMs),
    lost: due !== undefined && now >= due.atMs + LOST_MS ? { at: timestamp(due.atMs), message: due.message } : undefined,
  };
};
