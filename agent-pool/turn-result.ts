// What is stored of a turn. May: compute. May not: know who asked the model, or where it is stored.

import type { TurnBrief } from '../crds/contracts/turn-brief.ts';
import { turnResult, type TurnResult } from '../crds/contracts/turns.ts';
import { timestamp } from '../crds/time.ts';
import type { TurnGiven, TurnSpoilt } from './take-turn.ts';

export interface About {
  readonly id: string;
  /** undefined: it failed before there was one. */
  readonly brief: TurnBrief | undefined;
  readonly prompts: string;
  readonly startedMs: number;
  readonly nowMs: number;
}

const MAX_MESSAGE = 1_024;

const commonOf = ({ id, brief, prompts, startedMs, nowMs }: About, tokens: number) => ({
  ...{ id, at: timestamp(nowMs), tokens, durationMs: Math.max(0, nowMs - startedMs), prompts },
  ...{ agent: brief?.own.agent ?? '', model: brief?.terms.model ?? '' },
  ...(brief !== undefined && { context: brief.shared.context.digest }),
});

const failedOf = (about: About, { reason, message, tokens }: Omit<TurnSpoilt, 'ok'>): TurnResult => ({
  ...commonOf(about, tokens),
  ...{ ok: false, reason, message: message.slice(0, MAX_MESSAGE) },
});

const wholeOf = (about: About, said: TurnGiven | TurnSpoilt, digest: string): object => {
  if (!said.ok) return failedOf(about, said);
  const { checks, scores, choice, tokens } = said;
  return {
    ...{ ...commonOf(about, tokens), ok: true, digest },
    ...(checks !== undefined && { checks }),
    ...(scores !== undefined && { scores }),
    ...(choice !== undefined && { choice }),
  };
};

/** As its readers will parse it: what they would refuse becomes a failure that they can read. */
export const resultOf = (about: About, said: TurnGiven | TurnSpoilt, digest: string): TurnResult => {
  const { success, data, error } = turnResult.safeParse(wholeOf(about, said, digest));
  return success ? data : failedOf(about, { reason: 'AnswerInvalid', message: error.message, tokens: said.tokens });
};
