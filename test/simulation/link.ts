// JetStream in a simulation: one store that outlives the operators, and the link that each process has to it. A publication is a request
// like any other; what the store takes is told to the feeds at once.

import { Buffer } from 'node:buffer';
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
  #seq = 0;

  constructor(options: StoreOptions) {
    this.#options = options;
  }

  /** Grows with each message that is taken. */
  get version(): number {
    return this.#seq;
  }

  get(subject: string): Stored | undefined {
    return this.#last.get(subject);
  }

  /** Subjects that fit `prefix`, with their last message. */
  last(prefix: string): readonly (readonly [string, Stored])[] {
    return [...this.#last].filter(([subject]) => subject.startsWith(prefix));
  }

  purge(subject: string): void {
    this.#last.delete(subject);
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
    return 'published';
  }
}

const prefixOf = (filter: string): string => filter.slice(0, -1);

export class Link implements LinkPort {
  readonly tried = Promise.resolve();
  readonly #store: Store;
  readonly #request: Request;
  #listeners: LinkListeners = { feeds: [], onAvailable: () => undefined };
  #available = false;

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
    for (const feed of this.#listeners.feeds) {
      feed.begin();
      for (const [subject, { seq, data }] of this.#store.last(prefixOf(feed.filter))) feed.take({ subject, seq, data });
      feed.caughtUp();
    }
    this.#available = true;
    this.#listeners.onAvailable(true);
  }

  publish(publication: Publication): Promise<Published> {
    return this.#request('publish', () => {
      const published = this.#store.take(publication);
      if (published === 'published') this.stored(publication.subject);
      return published;
    });
  }

  lastStored(_stream: string, subject: string): Promise<Stored | undefined> {
    return this.#request('read', () => this.#store.get(subject));
  }

  purge(_stream: string, subject: string): Promise<void> {
    return this.#request('purge', () => this.#store.purge(subject));
  }

  /** Tells the feeds of the last message of that subject. */
  stored(subject: string): void {
    const message = this.#store.get(subject);
    if (message === undefined) return;
    for (const feed of this.#listeners.feeds) if (subject.startsWith(prefixOf(feed.filter))) feed.take({ subject, ...message });
  }
}
