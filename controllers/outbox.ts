// The outbox: events that wait in a status for their publication, numbered without gaps, written in the same write as what they tell.
// May: append and drop. May not: publish; the shell does that and keeps a cursor of what was acknowledged.

import { canonicalJson } from '../crds/canonical.ts';
import type { OutboxEvent } from '../crds/kinds/meta.ts';
import { timestamp } from '../crds/time.ts';

/** An event as a rule asks for it. `type` is the subject that it is published on. */
export interface WantedEvent {
  readonly type: string;
  readonly data: Readonly<Record<string, unknown>>;
}

export const OUTBOX_LENGTH = 64;
const DATA_LENGTH = 4096;

interface Numbered {
  readonly seq: number;
}

/** The outbox of a status, and the number of the object's last event. */
export interface Waiting<E extends Numbered> {
  readonly eventSeq: number;
  readonly outbox: E[];
}

/** Whether more of an object was published than its status knows of: it was restored, or wiped. Numbers are never used twice. */
export const isBehind = (
  status: { readonly eventSeq?: number | undefined; readonly outbox?: readonly Numbered[] | undefined } | undefined,
  cursor: number | undefined,
): boolean => (cursor ?? 0) > Math.max(status?.eventSeq ?? 0, ...(status?.outbox ?? []).map(({ seq }) => seq));

/**
 * What is left of a status's outbox when the publisher was acknowledged up to `cursor`. The events of a status that is behind are
 * numbered again, all of them: whether they were published under their old numbers or never, nobody can tell any more.
 */
export const waitingEvents = <E extends Numbered>(
  status: { readonly eventSeq?: number | undefined; readonly outbox?: readonly E[] | undefined } | undefined,
  cursor = 0,
): Waiting<E> => {
  const outbox = status?.outbox ?? [];
  if (!isBehind(status, cursor)) return { eventSeq: status?.eventSeq ?? 0, outbox: outbox.filter(({ seq }) => seq > cursor) };
  const inOrder = [...outbox].sort((a, b) => a.seq - b.seq);
  return { eventSeq: cursor + inOrder.length, outbox: inOrder.map((event, index) => ({ ...event, seq: cursor + index + 1 })) };
};

/** Free-standing payloads over the limit keep their short fields, so that no title can stop an object's events. */
const dataText = (data: WantedEvent['data']): string => {
  const whole = canonicalJson(data);
  if (whole.length <= DATA_LENGTH) return whole;
  const short = Object.fromEntries(Object.entries(data).filter(([, value]) => canonicalJson(value).length <= 256));
  return canonicalJson(short).slice(0, DATA_LENGTH);
};

/**
 * The outbox with the events appended, less what `cursor` has passed, and behind it. undefined: it has no room for all of them, so that the
 * transition they tell of has to wait.
 */
export const appendEvents = (
  old: { readonly eventSeq?: number | undefined; readonly outbox?: readonly OutboxEvent[] | undefined } | undefined,
  events: readonly WantedEvent[],
  cursor: number | undefined,
  now: number,
): Waiting<OutboxEvent> | undefined => {
  const { eventSeq: seq, outbox: kept } = waitingEvents(old, cursor);
  if (kept.length + events.length > OUTBOX_LENGTH) return undefined;
  const added = events.map(({ type, data }, index) => ({ seq: seq + index + 1, type, at: timestamp(now), data: dataText(data) }));
  return { eventSeq: seq + events.length, outbox: [...kept, ...added] };
};
