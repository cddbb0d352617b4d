// The link to JetStream: connects for ever, keeps the streams there, publishes, and follows what others put there into views.
// One session per connection: when anything of it ends, all of it is closed and built anew, views included.

import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  DeliverPolicy,
  JetStreamApiError,
  jetstream,
  jetstreamManager,
  type ConsumerMessages,
  type JetStreamClient,
  type JetStreamManager,
  type JsMsg,
  type StreamConfig,
} from '@nats-io/jetstream';
import { Kvm } from '@nats-io/kv';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { StoreUnavailable } from './store-unavailable.ts';

/** What a view reads: the last message of every subject under the filter. */
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

export type StreamDefinition = Pick<StreamConfig, 'name' | 'subjects'> & Partial<StreamConfig>;

/** A key-value bucket with the last value of each key. */
export interface BucketDefinition {
  readonly name: string;
  /** After this long without a write a key goes. Absent: never. */
  readonly maxAgeMs?: number;
}

export interface JetStreamOptions {
  readonly url: string;
  readonly user: string | undefined;
  readonly password: string | undefined;
  /** CA in PEM; read again for each connection. undefined: no TLS. */
  readonly caFile: string | undefined;
  readonly name: string;
  readonly streams: readonly StreamDefinition[];
  readonly buckets: readonly BucketDefinition[];
  readonly feeds: readonly Feed[];
  /** Told of each change of `available`. */
  readonly onAvailable: (available: boolean) => void;
  /** A session could not begin, or ended before its time; another is tried. */
  readonly onFailed: (error: unknown) => void;
}

export interface Publication {
  readonly subject: string;
  readonly data: string;
  /** `Nats-Msg-Id`: the stream drops a second message of the same id within its window. */
  readonly msgId?: string;
  /** The sequence that the subject's last message must have (0: none). */
  readonly expectedSeq?: number;
}

/** refused: one message per subject, and it is there; outrun: the subject's last message is not the expected one. */
export type Published = 'published' | 'refused' | 'outrun';

const REQUEST_TIMEOUT_MS = 5_000;
const RETRY_MS = { base: 250, max: 10_000 };
const NAME_IN_USE = 10058;
const STORE_FAILED = 10077;
const WRONG_LAST_SEQUENCE: readonly number[] = [10071, 10164];

const isApiError = (error: unknown, ...codes: readonly number[]): error is JetStreamApiError =>
  error instanceof JetStreamApiError && codes.includes(error.code);

const ensureStream = async (manager: JetStreamManager, stream: StreamDefinition): Promise<void> => {
  try {
    await manager.streams.add(stream);
  } catch (error) {
    if (!isApiError(error, NAME_IN_USE)) throw error;
    await manager.streams.update(stream.name, stream);
  }
};

const KV_OPERATION = 'KV-Operation';
const feedMessage = (message: JsMsg): FeedMessage => {
  const deleted = ['DEL', 'PURGE'].includes(message.headers?.get(KV_OPERATION) ?? '');
  return { subject: message.subject, seq: message.seq, data: deleted ? undefined : message.data };
};

/** Starts reading a feed. `caughtUp` resolves when all that was there has been taken; `ended` when the reading ends. */
const follow = async (client: JetStreamClient, feed: Feed): Promise<{ caughtUp: Promise<void>; ended: Promise<void> }> => {
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
  const messages: ConsumerMessages = await consumer.consume({ max_messages: 500, idle_heartbeat: REQUEST_TIMEOUT_MS });
  const read = async (): Promise<void> => {
    for await (const message of messages) {
      feed.take(feedMessage(message));
      if (!behind || message.info.pending > 0) continue;
      behind = false;
      done();
    }
  };
  return { caughtUp, ended: read() };
};

export class JetStreamLink {
  /** Resolves when the first session has begun or failed; never rejects. */
  readonly tried: Promise<void>;
  readonly #options: JetStreamOptions;
  readonly #markTried: () => void;
  #client: JetStreamClient | undefined;
  #available = false;

  constructor(options: JetStreamOptions) {
    this.#options = options;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.tried = promise;
    this.#markTried = resolve;
  }

  /** Connected, streams there, all views caught up. */
  get available(): boolean {
    return this.#available;
  }

  /** Runs until the signal aborts; never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    for (let failures = 0; !signal.aborted; failures += 1) {
      try {
        await this.#session(signal, () => {
          failures = 0;
        });
      } catch (error) {
        this.#options.onFailed(error);
      }
      this.#markTried();
      const ceilingMs = Math.min(RETRY_MS.max, RETRY_MS.base * 2 ** Math.min(failures, 10));
      await sleep(ceilingMs * (0.5 + Math.random() / 2), undefined, { signal }).catch(() => undefined);
    }
  }

  /** Throws StoreUnavailable when the message was not acknowledged, whatever the reason. */
  async publish({ subject, data, msgId, expectedSeq }: Publication): Promise<Published> {
    const client = this.#client;
    if (client === undefined || !this.#available) throw new StoreUnavailable('JetStream is not connected');
    try {
      await client.publish(subject, data, {
        timeout: REQUEST_TIMEOUT_MS,
        ...(msgId !== undefined && { msgID: msgId }),
        ...(expectedSeq !== undefined && { expect: { lastSubjectSequence: expectedSeq } }),
      });
      return 'published';
    } catch (cause) {
      if (isApiError(cause, STORE_FAILED) && cause.message.includes('per subject')) return 'refused';
      if (isApiError(cause, ...WRONG_LAST_SEQUENCE)) return 'outrun';
      throw new StoreUnavailable(`publish to ${subject} was not acknowledged`, { cause });
    }
  }

  async #connect(): Promise<NatsConnection> {
    const { url, user, password, caFile, name } = this.#options;
    return connect({
      ...{ servers: url, name, reconnect: false, timeout: REQUEST_TIMEOUT_MS, pingInterval: 10_000, maxPingOut: 2 },
      // each user may hear its own inbox only
      ...(user !== undefined && password !== undefined && { user, pass: password, inboxPrefix: `_INBOX_${user}` }),
      ...(caFile !== undefined && { tls: { ca: await readFile(caFile, 'utf8') } }),
    });
  }

  /** Ends by a rejection, or normally when the signal aborts. */
  async #session(signal: AbortSignal, onUp: () => void): Promise<void> {
    const connection = await this.#connect();
    const close = (): void => void connection.close();
    signal.addEventListener('abort', close, { once: true });
    try {
      const manager = await jetstreamManager(connection, { timeout: REQUEST_TIMEOUT_MS });
      for (const stream of this.#options.streams) await ensureStream(manager, stream);
      const client = jetstream(connection, { timeout: REQUEST_TIMEOUT_MS });
      for (const { name, maxAgeMs = 0 } of this.#options.buckets)
        await new Kvm(client).create(name, { history: 1, ttl: maxAgeMs });
      const views = await Promise.all(this.#options.feeds.map((feed) => follow(client, feed)));
      const closed = connection.closed().then((error) => {
        if (!signal.aborted) throw error instanceof Error ? error : new Error('the connection was closed');
      });
      const ends = views.map(({ ended }) => ended.then(() => closed));
      await Promise.race([Promise.all(views.map(({ caughtUp }) => caughtUp)), closed, ...ends]);
      this.#client = client;
      onUp();
      this.#setAvailable(true);
      this.#markTried();
      await Promise.race([closed, ...ends]);
    } finally {
      signal.removeEventListener('abort', close);
      this.#client = undefined;
      this.#setAvailable(false);
      await connection.close().catch(() => undefined);
    }
  }

  #setAvailable(available: boolean): void {
    if (this.#available === available) return;
    this.#available = available;
    this.#options.onAvailable(available);
  }
}
