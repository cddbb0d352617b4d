// The objects of one kind as last seen, indexed. Filled by a reflector, read synchronously by everybody. Objects are frozen.

import { compareResourceVersions, keyOf, type KubeObject, type Stored } from './object.ts';

export type Change<T extends KubeObject> =
  | { readonly type: 'added'; readonly object: Stored<T> }
  | { readonly type: 'changed'; readonly object: Stored<T>; readonly old: Stored<T> }
  | { readonly type: 'deleted'; readonly old: Stored<T> };

/** The keys under which an object is to be found; an index function must be pure. */
export type IndexBy<T extends KubeObject> = (object: Stored<T>) => readonly string[];
export type Listener<T extends KubeObject> = (change: Change<T>) => void;

/** What a reader needs of a cache. */
export interface Reader<T extends KubeObject> {
  get(key: string): Stored<T> | undefined;
  byUid(uid: string): Stored<T> | undefined;
  ownedBy(uid: string): readonly Stored<T>[];
  by(index: string, value: string): readonly Stored<T>[];
  values(): Iterable<Stored<T>>;
}

type Index<T extends KubeObject> = Map<string, Map<string, Stored<T>>>;

const NONE: readonly never[] = [];

/** The index that every cache has. */
export const OWNER = 'owner';
export const ownersOf = (object: KubeObject): readonly string[] =>
  (object.metadata.ownerReferences ?? []).map((owner) => owner.uid);

export interface CacheOptions<T extends KubeObject> {
  readonly indexes?: Readonly<Record<string, IndexBy<T>>>;
  /** A listener or an index threw: the cache goes on, the others are still told. */
  readonly onListenerError?: (error: unknown) => void;
}

export class Cache<T extends KubeObject> implements Reader<T> {
  readonly #objects = new Map<string, Stored<T>>();
  readonly #uids = new Map<string, string>();
  readonly #indexes = new Map<string, { readonly by: IndexBy<T>; readonly entries: Index<T> }>();
  readonly #listeners = new Set<Listener<T>>();
  #onReplaced: () => void = () => undefined;
  #version: string | undefined;
  readonly #onListenerError: (error: unknown) => void;

  constructor(options: CacheOptions<T> = {}) {
    this.#indexes.set(OWNER, { by: ownersOf, entries: new Map() });
    for (const [name, by] of Object.entries(options.indexes ?? {})) this.#indexes.set(name, { by, entries: new Map() });
    this.#onListenerError = options.onListenerError ?? ((): void => undefined);
  }

  get size(): number {
    return this.#objects.size;
  }

  /** Everything up to this resourceVersion has been seen; undefined before the first list. */
  get version(): string | undefined {
    return this.#version;
  }

  /** The reflector says how far it has read, before it tells of what it read. */
  advance(resourceVersion: string): void {
    this.#version = resourceVersion;
  }

  get(key: string): Stored<T> | undefined {
    return this.#objects.get(key);
  }

  byUid(uid: string): Stored<T> | undefined {
    const key = this.#uids.get(uid);
    return key === undefined ? undefined : this.#objects.get(key);
  }

  ownedBy(uid: string): readonly Stored<T>[] {
    return this.by(OWNER, uid);
  }

  /** Throws for an index that was not declared. */
  by(index: string, value: string): readonly Stored<T>[] {
    const found = this.#indexes.get(index);
    if (found === undefined) throw new Error(`no index ${index}`);
    const bucket = found.entries.get(value);
    return bucket === undefined ? NONE : [...bucket.values()];
  }

  values(): Iterable<Stored<T>> {
    return this.#objects.values();
  }

  /** Tells of every change from now on; returns what ends it. */
  onChange(listener: Listener<T>): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Called after each list, when what differed was told. */
  onReplaced(listener: () => void): void {
    this.#onReplaced = listener;
  }

  /** Takes an object as added or changed. An older or equal version than the one held is ignored. */
  upsert(object: Stored<T>): void {
    const held = this.#objects.get(keyOf(object.metadata));
    const { uid, resourceVersion } = object.metadata;
    if (held?.metadata.uid === uid && compareResourceVersions(resourceVersion, held.metadata.resourceVersion) <= 0) return;
    this.#put(object);
  }

  /** Drops the object of that key; given a uid, only if it is that very object. */
  remove(key: string, uid?: string): void {
    const old = this.#objects.get(key);
    if (old === undefined || (uid !== undefined && old.metadata.uid !== uid)) return;
    this.#unlink(key, old);
    this.#tell({ type: 'deleted', old });
  }

  /**
   * Makes the content exactly `objects`, telling only of what differs. Here an older version wins too: a list is the truth, even
   * after the server was restored from a backup.
   */
  replace(objects: readonly Stored<T>[]): void {
    const wanted = new Set(objects.map((object) => keyOf(object.metadata)));
    for (const key of [...this.#objects.keys()]) if (!wanted.has(key)) this.remove(key);
    for (const object of objects) {
      const held = this.#objects.get(keyOf(object.metadata))?.metadata;
      if (held?.uid !== object.metadata.uid || held.resourceVersion !== object.metadata.resourceVersion) this.#put(object);
    }
    this.#onReplaced();
  }

  #put(object: Stored<T>): void {
    const key = keyOf(object.metadata);
    const held = this.#objects.get(key);
    const old = held?.metadata.uid === object.metadata.uid ? held : undefined;
    if (old === undefined) this.remove(key);
    else this.#unlink(key, old);
    this.#link(key, object);
    this.#tell(old === undefined ? { type: 'added', object } : { type: 'changed', object, old });
  }

  #link(key: string, object: Stored<T>): void {
    this.#objects.set(key, object);
    this.#uids.set(object.metadata.uid, key);
    for (const { by, entries } of this.#indexes.values())
      for (const value of this.#valuesOf(by, object)) {
        const bucket = entries.get(value) ?? new Map<string, Stored<T>>();
        bucket.set(key, object);
        entries.set(value, bucket);
      }
  }

  #unlink(key: string, object: Stored<T>): void {
    this.#objects.delete(key);
    this.#uids.delete(object.metadata.uid);
    for (const { by, entries } of this.#indexes.values())
      for (const value of this.#valuesOf(by, object)) {
        const bucket = entries.get(value);
        bucket?.delete(key);
        if (bucket?.size === 0) entries.delete(value);
      }
  }

  #valuesOf(by: IndexBy<T>, object: Stored<T>): readonly string[] {
    try {
      return by(object);
    } catch (error) {
      this.#onListenerError(error); // an object of a shape that the index does not expect is merely not found by that index
      return [];
    }
  }

  #tell(change: Change<T>): void {
    for (const listener of this.#listeners)
      try {
        listener(change);
      } catch (error) {
        this.#onListenerError(error);
      }
  }
}
