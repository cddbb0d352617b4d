// An API server for simulations: objects with uid, resourceVersion and generation, a watch history for each kind, deletion, garbage
// collection by owner, and the refusals that matter (409 for a name in use, a wrong uid or an old resourceVersion; 404; 403 for Jobs in
// a namespace with a ResourceQuota, which here always is one of no Jobs).
// It is never kinder than the real one: whoever reads sees copies, and everything that happens is told by watch alone, later.

import { timestamp } from '../../crds/time.ts';
import { ApiError } from '../../kube/error.ts';
import { compareResourceVersions, keyOf, type KubeObject, type Stored } from '../../kube/object.ts';

export type SimObject = Stored<KubeObject & { spec?: Record<string, unknown>; status?: Record<string, unknown> }>;

export interface WatchEvent {
  readonly type: 'put' | 'delete';
  readonly version: number;
  readonly object: SimObject;
}

/** One accepted write, as an audit log would have it. */
export interface AuditRecord {
  readonly who: string;
  readonly verb: 'create' | 'apply' | 'apply status' | 'update' | 'delete';
  readonly kind: string;
  readonly key: string;
  readonly version: number;
}

const refusal = (code: number, reason: string, message: string): ApiError =>
  new ApiError({ sort: code === 409 ? 'conflict' : 'terminal', request: 'SIM', code, reason, message });

type Plain = Record<string, unknown>;
const isPlain = (value: unknown): value is Plain => typeof value === 'object' && value !== null && !Array.isArray(value);

/** Server-side apply as far as one field manager is concerned: records are merged, everything else is replaced. */
const merged = (base: Plain, change: Plain): Plain => {
  const result: Plain = { ...base };
  for (const [name, value] of Object.entries(change)) {
    const before = result[name];
    result[name] = isPlain(before) && isPlain(value) ? merged(before, value) : value;
  }
  return result;
};

export class ApiServer {
  readonly #objects = new Map<string, Map<string, SimObject>>();
  readonly #history = new Map<string, WatchEvent[]>();
  readonly audit: AuditRecord[] = [];
  readonly #nowMs: () => number;
  readonly #onWrite: (server: ApiServer, before: SimObject | undefined, after: SimObject) => void;
  #version = 100;
  readonly #uids = new Map<string, number>();
  #mayHaveOrphans = false;

  /** `onWrite` looks at each object that was created or changed; it may throw. */
  constructor(nowMs: () => number, onWrite: (server: ApiServer, before: SimObject | undefined, after: SimObject) => void) {
    this.#nowMs = nowMs;
    this.#onWrite = onWrite;
  }

  get version(): number {
    return this.#version;
  }

  get(kind: string, key: string): SimObject | undefined {
    return this.#objects.get(kind)?.get(key);
  }

  list(kind: string): readonly SimObject[] {
    return [...(this.#objects.get(kind)?.values() ?? [])];
  }

  kinds(): readonly string[] {
    return [...this.#history.keys()];
  }

  /** Everything that was ever told of that kind, in order. */
  history(kind: string): readonly WatchEvent[] {
    return this.#history.get(kind) ?? [];
  }

  create(who: string, object: KubeObject): SimObject {
    const key = keyOf(object.metadata);
    if (this.get(object.kind, key) !== undefined) throw refusal(409, 'AlreadyExists', `${object.kind} ${key} already exists`);
    if (
      object.kind === 'Job' &&
      this.list('ResourceQuota').some(({ metadata }) => metadata.namespace === object.metadata.namespace)
    )
      throw refusal(403, 'Forbidden', `jobs.batch "${object.metadata.name}" is forbidden: exceeded quota`);
    for (const owner of object.metadata.ownerReferences ?? [])
      if (owner.uid === '') throw refusal(422, 'Invalid', 'metadata.ownerReferences.uid: must not be empty');
    const copy = structuredClone(object) as KubeObject & { spec?: Plain };
    if ((object.metadata.ownerReferences ?? []).length > 0) this.#mayHaveOrphans = true; // its owner may have gone meanwhile
    const metadata = {
      ...copy.metadata,
      uid: this.#newUid(object.kind),
      generation: 1,
      creationTimestamp: this.#time(),
    };
    return this.#put(who, 'create', { ...copy, metadata: { ...metadata, resourceVersion: '' } });
  }

  /** Applies spec and metadata; a uid or resourceVersion in the change is a precondition. */
  apply(who: string, change: KubeObject): SimObject {
    const before = this.#existing(change);
    const { uid: _uid, resourceVersion: _version, ...metadata } = change.metadata;
    const { status: _status, ...rest } = change as KubeObject & { status?: unknown };
    const after = merged(before as unknown as Plain, { ...rest, metadata }) as unknown as SimObject;
    return this.#update(who, 'apply', before, after);
  }

  /** One manager owns the whole status: what it leaves out is gone. */
  applyStatus(who: string, change: KubeObject): SimObject {
    const before = this.#existing(change);
    const status = structuredClone((change as { status?: Plain }).status ?? {});
    return this.#update(who, 'apply status', before, { ...before, status });
  }

  /** Somebody else's edit. */
  update(who: string, kind: string, key: string, edit: (draft: SimObject) => SimObject): SimObject {
    const before = this.get(kind, key);
    if (before === undefined) throw refusal(404, 'NotFound', `${kind} ${key} not found`);
    return this.#put(who, 'update', this.#regenerated(before, edit(before)));
  }

  delete(who: string, kind: string, key: string, uid?: string): 'deleted' | 'absent' {
    const object = this.get(kind, key);
    if (object === undefined) return 'absent';
    if (uid !== undefined && object.metadata.uid !== uid) throw refusal(409, 'Conflict', `uid of ${kind} ${key} is another`);
    this.#objects.get(kind)?.delete(key);
    this.#mayHaveOrphans = true;
    const version = ++this.#version;
    this.#tell(kind, { type: 'delete', version, object });
    this.audit.push({ who, verb: 'delete', kind, key, version });
    return 'deleted';
  }

  /** What the garbage collector would delete now: objects whose every owner is gone. */
  orphans(): readonly SimObject[] {
    if (!this.#mayHaveOrphans) return [];
    const found = this.#findOrphans();
    this.#mayHaveOrphans = found.length > 0;
    return found;
  }

  #findOrphans(): readonly SimObject[] {
    const living = new Set(
      [...this.#objects.values()].flatMap((byKey) => [...byKey.values()].map((object) => object.metadata.uid)),
    );
    return [...this.#objects.values()]
      .flatMap((byKey) => [...byKey.values()])
      .filter(({ metadata }) => {
        const owners = metadata.ownerReferences ?? [];
        return owners.length > 0 && owners.every((owner) => !living.has(owner.uid));
      });
  }

  /** Counted by kind, so that Events beside the work change nothing of it. */
  #newUid(kind: string): string {
    const n = (this.#uids.get(kind) ?? 0) + 1;
    this.#uids.set(kind, n);
    return `uid-${kind.toLowerCase()}-${n}`;
  }

  #existing(change: KubeObject): SimObject {
    const key = keyOf(change.metadata);
    const before = this.get(change.kind, key);
    if (before === undefined) throw refusal(404, 'NotFound', `${change.kind} ${key} not found`);
    const { uid, resourceVersion } = change.metadata;
    if (uid !== undefined && uid !== before.metadata.uid)
      throw refusal(
        409,
        'Conflict',
        `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${before.metadata.uid}`,
      );
    if (resourceVersion !== undefined && compareResourceVersions(resourceVersion, before.metadata.resourceVersion) !== 0)
      throw refusal(409, 'Conflict', `${change.kind} ${key}: the object has been modified`);
    return before;
  }

  #update(who: string, verb: AuditRecord['verb'], before: SimObject, after: SimObject): SimObject {
    if (JSON.stringify(before) === JSON.stringify(after)) return before;
    return this.#put(who, verb, this.#regenerated(before, after));
  }

  #regenerated(before: SimObject, after: SimObject): SimObject {
    const changedSpec = JSON.stringify(before.spec) !== JSON.stringify(after.spec);
    const generation = (before.metadata.generation ?? 1) + (changedSpec ? 1 : 0);
    return { ...after, metadata: { ...after.metadata, uid: before.metadata.uid, generation } };
  }

  #put(who: string, verb: AuditRecord['verb'], object: SimObject): SimObject {
    const version = ++this.#version;
    const stored: SimObject = { ...object, metadata: { ...object.metadata, resourceVersion: String(version) } };
    const key = keyOf(stored.metadata);
    const byKey = this.#objects.get(stored.kind) ?? new Map<string, SimObject>();
    const before = byKey.get(key);
    byKey.set(key, stored);
    this.#objects.set(stored.kind, byKey);
    this.#tell(stored.kind, { type: 'put', version, object: stored });
    this.audit.push({ who, verb, kind: stored.kind, key, version });
    this.#onWrite(this, before, stored);
    return stored;
  }

  #tell(kind: string, event: WatchEvent): void {
    const events = this.#history.get(kind) ?? [];
    events.push(event);
    this.#history.set(kind, events);
  }

  #time(): string {
    return timestamp(this.#nowMs());
  }
}
