// What the pool needs of whoever asks the model: the port, in the pool's own words. model-turn.ts has the real one.

import type { TurnBrief } from '../crds/contracts/turn-brief.ts';
import type { TurnResult } from '../crds/contracts/turns.ts';

type Answered = Extract<TurnResult, { readonly ok: true }>;

export interface TurnAsked {
  readonly brief: TurnBrief;
  readonly texts: readonly { readonly label: string; readonly text: string }[];
  /** Base URL of the OpenAI routes of this turn. */
  readonly modelUrl: string;
  /** Epoch milliseconds. */
  readonly deadlineMs: number;
  readonly signal: AbortSignal;
}

export interface TurnGiven extends Pick<Answered, 'checks' | 'scores' | 'choice'> {
  readonly ok: true;
  readonly text: string;
  readonly tokens: number;
}

export interface TurnSpoilt {
  readonly ok: false;
  /** The agent's failure; CamelCase. */
  readonly reason: string;
  readonly message: string;
  readonly tokens: number;
}

/** Nobody's failure: to be tried again, as long as somebody waits. */
export interface Later {
  readonly later: string;
  /** Whoever was asked says how long. */
  readonly afterMs?: number;
}

export const isLater = (value: object): value is Later => 'later' in value;

/** Rejects when `signal` aborts, and for what nobody expects. */
export type TakeTurn = (asked: TurnAsked) => Promise<TurnGiven | TurnSpoilt | Later>;
