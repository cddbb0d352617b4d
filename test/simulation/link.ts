// JetStream in a simulation: one store that outlives the operators, and the session that each process has with it. A publication is a
// request like any other; what the store takes is told to the feeds of a session one message at a time.

import { Buffer } from 'node:buffer';
import { StoreUnavailable } from '../../runtime/bus/errors.ts';
import type { Publication, Published } from '../../runtime/bus/link.ts';
import type { Link as LinkPort, LinkListeners } from '../../operator/operator.ts';
import type { Request } from './client.ts';

export interface Stored {
  readonly seq: number;
  readonly data: Uint8Array;
}

export interface StoreOptions {
  /** Subjects that take one message and refuse another. */
  readonly onePerSubject: (subject: string) => boolean;
  /** Looks at each message that is taken; it may throw. */
  readonly check: (publication: Publication) => void;
}

/** The last message of each subject; a message id is taken once. */
export class Store {
  readonly #last = new Map<string, Stored>();
  readonly #ids = new Set<string>();
  readonly #options: StoreOptions;
  readonly #log: string[] = [];
  #seq = 0;
  #lives = 1;
  isUp = true;

  constructor(options: StoreOptions) {
    this.#options = options;
  }

  /** Grows with each message that is taken, and never goes back. */
  get version(): number {
    return this.#log.length;
  }

  /** Grows each time it loses what it held. */
  get lives(): number {
    return this.#lives;
  }

  /** Subjects in the order in which they were written. */
  get log(): readonly string[] {
    return this.#log;
  }

  get(subject: string): Stored | undefined {
    return this.#last.get(subject);
  }

  /** Subjects that begin with `prefix`, with their last message. */
  last(prefix: string): readonly (readonly [string, Stored])[] {
    return [...this.#last].filter(([subject]) => subject.startsWith(prefix));
  }

  take(publication: Publication): Published {
    const { subject, data, msgId, expectedSeq } = publication;
    const before = this.#last.get(subject);
    if (before !== undefined && this.#options.onePerSubject(subject)) return 'refused';
    if (expectedSeq !== undefined && expectedSeq !== (before?.seq ?? 0)) return 'outrun';
    if (msgId !== undefined && this.#ids.has(msgId)) return 'published';
    this.#options.check(publication);
    if (msgId !== undefined) this.#ids.add(msgId);
    this.#last.set(subject, { seq: ++this.#seq, data: Buffer.from(data) });
    this.#log.push(subject);
    return 'published';
  }

  /** One message is lost, without a word. */
  drop(subject: string): void {
    this.#last.delete(subject);
    this.#log.push('');
  }

  /** Its disk is gone. */
  clear(): void {
    this.#last.clear();
    this.#ids.clear();
    this.#seq = 0;
    this.#lives += 1;
    this.#log.push('');
  }
}

const prefixOf = (filter: string): string => filter.slice(0, -1);

export class Link implements LinkPort {
  readonly tried = Promise.resolve();
  readonly #store: Store;
  readonly #request: Request;
  #listeners: LinkListeners = { feeds: [], onAvailable: () => undefined };
  #available = false;
  /** Entries of the store's log that were told. */
  #read = 0;

  constructor(store: Store, request: Request) {
    this.#store = store;
    this.#request = request;
  }

  get available(): boolean {
    return this.#available;
  }

  listen(listeners: LinkListeners): void {
    this.#listeners = listeners;
  }

  async run(): Promise<void> {
    this.begin();
  }

  /** A session with the store, unless it is down. */
  begin(): void {
    if (!this.#store.isUp || this.#available) return;
    for (const feed of this.#listeners.feeds) {
      feed.begin();
      for (const [subject, { seq, data }] of this.#store.last(prefixOf(feed.filter))) feed.take({ subject, seq, data });
      feed.caughtUp();
    }
    this.#read = this.#store.version;
    this.#available = true;
    this.#listeners.onAvailable(true);
  }

  end(): void {
    if (!this.#available) return;
    this.#available = false;
    this.#listeners.onAvailable(false);
  }

  publish(publication: Publication): Promise<Published> {
    return this.#request('publish', () => this.#reached().take(publication));
  }

  lastStored(_stream: string, subject: string): Promise<Stored | undefined> {
    return this.#request('read', () => this.#reached().get(subject));
  }

  purge(_stream: string, subject: string): Promise<void> {
    return this.#request('purge', () => this.#reached().drop(subject));
  }

  /** Throws StoreUnavailable. */
  #reached(): Store {
    if (!this.#available || !this.#store.isUp) throw new StoreUnavailable('JetStream is not connected');
    return this.#store;
  }

  get isBehind(): boolean {
    return this.#available && this.#read < this.#store.version;
  }

  /** Tells the feeds of one more message. */
  deliver(): void {
    const subject = this.#store.log[this.#read];
    if (!this.#available || subject === undefined) return;
    this.#read += 1;
    const message = this.#store.get(subject);
    if (message === undefined) return;
    for (const feed of this.#listeners.feeds) if (subject.startsWith(prefixOf(feed.filter))) feed.take({ subject, ...message });
  }
}
