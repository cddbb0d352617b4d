// What of a change of status people are told as a Kubernetes Event: every change of phase but into the queue, every attempt that failed, and
// every halt that needs a person. May: compare two statuses. May not: decide anything; nobody reads these Events but people.

import type { Condition } from '../crds/kinds/meta.ts';
import type { Attempt } from '../crds/kinds/task.ts';
import { conditionOf } from './conditions.ts';
import { clipped } from './text.ts';

export interface ObjectEvent {
  readonly type: 'Normal' | 'Warning';
  /** That of the condition that tells it, in CamelCase. */
  readonly reason: string;
  readonly note: string;
}

/** A status as far as every kind has it; a Council has `ready` in place of a phase. */
export interface ToldStatus {
  readonly phase?: string | undefined;
  readonly ready?: string | undefined;
  readonly conditions?: readonly Condition[] | undefined;
  readonly attempts?: readonly Attempt[] | undefined;
}

/** The condition that gives the reason of a phase, and the phase that an object is in before its first status. */
const tellers = {
  Story: { condition: 'Succeeded', initial: 'Draft' },
  Plan: { condition: 'Approved', initial: 'Pending' },
  Task: { condition: 'Succeeded', initial: 'Pending' },
  Council: { condition: 'Ready', initial: 'Unknown' },
  Deliberation: { condition: 'Succeeded', initial: 'Pending' },
} as const;
export type TellingKind = keyof typeof tellers;
export const TELLING_KINDS = Object.keys(tellers) as readonly TellingKind[];

/** The API server takes 1,024 bytes; a character may have four. */
const NOTE_LENGTH = 250;
/** Nearly every Task of a large fleet waits once: its status says for what, and an Event each would be a fourth more of them. */
const UNTOLD_PHASES: readonly string[] = ['Queued'];
const BAD_PHASES: readonly string[] = ['Failed', 'TimedOut', 'Invalid', 'False'];
const FAILED_OUTCOMES: readonly (string | undefined)[] = ['AgentFailed', 'InfrastructureFailed', 'NotStarted', 'Stalled'];

const phaseOf = (kind: TellingKind, status: ToldStatus | undefined): string =>
  status?.phase ?? status?.ready ?? tellers[kind].initial;

const ready = { True: 'Ready', False: 'NotReady', Unknown: 'Unknown' } as const;
/** `ready: False` reads badly in a sentence. */
const wordOf = (phase: string): string => (phase in ready ? ready[phase as keyof typeof ready] : phase);

const phaseEvents = (kind: TellingKind, before: ToldStatus | undefined, now: ToldStatus): readonly ObjectEvent[] => {
  const phase = phaseOf(kind, now);
  if (phase === phaseOf(kind, before) || UNTOLD_PHASES.includes(phase)) return [];
  const condition = conditionOf(now.conditions, tellers[kind].condition);
  const type = BAD_PHASES.includes(phase) ? 'Warning' : 'Normal';
  const word = wordOf(phase);
  return [{ type, reason: condition?.reason ?? word, note: clipped(`${word}: ${condition?.message ?? ''}`, NOTE_LENGTH) }];
};

const failedAttempts = (before: ToldStatus | undefined, now: ToldStatus): readonly ObjectEvent[] => {
  const known = (before?.attempts ?? []).filter(({ outcome }) => outcome !== undefined);
  const isKnown = ({ n, candidate }: Attempt): boolean => known.some((each) => each.n === n && each.candidate === candidate);
  return (now.attempts ?? [])
    .filter((attempt) => FAILED_OUTCOMES.includes(attempt.outcome) && !isKnown(attempt))
    .map(({ n, agent, outcome, reason, message }) => ({
      type: 'Warning',
      reason: reason ?? 'AttemptFailed',
      note: clipped(
        `attempt ${n} (${agent}) ${outcome === 'NotStarted' ? 'could not start' : 'failed'}${message === undefined ? '' : `: ${message}`}`,
        NOTE_LENGTH,
      ),
    }));
};

const haltEvents = (before: ToldStatus | undefined, now: ToldStatus): readonly ObjectEvent[] => {
  const halt = conditionOf(now.conditions, 'Stalled');
  if (halt?.status !== 'True' || conditionOf(before?.conditions, 'Stalled')?.reason === halt.reason) return [];
  return [{ type: 'Warning', reason: halt.reason, note: clipped(`needs a person: ${halt.message}`, NOTE_LENGTH) }];
};

/** In the order in which they are told. `before` undefined: the object had no status yet. */
export const objectEvents = (kind: TellingKind, before: ToldStatus | undefined, now: ToldStatus): readonly ObjectEvent[] => [
  ...failedAttempts(before, now),
  ...phaseEvents(kind, before, now),
  ...haltEvents(before, now),
];
