// The link to JetStream, of every process: connects for ever, makes the streams and buckets that it is asked to make, publishes, reads,
// and follows feeds. One session per connection: when anything of it ends, all of it is closed and built anew, feeds included.

import { readFile } from 'node:fs/promises';
import { jetstream, jetstreamManager, type JetStreamClient, type JetStreamManager, type StreamConfig } from '@nats-io/jetstream';
import { Kvm, type KV } from '@nats-io/kv';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { backoffMs, pause, systemClock, type Clock } from '../clock.ts';
import { orAborted } from '../shutdown.ts';
import { isApiError, isSubjectTaken, StoreUnavailable } from './errors.ts';
import { followFeed, type Feed } from './feed.ts';

export type StreamDefinition = Pick<StreamConfig, 'name' | 'subjects'> & Partial<StreamConfig>;

/** A key-value bucket with the last value of each key. */
export interface BucketDefinition {
  readonly name: string;
  /** After this long without a write a key goes. Absent: never. */
  readonly maxAgeMs?: number;
}

export interface LinkOptions {
  readonly url: string;
  readonly user: string | undefined;
  readonly password: string | undefined;
  /** CA in PEM for a URL that begins with tls:, read again for each connection. */
  readonly caFile: string | undefined;
  /** Of this process, for the server's own lists. */
  readonly name: string;
  /** Whoever needs a session waits so long for one, so that a server that is started anew is not noticed. Absent: not at all. */
  readonly patienceMs?: number;
  /** Made or updated when a session begins; absent: another process makes them. */
  readonly streams?: readonly StreamDefinition[];
  readonly buckets?: readonly BucketDefinition[];
  readonly feeds?: readonly Feed[];
  /** Told of each change of `available`. */
  readonly onAvailable: (available: boolean) => void;
  /** A session could not begin, or ended before its time; another is tried. */
  readonly onFailed: (error: unknown) => void;
  readonly clock?: Clock;
}

export interface Publication {
  readonly subject: string;
  readonly data: string | Uint8Array;
  /** `Nats-Msg-Id`: the stream drops a second message of the same id within its window. */
  readonly msgId?: string;
  /** The sequence that the subject's last message must have (0: none). */
  readonly expectedSeq?: number;
  /** The stream that must take it. */
  readonly stream?: string;
}

export interface StoredMessage {
  /** Sequence in the stream. */
  readonly seq: number;
  readonly data: Uint8Array;
}

/** refused: one message per subject, and it is there; outrun: the subject's last message is not the expected one. */
export type Published = 'published' | 'refused' | 'outrun';

/** What a connection gives while it lasts. */
export interface Session {
  readonly client: JetStreamClient;
  readonly manager: JetStreamManager;
  /** Aborts when the session is over. */
  readonly ended: AbortSignal;
  /** Opened once a session. Throws StoreUnavailable when it cannot be had (yet). */
  bucket(name: string): Promise<KV>;
}

const REQUEST_TIMEOUT_MS = 5_000;
/** A large message may take its time. */
const PUBLISH_TIMEOUT_MS = 10_000;
const RETRY = { baseMs: 250, maxMs: 5_000 };

const ensureStream = async (manager: JetStreamManager, stream: StreamDefinition): Promise<void> => {
  try {
    await manager.streams.add(stream);
  } catch (error) {
    if (!isApiError(error, 'nameInUse')) throw error;
    await manager.streams.update(stream.name, stream);
  }
};

const openBuckets = (client: JetStreamClient): Session['bucket'] => {
  const opened = new Map<string, Promise<KV>>();
  const open = (name: string): Promise<KV> =>
    new Kvm(client).open(name).catch((cause: unknown) => {
      opened.delete(name);
      throw new StoreUnavailable(`bucket ${name} cannot be opened`, { cause });
    });
  return (name) => {
    const bucket = opened.get(name) ?? open(name);
    opened.set(name, bucket);
    return bucket;
  };
};

export class JetStreamLink {
  /** Resolves when the first session has begun or failed; never rejects. */
  readonly tried: Promise<void>;
  readonly #options: LinkOptions;
  readonly #markTried: () => void;
  #session: Session | undefined;
  #began = Promise.withResolvers<void>();
  #maxPayloadBytes: number | undefined;

  constructor(options: LinkOptions) {
    this.#options = options;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.tried = promise;
    this.#markTried = resolve;
  }

  /** Connected, streams there, all feeds caught up. */
  get available(): boolean {
    return this.#session !== undefined;
  }

  /** The largest message that the server takes, as it last said; undefined before the first session. */
  get maxPayloadBytes(): number | undefined {
    return this.#maxPayloadBytes;
  }

  /** The session, waited for with patience. Throws StoreUnavailable when there is none. */
  async session(): Promise<Session> {
    const { patienceMs = 0 } = this.#options;
    if (this.#session === undefined && patienceMs > 0) await orAborted(this.#began.promise, AbortSignal.timeout(patienceMs));
    if (this.#session === undefined) throw new StoreUnavailable('JetStream is not connected');
    return this.#session;
  }

  /** The session as soon as there is one; undefined when the signal aborts first. */
  async connected(signal: AbortSignal): Promise<Session | undefined> {
    while (this.#session === undefined && !signal.aborted) await orAborted(this.#began.promise, signal);
    return signal.aborted ? undefined : this.#session;
  }

  /** Runs until the signal aborts; never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock = systemClock } = this.#options;
    for (let failures = 0; !signal.aborted; failures += 1) {
      try {
        await this.#live(signal, () => {
          failures = 0;
        });
      } catch (error) {
        if (!signal.aborted) this.#options.onFailed(error);
      }
      this.#markTried();
      await pause(backoffMs(RETRY, failures, clock), signal, clock);
    }
  }

  /** Throws StoreUnavailable when the message was not acknowledged, whatever the reason. */
  async publish({ subject, data, msgId, expectedSeq, stream }: Publication): Promise<Published> {
    const { client } = await this.session();
    const expect = {
      ...(expectedSeq !== undefined && { lastSubjectSequence: expectedSeq }),
      ...(stream !== undefined && { streamName: stream }),
    };
    try {
      await client.publish(subject, data, { timeout: PUBLISH_TIMEOUT_MS, ...(msgId !== undefined && { msgID: msgId }), expect });
      return 'published';
    } catch (cause) {
      if (isSubjectTaken(cause)) return 'refused';
      if (isApiError(cause, 'wrongLastSequence')) return 'outrun';
      throw new StoreUnavailable(`publish to ${subject} was not acknowledged`, { cause });
    }
  }

  /** The last message on a subject; undefined when there is none. Throws StoreUnavailable. */
  async lastStored(stream: string, subject: string): Promise<StoredMessage | undefined> {
    const { manager } = await this.session();
    try {
      const message = await manager.streams.getMessage(stream, { last_by_subj: subject });
      return message === null ? undefined : { seq: message.seq, data: message.data };
    } catch (cause) {
      if (isApiError(cause, 'noMessage')) return undefined;
      throw new StoreUnavailable(`${subject} could not be read`, { cause });
    }
  }

  /** What the last message on a subject says. Throws StoreUnavailable. */
  async lastMessage(stream: string, subject: string): Promise<Uint8Array | undefined> {
    return (await this.lastStored(stream, subject))?.data;
  }

  /** Throws away all messages under a subject, which may hold wildcards. Throws StoreUnavailable. */
  async purge(stream: string, subject: string): Promise<void> {
    const { manager } = await this.session();
    try {
      await manager.streams.purge(stream, { filter: subject });
    } catch (cause) {
      throw new StoreUnavailable(`${subject} could not be purged`, { cause });
    }
  }

  /** The subjects under a pattern that hold a message. Throws StoreUnavailable. */
  async subjects(stream: string, filter: string): Promise<readonly string[]> {
    const { manager } = await this.session();
    try {
      const { state } = await manager.streams.info(stream, { subjects_filter: filter });
      return Object.keys(state.subjects ?? {});
    } catch (cause) {
      throw new StoreUnavailable(`the subjects of ${stream} could not be read`, { cause });
    }
  }

  async #connect(): Promise<NatsConnection> {
    const { url, user, password, caFile, name } = this.#options;
    return connect({
      ...{ servers: url, name, reconnect: false, timeout: REQUEST_TIMEOUT_MS, pingInterval: 10_000, maxPingOut: 2 },
      // each user may hear its own inbox only
      ...(user !== undefined && password !== undefined && { user, pass: password, inboxPrefix: `_INBOX_${user}` }),
      ...(url.startsWith('tls:') && caFile !== undefined && { tls: { ca: await readFile(caFile, 'utf8') } }),
    });
  }

  /** One session, from connection to end. Ends by a rejection, or normally when the signal aborts. */
  async #live(signal: AbortSignal, onUp: () => void): Promise<void> {
    const connection = await this.#connect();
    const ended = new AbortController();
    const close = (): void => void connection.close();
    signal.addEventListener('abort', close, { once: true });
    try {
      // it may have aborted while it connected, and no listener is told of that
      if (signal.aborted) return;
      const { client, manager } = await this.#prepare(connection);
      const feeds = await Promise.all((this.#options.feeds ?? []).map((feed) => followFeed(client, feed)));
      const closed = connection.closed().then((error) => {
        if (!signal.aborted) throw error instanceof Error ? error : new Error('the connection was closed');
      });
      const ends = [closed, ...feeds.map((feed) => feed.ended.then(() => closed))];
      await Promise.race([Promise.all(feeds.map(({ caughtUp }) => caughtUp)), ...ends]);
      this.#maxPayloadBytes = connection.info?.max_payload;
      onUp();
      this.#begin({ client, manager, ended: ended.signal, bucket: openBuckets(client) });
      await Promise.race(ends);
    } finally {
      signal.removeEventListener('abort', close);
      this.#end();
      ended.abort(new StoreUnavailable('the connection to JetStream ended'));
      await connection.close().catch(() => undefined);
    }
  }

  async #prepare(connection: NatsConnection): Promise<{ readonly client: JetStreamClient; readonly manager: JetStreamManager }> {
    const { streams = [], buckets = [] } = this.#options;
    // the check asks for rights that no process but the operator has
    const manager = await jetstreamManager(connection, { timeout: REQUEST_TIMEOUT_MS, checkAPI: false });
    for (const stream of streams) await ensureStream(manager, stream);
    const client = jetstream(connection, { timeout: REQUEST_TIMEOUT_MS });
    for (const { name, maxAgeMs = 0 } of buckets) await new Kvm(client).create(name, { history: 1, ttl: maxAgeMs });
    return { client, manager };
  }

  #begin(session: Session): void {
    this.#session = session;
    this.#began.resolve();
    this.#options.onAvailable(true);
    this.#markTried();
  }

  #end(): void {
    if (this.#session === undefined) return;
    this.#session = undefined;
    this.#began = Promise.withResolvers<void>();
    this.#options.onAvailable(false);
  }
}
