// Which attempt a Job belongs to. The label says it, the name proves it: names are functions of owner, attempt and kind.
// May: tell Jobs apart. May not: trust a label alone; whoever can label a Job could otherwise make it count.

import { LABEL_ATTEMPT, LABEL_WORKSPACE } from '../../crds/labels.ts';
import { jobName } from '../../crds/names.ts';
import type { Task } from '../../crds/kinds/task.ts';
import type { Job } from '../kubernetes.ts';
import type { JobKind } from '../workspace/step-table.ts';

export interface AttemptJob {
  readonly job: Job;
  readonly kind: JobKind;
  readonly n: number;
  /** 1 for an attempt, the number of the try for a courier. */
  readonly courierTry: number;
}

export interface WantedJob {
  readonly kind: JobKind;
  readonly n: number;
  readonly courierTry: number;
}

export const wantedJobName = (task: Task, { kind, n, courierTry }: WantedJob): string =>
  jobName({ owner: task.metadata, kind, attempt: n, courierTry });

const COURIER_TRY = /-c\d+-(\d+)-[0-9a-f]{8}$/;

const identify = (task: Task, job: Job): AttemptJob | undefined => {
  const kind = job.metadata.labels?.[LABEL_WORKSPACE];
  const n = Number(job.metadata.labels?.[LABEL_ATTEMPT] ?? Number.NaN);
  if ((kind !== 'attempt' && kind !== 'courier') || !Number.isInteger(n) || n < 1) return undefined;
  const courierTry = kind === 'courier' ? Number(COURIER_TRY.exec(job.metadata.name)?.[1] ?? 1) : 1;
  return job.metadata.name === wantedJobName(task, { kind, n, courierTry }) ? { job, kind, n, courierTry } : undefined;
};

/** The Task's Jobs by attempt; Jobs of any other name are nobody's attempt. */
export const attemptJobs = (task: Task, jobs: readonly Job[]): readonly AttemptJob[] =>
  jobs.flatMap((job) => identify(task, job) ?? []).sort((a, b) => a.n - b.n || a.courierTry - b.courierTry);
