// This process's own writes, laid over a cache from the moment of decision until the watch has caught up with them or they failed:
// kube-scheduler's assume cache. Without it two keys that decide one after the other would see each other's writes too late.
//
//   assume ──► (request under way) ──► confirm(version) ──► cache.version ≥ version: the cache tells it better, dropped
//                     └──► fail: dropped

import { ASSUMED_UID } from '../../crds/kinds/meta.ts';
import { compareResourceVersions, keyOf, type KubeObject, type Stored } from '../../kube/object.ts';
import type { Cache, IndexBy, Reader } from '../../kube/cache.ts';

interface Assumption<T extends KubeObject> {
  readonly key: string;
  /** undefined: assumed deleted. */
  readonly object: Stored<T> | undefined;
  /** The object that it changes or deletes, as seen through this overlay; undefined: there was none. */
  readonly baseUid: string | undefined;
  readonly baseVersion: string | undefined;
  readonly wasCached: boolean;
  /** resourceVersion after the write; undefined while the request is under way. */
  readonly version: string | undefined;
  readonly confirmed: boolean;
  readonly atMs: number;
}

/** Ends one assumption; calling more than one of them, or after it was replaced by a newer one, does nothing. */
export interface Assumed<T extends KubeObject> {
  /** The write was done; `stored` as the server answered it, undefined where it answered with none (a deletion). */
  confirm(stored: Stored<T> | undefined): void;
  fail(): void;
}

/** A safety net only: the version rule ends an assumption, unless the server went back in time. */
const MAX_AGE_MS = 60_000;

export class Overlay<T extends KubeObject> implements Reader<T> {
  readonly #cache: Cache<T>;
  readonly #indexes: Readonly<Record<string, IndexBy<T>>>;
  readonly #assumptions = new Map<string, Assumption<T>>();
  readonly #nowMs: () => number;

  /** `indexes` as they were given to the cache. */
  constructor(cache: Cache<T>, nowMs: () => number, indexes: Readonly<Record<string, IndexBy<T>>> = {}) {
    this.#cache = cache;
    this.#nowMs = nowMs;
    this.#indexes = indexes;
  }

  /** Assumptions that still cover the cache. */
  get size(): number {
    for (const key of [...this.#assumptions.keys()]) this.#living(key);
    return this.#assumptions.size;
  }

  /** The object is as good as created or changed. Before the server gave it one, a created object has none: `isAssumed`. */
  assume(object: T): Assumed<T> {
    const base = this.get(keyOf(object.metadata))?.metadata;
    const metadata = { ...object.metadata, uid: base?.uid ?? ASSUMED_UID, resourceVersion: base?.resourceVersion ?? '' };
    return this.#put(keyOf(object.metadata), { ...object, metadata });
  }

  assumeDeleted(key: string): Assumed<T> {
    return this.#put(key, undefined);
  }

  get(key: string): Stored<T> | undefined {
    const assumption = this.#living(key);
    return assumption === undefined ? this.#cache.get(key) : assumption.object;
  }

  byUid(uid: string): Stored<T> | undefined {
    for (const { object } of this.#all()) if (object?.metadata.uid === uid) return object;
    const cached = this.#cache.byUid(uid);
    return cached === undefined || this.#living(keyOf(cached.metadata)) !== undefined ? undefined : cached;
  }

  ownedBy(uid: string): readonly Stored<T>[] {
    const isOwned = (object: Stored<T>): boolean => object.metadata.ownerReferences?.some((owner) => owner.uid === uid) === true;
    return this.#laidOver(this.#cache.ownedBy(uid), isOwned);
  }

  by(index: string, value: string): readonly Stored<T>[] {
    const keysOf = this.#indexes[index];
    return this.#laidOver(this.#cache.by(index, value), (object) => keysOf?.(object).includes(value) === true);
  }

  values(): Iterable<Stored<T>> {
    return this.#laidOver([...this.#cache.values()], () => true);
  }

  #put(key: string, object: Stored<T> | undefined): Assumed<T> {
    const base = this.get(key)?.metadata;
    const mine: Assumption<T> = {
      ...{ key, object, baseUid: base?.uid, baseVersion: base?.resourceVersion, wasCached: this.#cache.get(key) !== undefined },
      ...{ version: undefined, confirmed: false, atMs: this.#nowMs() },
    };
    this.#assumptions.set(key, mine);
    const isMine = (): boolean => this.#assumptions.get(key) === mine;
    return {
      confirm: (stored) => {
        if (!isMine()) return;
        const version = stored?.metadata.resourceVersion;
        this.#assumptions.set(key, {
          ...mine,
          object: object === undefined ? undefined : (stored ?? object),
          version,
          confirmed: true,
        });
      },
      fail: () => {
        if (isMine()) this.#assumptions.delete(key);
      },
    };
  }

  #laidOver(cached: readonly Stored<T>[], belongs: (object: Stored<T>) => boolean): readonly Stored<T>[] {
    if (this.#assumptions.size === 0) return cached;
    const assumed = this.#all();
    const covered = new Set(assumed.map(({ key }) => key));
    const present = assumed.flatMap(({ object }) => (object !== undefined && belongs(object) ? [object] : []));
    return [...cached.filter((object) => !covered.has(keyOf(object.metadata))), ...present];
  }

  #all(): readonly Assumption<T>[] {
    return [...this.#assumptions.keys()].flatMap((key) => this.#living(key) ?? []);
  }

  /** The assumption of that key, unless the cache has caught up with it: then it is dropped here. */
  #living(key: string): Assumption<T> | undefined {
    const assumption = this.#assumptions.get(key);
    if (assumption === undefined) return undefined;
    const outdated = assumption.object === undefined ? this.#deletionShown(assumption) : this.#writeShown(assumption);
    const tooOld = assumption.confirmed && this.#nowMs() - assumption.atMs > MAX_AGE_MS;
    if (!outdated && !tooOld) return assumption;
    this.#assumptions.delete(key);
    return undefined;
  }

  #writeShown(assumption: Assumption<T>): boolean {
    const cached = this.#cache.get(assumption.key)?.metadata;
    // the watch was faster than the answer to a create, or the object was replaced by one of the same name
    if (cached !== undefined && cached.uid !== assumption.baseUid && !assumption.confirmed) return true;
    if (cached === undefined && assumption.wasCached && !assumption.confirmed) return true;
    if (this.#isOvertaken(assumption)) return true;
    const { version } = assumption;
    return (
      version !== undefined && this.#cache.version !== undefined && compareResourceVersions(this.#cache.version, version) >= 0
    );
  }

  /**
   * Somebody wrote the object after the state that the assumption was made on. Unless that was our own write, ours will be refused:
   * whoever looks now may as well see what is there.
   */
  #isOvertaken({ key, baseVersion, confirmed }: Assumption<T>): boolean {
    const cached = this.#cache.get(key)?.metadata.resourceVersion;
    if (confirmed || cached === undefined || baseVersion === undefined || baseVersion === '') return false;
    return compareResourceVersions(cached, baseVersion) > 0;
  }

  #deletionShown(assumption: Assumption<T>): boolean {
    const cached = this.#cache.get(assumption.key)?.metadata;
    return cached === undefined || cached.uid !== assumption.baseUid || cached.deletionTimestamp !== undefined;
  }
}
