// The last value per key of a JetStream feed, in memory, replaced as a whole when a session begins anew, bounded in number.

import { LRUCache } from 'lru-cache';
import type { Feed, FeedMessage } from './feed.ts';

interface LatestValue<V> {
  /** undefined: deleted, or malformed. */
  readonly value: V | undefined;
  readonly seq: number;
}

/** Those that were not written for the longest go first; reading does not count. */
type Entries<V> = LRUCache<string, LatestValue<V>>;

/** By size and not by number: the cache would make room for all of them at once. */
const emptyEntries = <V>(maxEntries: number, onEvicted: () => void): Entries<V> =>
  new LRUCache<string, LatestValue<V>>({
    ...{ maxSize: maxEntries, sizeCalculation: () => 1 },
    dispose: (_value, _key, reason) => {
      if (reason === 'evict') onEvicted();
    },
  });

export interface LatestValuesOptions<V> {
  readonly stream: string;
  /** Ends in `>` or `*`; what stands there is the key. */
  readonly filter: string;
  /** Throws for what is malformed: that entry is then not there. */
  readonly parse: (json: unknown) => V;
  readonly maxEntries: number;
  readonly onChange: (key: string) => void;
  readonly onMalformed: (key: string, error: unknown) => void;
}

export class LatestValues<V> implements Feed {
  readonly stream: string;
  readonly filter: string;
  readonly #options: LatestValuesOptions<V>;
  readonly #prefixLength: number;
  #entries: Entries<V>;
  /** Filled while a new session catches up; until then readers see what was known before. */
  #next: Entries<V> | undefined;
  #isWhole = true;
  #isNextWhole = true;

  constructor(options: LatestValuesOptions<V>) {
    this.stream = options.stream;
    this.filter = options.filter;
    this.#options = options;
    this.#prefixLength = options.filter.length - 1;
    this.#entries = this.#empty();
  }

  get(key: string): V | undefined {
    return this.#entries.peek(key)?.value;
  }

  /** The sequence of the key's last message, a deletion included; 0 when there is none. */
  seq(key: string): number {
    return this.#entries.peek(key)?.seq ?? 0;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** Whether a key that is not here is not in the store: no entry had to go for others. */
  get isWhole(): boolean {
    return this.#isWhole;
  }

  begin(): void {
    this.#isNextWhole = true;
    this.#next = this.#empty();
  }

  take({ subject, seq, data }: FeedMessage): void {
    const key = subject.slice(this.#prefixLength);
    const entries = this.#next ?? this.#entries;
    const value = data === undefined ? undefined : this.#parsed(key, data);
    entries.set(key, { value, seq });
    if (this.#next === undefined) this.#options.onChange(key);
  }

  /** Tells of every key: after a store lost its data, equal sequences need not mean equal values. */
  caughtUp(): void {
    if (this.#next === undefined) return;
    const keys = new Set([...this.#entries.keys(), ...this.#next.keys()]);
    this.#entries = this.#next;
    this.#isWhole = this.#isNextWhole;
    this.#next = undefined;
    for (const key of keys) this.#options.onChange(key);
  }

  #empty(): Entries<V> {
    const entries: Entries<V> = emptyEntries(this.#options.maxEntries, () => {
      if (entries === this.#next) this.#isNextWhole = false;
      else this.#isWhole = false;
    });
    return entries;
  }

  #parsed(key: string, data: Uint8Array): V | undefined {
    try {
      return this.#options.parse(JSON.parse(Buffer.from(data).toString('utf8')));
    } catch (error) {
      this.#options.onMalformed(key, error);
      return undefined;
    }
  }
}
