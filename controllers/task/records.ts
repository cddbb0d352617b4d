// Records of runs: the entries of `status.attempts`, one for each attempt and candidate, each counted once and for good.
// May: order, compare and complete records. May not: forget one, or change one that has ended.

import type { Attempt, AttemptOutcome, Task } from '../../crds/kinds/task.ts';
import { clipped } from '../text.ts';
import type { RunJob } from './job-identity.ts';
import type { JobEnd } from './job-reading.ts';

interface Numbered {
  readonly n: number;
  readonly candidate: number;
}
export const isSameRun = (a: Numbered, b: Numbered): boolean => a.n === b.n && a.candidate === b.candidate;

export const byNumber = <Item extends Numbered>(items: readonly Item[]): readonly Item[] =>
  [...items].sort((a, b) => a.n - b.n || a.candidate - b.candidate);

/** As the status lists them, by attempt and candidate. */
export const listedRecords = ({ status }: Task): readonly Attempt[] => byNumber(status?.attempts ?? []);

/** Of the attempt that began last. */
export const latestRecord = (records: readonly Attempt[]): Attempt | undefined => records.at(-1);

export const isOpen = ({ finishedAt }: Attempt): boolean => finishedAt === undefined;

const outcomes = {
  ok: 'Succeeded',
  agent: 'AgentFailed',
  infrastructure: 'InfrastructureFailed',
  nobody: 'NotStarted',
  stalled: 'Stalled',
} as const satisfies Record<JobEnd['side'], AttemptOutcome>;

/** Without what the last courier failed of: that is past when another one is there, and at the end. */
const withoutCourierFailure = ({ reason: _reason, message: _message, courierFailedAt: _at, ...record }: Attempt): Attempt =>
  record;

export const withCourier = (record: Attempt, { job, courierTry }: RunJob): Attempt => ({
  ...withoutCourierFailure(record),
  courierUid: job.metadata.uid,
  courierTries: courierTry,
});

/** The courier failed and another is to come. Its Job is listed no more, so that the gateway serves nothing of it, should it still run somewhere. */
export const withCourierFailure = ({ courierUid: _uid, ...record }: Attempt, { at, side, reason, message }: JobEnd): Attempt => ({
  ...withoutCourierFailure(record),
  courierFaults: record.courierFaults + (side === 'nobody' ? 0 : 1),
  courierFailedAt: at,
  ...(reason === undefined ? {} : { reason }),
  ...(message === '' ? {} : { message: clipped(message, 512) }),
});

export const endRecord = (record: Attempt, end: JobEnd): Attempt => ({
  ...withoutCourierFailure(record),
  finishedAt: end.at,
  outcome: outcomes[end.side],
  ...(end.reason === undefined ? {} : { reason: end.reason }),
  ...(end.message === '' ? {} : { message: clipped(end.message, 512) }),
  ...(end.commit === undefined ? {} : { commit: end.commit }),
  ...(end.parent === undefined ? {} : { parent: end.parent }),
  ...(end.under === undefined ? {} : { under: end.under }),
});

/** Who works on an attempt, and in what. */
export interface Crew {
  readonly agent: string;
  readonly imageProfile?: string;
}

export const newRecord = ({ job, n, candidate }: RunJob, crew: Crew): Attempt => ({
  n,
  ...crew,
  candidate,
  jobUid: job.metadata.uid,
  courierTries: 0,
  courierFaults: 0,
  startedAt: job.metadata.creationTimestamp,
});

/** What the attempt's report adds to its record. With a patch, and unless it ended, it waits for a courier from now on. */
export const withReport = (record: Attempt, { report }: JobEnd): Attempt => {
  const { base, patch, evidence, verify, files, insertions, deletions, tokens } = report ?? {};
  const found = { base, patch, evidence, verify, files, insertions, deletions, tokens };
  return {
    ...record,
    ...(Object.fromEntries(Object.entries(found).filter(([, value]) => value !== undefined)) as Partial<Attempt>),
  };
};
