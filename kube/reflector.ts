// Keeps one cache equal to one resource of the API server, for ever: list in pages, watch from there, and whatever breaks, go on.
// It decides only how to get the truth again; what the objects mean is the business of those who listen to the cache.
//
//   list ─► cache.replace ─► synced ─► watch ─► ended or cut ─────────► watch again from the last resourceVersion
//    ▲                                   └───► 410, ERROR, unreadable ─┐
//    └───────────────── every relistMs, as a check ────────────────────┘

import { backoffMs, pause, systemClock, type Backoff, type Clock } from '../runtime/clock.ts';
import type { Cache } from './cache.ts';
import type { ApiClient, Page, Selection } from './client.ts';
import { ApiError } from './error.ts';
import { describe, ingest, resourceVersionOf, type KubeObject, type Resource, type Stored } from './object.ts';
import { isRecord } from './json.ts';
import { project, type Fields } from './projection.ts';
import { WatchBroken, type WatchEvent } from './watch-stream.ts';

/** What a reflector tells whoever counts and logs. */
export type Report =
  | { readonly type: 'listed'; readonly resource: Resource; readonly objects: number }
  | { readonly type: 'broken'; readonly resource: Resource; readonly error: unknown; readonly then: 'relist' | 'rewatch' }
  | { readonly type: 'malformed'; readonly resource: Resource; readonly key: string; readonly error: unknown };

export interface ReflectorOptions<T extends KubeObject> extends Selection {
  readonly client: Pick<ApiClient, 'listPage' | 'watch'>;
  readonly resource: Resource;
  readonly cache: Cache<T>;
  /** What of each object enters the cache. Default: all but what `ingest` drops. */
  readonly fields?: Fields;
  /** Further demands on the shape; what it throws drops that one object. `isSpecKnown`: the one in the cache has the very same spec. */
  readonly check?: (object: Stored<T>, isSpecKnown: boolean) => void;
  readonly onReport?: (report: Report) => void;
  /** Objects in a page: a page of 500 blocks the loop for some 10 ms. */
  readonly pageSize?: number;
  /** How often to list again although nothing seems wrong. Default 10 min. */
  readonly relistMs?: number;
  /** Silence on a watch that means it is dead. Default 100 s: bookmarks come about once a minute. */
  readonly idleTimeoutMs?: number;
  /** No wait is longer than its maximum, whatever the server asks for. */
  readonly backoff?: Backoff;
  readonly clock?: Clock;
}

const DEFAULTS = {
  pageSize: 500,
  relistMs: 600_000,
  idleTimeoutMs: 100_000,
  backoff: { baseMs: 200, maxMs: 30_000 },
  clock: systemClock,
};

/** An ERROR event: whatever its code, what we missed is unknown. */
class WatchRefused extends Error {
  override readonly name = 'WatchRefused';
}

/** Most changes are of the status: a spec that says the same is the same object then, and what was found out about it still holds. */
const shareSpec = (raw: unknown, held: unknown): boolean => {
  if (!isRecord(raw) || !isRecord(held) || !isRecord(raw['spec']) || !isRecord(held['spec'])) return false;
  if (JSON.stringify(raw['spec']) !== JSON.stringify(held['spec'])) return false;
  raw['spec'] = held['spec'];
  return true;
};

export class Reflector<T extends KubeObject> {
  /** Resolves when the cache first equals a whole list; never rejects. */
  readonly synced: Promise<void>;
  readonly #options: ReflectorOptions<T> & typeof DEFAULTS;
  readonly #markSynced: () => void;
  #isSynced = false;
  #isBroken = false;
  #resourceVersion: string | undefined;
  #relistAtMs = 0;
  #failures = 0;

  constructor(options: ReflectorOptions<T>) {
    this.#options = { ...DEFAULTS, ...options };
    const { promise, resolve } = Promise.withResolvers<void>();
    this.synced = promise;
    this.#markSynced = resolve;
  }

  get isSynced(): boolean {
    return this.#isSynced;
  }

  /** The last list or watch failed: what the cache shows may be old. */
  get isBroken(): boolean {
    return this.#isBroken;
  }

  /** Runs until `signal` aborts; never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        if (this.#resourceVersion === undefined || this.#options.clock.nowMs() >= this.#relistAtMs) await this.#list(signal);
        await this.#watch(signal);
      } catch (error) {
        if (signal.aborted) return;
        this.#broken(error);
        await pause(this.#delayMs(error), signal, this.#options.clock);
      }
    }
  }

  async #list(signal: AbortSignal): Promise<void> {
    const { resource, relistMs, cache, clock } = this.#options;
    const objects: Stored<T>[] = [];
    let page = await this.#page(undefined, signal);
    for (;;) {
      const { items, continueToken } = page;
      // asked for before these are looked at, so that the server and this process work at the same time
      const next = continueToken === undefined ? undefined : this.#page(continueToken, signal);
      for (const raw of items) {
        const object = this.#take(raw);
        if (object !== undefined) objects.push(object);
      }
      if (next === undefined) break;
      page = await next;
    }
    const { resourceVersion } = page;
    this.#resourceVersion = resourceVersion;
    cache.advance(resourceVersion);
    cache.replace(objects);
    this.#relistAtMs = clock.nowMs() + relistMs * (0.75 + clock.random() / 2);
    this.#report({ type: 'listed', resource, objects: objects.length });
    this.#isSynced = true;
    this.#isBroken = false;
    this.#markSynced();
  }

  #page(continueToken: string | undefined, signal: AbortSignal): Promise<Page> {
    const { client, resource, namespace, labelSelector, fieldSelector, pageSize } = this.#options;
    return client.listPage(resource, { namespace, labelSelector, fieldSelector, limit: pageSize, continueToken, signal });
  }

  async #watch(signal: AbortSignal): Promise<void> {
    const { client, resource, namespace, labelSelector, fieldSelector, idleTimeoutMs, clock } = this.#options;
    const resourceVersion = this.#resourceVersion;
    if (resourceVersion === undefined) return;
    const remainingSeconds = Math.ceil((this.#relistAtMs - clock.nowMs()) / 1_000);
    const timeoutSeconds = Math.min(Math.max(remainingSeconds, 2), 300 + Math.floor(clock.random() * 300));
    const startedAtMs = clock.nowMs();
    const onOpen = (): void => {
      this.#isBroken = false;
    };
    const stream = client.watch(resource, {
      ...{ namespace, labelSelector, fieldSelector, resourceVersion, timeoutSeconds, idleTimeoutMs, signal, onOpen },
    });
    for await (const event of stream) {
      this.#apply(event);
      this.#failures = 0;
    }
    // a server that ends every watch at once must not be asked again in a tight circle
    if (clock.nowMs() - startedAtMs < 1_000) throw new WatchRefused('the watch ended as soon as it began');
  }

  #apply(event: WatchEvent): void {
    const { cache } = this.#options;
    switch (event.type) {
      case 'BOOKMARK':
        this.#resourceVersion = event.resourceVersion;
        cache.advance(event.resourceVersion);
        return;
      case 'ERROR':
        throw new WatchRefused(`${event.code} ${event.reason ?? ''} ${event.message}`);
      case 'DELETED':
        this.#advance(event.object);
        cache.remove(describe(event.object));
        return;
      case 'ADDED':
      case 'MODIFIED': {
        const object = this.#take(event.object);
        this.#advance(event.object);
        // what cannot be read is not seen: better absent than stale
        if (object === undefined) cache.remove(describe(event.object));
        else cache.upsert(object);
      }
    }
  }

  #advance(raw: unknown): void {
    const version = resourceVersionOf(raw);
    if (version === undefined) return;
    this.#resourceVersion = version;
    this.#options.cache.advance(version);
  }

  #take(raw: unknown): Stored<T> | undefined {
    const { resource, fields = true, check } = this.#options;
    try {
      const kept = project(raw, fields);
      const isSpecKnown = shareSpec(kept, this.#options.cache.get(describe(kept)));
      const object = ingest<T>(kept, resource);
      check?.(object, isSpecKnown);
      return object;
    } catch (error) {
      this.#report({ type: 'malformed', resource, key: describe(raw), error });
      return undefined;
    }
  }

  #broken(error: unknown): void {
    const unknownGap =
      error instanceof WatchBroken || error instanceof WatchRefused || (error instanceof ApiError && error.sort !== 'transient');
    if (unknownGap) this.#resourceVersion = undefined;
    this.#failures += 1;
    this.#isBroken = true;
    const then = this.#resourceVersion === undefined ? 'relist' : 'rewatch';
    this.#report({ type: 'broken', resource: this.#options.resource, error, then });
  }

  #delayMs(error: unknown): number {
    const { backoff, clock } = this.#options;
    const askedMs = error instanceof ApiError ? (error.retryAfterMs ?? 0) : 0;
    return Math.min(backoff.maxMs, Math.max(askedMs, backoffMs(backoff, this.#failures - 1, clock)));
  }

  #report(report: Report): void {
    try {
      this.#options.onReport?.(report);
    } catch {
      // whoever counts must not stop the watch
    }
  }
}
