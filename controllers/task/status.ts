// The three ways in which a rule about a Task writes: it is held up, it is under way, it has ended. Each gives the whole status.
// May: word and compose. May not: decide which of the three it is.

import type { JobKind } from '../../crds/contracts/steps.ts';
import { MESSAGE_LENGTH, SHORT_LENGTH } from '../../crds/kinds/meta.ts';
import type { Attempt, TaskObjectPhase, TaskStatus } from '../../crds/kinds/task.ts';
import type { ConditionOf } from '../conditions.ts';
import type { Decision, Effect, Outcome } from '../contract.ts';
import { compose } from '../compose.ts';
import { clipped } from '../text.ts';
import type { Blocked } from './blocked.ts';
import { leadingRecord, recordsOf } from './runs.ts';
import type { TaskView } from './view.ts';
import { taskEvents } from './events.ts';

export type TaskDecision = Decision<TaskStatus>;

const waiting = (afterMs: number | undefined): Outcome => ({ kind: 'waiting', ...(afterMs !== undefined && { afterMs }) });

interface Words {
  readonly phase: TaskObjectPhase;
  readonly reason: string;
  /** Whole, as a person reads it. */
  readonly message: string;
  readonly outcome: Outcome;
  readonly succeeded?: 'True' | 'False' | 'Unknown';
  readonly conditions?: readonly ConditionOf<'Task'>[];
  readonly effects?: readonly Effect[];
  readonly completedAt?: string;
}

const undeliberated = ({ seen }: TaskView): readonly ConditionOf<'Task'>[] => {
  if (seen.task.spec.task.deliberation !== 'Before') return [];
  const message = 'this version starts work without a deliberation';
  return [{ type: 'Deliberated', status: 'False', reason: 'NotServed', message }];
};

const successFields = (attempt: Attempt | undefined): { readonly commit?: string; readonly evidence?: string } => ({
  ...(attempt?.commit === undefined ? {} : { commit: attempt.commit }),
  ...(attempt?.evidence === undefined ? {} : { evidence: attempt.evidence }),
});

const written = (view: TaskView, words: Words): Decision<TaskStatus> => {
  const { seen, now, runs } = view;
  const { phase, reason, message, completedAt } = words;
  const records = recordsOf(runs);
  const leading = leadingRecord(runs);
  const startedAt = records[0]?.startedAt;
  const isEnd = completedAt !== undefined;
  return compose<TaskStatus, 'Task'>(
    seen.task,
    {
      outcome: words.outcome,
      why: message,
      effects: words.effects ?? [],
      fields: {
        phase,
        waitingFor: clipped(message, SHORT_LENGTH),
        attempt: leading?.n ?? 0,
        attempts: [...records],
        ...(phase === 'Succeeded' ? successFields(leading) : {}),
        startedAt,
        ...(isEnd ? { completedAt, reason, message: clipped(message, MESSAGE_LENGTH) } : {}),
      },
      conditions: [
        { type: 'Succeeded', status: words.succeeded ?? 'Unknown', reason, message },
        ...undeliberated(view),
        ...(words.conditions ?? []),
      ],
      events: taskEvents(seen, { phase, attempt: leading, reason, message, startedAt, completedAt }, now),
    },
    { now, cursor: seen.cursor },
  );
};

const flags = (blocked: Blocked): readonly ConditionOf<'Task'>[] => {
  const { reason, sentence: message } = blocked;
  if (reason === 'StoreUnavailable') return [{ type: 'StoreUnavailable', status: 'True', reason, message }];
  return reason === 'NotApproved' ? [{ type: 'Verified', status: 'False', reason, message }] : [];
};

/** Something has to happen first. */
export const blocked = (view: TaskView, found: Blocked): Decision<TaskStatus> =>
  written(view, {
    phase: found.phase,
    reason: found.reason,
    message: found.sentence,
    outcome: found.stalled ? { kind: 'stalled', reason: found.reason, message: found.sentence } : waiting(found.afterMs),
    conditions: flags(found),
  });

export interface UnderWay {
  readonly what: JobKind;
  readonly reason: string;
  readonly message: string;
  readonly afterMs?: number;
  readonly effects?: readonly Effect[];
}

/** A workspace runs, as far as one can see. */
export const under = (view: TaskView, { what, reason, message, afterMs, effects = [] }: UnderWay): Decision<TaskStatus> =>
  written(view, {
    phase: what === 'attempt' ? 'Running' : 'Integrating',
    reason,
    message,
    outcome: waiting(afterMs),
    effects,
    conditions:
      reason === 'WorkspaceMissing' || reason === 'ReceiptMissing' ? [{ type: reason, status: 'True', reason, message }] : [],
  });

export interface End {
  readonly phase: 'Succeeded' | 'Failed' | 'Cancelled';
  readonly reason: string;
  readonly message: string;
  /** RFC 3339. */
  readonly at: string;
  readonly effects?: readonly Effect[];
}

export const ended = (view: TaskView, { phase, reason, message, at, effects = [] }: End): Decision<TaskStatus> =>
  written(view, {
    phase,
    reason,
    message,
    outcome: { kind: 'done' },
    succeeded: phase === 'Succeeded' ? 'True' : 'False',
    effects,
    completedAt: at,
  });
