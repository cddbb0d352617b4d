// From the outbox in a status to JetStream, in order of each object, at least once. No decision waits for it, and it writes nothing to
// the API server: the cursor says how far it came, and a later status write drops what the cursor has passed.

import type { OutboxEvent } from '../../crds/kinds/meta.ts';
import { keyOf, type KubeObject, type Stored } from '../../kube/object.ts';
import type { Publication, Published } from '../../runtime/bus/link.ts';
import { StoreUnavailable } from '../../runtime/bus/errors.ts';
import type { Next } from '../../runtime/queue.ts';
import { cursorSubject } from '../state/feeds.ts';

export type Publishing = Stored<KubeObject> & {
  readonly status?: { readonly outbox?: readonly OutboxEvent[] | undefined } | undefined;
};

export interface PublisherPorts {
  publish(publication: Publication): Promise<Published>;
  readonly cursors: { get(uid: string): number | undefined; seq(uid: string): number };
  /** An event that can never be published: skipped, so that those after it are. */
  onUnpublishable(key: string, event: OutboxEvent): void;
  onPublished(subject: string): void;
}

/** Subjects that the streams of events hold; a token is of letters, digits, `_` and `-`. */
const EVENT_SUBJECT = /^(planning|orchestration)(\.[A-Za-z0-9_-]+)+$/;

/** Events that the cursor has not passed, in order. */
export const unpublished = (object: Publishing, cursors: PublisherPorts['cursors']): readonly OutboxEvent[] => {
  const cursor = cursors.get(object.metadata.uid) ?? 0;
  return [...(object.status?.outbox ?? [])].filter(({ seq }) => seq > cursor).sort((a, b) => a.seq - b.seq);
};

/** The fields of older clients stay at top level; what names and orders the event is added where they leave room. */
const envelope = (object: Publishing, event: OutboxEvent): string => {
  const { uid, namespace, name } = object.metadata;
  const data = JSON.parse(event.data) as Readonly<Record<string, unknown>>;
  const added = { event_id: `${uid}:${event.seq}`, event_type: event.type, occurred_at: event.at, seq: event.seq };
  return JSON.stringify({ ...added, object: { kind: object.kind, namespace, name, uid }, ...data });
};

const publicationOf = (object: Publishing, event: OutboxEvent): Publication | undefined => {
  if (!EVENT_SUBJECT.test(event.type)) return undefined;
  try {
    return { subject: event.type, data: envelope(object, event), msgId: `${object.metadata.uid}:${event.seq}` };
  } catch {
    return undefined;
  }
};

/** Publishes what is new of one object, then moves its cursor, once. The cursor is written only over the revision that was read. */
export const publishOutbox = async (object: Publishing | undefined, ports: PublisherPorts): Promise<Next> => {
  const events = object === undefined ? [] : unpublished(object, ports.cursors);
  if (object === undefined || events.length === 0) return { kind: 'settled' };
  const { uid } = object.metadata;
  const expectedSeq = ports.cursors.seq(uid);
  let reached: number | undefined;
  try {
    for (const event of events) {
      const publication = publicationOf(object, event);
      if (publication === undefined) ports.onUnpublishable(keyOf(object.metadata), event);
      else await ports.publish(publication);
      reached = event.seq;
      if (publication !== undefined) ports.onPublished(publication.subject);
    }
  } catch (error) {
    if (!(error instanceof StoreUnavailable)) throw error;
  }
  if (reached === undefined) return { kind: 'retry' };
  const moved = await ports
    .publish({ subject: cursorSubject(uid), data: String(reached), expectedSeq })
    .catch((error: unknown) => {
      if (error instanceof StoreUnavailable) return 'outrun' as const;
      throw error;
    });
  return moved === 'published' && reached === events.at(-1)?.seq ? { kind: 'settled' } : { kind: 'retry' };
};
