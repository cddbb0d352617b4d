// The whole status of a Plan, from what a rule says about it.
// May: compose. May not: parse or judge.

import { MESSAGE_LENGTH } from '../../crds/kinds/meta.ts';
import type { Plan, PlanPhase, PlanStatus } from '../../crds/kinds/plan.ts';
import { compose, type Fields } from '../compose.ts';
import type { WantedCondition } from '../conditions.ts';
import type { Decision } from '../contract.ts';
import { clipped } from '../text.ts';
import { planEvents } from './events.ts';
import type { PlanSeen } from './seen.ts';

export type PlanDecision = Decision<PlanStatus>;
export type Problems = NonNullable<PlanStatus['problems']>;

export interface Words {
  readonly phase: PlanPhase;
  /** A whole sentence, with the next step where a person has one. */
  readonly message: string;
  readonly parsed: WantedCondition['status'];
  readonly approved: WantedCondition['status'];
  readonly reason: string;
  /** What else the status holds; what was parsed before is kept. */
  readonly fields?: Fields<PlanStatus>;
  readonly approvedBy?: string;
}

const kept = ({ status }: Plan): Fields<PlanStatus> => ({
  storyUid: status?.storyUid,
  scopeDigest: status?.scopeDigest,
  digest: status?.digest,
  taskCount: status?.taskCount,
  tasks: status?.tasks,
});

export const written = (seen: PlanSeen, now: number, words: Words): PlanDecision => {
  const { phase, message, parsed, approved, reason } = words;
  return compose<PlanStatus, 'Plan'>(
    seen.plan,
    {
      outcome: phase === 'Pending' || phase === 'Parsed' ? { kind: 'waiting' } : { kind: 'done' },
      why: message,
      fields: { ...kept(seen.plan), ...words.fields, phase, message: clipped(message, MESSAGE_LENGTH) },
      conditions: [
        { type: 'Parsed', status: parsed, reason: parsed === 'True' ? 'Parsed' : reason, message },
        { type: 'Approved', status: approved, reason, message },
      ],
      events: planEvents(seen, words, now),
    },
    { now, cursor: seen.cursor },
  );
};

/** There is nothing to parse it against yet. */
export const pending = (seen: PlanSeen, now: number, reason: string, message: string): PlanDecision =>
  written(seen, now, { phase: 'Pending', message, parsed: 'Unknown', approved: 'Unknown', reason });

/** It can never be carried out: its spec cannot change, so that another Plan is the next step. */
export const invalid = (seen: PlanSeen, now: number, problems: Problems): PlanDecision => {
  const [first] = problems;
  const more = problems.length > 1 ? ` (and ${problems.length - 1} more, see status.problems)` : '';
  return written(seen, now, {
    phase: 'Invalid',
    message: `${first?.where ?? 'source'}: ${first?.message ?? 'not usable'}${more}; make another Plan`,
    parsed: 'False',
    approved: 'False',
    reason: 'Invalid',
    fields: { problems: problems.slice(0, 50) },
  });
};
