// How far each run of a Task is, from two sources laid over each other: `status.attempts` and the Jobs that are seen.
// May: read both. May not: lose or double a run: a Job that is seen counts before it is listed, and what is listed counts for good.

import type { JobKind } from '../../crds/contracts/steps.ts';
import type { PlatformConfig } from '../../crds/contracts/platform.ts';
import { isAssumed } from '../../crds/kinds/meta.ts';
import type { Attempt, Task } from '../../crds/kinds/task.ts';
import { conditionOf } from '../conditions.ts';
import type { Job, Pod } from '../kubernetes.ts';
import { epochMs, timestamp } from '../../crds/time.ts';
import { withAttemptCosts, withRunCosts, type CostSources } from './costs.ts';
import { runJobs, type RunJob } from './job-identity.ts';
import { isLive, podsOf, readJob, UNREAD_MS, type JobEnd, type Missed, type Reading as JobReading } from './job-reading.ts';
import { infrastructureFaults, infrastructureLimit, retryAtMs } from './limits.ts';
import { byNumber, endRecord, isOpen, isSameRun, latestRecord, listedRecords, newRecord, withReport } from './records.ts';
import { recordsOf, type Run, type Stage } from './runs.ts';
import type { Receipts } from './seen.ts';

export interface RunsInput extends CostSources {
  readonly receipts: Receipts;
  /** While it is false, receipts may be missing that are there. */
  readonly storeAvailable: boolean;
  readonly platform: PlatformConfig;
  /** The agent that attempt n would be given. */
  readonly agentOf: (n: number) => string;
}

export interface RunsRead {
  /** Every run, by attempt and candidate. */
  readonly runs: readonly Run[];
  /** Jobs of the Task that belong to no run, or to one that has ended: they are deleted. */
  readonly strays: readonly Job[];
}

/**
 * Something should be there and is not. Another cache may be behind, so that it counts as lost only after it was missed for a while. The
 * Task has one condition for each, whichever of its runs misses it.
 */
const endOfWait = (task: Task, missed: Missed, now: number): Pick<JobEnd, 'at' | 'side' | 'missed'> | undefined => {
  const missing = conditionOf(task.status?.conditions, missed);
  const sinceMs = missing?.status === 'True' ? epochMs(missing.lastTransitionTime) : undefined;
  if (sinceMs === undefined || now - sinceMs < UNREAD_MS) return undefined;
  return { at: timestamp(sinceMs), side: 'infrastructure', missed };
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

interface Progress {
  readonly record: Attempt;
  readonly stage: Stage;
}

const ended = (record: Attempt, end: JobEnd): Progress => ({ record: endRecord(record, end), stage: { kind: 'ended' } });

/** A patch whose courier failed is carried again, unless it cannot land, or the infrastructure has failed too often. */
const courierFailed = ({ input, others }: Reading, record: Attempt, failure: JobEnd): Progress => {
  const faults = infrastructureFaults([...others, record]) + 1;
  const final = failure.side !== 'infrastructure' || failure.reason === 'Conflict' || failure.reason === 'ArtifactLost';
  if (final || faults >= infrastructureLimit(input.task, input.platform)) return ended(record, failure);
  const notBeforeMs = retryAtMs(faults, failure.at);
  return { record, stage: { kind: 'delivered', nextTry: record.courierTries + 1, notBeforeMs, failure } };
};

/** The record with the newest courier that is seen, and that courier while it is only asked for. */
const withCourier = (listed: Attempt, couriers: readonly RunJob[]): Progress | Attempt => {
  const latest = couriers.at(-1);
  if (latest === undefined || latest.courierTry <= listed.courierTries) return listed;
  if (isAssumed(latest.job)) return { record: listed, stage: { kind: 'starting', what: 'courier' } };
  return { ...listed, courierUid: latest.job.metadata.uid, courierTries: latest.courierTry };
};

const courierProgress = (reading: Reading, listed: Attempt): Progress => {
  const { input, now } = reading;
  const { task } = input;
  const couriers = runJobs(task, input.jobs).filter((each) => each.kind === 'courier' && isSameRun(each, listed));
  const record = withCourier(listed, couriers);
  if ('stage' in record) return record;
  if (record.courierTries === 0) return { record, stage: { kind: 'delivered', nextTry: 1, notBeforeMs: 0 } };
  const job = couriers.find((courier) => courier.job.metadata.uid === record.courierUid)?.job;
  if (job === undefined) {
    const end = lost(task, 'courier', now);
    return end === undefined ? { record, stage: { kind: 'missing', what: 'courier' } } : courierFailed(reading, record, end);
  }
  const found = readRunJob(reading, 'courier', job);
  if (found.kind === 'running') return { record, stage: { kind: 'carrying' } };
  if (found.kind !== 'ended') return { record, stage: { kind: found.kind, what: 'courier' } };
  if (found.end.side !== 'ok') return courierFailed(reading, record, found.end);
  return { record: endRecord(record, found.end), stage: { kind: 'integrated', end: found.end } };
};

const progress = (reading: Reading, record: Attempt): Progress => {
  const { input, now } = reading;
  if (record.patch !== undefined) return courierProgress(reading, record);
  const job = input.jobs.find(({ metadata }) => metadata.uid === record.jobUid);
  if (job === undefined) {
    const end = lost(input.task, 'attempt', now);
    return end === undefined ? { record, stage: { kind: 'missing', what: 'attempt' } } : ended(record, end);
  }
  const found = readRunJob(reading, 'attempt', job);
  if (found.kind === 'running') return { record, stage: { kind: 'working' } };
  if (found.kind !== 'ended') return { record, stage: { kind: found.kind, what: 'attempt' } };
  const reported = withAttemptCosts(withReport(record, found.end), input, now);
  return found.end.side === 'ok' ? courierProgress(reading, reported) : ended(reported, found.end);
};

const isStray = ({ job, kind, n, candidate, courierTry }: RunJob, records: readonly Attempt[], pods: readonly Pod[]): boolean => {
  if (isAssumed(job)) return false;
  const runs = isLive(job, podsOf(job, pods));
  const record = records.find((each) => isSameRun(each, { n, candidate }));
  if (record === undefined) return n < (latestRecord(records)?.n ?? 0) && runs;
  const listedUid = kind === 'attempt' ? record.jobUid : record.courierUid;
  if (job.metadata.uid === listedUid) return !isOpen(record) && runs;
  if (kind === 'courier' && courierTry !== record.courierTries) return courierTry < record.courierTries && runs;
  return true; // the name of a listed run under another uid: somebody else's, or asked for by a leader that was out of date
};

/** The runs that have a record: what is listed, and beyond that the newest attempt whose Jobs are seen. */
const knownRecords = ({ task, jobs, agentOf }: RunsInput, current: number): readonly Attempt[] => {
  const listed = listedRecords(task);
  const unlisted = runJobs(task, jobs).filter(
    (each) =>
      each.kind === 'attempt' && each.n === current && !isAssumed(each.job) && !listed.some((record) => isSameRun(record, each)),
  );
  return byNumber([...listed, ...unlisted.map((each) => newRecord(each, agentOf(each.n)))]);
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
  const starting = attempts
    .filter(({ job, ...each }) => isAssumed(job) && each.n === current && !known.some((record) => isSameRun(record, each)))
    .map(({ n, candidate }): Run => ({
      n,
      candidate,
      record: undefined,
      stage: { kind: 'starting', what: 'attempt' },
      newlyEnded: false,
    }));
  const runs = byNumber([...known.map(read), ...starting]);
  const records = recordsOf(runs);
  return { runs, strays: ours.filter((each) => isStray(each, records, pods)).map(({ job }) => job) };
};

/** Whether the Task has an attempt under way, as far as its status and its Jobs tell; pods are not asked. */
export const isInFlight = (task: Task, jobs: readonly Job[]): boolean => {
  const listed = listedRecords(task);
  const latest = latestRecord(listed)?.n ?? 0;
  return listed.some(isOpen) || runJobs(task, jobs).some(({ kind, n }) => kind === 'attempt' && n > latest);
};
