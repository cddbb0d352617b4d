// How often a Task may try, and how long it waits between. All of it is counted from `status.attempts`.
// May: count. May not: forget; an attempt that is listed counts for good.

import type { PlatformConfig } from '../../crds/contracts/platform.ts';
import type { Attempt, AttemptOutcome, Task } from '../../crds/kinds/task.ts';
import { epochMs } from '../../crds/time.ts';
import { latestRecord } from './records.ts';

/** The most entries that `status.attempts` takes. */
export const MAX_ATTEMPTS = 32;
const BACKOFF_BASE_MS = 10_000;
const BACKOFF_MAX_MS = 300_000;

const ended = (attempts: readonly Attempt[], outcome: AttemptOutcome): readonly Attempt[] =>
  attempts.filter((attempt) => attempt.outcome === outcome);

/** Attempts that the infrastructure failed, and couriers that it failed before another took the patch on. What never started is no fault. */
export const infrastructureFaults = (attempts: readonly Attempt[]): number =>
  ended(attempts, 'InfrastructureFailed').length + attempts.reduce((sum, { courierFaults }) => sum + courierFaults, 0);

const UNWORKED: readonly (AttemptOutcome | undefined)[] = ['InfrastructureFailed', 'NotStarted'];

/** When the attempt after the last one may start, where that one came to nothing through no fault of the agent. */
export const nextAttemptMs = (attempts: readonly Attempt[]): number => {
  const last = latestRecord(attempts);
  if (!UNWORKED.includes(last?.outcome)) return 0;
  return retryAtMs(infrastructureFaults(attempts) + ended(attempts, 'NotStarted').length, last?.finishedAt);
};

export interface Limit {
  readonly reason: string;
  readonly sentence: string;
}

const lastFailure = (attempts: readonly Attempt[]): string => {
  const last = latestRecord(attempts);
  if (last === undefined) return '';
  const { reason = 'unknown', message } = last;
  return `; the last failure: ${reason}${message ? `, ${message}` : ''}`;
};

/** Why no further attempt starts; a person may grant more by `spec.extraAttempts`. */
export const usedUp = (task: Task, attempts: readonly Attempt[], { workspace }: PlatformConfig): Limit | undefined => {
  const extra = task.spec.extraAttempts;
  const how = `with spec.extraAttempts of task ${task.metadata.name}`;
  const byAgent = ended(attempts, 'AgentFailed').length;
  const byInfrastructure = infrastructureFaults(attempts);
  const halts = ended(attempts, 'Stalled');
  if (halts.length > extra) {
    const { reason = 'Stalled', message = 'no message' } = latestRecord(halts) ?? {};
    return { reason, sentence: `an attempt was stopped (${message}); when that is solved, grant another one ${how}` };
  }
  const grant = `grant more attempts ${how}${lastFailure(attempts)}`;
  if (byAgent >= workspace.attemptLimits.agent + extra)
    return { reason: 'AttemptsUsedUp', sentence: `the agent failed ${byAgent} times; ${grant}` };
  if (byInfrastructure >= workspace.attemptLimits.infrastructure + extra)
    return { reason: 'InfrastructureRetriesUsedUp', sentence: `the infrastructure failed ${byInfrastructure} times; ${grant}` };
  if (attempts.length < MAX_ATTEMPTS) return undefined;
  const most = `the task has had ${MAX_ATTEMPTS} attempts, and cannot have more: make a further revision of the plan`;
  return { reason: 'AttemptsUsedUp', sentence: `${most}${lastFailure(attempts)}` };
};

export const infrastructureLimit = (task: Task, { workspace }: PlatformConfig): number =>
  workspace.attemptLimits.infrastructure + task.spec.extraAttempts;

/** When the infrastructure may be tried again after its `failures`-th failure at that time: 10 s, doubled up to 5 min. */
export const retryAtMs = (failures: number, failedAt: string | undefined): number =>
  (epochMs(failedAt) ?? 0) + Math.min(BACKOFF_MAX_MS, BACKOFF_BASE_MS * 2 ** Math.min(20, Math.max(0, failures - 1)));
