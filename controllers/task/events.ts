// What a change of a Task's phase tells the outside: the subjects and fields that older clients know, and for phases that they have
// no subject for one of the same family, so that every change of phase has its number.

import type { Attempt, TaskObjectPhase } from '../../crds/kinds/task.ts';
import type { WantedEvent } from '../outbox.ts';
import { epochMs, timestamp } from '../../crds/time.ts';
import { wireId } from '../wire-names.ts';
import type { TaskCore } from './seen.ts';

const subjects = {
  Pending: 'orchestration.task.pending',
  Queued: 'orchestration.task.queued',
  Running: 'orchestration.task.dispatched',
  Integrating: 'orchestration.task.integrating',
  Succeeded: 'orchestration.task.completed',
  Failed: 'orchestration.task.failed',
  Cancelled: 'orchestration.task.cancelled',
} as const satisfies Record<TaskObjectPhase, string>;

export interface PhaseChange {
  readonly phase: TaskObjectPhase;
  readonly attempt: Attempt | undefined;
  /** Why it ended as it did, for an end that is no success. */
  readonly reason?: string | undefined;
  readonly message?: string | undefined;
  readonly startedAt?: string | undefined;
  readonly completedAt?: string | undefined;
}

const durationMs = ({ startedAt, completedAt }: PhaseChange): number =>
  Math.max(0, (epochMs(completedAt) ?? 0) - (epochMs(startedAt) ?? epochMs(completedAt) ?? 0));

const endFields = (change: PhaseChange): Readonly<Record<string, unknown>> => {
  if (change.phase === 'Succeeded')
    return { duration_ms: durationMs(change), checks_passed: (change.attempt?.verify?.failed ?? 0) === 0 };
  return change.phase === 'Failed' ? { error: change.message, error_type: change.reason } : {};
};

/** The events of a phase that the Task comes to; its first one is preceded by its creation. */
export const taskEvents = ({ task, story }: TaskCore, change: PhaseChange, now: number): readonly WantedEvent[] => {
  const { role, phase } = task.spec.task;
  const before = task.status?.phase;
  const ids = { story_id: story === undefined ? task.spec.storyRef.name : wireId(story), task_id: wireId(task), role };
  const created: WantedEvent = { type: 'planning.task.created', data: { ...ids, phase } };
  const changed: WantedEvent = {
    type: subjects[change.phase],
    data: { ...ids, agent_id: change.attempt?.agent ?? '', timestamp: timestamp(now), ...endFields(change) },
  };
  if (before === undefined) return change.phase === 'Pending' ? [created] : [created, changed];
  return before === change.phase ? [] : [changed];
};
