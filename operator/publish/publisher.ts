// From the outbox in a status to JetStream, in order of each object, at least once. No decision waits for it, and it writes nothing to
// the API server: the cursor says how far it came, and a later status write drops what the cursor has passed.

import { shortHash } from '../../crds/canonical.ts';
import { KV_BUCKETS } from '../../crds/contracts/commands.ts';
import type { OutboxEvent } from '../../crds/kinds/meta.ts';
import { keyOf, type KubeObject, type Stored } from '../../kube/object.ts';
import { StoreUnavailable } from '../../runtime/bus/errors.ts';
import type { LatestValues } from '../../runtime/bus/latest-values.ts';
import type { Publication, Published, StoredMessage } from '../../runtime/bus/link.ts';
import { publishInOrder } from '../../runtime/bus/publisher.ts';
import type { Next } from '../../runtime/queue.ts';
import { bucketStream, cursorSubject } from '../state/feeds.ts';

export type Publishing = Stored<KubeObject> & {
  readonly status?: { readonly outbox?: readonly OutboxEvent[] | undefined } | undefined;
};

export interface PublisherPorts {
  publish(publication: Publication): Promise<Published>;
  /** Throws StoreUnavailable. */
  lastStored(stream: string, subject: string): Promise<StoredMessage | undefined>;
  readonly cursors: Pick<LatestValues<number>, 'get' | 'seq' | 'isWhole' | 'take'>;
  /** An event that can never be published: skipped, so that those after it are. */
  onUnpublishable(key: string, event: OutboxEvent): void;
  onPublished(subject: string): void;
}

/** Subjects that the streams of events hold; a token is of letters, digits, `_` and `-`. */
const EVENT_SUBJECT = /^(planning|orchestration)(\.[A-Za-z0-9_-]+)+$/;

/** Events that the cursor has not passed, in order. */
export const unpublished = (object: Publishing, cursors: Pick<PublisherPorts['cursors'], 'get'>): readonly OutboxEvent[] => {
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
    // with what it tells: after a status was wiped another event may have a number that was given within the stream's window
    const told = shortHash([event.type, event.at, event.data], 8);
    return { subject: event.type, data: envelope(object, event), msgId: `${object.metadata.uid}:${event.seq}:${told}` };
  } catch {
    return undefined;
  }
};

/** Of more objects than the view holds some cursors are in the store alone. */
const recallCursor = async (uid: string, ports: PublisherPorts): Promise<void> => {
  const { cursors } = ports;
  if (cursors.isWhole || cursors.seq(uid) > 0) return;
  const subject = cursorSubject(uid);
  const stored = await ports.lastStored(bucketStream(KV_BUCKETS.cursor), subject);
  if (stored !== undefined) cursors.take({ subject, ...stored });
};

/** Publishes what is new of one object, then moves its cursor, once. */
export const publishOutbox = async (object: Publishing | undefined, ports: PublisherPorts): Promise<Next> => {
  if (object === undefined || unpublished(object, ports.cursors).length === 0) return { kind: 'done' };
  const { uid } = object.metadata;
  try {
    await recallCursor(uid, ports);
  } catch (error) {
    if (error instanceof StoreUnavailable) return { kind: 'retry' };
    throw error;
  }
  const events = unpublished(object, ports.cursors);
  if (events.length === 0) return { kind: 'done' };
  const items = events.map((event) => ({ seq: event.seq, event, publication: publicationOf(object, event) }));
  const done = await publishInOrder(
    items,
    { subject: cursorSubject(uid), expectedSeq: ports.cursors.seq(uid) },
    {
      publish: (publication) => ports.publish(publication),
      onPublished: ({ event }) => ports.onPublished(event.type),
      onPassedOver: ({ event }) => ports.onUnpublishable(keyOf(object.metadata), event),
    },
  );
  return { kind: done ? 'done' : 'retry' };
};
