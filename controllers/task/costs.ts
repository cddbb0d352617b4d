// What a run has cost, as its record says in the end: tokens by the ledger, GPU seconds by its Jobs, each counted once.
// May: complete a record that ends. May not: change one that has ended.

import type { Attempt, Task } from '../../crds/kinds/task.ts';
import type { Job, Pod } from '../kubernetes.ts';
import type { Usage } from '../snapshot.ts';
import { gpuSecondsOf, gpusOf } from './gpu.ts';
import { runJobs } from './job-identity.ts';
import { isSameRun } from './records.ts';

export interface CostSources {
  readonly task: Task;
  readonly jobs: readonly Job[];
  readonly pods: readonly Pod[];
  /** The ledger's account of the newest attempt. */
  readonly attemptUsage: Usage | undefined;
}

const MAX_COUNT = 2_147_483_647;

/** The ledger knows what an attempt spent; without it the record keeps what its report said. */
const withTokens = (record: Attempt, usage: Usage | undefined): Attempt =>
  usage === undefined ? record : { ...record, tokens: Math.min(MAX_COUNT, Math.ceil(usage.spent)) };

const gpuSeconds = (jobs: readonly Job[], { pods }: CostSources, now: number): number | undefined =>
  jobs.some((job) => gpusOf(job) > 0) ? jobs.reduce((sum, job) => sum + gpuSecondsOf(job, pods, now), 0) : undefined;

const withGpuSeconds = (record: Attempt, more: number | undefined): Attempt =>
  more === undefined ? record : { ...record, gpuSeconds: Math.min(MAX_COUNT, (record.gpuSeconds ?? 0) + more) };

/** When the Job of the attempt has ended: with a patch the record stays open, and has these already when the run ends. */
export const withAttemptCosts = (record: Attempt, sources: CostSources, now: number): Attempt => {
  const own = sources.jobs.filter(({ metadata }) => metadata.uid === record.jobUid);
  return withGpuSeconds(withTokens(record, sources.attemptUsage), gpuSeconds(own, sources, now));
};

/** When the run has ended: what its couriers took comes on top. */
export const withRunCosts = (record: Attempt, sources: CostSources, now: number): Attempt => {
  const couriers = runJobs(sources.task, sources.jobs).filter((each) => each.kind === 'courier' && isSameRun(each, record));
  const jobs = couriers.map(({ job }) => job);
  return withGpuSeconds(withTokens(record, sources.attemptUsage), gpuSeconds(jobs, sources, now));
};
