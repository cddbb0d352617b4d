// Which run of a Task a Job belongs to. The labels say it, the name proves it: names are functions of owner, attempt, candidate, kind
// and try.
// May: tell Jobs apart. May not: trust labels alone; whoever can label a Job could otherwise make it count.

import type { JobKind } from '../../crds/contracts/steps.ts';
import { LABEL_ATTEMPT, LABEL_CANDIDATE, LABEL_TRY, LABEL_WORKSPACE } from '../../crds/labels.ts';
import { jobName } from '../../crds/names.ts';
import type { Task } from '../../crds/kinds/task.ts';
import type { Job } from '../kubernetes.ts';

export interface WantedJob {
  readonly kind: JobKind;
  /** Number of the attempt. */
  readonly n: number;
  readonly candidate: number;
  /** 1 for an attempt, the number of the try for a courier. */
  readonly courierTry: number;
}

export interface RunJob extends WantedJob {
  readonly job: Job;
}

export const wantedJobName = (task: Task, { kind, n, candidate, courierTry }: WantedJob): string =>
  jobName({ owner: task.metadata, kind, attempt: n, candidate, courierTry });

export const identityLabels = ({ kind, n, candidate, courierTry }: WantedJob): Readonly<Record<string, string>> => ({
  [LABEL_WORKSPACE]: kind,
  [LABEL_ATTEMPT]: String(n),
  [LABEL_CANDIDATE]: String(candidate),
  [LABEL_TRY]: String(courierTry),
});

/** A whole number from 1 on, or NaN. */
const numberIn = (job: Job, label: string): number => {
  const given = Number(job.metadata.labels?.[label] ?? Number.NaN);
  return Number.isInteger(given) && given >= 1 ? given : Number.NaN;
};

const identify = (task: Task, job: Job): RunJob | undefined => {
  const kind = job.metadata.labels?.[LABEL_WORKSPACE];
  if (kind !== 'attempt' && kind !== 'courier') return undefined;
  const wanted: WantedJob = {
    kind,
    n: numberIn(job, LABEL_ATTEMPT),
    candidate: numberIn(job, LABEL_CANDIDATE),
    courierTry: numberIn(job, LABEL_TRY),
  };
  if ([wanted.n, wanted.candidate, wanted.courierTry].some(Number.isNaN)) return undefined;
  return job.metadata.name === wantedJobName(task, wanted) ? { ...wanted, job } : undefined;
};

/** The Task's Jobs by attempt, candidate and try; Jobs of any other name belong to no run. */
export const runJobs = (task: Task, jobs: readonly Job[]): readonly RunJob[] =>
  jobs
    .flatMap((job) => identify(task, job) ?? [])
    .sort((a, b) => a.n - b.n || a.candidate - b.candidate || a.courierTry - b.courierTry);
