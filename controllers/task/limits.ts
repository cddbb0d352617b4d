// How often a Task may try, and how long it waits between. All of it is counted from `status.attempts`.
// May: count. May not: forget; an attempt that is listed counts for good.

import type { PlatformConfig } from '../../crds/contracts/platform.ts';
import type { Attempt, AttemptOutcome, Task } from '../../crds/kinds/task.ts';
import { epochMs } from '../time.ts';
import { latestRecord } from './runs.ts';

/** The most entries that `status.attempts` takes. */
export const MAX_ATTEMPTS = 32;
const BACKOFF_BASE_MS = 10_000;
const BACKOFF_MAX_MS = 300_000;

const ended = (attempts: readonly Attempt[], outcome: AttemptOutcome): readonly Attempt[] =>
  attempts.filter((attempt) => attempt.outcome === outcome);

/** Attempts that the infrastructure failed, and couriers that it failed before another took the patch on. */
export const infrastructureFaults = (attempts: readonly Attempt[]): number =>
  ended(attempts, 'InfrastructureFailed').length +
  attempts.reduce((sum, { courierTries }) => sum + Math.max(0, courierTries - 1), 0);

export interface Limit {
  readonly reason: string;
  readonly message: string;
}

/** Why no further attempt starts; a person may grant more by `spec.extraAttempts`. */
export const usedUp = (task: Task, attempts: readonly Attempt[], { workspace }: PlatformConfig): Limit | undefined => {
  const extra = task.spec.extraAttempts;
  const last = latestRecord(attempts);
  const lastWords =
    last === undefined ? '' : `; the last one: ${last.reason ?? 'unknown'}${last.message ? `, ${last.message}` : ''}`;
  const grant = `grant more with spec.extraAttempts of task ${task.metadata.name}${lastWords}`;
  const byAgent = ended(attempts, 'AgentFailed').length;
  const byInfrastructure = infrastructureFaults(attempts);
  const byHalt = ended(attempts, 'Stalled');
  if (byHalt.length > extra) {
    const halt = latestRecord(byHalt);
    return { reason: halt?.reason ?? 'Stalled', message: `${halt?.message ?? 'a person must change something'}; then ${grant}` };
  }
  if (byAgent >= workspace.attemptLimits.agent + extra)
    return { reason: 'AttemptsUsedUp', message: `the agent failed ${byAgent} times: ${grant}` };
  if (byInfrastructure >= workspace.attemptLimits.infrastructure + extra)
    return { reason: 'InfrastructureRetriesUsedUp', message: `the infrastructure failed ${byInfrastructure} times: ${grant}` };
  if (attempts.length >= MAX_ATTEMPTS)
    return { reason: 'AttemptsUsedUp', message: `${MAX_ATTEMPTS} attempts are the most that a Task can have` };
  return undefined;
};

export const infrastructureLimit = (task: Task, { workspace }: PlatformConfig): number =>
  workspace.attemptLimits.infrastructure + task.spec.extraAttempts;

/** When the infrastructure may be tried again after its `faults`-th fault at that time: 10 s, doubled up to 5 min. */
export const retryAtMs = (faults: number, failedAt: string | undefined): number =>
  (epochMs(failedAt) ?? 0) + Math.min(BACKOFF_MAX_MS, BACKOFF_BASE_MS * 2 ** Math.min(20, Math.max(0, faults - 1)));
