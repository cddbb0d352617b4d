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

export interface Outbox {
  readonly eventSeq: number;
  readonly outbox: OutboxEvent[];
}

export const OUTBOX_LENGTH = 64;
const DATA_LENGTH = 4096;

/** What is left of a status's outbox when the publisher has been heard up to `cursor`. */
export const unpublished = (outbox: readonly OutboxEvent[] | undefined, cursor: number | undefined): OutboxEvent[] =>
  (outbox ?? []).filter((event) => event.seq > (cursor ?? 0));

/** Free-standing payloads over the limit keep their short fields, so that no title can stop an object's events. */
const dataText = (data: WantedEvent['data']): string => {
  const whole = canonicalJson(data);
  if (whole.length <= DATA_LENGTH) return whole;
  const short = Object.fromEntries(Object.entries(data).filter(([, value]) => canonicalJson(value).length <= 256));
  return canonicalJson(short).slice(0, DATA_LENGTH);
};

/**
 * The outbox with the events appended, less what `cursor` has passed. undefined: it has no room for all of them, so that the
 * transition they tell of has to wait.
 */
export const appendEvents = (
  old: { readonly eventSeq?: number | undefined; readonly outbox?: readonly OutboxEvent[] | undefined } | undefined,
  events: readonly WantedEvent[],
  cursor: number | undefined,
  now: number,
): Outbox | undefined => {
  const kept = unpublished(old?.outbox, cursor);
  if (kept.length + events.length > OUTBOX_LENGTH) return undefined;
  const seq = old?.eventSeq ?? 0;
  const added = events.map(({ type, data }, index) => ({ seq: seq + index + 1, type, at: timestamp(now), data: dataText(data) }));
  return { eventSeq: seq + events.length, outbox: [...kept, ...added] };
};
