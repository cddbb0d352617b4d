// How far each run of a Task is, from two sources laid over each other: `status.attempts` and the Jobs that are seen.
// May: read both. May not: lose or double a run: a Job that is seen counts before it is listed, and what is listed counts for good.

import type { JobKind } from '../../crds/contracts/steps.ts';
import type { PlatformConfig } from '../../crds/contracts/platform.ts';
import type { Attempt, Task } from '../../crds/kinds/task.ts';
import { conditionOf } from '../conditions.ts';
import type { Job, Pod } from '../kubernetes.ts';
import { epochMs, timestamp } from '../../crds/time.ts';
import { withAttemptCosts, withRunCosts, type CostSources } from './costs.ts';
import { runJobs, type RunJob } from './job-identity.ts';
import { isLive, podsOf, readJob, UNREAD_MS, type JobEnd, type Missed, type Reading as JobReading } from './job-reading.ts';
import { infrastructureFaults, infrastructureLimit, retryAtMs } from './limits.ts';
import {
  byNumber,
  endRecord,
  isOpen,
  isSameRun,
  latestRecord,
  listedRecords,
  newRecord,
  withCourier,
  withCourierFailure,
  withReport,
  type Crew,
} from './records.ts';
import { recordsOf, type Run, type Stage } from './runs.ts';
import type { Receipts } from './seen.ts';

export interface RunsInput extends CostSources {
  readonly receipts: Receipts;
  /** While it is false, receipts may be missing that are there. */
  readonly storeAvailable: boolean;
  readonly platform: PlatformConfig;
  /** Who would work on attempt n, and in what. */
  readonly crewOf: (n: number) => Crew;
}

export interface RunsRead {
  /** Every run, by attempt and candidate. */
  readonly runs: readonly Run[];
  /** Jobs of the Task that belong to no run, or to one that has ended, and are not being deleted yet. */
  readonly strays: readonly Job[];
}

/**
 * Something should be there and is not. Another cache may be behind, so that it counts as lost only after it was missed for a while. The
 * Task has one condition for each, whichever of its runs misses it.
 */
const endOfWait = (task: Task, missed: Missed, now: number): Pick<JobEnd, 'at' | 'side'> | undefined => {
  const missing = conditionOf(task.status?.conditions, missed);
  const sinceMs = missing?.status === 'True' ? epochMs(missing.lastTransitionTime) : undefined;
  if (sinceMs === undefined || now - sinceMs < UNREAD_MS) return undefined;
  return { at: timestamp(sinceMs), side: 'infrastructure' };
};

/** The listed Job is not there. */
const lost = (task: Task, what: JobKind, now: number): JobEnd | undefined => {
  const end = endOfWait(task, 'WorkspaceMissing', now);
  return end === undefined ? undefined : { ...end, reason: 'PodLost', message: `the Job of the ${what} is gone` };
};

/** It says that it ended well, and the gateway does not. A store that is away cannot tell. */
const unproven = ({ task, storeAvailable }: RunsInput, what: JobKind, now: number): JobEnd | undefined => {
  const end = storeAvailable ? endOfWait(task, 'ReceiptMissing', now) : undefined;
  const message = `the gateway has no receipt for what the ${what} says`;
  return end === undefined ? undefined : { ...end, reason: 'ReceiptMissing', message };
};

/** What a Job of the run says; one whose proof is missing has failed in the end. */
const readRunJob = ({ input, now }: Reading, kind: JobKind, job: Job): JobReading => {
  const { pods, receipts } = input;
  const found = readJob({ kind, job, pods: podsOf(job, pods), receipt: receipts[job.metadata.uid] }, now);
  const end = found.kind === 'unreceipted' ? unproven(input, kind, now) : undefined;
  return end === undefined ? found : { kind: 'ended', end };
};

interface Reading {
  readonly input: RunsInput;
  readonly now: number;
  /** Records of the other runs. */
  readonly others: readonly Attempt[];
}

interface RunProgress {
  readonly record: Attempt;
  readonly stage: Stage;
}

const ended = (record: Attempt, end: JobEnd): RunProgress => ({ record: endRecord(record, end), stage: { kind: 'ended' } });

/** A patch that has no courier: there was none yet, or the last one failed. */
const waitingForCourier = (record: Attempt, isNewlyFailed: boolean): RunProgress => {
  const { courierTries, courierFailedAt } = record;
  const notBeforeMs = courierTries === 0 ? 0 : retryAtMs(courierTries, courierFailedAt);
  return { record, stage: { kind: 'delivered', nextTry: courierTries + 1, notBeforeMs, isNewlyFailed } };
};

/** A patch whose courier failed is carried again, unless it cannot land, or the infrastructure has failed too often. */
const courierFailed = ({ input, others }: Reading, record: Attempt, failure: JobEnd): RunProgress => {
  if (failure.side === 'nobody') return waitingForCourier(withCourierFailure(record, failure), true);
  const isFinal = failure.side !== 'infrastructure' || failure.reason === 'Conflict' || failure.reason === 'ArtifactLost';
  const faults = infrastructureFaults([...others, record]) + 1;
  if (isFinal || faults >= infrastructureLimit(input.task, input.platform)) return ended(record, failure);
  return waitingForCourier(withCourierFailure(record, failure), true);
};

/** The record with the newest courier that is seen. */
const withNewestCourier = (listed: Attempt, couriers: readonly RunJob[]): Attempt => {
  const newest = couriers.at(-1);
  return newest === undefined || newest.courierTry <= listed.courierTries ? listed : withCourier(listed, newest);
};

const courierProgress = (reading: Reading, listed: Attempt): RunProgress => {
  const { input, now } = reading;
  const { task } = input;
  const couriers = runJobs(task, input.jobs).filter((each) => each.kind === 'courier' && isSameRun(each, listed));
  const record = withNewestCourier(listed, couriers);
  if (record.courierUid === undefined) return waitingForCourier(record, false);
  const job = couriers.find((courier) => courier.job.metadata.uid === record.courierUid)?.job;
  if (job === undefined) {
    const end = lost(task, 'courier', now);
    return end === undefined ? { record, stage: { kind: 'missing', what: 'courier' } } : courierFailed(reading, record, end);
  }
  const found = readRunJob(reading, 'courier', job);
  if (found.kind === 'running') return { record, stage: { kind: 'carrying', progress: found.progress } };
  if (found.kind !== 'ended') return { record, stage: { kind: found.kind, what: 'courier' } };
  if (found.end.side !== 'ok') return courierFailed(reading, record, found.end);
  return { record: endRecord(record, found.end), stage: { kind: 'integrated', end: found.end } };
};

const progress = (reading: Reading, record: Attempt): RunProgress => {
  const { input, now } = reading;
  if (record.patch !== undefined) return courierProgress(reading, record);
  const job = input.jobs.find(({ metadata }) => metadata.uid === record.jobUid);
  if (job === undefined) {
    const end = lost(input.task, 'attempt', now);
    return end === undefined ? { record, stage: { kind: 'missing', what: 'attempt' } } : ended(record, end);
  }
  const found = readRunJob(reading, 'attempt', job);
  if (found.kind === 'running') return { record, stage: { kind: 'working', progress: found.progress } };
  if (found.kind !== 'ended') return { record, stage: { kind: found.kind, what: 'attempt' } };
  const reported = withAttemptCosts(withReport(record, found.end), input, now);
  return found.end.side === 'ok' ? courierProgress(reading, reported) : ended(reported, found.end);
};

interface StrayInput {
  readonly records: readonly Attempt[];
  /** As the status has them: an end that is not written down yet ends no Job. */
  readonly listed: readonly Attempt[];
  readonly pods: readonly Pod[];
}

/** The courier failed, or is lost, and another is there or to come. */
const hasLeft = ({ courierTry }: Omit<RunJob, 'job'>, { courierTries, courierUid }: Attempt): boolean =>
  courierTry < courierTries || courierUid === undefined;

const isStray = ({ job, ...run }: RunJob, { records, listed, pods }: StrayInput): boolean => {
  const runs = isLive(job, podsOf(job, pods));
  const record = records.find((each) => isSameRun(each, run));
  if (record === undefined) return run.n < (latestRecord(records)?.n ?? 0) && runs;
  const written = listed.find((each) => isSameRun(each, run));
  const listedUid = run.kind === 'attempt' ? record.jobUid : record.courierUid;
  if (job.metadata.uid === listedUid) return written !== undefined && !isOpen(written) && runs;
  if (run.kind === 'courier' && run.courierTry > record.courierTries) return false;
  if (run.kind === 'courier' && hasLeft(run, record)) return (written === undefined || hasLeft(run, written)) && runs;
  return true; // the name of a listed run under another uid: somebody else's, or asked for by a leader that was out of date
};

/** The runs that have a record: what is listed, and beyond that the newest attempt whose Jobs are seen. */
const knownRecords = ({ task, jobs, crewOf }: RunsInput, current: number): readonly Attempt[] => {
  const listed = listedRecords(task);
  const unlisted = runJobs(task, jobs).filter(
    (each) => each.kind === 'attempt' && each.n === current && !listed.some((record) => isSameRun(record, each)),
  );
  return byNumber([...listed, ...unlisted.map((each) => newRecord(each, crewOf(each.n)))]);
};

/** What is listed and what is seen, read as far as it can be read. Only the current attempt is: those before it are told by their records. */
export const readRuns = (input: RunsInput, now: number): RunsRead => {
  const { task, jobs, pods } = input;
  const listed = listedRecords(task);
  const ours = runJobs(task, jobs);
  const attempts = ours.filter(({ kind }) => kind === 'attempt');
  const current = Math.max(0, ...[...listed, ...attempts].map(({ n }) => n));
  const known = knownRecords(input, current);
  const read = (record: Attempt): Run => {
    const { n, candidate } = record;
    if (n < current || !isOpen(record)) return { n, candidate, record, stage: { kind: 'ended' }, newlyEnded: false };
    const others = known.filter((each) => !isSameRun(each, record));
    const { record: read, stage } = progress({ input, now, others }, record);
    if (isOpen(read)) return { n, candidate, record: read, stage, newlyEnded: false };
    return { n, candidate, record: withRunCosts(read, input, now), stage, newlyEnded: true };
  };
  const runs = known.map(read);
  const records = recordsOf(runs);
  const deletable = ours.filter(({ job }) => job.metadata.deletionTimestamp === undefined);
  const strays = deletable.filter((each) => isStray(each, { records, listed, pods }));
  return { runs, strays: strays.map(({ job }) => job) };
};

/** Whether the Task has an attempt under way, as far as its status and its Jobs tell; pods are not asked. */
export const isInFlight = (task: Task, jobs: readonly Job[]): boolean => {
  const listed = listedRecords(task);
  const latest = latestRecord(listed)?.n ?? 0;
  return listed.some(isOpen) || runJobs(task, jobs).some(({ kind, n }) => kind === 'attempt' && n > latest);
};
