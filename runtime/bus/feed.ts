// Feeds: the last message of every subject under a filter, then each new one, read by a consumer that the server may lose.

import { DeliverPolicy, type ConsumerMessages, type JetStreamClient, type JsMsg } from '@nats-io/jetstream';

export interface Feed {
  readonly stream: string;
  readonly filter: string;
  /** A new session begins: what follows is everything there is. */
  begin(): void;
  take(message: FeedMessage): void;
  /** Everything that was there when the session began has been taken. */
  caughtUp(): void;
}

export interface FeedMessage {
  readonly subject: string;
  /** Sequence in the stream; the revision of a key in a bucket. */
  readonly seq: number;
  /** undefined: a key that was deleted. */
  readonly data: Uint8Array | undefined;
}

/** Two that are missed, and the client asks whether its consumer is still there. */
export const HEARTBEAT_MS = 5_000;

const KV_OPERATION = 'KV-Operation';
const feedMessage = (message: JsMsg): FeedMessage => {
  const deleted = ['DEL', 'PURGE'].includes(message.headers?.get(KV_OPERATION) ?? '');
  return { subject: message.subject, seq: message.seq, data: deleted ? undefined : message.data };
};

export interface Following {
  /** Resolves when all that was there has been taken. */
  readonly caughtUp: Promise<void>;
  /** Resolves when the reading ends; rejects when stream or consumer have vanished. */
  readonly ended: Promise<void>;
}

/** Starts reading a feed. */
export const followFeed = async (client: JetStreamClient, feed: Feed): Promise<Following> => {
  const consumer = await client.consumers.get(feed.stream, {
    filter_subjects: feed.filter,
    deliver_policy: DeliverPolicy.LastPerSubject,
  });
  const { promise: caughtUp, resolve } = Promise.withResolvers<void>();
  feed.begin();
  const info = await consumer.info();
  const done = (): void => {
    feed.caughtUp();
    resolve();
  };
  let behind = info.num_pending > 0;
  if (!behind) done();
  const messages: ConsumerMessages = await consumer.consume({
    ...{ max_messages: 500, idle_heartbeat: HEARTBEAT_MS },
    // without it the client waits in silence for what nobody brings back
    abort_on_missing_resource: true,
  });
  const read = async (): Promise<void> => {
    for await (const message of messages) {
      feed.take(feedMessage(message));
      if (!behind || message.info.pending > 0) continue;
      behind = false;
      done();
    }
  };
  const ended = read();
  // whoever does not wait for it any more must not be ended by it
  ended.catch(() => undefined);
  return { caughtUp, ended };
};
