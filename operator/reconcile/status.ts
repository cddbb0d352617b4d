// What the shell itself does to a status before it is written: the Stalled condition, the trimmed or renumbered outbox, and what changed.
// It sees of a status only what all kinds have in common.

import type { Outcome } from '../../controllers/contract.ts';
import { isBehind, waitingEvents } from '../../controllers/outbox.ts';
import { clipped } from '../../controllers/text.ts';
import { isSameJson } from '../../crds/canonical.ts';
import { MESSAGE_LENGTH } from '../../crds/kinds/meta.ts';
import { timestamp } from '../../crds/time.ts';

interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason?: string;
  readonly message?: string;
  readonly lastTransitionTime?: string;
  readonly observedGeneration?: number;
}

export interface CommonStatus {
  readonly phase?: string;
  readonly conditions?: readonly Condition[];
  readonly eventSeq?: number;
  readonly outbox?: readonly { readonly seq: number }[];
}

export interface StatusContext {
  /** The status as last seen. */
  readonly old: CommonStatus | undefined;
  readonly generation: number | undefined;
  /** The last event that was published; what the outbox holds up to it is no longer needed. */
  readonly cursor: number | undefined;
  readonly nowMs: number;
}

const STALLED = 'Stalled';

const stalledCondition = (outcome: Outcome, context: StatusContext): readonly Condition[] => {
  if (outcome.kind !== 'stalled') return [];
  const old = context.old?.conditions?.find((condition) => condition.type === STALLED && condition.status === 'True');
  return [
    {
      type: STALLED,
      status: 'True',
      reason: outcome.reason,
      message: clipped(outcome.message, MESSAGE_LENGTH),
      lastTransitionTime: old?.lastTransitionTime ?? timestamp(context.nowMs),
      ...(context.generation !== undefined && { observedGeneration: context.generation }),
    },
  ];
};

const byType = (conditions: readonly Condition[]): readonly Condition[] =>
  [...conditions].sort((a, b) => (a.type < b.type ? -1 : 1));

const isEmpty = (value: unknown): boolean =>
  value === undefined || value === null || (Array.isArray(value) && value.length === 0);

/** For comparison: the server may keep a list-map in another order, and an empty list as none. */
const comparable = (status: CommonStatus): object => {
  const ordered = status.conditions === undefined ? status : { ...status, conditions: byType(status.conditions) };
  return Object.fromEntries(Object.entries(ordered).filter(([, value]) => !isEmpty(value)));
};

const trimmed = (status: CommonStatus, cursor: number | undefined): CommonStatus =>
  status.outbox === undefined || cursor === undefined
    ? status
    : { ...status, outbox: status.outbox.filter(({ seq }) => seq > cursor) };

/** Events that wait in a status which was restored are numbered behind those that were published; else they would never be. */
const caughtUp = (status: CommonStatus, cursor: number | undefined): CommonStatus =>
  isBehind(status, cursor) && (status.outbox ?? []).length > 0
    ? { ...status, ...waitingEvents(status, cursor) }
    : trimmed(status, cursor);

/**
 * The whole status to write, or undefined when nothing is to be written: it says what is there already. An outbox that could be
 * trimmed is no reason to write.
 */
export const statusToWrite = (
  wanted: CommonStatus | undefined,
  outcome: Outcome,
  context: StatusContext,
): CommonStatus | undefined => {
  const base = wanted ?? context.old ?? {};
  const others = (base.conditions ?? []).filter((condition) => condition.type !== STALLED);
  const conditions = byType([...others, ...stalledCondition(outcome, context)]);
  const full = conditions.length === 0 && base.conditions === undefined ? base : { ...base, conditions };
  const next = caughtUp(full, context.cursor);
  return isSameJson(comparable(next), comparable(trimmed(context.old ?? {}, context.cursor))) ? undefined : next;
};

/** `Type: old→new (Reason)` for each condition whose status differs, and the phase. For the log. */
export const flips = (old: CommonStatus | undefined, next: CommonStatus): readonly string[] => {
  const before = new Map((old?.conditions ?? []).map(({ type, status }) => [type, status]));
  const after = new Map((next.conditions ?? []).map((condition) => [condition.type, condition]));
  const changed = [...after.values()]
    .filter(({ type, status }) => before.get(type) !== status)
    .map(({ type, status, reason }) => `${type}: ${before.get(type) ?? '-'}→${status} (${reason ?? ''})`);
  const gone = [...before].filter(([type]) => !after.has(type)).map(([type, status]) => `${type}: ${status}→-`);
  const phase = old?.phase === next.phase ? [] : [`phase: ${old?.phase ?? '-'}→${next.phase ?? '-'}`];
  return [...phase, ...changed, ...gone];
};
