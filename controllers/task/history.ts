// Where a Task's attempts are, from two sources laid over each other: `status.attempts` and the Jobs that are seen.
// May: read both. May not: lose or double an attempt: a Job that is seen counts before it is listed, and what is listed counts for good.
//
//   idle ─► starting ─► working ─► delivered ─► starting ─► carrying ─► integrated
//     ▲                    │           ▲                        │
//     └──── attempt ended ─┴───────────┼────────────────────────┤
//                                      └── courier failed ──────┘
//   besides: `missing` (a listed Job is not seen) and `unread` (it ended, its pod is not seen yet)

import type { PlatformConfig } from '../../crds/contracts/platform.ts';
import { controllerUid, isAssumed } from '../../crds/kinds/meta.ts';
import type { Attempt, AttemptOutcome, Task } from '../../crds/kinds/task.ts';
import { conditionOf } from '../conditions.ts';
import type { Job, Pod } from '../kubernetes.ts';
import { clipped } from '../text.ts';
import { epochMs, timestamp } from '../time.ts';
import { attemptJobs, type AttemptJob } from './job-identity.ts';
import { isLive, readJob, UNREAD_MS, type JobEnd } from './job-reading.ts';
import { infrastructureFaults, infrastructureLimit, retryAtMs } from './limits.ts';

export type Stage =
  | { readonly kind: 'idle' }
  | { readonly kind: 'starting'; readonly what: 'attempt' | 'courier' }
  | { readonly kind: 'missing'; readonly what: 'attempt' | 'courier' }
  | { readonly kind: 'unread'; readonly what: 'attempt' | 'courier' }
  | { readonly kind: 'working' }
  | { readonly kind: 'delivered'; readonly nextTry: number; readonly notBeforeMs: number; readonly failure?: JobEnd }
  | { readonly kind: 'carrying' }
  | { readonly kind: 'integrated'; readonly end: JobEnd };

export interface History {
  /** Every attempt, as the status should list it. */
  readonly attempts: readonly Attempt[];
  readonly stage: Stage;
  /** Jobs of ours that no attempt owns up to: they are deleted. */
  readonly strays: readonly Job[];
  /** An attempt ended that the status does not yet say has ended. */
  readonly newlyEnded: boolean;
}

export interface HistoryInput {
  readonly task: Task;
  readonly jobs: readonly Job[];
  readonly pods: readonly Pod[];
  readonly platform: PlatformConfig;
  /** The agent that attempt n would be given. */
  readonly agentOf: (n: number) => string;
}

const outcomes = {
  ok: 'Succeeded',
  agent: 'AgentFailed',
  infrastructure: 'InfrastructureFailed',
  stalled: 'Stalled',
} as const satisfies Record<JobEnd['side'], AttemptOutcome>;

export const endAttempt = (attempt: Attempt, end: JobEnd): Attempt => ({
  ...attempt,
  finishedAt: end.at,
  outcome: outcomes[end.side],
  ...(end.reason === undefined ? {} : { reason: end.reason }),
  ...(end.message === '' ? {} : { message: clipped(end.message, 512) }),
  ...(end.commit === undefined ? {} : { commit: end.commit }),
});

const fresh = ({ job, n }: AttemptJob, agent: string): Attempt => ({
  n,
  agent,
  candidate: 1,
  jobUid: job.metadata.uid,
  courierTries: 0,
  startedAt: job.metadata.creationTimestamp,
});

/** What the attempt's report adds to its record: from now on it has a patch, and waits for a courier. */
const delivered = (attempt: Attempt, { report }: JobEnd): Attempt => {
  const { base, patch, evidence, verify, files, insertions, deletions, tokens } = report ?? {};
  const found = { base, patch, evidence, verify, files, insertions, deletions, tokens };
  return {
    ...attempt,
    ...(Object.fromEntries(Object.entries(found).filter(([, value]) => value !== undefined)) as Partial<Attempt>),
  };
};

/** The listed Job is not there. Another cache may be behind, so that it counts as lost only after it was missed for a while. */
const lost = (task: Task, what: string, now: number): JobEnd | undefined => {
  const missing = conditionOf(task.status?.conditions, 'WorkspaceMissing');
  const sinceMs = missing?.status === 'True' ? epochMs(missing.lastTransitionTime) : undefined;
  if (sinceMs === undefined || now - sinceMs < UNREAD_MS) return undefined;
  return { at: timestamp(sinceMs), side: 'infrastructure', reason: 'PodLost', message: `the Job of the ${what} is gone` };
};

export const podsOf = ({ metadata }: Job, pods: HistoryInput['pods']): readonly Pod[] =>
  pods.filter((pod) => controllerUid(pod) === metadata.uid);

type Step = Pick<History, 'stage'> & { readonly attempt: Attempt };

/** A patch whose courier failed is carried again, unless it cannot land, or the infrastructure has failed too often. */
const courierFailed = (input: HistoryInput, attempt: Attempt, before: readonly Attempt[], failure: JobEnd): Step => {
  const faults = infrastructureFaults([...before, attempt]) + 1;
  const final = failure.side !== 'infrastructure' || failure.reason === 'Conflict' || failure.reason === 'ArtifactLost';
  if (final || faults >= infrastructureLimit(input.task, input.platform))
    return { attempt: endAttempt(attempt, failure), stage: { kind: 'idle' } };
  const notBeforeMs = retryAtMs(faults, failure.at);
  return { attempt, stage: { kind: 'delivered', nextTry: attempt.courierTries + 1, notBeforeMs, failure } };
};

const courierStep = (input: HistoryInput, listed: Attempt, before: readonly Attempt[], now: number): Step => {
  const { task } = input;
  const couriers = attemptJobs(task, input.jobs).filter(({ kind, n }) => kind === 'courier' && n === listed.n);
  const latest = couriers.at(-1);
  const isNew = latest !== undefined && latest.courierTry > listed.courierTries;
  if (isNew && isAssumed(latest.job)) return { attempt: listed, stage: { kind: 'starting', what: 'courier' } };
  const attempt = isNew ? { ...listed, courierUid: latest.job.metadata.uid, courierTries: latest.courierTry } : listed;
  if (attempt.courierTries === 0) return { attempt, stage: { kind: 'delivered', nextTry: 1, notBeforeMs: 0 } };
  const job = couriers.find((courier) => courier.job.metadata.uid === attempt.courierUid)?.job;
  if (job === undefined) {
    const end = lost(task, 'courier', now);
    return end === undefined
      ? { attempt, stage: { kind: 'missing', what: 'courier' } }
      : courierFailed(input, attempt, before, end);
  }
  const reading = readJob('courier', job, podsOf(job, input.pods), now);
  if (reading.kind === 'running') return { attempt, stage: { kind: 'carrying' } };
  if (reading.kind === 'unread') return { attempt, stage: { kind: 'unread', what: 'courier' } };
  if (reading.end.side !== 'ok') return courierFailed(input, attempt, before, reading.end);
  return { attempt: endAttempt(attempt, reading.end), stage: { kind: 'integrated', end: reading.end } };
};

const attemptStep = (input: HistoryInput, attempt: Attempt, before: readonly Attempt[], now: number): Step => {
  if (attempt.patch !== undefined) return courierStep(input, attempt, before, now);
  const job = input.jobs.find(({ metadata }) => metadata.uid === attempt.jobUid);
  if (job === undefined) {
    const end = lost(input.task, 'attempt', now);
    if (end === undefined) return { attempt, stage: { kind: 'missing', what: 'attempt' } };
    return { attempt: endAttempt(attempt, end), stage: { kind: 'idle' } };
  }
  const reading = readJob('attempt', job, podsOf(job, input.pods), now);
  if (reading.kind === 'running') return { attempt, stage: { kind: 'working' } };
  if (reading.kind === 'unread') return { attempt, stage: { kind: 'unread', what: 'attempt' } };
  if (reading.end.side !== 'ok') return { attempt: endAttempt(attempt, reading.end), stage: { kind: 'idle' } };
  return courierStep(input, delivered(attempt, reading.end), before, now);
};

const isStray = ({ job, kind, n, courierTry }: AttemptJob, attempts: readonly Attempt[], pods: HistoryInput['pods']): boolean => {
  if (isAssumed(job)) return false;
  const runs = isLive(job, podsOf(job, pods));
  const attempt = attempts.find((entry) => entry.n === n);
  if (attempt === undefined) return n < (attempts.at(-1)?.n ?? 0) && runs;
  const listedUid = kind === 'attempt' ? attempt.jobUid : attempt.courierUid;
  const isListed = job.metadata.uid === listedUid;
  if (isListed) return attempt.finishedAt !== undefined && runs;
  if (kind === 'courier' && courierTry !== attempt.courierTries) return courierTry < attempt.courierTries && runs;
  return true; // the name of a listed attempt under another uid: somebody else's, or asked for by a leader that was out of date
};

/** The union of what is listed and what is seen, read as far as it can be read. */
export const readHistory = (input: HistoryInput, now: number): History => {
  const { task, jobs } = input;
  const listed = [...(task.status?.attempts ?? [])].sort((a, b) => a.n - b.n);
  const ours = attemptJobs(task, jobs);
  const last = listed.at(-1);
  const newest = ours.filter(({ kind, n }) => kind === 'attempt' && n > (last?.n ?? 0)).at(-1);
  const strays = (attempts: readonly Attempt[]): readonly Job[] =>
    ours.filter((entry) => isStray(entry, attempts, input.pods)).map(({ job }) => job);
  const ending = (before: readonly Attempt[], { attempt, stage }: Step): History => {
    const attempts = [...before, attempt];
    const newlyEnded = attempt.finishedAt !== undefined && listed.find(({ n }) => n === attempt.n)?.finishedAt === undefined;
    return { attempts, stage, strays: strays(attempts), newlyEnded };
  };
  if (newest !== undefined && isAssumed(newest.job))
    return { attempts: listed, stage: { kind: 'starting', what: 'attempt' }, strays: strays(listed), newlyEnded: false };
  if (newest !== undefined) return ending(listed, attemptStep(input, fresh(newest, input.agentOf(newest.n)), listed, now));
  if (last === undefined || last.finishedAt !== undefined)
    return { attempts: listed, stage: { kind: 'idle' }, strays: strays(listed), newlyEnded: false };
  const before = listed.slice(0, -1);
  return ending(before, attemptStep(input, last, before, now));
};

/** Whether the Task has an attempt under way, as far as its status and its Jobs tell; pods are not asked. */
export const isInFlight = (task: Task, jobs: readonly Job[]): boolean => {
  const last = (task.status?.attempts ?? []).at(-1);
  const isOpen = last !== undefined && last.finishedAt === undefined;
  return isOpen || attemptJobs(task, jobs).some(({ kind, n }) => kind === 'attempt' && n > (last?.n ?? 0));
};
