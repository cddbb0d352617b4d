// The whole status of a Council, from what a rule found out about its readiness.
// May: compose. May not: judge.

import type { CouncilStatus } from '../../crds/kinds/council.ts';
import { agentsOf } from '../../crds/rules/councils.ts';
import { compose } from '../compose.ts';
import type { Decision, Effect, Outcome } from '../contract.ts';
import { councilEvents } from './events.ts';
import type { CouncilSeen } from './seen.ts';

export type CouncilDecision = Decision<CouncilStatus>;

export interface Readiness {
  readonly ready: 'True' | 'False' | 'Unknown';
  readonly reason: string;
  readonly message: string;
  /** When the endpoint gave the answer that this comes from. */
  readonly answeredAt?: string;
}

export interface Next {
  readonly outcome: Outcome;
  readonly effects?: readonly Effect[];
}

export const written = (seen: CouncilSeen, now: number, readiness: Readiness, next: Next): CouncilDecision => {
  const { council } = seen;
  const { status } = council;
  const names = agentsOf(council);
  const { ready, reason, message } = readiness;
  // the time moves with the readiness only, so that an answer which says what the last one said is no reason to write
  const isSame = status?.ready === ready && status.reason === reason;
  return compose<CouncilStatus, 'Council'>(
    council,
    {
      outcome: next.outcome,
      why: message,
      effects: next.effects ?? [],
      fields: {
        agents: names.length,
        agentNames: [...names],
        ready,
        reason,
        probedAt: isSame ? status.probedAt : readiness.answeredAt,
      },
      conditions: [{ type: 'Ready', status: ready, reason, message }],
      events: councilEvents(seen, names.length),
    },
    { now, cursor: seen.cursor },
  );
};

/** What stands in the platform's tables says no: it waits until Council or tables change. */
export const unready = (seen: CouncilSeen, now: number, reason: string, message: string): CouncilDecision =>
  written(seen, now, { ready: 'False', reason, message }, { outcome: { kind: 'waiting' } });
