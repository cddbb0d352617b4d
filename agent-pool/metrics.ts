// What the pool counts, each metric once. Label values come from closed sets (rows of the platform's table, kinds, outcomes), never from turns.

import type { TurnKind } from '../crds/contracts/turns.ts';
import type { Metrics } from '../runtime/metrics.ts';
import type { Whom } from './patience.ts';

/** answered and failed: a result of this worker is stored. Of the others none is: repeated (another one is), late, dropped (nobody waits), returned, broken. */
export type Outcome = 'answered' | 'failed' | 'repeated' | 'late' | 'dropped' | 'returned' | 'broken';

export interface TurnTimes {
  /** From its message to a slot. */
  readonly waitingMs: number;
  /** From a slot to its end. */
  readonly workMs: number;
  /** Of the work: until the model had answered. */
  readonly modelMs: number;
}

export interface PoolMetrics {
  turnEnded(turn: { readonly endpoint: string; readonly kind: TurnKind; readonly outcome: Outcome }, times: TurnTimes): void;
  /** Something cannot be had now and is waited for. */
  waited(endpoint: string, whom: Whom): void;
  redelivered(endpoint: string): void;
}

export const makePoolMetrics = (metrics: Metrics): PoolMetrics => ({
  turnEnded: (turn, { waitingMs, workMs, modelMs }) => {
    const { endpoint } = turn;
    const seconds = (ms: number): number => Math.max(0, ms) / 1_000;
    metrics.count('turns_total', 'Turns that ended here, by endpoint, kind and outcome.', turn);
    metrics.count('turn_slot_wait_seconds_total', 'Seconds that turns waited for a slot.', { endpoint }, seconds(waitingMs));
    metrics.count('turn_model_seconds_total', 'Seconds of turns until the model had answered.', { endpoint }, seconds(modelMs));
    metrics.count('turn_own_seconds_total', 'Seconds of turns beyond the model.', { endpoint }, seconds(workMs - modelMs));
  },
  waited: (endpoint, whom) =>
    metrics.count('turn_waits_total', 'Times that a turn had to wait for gateway, model or store.', { endpoint, whom }),
  redelivered: (endpoint) =>
    metrics.count('turn_redeliveries_total', 'Turns that came again, as a worker had not ended them.', { endpoint }),
});
