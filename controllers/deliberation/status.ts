// The whole status of a Deliberation, for what a rule says.
// May: word and compose. May not: decide which rule it is.

import type { Deliberated } from '../../crds/deliberation/deliberate.ts';
import { timeline, type Timeline } from '../../crds/deliberation/timeline.ts';
import type { DeliberationStatus } from '../../crds/kinds/deliberation.ts';
import { MESSAGE_LENGTH } from '../../crds/kinds/meta.ts';
import { preciseTimestamp } from '../../crds/time.ts';
import { compose, type Fields } from '../compose.ts';
import type { ConditionOf } from '../conditions.ts';
import type { Decision, Effect, Outcome } from '../contract.ts';
import type { RuleOf } from '../rules.ts';
import { clipped } from '../text.ts';
import { deliberationEvents } from './events.ts';
import type { DeliberationSeen } from './seen.ts';

export type DeliberationDecision = Decision<DeliberationStatus>;
export type Given = [seen: DeliberationSeen, now: number];
export type Rule = RuleOf<Given, DeliberationStatus>;
export type Phase = NonNullable<DeliberationStatus['phase']>;

export interface Words {
  readonly phase: Phase;
  readonly reason: string;
  /** A whole sentence, as a person reads it. */
  readonly message: string;
  readonly outcome?: Outcome;
  readonly effects?: readonly Effect[];
  readonly fields?: Fields<DeliberationStatus>;
  readonly conditions?: readonly ConditionOf<'Deliberation'>[];
}

const ENDED: readonly Phase[] = ['Completed', 'Failed', 'TimedOut'];

/** What all kinds share is composed anew over this. */
const kept = ({ deliberation }: DeliberationSeen): Fields<DeliberationStatus> => deliberation.status ?? {};

/** What is known of the turns: written with every status, so that none that was written later can lack what was known before. */
export const progressFields = ({ contributions, answered, expected, usage }: Deliberated): Fields<DeliberationStatus> => ({
  contributions: [...contributions],
  progress: `${answered}/${expected}`,
  usage,
});

const endFields = (time: Timeline | undefined, now: number): Fields<DeliberationStatus> => ({
  finishedAt: preciseTimestamp(now),
  step: undefined,
  round: undefined,
  suspendedAt: undefined,
  ...(time !== undefined && { durationMs: time.activeMs(now), pausedMs: time.pausedMs(now) }),
});

export const written = (seen: DeliberationSeen, now: number, words: Words): DeliberationDecision => {
  const { deliberation, cursor } = seen;
  const { phase, reason, message } = words;
  const isEnd = ENDED.includes(phase);
  const succeeded = !isEnd ? 'Unknown' : phase === 'Completed' ? 'True' : 'False';
  return compose<DeliberationStatus, 'Deliberation'>(
    deliberation,
    {
      outcome: isEnd ? { kind: 'done' } : (words.outcome ?? { kind: 'waiting' }),
      why: message,
      effects: words.effects ?? [],
      fields: {
        ...kept(seen),
        ...(isEnd ? endFields(timeline(deliberation), now) : {}),
        ...words.fields,
        phase,
        message: clipped(message, MESSAGE_LENGTH),
      },
      conditions: [{ type: 'Succeeded', status: succeeded, reason, message }, ...(words.conditions ?? [])],
      events: deliberationEvents(seen, words, now),
    },
    { now, cursor },
  );
};
