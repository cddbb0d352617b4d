// This process's own writes, laid over a cache from the moment of decision until the watch has caught up with them or they failed:
// kube-scheduler's assume cache. Without it two keys that decide one after the other would see each other's writes too late.
//
//   assume ──► (request under way) ──► confirm(version) ──► cache.version ≥ version: the cache tells it better, dropped
//                     └──► fail: dropped

import { ASSUMED_UID } from '../../crds/kinds/meta.ts';
import { compareResourceVersions, keyOf, type KubeObject, type Stored } from '../../kube/object.ts';
import { OWNER, ownersOf, type Cache, type Change, type IndexBy, type Reader } from '../../kube/cache.ts';

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

const UID = 'uid';
const MIN_SWEEP_SIZE = 256;
/** Of one key: while a watch is cut an object is written a few times at the most. */
const MAX_UNSHOWN = 8;
const NONE: readonly never[] = [];

/** A safety net only: the version rule ends an assumption, unless the server went back in time. */
const MAX_AGE_MS = 60_000;

export class Overlay<T extends KubeObject> implements Reader<T> {
  readonly #cache: Cache<T>;
  readonly #indexes: Readonly<Record<string, IndexBy<T>>>;
  readonly #assumptions = new Map<string, Assumption<T>>();
  /** Keys of assumed objects by what they are looked up by. */
  readonly #keysBy = new Map<string, Set<string>>();
  readonly #nowMs: () => number;
  /** Own writes that the cache has not shown, by key, oldest first. */
  readonly #unshown = new Map<string, readonly Stored<T>[]>();
  #onMoved: (object: T) => void = () => undefined;
  #onVanished: (object: Stored<T>) => void = () => undefined;
  #onFallen: (object: T) => void = () => undefined;
  #onSkipped: (written: Stored<T>, shown: Stored<T>) => void = () => undefined;
  #sweepAtSize = MIN_SWEEP_SIZE;

  /** `indexes` as they were given to the cache. */
  constructor(cache: Cache<T>, nowMs: () => number, indexes: Readonly<Record<string, IndexBy<T>>> = {}) {
    this.#cache = cache;
    this.#nowMs = nowMs;
    this.#indexes = { ...indexes, [OWNER]: ownersOf, [UID]: (object) => [object.metadata.uid] };
    cache.onChange((change) => this.#shown(change));
    cache.onReplaced(() => [...this.#assumptions.values()].forEach((assumption) => this.#settle(assumption)));
  }

  /** Called with an object of which an assumption began or failed: no watch tells that. */
  onMoved(listener: (object: T) => void): void {
    this.#onMoved = listener;
  }

  /** Called with an object that was written, or was to be written, and is gone: it went between two lists, or behind what was assumed. */
  onVanished(listener: (object: Stored<T>) => void): void {
    this.#onVanished = listener;
  }

  /** Called with an object that was to be created and was not: whoever saw it meanwhile is told by no watch. */
  onFallen(listener: (object: T) => void): void {
    this.#onFallen = listener;
  }

  /**
   * Called with what was written and what the cache shows instead: the watch was cut, and the next list had a later state. Others decided by
   * the one between, and the cache may tell of no change at all.
   */
  onSkipped(listener: (written: Stored<T>, shown: Stored<T>) => void): void {
    this.#onSkipped = listener;
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
    const [assumed] = this.#assumedBy(UID, uid);
    if (assumed !== undefined) return assumed;
    const cached = this.#cache.byUid(uid);
    return cached === undefined || this.#living(keyOf(cached.metadata)) !== undefined ? undefined : cached;
  }

  ownedBy(uid: string): readonly Stored<T>[] {
    return this.#laidOver(this.#cache.ownedBy(uid), this.#assumedBy(OWNER, uid));
  }

  by(index: string, value: string): readonly Stored<T>[] {
    return this.#laidOver(this.#cache.by(index, value), this.#assumedBy(index, value));
  }

  values(): Iterable<Stored<T>> {
    const assumed = [...this.#assumptions.keys()].flatMap((key) => this.#living(key)?.object ?? []);
    return this.#laidOver([...this.#cache.values()], assumed);
  }

  #put(key: string, object: Stored<T> | undefined): Assumed<T> {
    this.#sweep();
    const base = this.get(key)?.metadata;
    const mine: Assumption<T> = {
      ...{ key, object, baseUid: base?.uid, baseVersion: base?.resourceVersion, wasCached: this.#cache.get(key) !== undefined },
      ...{ version: undefined, confirmed: false, atMs: this.#nowMs() },
    };
    this.#set(mine);
    const moved = object ?? this.#cache.get(key);
    if (moved !== undefined) this.#onMoved(moved);
    const isMine = (): boolean => this.#assumptions.get(key) === mine;
    return {
      confirm: (stored) => {
        if (!isMine()) return;
        const version = stored?.metadata.resourceVersion;
        const confirmed = { ...mine, object: object === undefined ? undefined : (stored ?? object), version, confirmed: true };
        this.#set(confirmed);
        this.#settle(confirmed);
        if (object !== undefined && stored !== undefined) this.#written(key, stored);
      },
      fail: () => {
        if (!isMine()) return;
        this.#drop(key);
        if (moved !== undefined) this.#onMoved(moved);
        if (object === undefined) return;
        if (base === undefined) this.#onFallen(object);
        else if (this.#cache.get(key) === undefined) this.#onVanished(object);
      },
    };
  }

  #written(key: string, stored: Stored<T>): void {
    const cached = this.#cache.get(key);
    const isShown =
      cached !== undefined && compareResourceVersions(cached.metadata.resourceVersion, stored.metadata.resourceVersion) >= 0;
    if (!isShown) this.#unshown.set(key, [...(this.#unshown.get(key) ?? NONE), stored].slice(-MAX_UNSHOWN));
  }

  #shown(change: Change<Stored<T>>): void {
    const key = keyOf((change.type === 'deleted' ? change.old : change.object).metadata);
    const written = this.#unshown.get(key);
    if (written === undefined) return;
    this.#unshown.delete(key);
    if (change.type === 'deleted') return; // which concerns everybody whom it can concern
    const { object } = change;
    const isLater = ({ metadata }: Stored<T>): boolean =>
      compareResourceVersions(metadata.resourceVersion, object.metadata.resourceVersion) > 0;
    const isThis = ({ metadata }: Stored<T>): boolean => metadata.resourceVersion === object.metadata.resourceVersion;
    const later = written.filter(isLater);
    if (later.length > 0) this.#unshown.set(key, later);
    for (const each of written) if (!isLater(each) && !isThis(each)) this.#onSkipped(each, object);
  }

  /** An assumption ends when somebody looks at its key; of some keys nobody ever asks again. */
  #sweep(): void {
    if (this.#assumptions.size < this.#sweepAtSize) return;
    this.#sweepAtSize = Math.max(MIN_SWEEP_SIZE, 2 * this.size);
  }

  #laidOver(cached: readonly Stored<T>[], assumed: readonly Stored<T>[]): readonly Stored<T>[] {
    if (this.#assumptions.size === 0) return cached;
    if (cached.length === 0) return assumed;
    return [...cached.filter(({ metadata }) => this.#living(keyOf(metadata)) === undefined), ...assumed];
  }

  #assumedBy(index: string, value: string): readonly Stored<T>[] {
    const keys = this.#assumptions.size === 0 ? undefined : this.#keysBy.get(`${index} ${value}`);
    return keys === undefined ? NONE : [...keys].flatMap((key) => this.#living(key)?.object ?? []);
  }

  #places(object: Stored<T>): readonly string[] {
    return Object.entries(this.#indexes).flatMap(([index, keysOf]) => keysOf(object).map((value) => `${index} ${value}`));
  }

  #set(assumption: Assumption<T>): void {
    const { key, object } = assumption;
    this.#drop(key);
    this.#assumptions.set(key, assumption);
    if (object === undefined) return;
    for (const place of this.#places(object)) this.#keysBy.set(place, (this.#keysBy.get(place) ?? new Set()).add(key));
  }

  #drop(key: string): void {
    const object = this.#assumptions.get(key)?.object;
    this.#assumptions.delete(key);
    if (object === undefined) return;
    for (const place of this.#places(object)) {
      const keys = this.#keysBy.get(place);
      keys?.delete(key);
      if (keys?.size === 0) this.#keysBy.delete(place);
    }
  }

  #settle({ key, object, confirmed }: Assumption<T>): void {
    const isOver = confirmed && this.#living(key) === undefined;
    if (isOver && object !== undefined && this.#cache.get(key) === undefined) this.#onVanished(object);
  }

  /** The assumption of that key, unless the cache has caught up with it: then it is dropped here. */
  #living(key: string): Assumption<T> | undefined {
    const assumption = this.#assumptions.get(key);
    if (assumption === undefined) return undefined;
    const outdated = assumption.object === undefined ? this.#deletionShown(assumption) : this.#writeShown(assumption);
    const tooOld = assumption.confirmed && this.#nowMs() - assumption.atMs > MAX_AGE_MS;
    if (!outdated && !tooOld) return assumption;
    this.#drop(key);
    return undefined;
  }

  #writeShown(assumption: Assumption<T>): boolean {
    const cached = this.#cache.get(assumption.key)?.metadata;
    // the watch was faster than the answer to a create, or the object was replaced by one of the same name
    if (cached !== undefined && cached.uid !== assumption.baseUid && !assumption.confirmed) return true;
    if (cached === undefined && !assumption.confirmed && this.#hadBase(assumption)) return true;
    if (this.#isOvertaken(assumption)) return true;
    const { version } = assumption;
    return (
      version !== undefined && this.#cache.version !== undefined && compareResourceVersions(this.#cache.version, version) >= 0
    );
  }

  /** Whether the cache has come to the state that the assumption was made on: what it does not have then is gone. */
  #hadBase({ wasCached, baseVersion = '' }: Assumption<T>): boolean {
    const { version } = this.#cache;
    return wasCached || (baseVersion !== '' && version !== undefined && compareResourceVersions(version, baseVersion) >= 0);
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
