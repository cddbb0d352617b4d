// GPU seconds: the GPUs of a workspace times the seconds that its pod ran. What has ended stands in records; what runs is counted from its
// pods, so that a budget is spent at a time that can be told before.
// May: count. May not: count a pod that waits for its GPUs.

import { LABEL_GPUS } from '../../crds/labels.ts';
import { epochMs } from '../../crds/time.ts';
import type { Job, Pod } from '../kubernetes.ts';
import { recordedSpending } from '../spending.ts';
import { runJobs } from './job-identity.ts';
import { endedAt, podsOf } from './job-reading.ts';
import { isOpen, isSameRun, listedRecords } from './records.ts';
import type { Relative, TaskCore } from './seen.ts';

/** As its label says; the Council may have changed since. */
export const gpusOf = ({ metadata }: Job): number => {
  const given = Number(metadata.labels?.[LABEL_GPUS] ?? '0');
  return Number.isInteger(given) && given > 0 ? given : 0;
};

/** When its GPUs became its own: from then on a pod is on its node. undefined: not yet. */
const startMs = (job: Job, pods: readonly Pod[]): number | undefined => {
  const own = podsOf(job, pods);
  if (own.length > 0) return epochMs(own.find(({ status }) => status?.startTime !== undefined)?.status?.startTime);
  return endedAt(job, pods) === undefined ? undefined : epochMs(job.status?.startTime);
};

/** Until its end, or until now. */
export const gpuSecondsOf = (job: Job, pods: readonly Pod[], now: number): number => {
  const start = startMs(job, pods);
  if (start === undefined) return 0;
  return gpusOf(job) * Math.max(0, Math.ceil(((epochMs(endedAt(job, pods)) ?? now) - start) / 1000));
};

/** The Jobs of open runs whose seconds no record has yet. */
const unrecorded = ({ task, jobs }: Relative): readonly Job[] => {
  const open = listedRecords(task).filter(isOpen);
  return runJobs(task, jobs)
    .filter((each) => open.some((record) => isSameRun(record, each) && (each.kind === 'courier' || record.patch === undefined)))
    .map(({ job }) => job);
};

const delivered = ({ task }: Relative): number =>
  listedRecords(task)
    .filter(isOpen)
    .reduce((sum, { gpuSeconds }) => sum + (gpuSeconds ?? 0), 0);

export interface GpuBudget {
  readonly most: number;
  readonly isSpent: boolean;
  /** Until it is spent, as things run now; undefined: nothing runs on GPUs, or it is spent. */
  readonly leftMs: number | undefined;
}

/** undefined: the Story has none. */
export const gpuBudget = ({ story, family }: TaskCore, now: number): GpuBudget | undefined => {
  const most = story?.spec.budget.gpuSeconds;
  if (most === undefined) return undefined;
  const running = family.flatMap((relative) => unrecorded(relative).map((job) => ({ job, pods: relative.gpuPods ?? [] })));
  const inRuns = running.reduce((sum, { job, pods }) => sum + gpuSecondsOf(job, pods, now), 0);
  const recorded = recordedSpending(
    story,
    family.map(({ task }) => task),
  ).gpuSeconds;
  const left = most - recorded - inRuns - family.reduce((sum, relative) => sum + delivered(relative), 0);
  const rate = running
    .filter(({ job, pods }) => startMs(job, pods) !== undefined && endedAt(job, pods) === undefined)
    .reduce((sum, { job }) => sum + gpusOf(job), 0);
  return { most, isSpent: left <= 0, leftMs: left > 0 && rate > 0 ? Math.ceil((left * 1000) / rate) : undefined };
};
