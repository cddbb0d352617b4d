// Composes a decision from what a rule wants: conditions with their times, the outbox, and the wait when the outbox is full.
// May: compose. May not: judge; that is what the rules of each kind are for.

import type { Condition, OutboxEvent } from '../crds/kinds/meta.ts';
import { mergeConditions, type ConditionOf, type DeclaringKind } from './conditions.ts';
import type { Decision, Effect, Outcome } from './contract.ts';
import { appendEvents, type WantedEvent } from './outbox.ts';
import { untilMs } from '../crds/time.ts';

export interface CommonStatus {
  readonly observedGeneration?: number | undefined;
  readonly phase?: string | undefined;
  readonly conditions?: readonly Condition[] | undefined;
  readonly eventSeq?: number | undefined;
  readonly outbox?: readonly OutboxEvent[] | undefined;
}

/** The object that a decision is about, as far as every kind has it. */
export interface Subject<Status, K extends DeclaringKind> {
  readonly kind: K;
  readonly metadata: { readonly generation: number };
  readonly status?: Status | undefined;
}

/** A status without what all kinds share; what is undefined is left out when it is written. */
export type Fields<Status> = {
  readonly [K in Exclude<keyof Status, 'observedGeneration' | 'conditions' | 'eventSeq' | 'outbox'>]?: Status[K] | undefined;
};

/** What a rule wants, before times and numbers. `fields` is the whole status but for what all kinds share. */
export interface Wanted<Status, K extends DeclaringKind> {
  readonly outcome: Outcome;
  readonly why: string;
  readonly effects?: readonly Effect[];
  readonly fields: Fields<Status>;
  readonly conditions: readonly ConditionOf<K>[];
  readonly events?: readonly WantedEvent[];
}

/** What composing needs besides the object. */
export interface Moment {
  readonly now: number;
  /** The last published event of the object. */
  readonly cursor: number | undefined;
}

const behind = <Status extends CommonStatus>(subject: Subject<Status, DeclaringKind>, now: number): Decision<Status> => {
  const message = 'the outbox is full: the next transition waits until its events are published';
  const held = (subject.status?.conditions ?? []).filter(({ type }) => type !== 'Stalled' && type !== 'EventsBehind');
  const flag = { type: 'EventsBehind', status: 'True', reason: 'OutboxFull', message } as const;
  const conditions = mergeConditions(subject.status?.conditions, [...held, flag], now, subject.metadata.generation);
  const status = { ...subject.status, conditions } as unknown as Status;
  return { outcome: { kind: 'waiting' }, status, effects: [], why: message };
};

/**
 * The same decision, which waits no longer than until the end that is to come (of the Story's wall clock budget). Laid around every rule of a
 * kind, so that none can forget it: whatever waits, stalled included, also waits for its deadline.
 */
export const withinDeadline = <Status>(decision: Decision<Status>, endMs: number | undefined, now: number): Decision<Status> => {
  const { outcome } = decision;
  if (outcome.kind === 'done' || endMs === undefined || endMs <= now) return decision;
  return { ...decision, outcome: { ...outcome, afterMs: Math.min(outcome.afterMs ?? Infinity, untilMs(endMs, now)) } };
};

/** The decision that a rule wants. Where the outbox has no room nothing is done at all, and the status says why. */
export const compose = <Status extends CommonStatus, K extends DeclaringKind>(
  subject: Subject<Status, K>,
  wanted: Wanted<Status, K>,
  { now, cursor }: Moment,
): Decision<Status> => {
  const events = wanted.events ?? [];
  const old = subject.status;
  const { generation } = subject.metadata;
  const appended =
    events.length === 0
      ? { eventSeq: old?.eventSeq ?? 0, outbox: [...(old?.outbox ?? [])] } // no write is made only to trim
      : appendEvents(old, events, cursor, now);
  if (appended === undefined) return behind(subject, now);
  const status = {
    ...wanted.fields,
    observedGeneration: generation,
    conditions: mergeConditions(old?.conditions, wanted.conditions, now, generation),
    ...appended,
  } as unknown as Status;
  return { outcome: wanted.outcome, status, effects: wanted.effects ?? [], why: wanted.why };
};

/** Leaves the status as it is. */
export const leave = <Status>(why: string, outcome: Outcome, effects: readonly Effect[] = []): Decision<Status> => ({
  outcome,
  status: undefined,
  effects,
  why,
});
