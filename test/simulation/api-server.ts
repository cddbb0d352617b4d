// An API server for simulations: objects with uid, resourceVersion and generation, a watch history for each kind, server-side apply by one
// manager, the status subresource, schemas with their defaults, finalizers, garbage collection by owner, quotas, and the refusals of the
// real one (test/contract/conformance.test.ts asks both the same).
// It is never kinder than the real one: everything that happens is told by watch alone, later.

import { isSameJson } from '../../crds/canonical.ts';
import { timestamp } from '../../crds/time.ts';
import { kindDefinitions, type Kind } from '../../crds/kinds/registry.ts';
import type { ObjectMeta } from '../../crds/kinds/meta.ts';
import { compareResourceVersions, keyOf, type KubeObject, type Stored } from '../../kube/object.ts';
import { checkRules, checkShape, refusal } from './refusals.ts';
import { merged, patched, withoutLeftOut } from './merging.ts';
import { asKept } from './stored.ts';

export interface SimMeta extends ObjectMeta {
  readonly finalizers?: readonly string[];
}
export type SimObject = Stored<KubeObject & { spec?: Record<string, unknown>; status?: Record<string, unknown> }> & {
  readonly metadata: SimMeta;
};

export interface WatchEvent {
  readonly type: 'put' | 'delete';
  /** As it was until then; undefined for a new one. */
  readonly before: SimObject | undefined;
  readonly version: number;
  readonly object: SimObject;
}

type Verb = 'create' | 'apply' | 'apply status' | 'update' | 'delete';

/** One accepted write, as an audit log would have it. */
export interface AuditRecord {
  readonly who: string;
  readonly verb: Verb;
  readonly kind: string;
  readonly key: string;
  readonly version: number;
}

/** A write that is about to be kept: `after` is undefined for an object that goes. */
export interface Write {
  readonly who: string;
  readonly verb: Verb;
  readonly before: SimObject | undefined;
  readonly after: SimObject | undefined;
}

export interface Preconditions {
  readonly uid?: string | undefined;
  readonly resourceVersion?: string | undefined;
}

export interface ApiServerOptions {
  /** By the server's own clock. */
  readonly nowMs: () => number;
  /** Looks at each write that was made; it may throw. */
  readonly onWrite: (write: Write) => void;
}

type Plain = Record<string, unknown>;
/** What happened before the server began, nobody remembers. */
const FIRST_VERSION = 100;
const NO_OBJECTS: readonly SimObject[] = [];

const definitionOf = (kind: string) => kindDefinitions[kind as Kind] as (typeof kindDefinitions)[Kind] | undefined;

/** Kinds whose objects count no generations: what somebody gives as one stays. */
const UNCOUNTED: ReadonlySet<string> = new Set(['ServiceAccount', 'Event', 'Namespace', 'ResourceQuota', 'Service']);

/** Those whose status is a subresource: it is written there and nowhere else. */
const hasStatus = (kind: string): boolean => definitionOf(kind) !== undefined || kind === 'Job' || kind === 'Pod';

const isGoing = ({ metadata }: SimObject): boolean =>
  metadata.deletionTimestamp !== undefined && (metadata.finalizers ?? []).length === 0;

export class ApiServer {
  readonly audit: AuditRecord[] = [];
  readonly #options: ApiServerOptions;
  readonly #objects = new Map<string, Map<string, SimObject>>();
  readonly #lists = new Map<string, readonly SimObject[]>();
  readonly #history = new Map<string, WatchEvent[]>();
  readonly #compacted = new Map<string, number>();
  /** By uid, those that are gone as they last were. */
  readonly #everything = new Map<string, SimObject>();
  readonly #children = new Map<string, Set<string>>();
  readonly #uids = new Map<string, number>();
  /** By uid, what the one who applies has applied last. */
  readonly #applied = new Map<string, Plain>();
  /** By uid, the object as somebody last wrote it who did not apply. */
  readonly #written = new Map<string, Plain>();
  #version = FIRST_VERSION;
  #mayHaveOrphans = false;

  constructor(options: ApiServerOptions) {
    this.#options = options;
  }

  get version(): number {
    return this.#version;
  }

  get(kind: string, key: string): SimObject | undefined {
    return this.#objects.get(kind)?.get(key);
  }

  list(kind: string): readonly SimObject[] {
    const known = this.#lists.get(kind);
    if (known !== undefined) return known;
    const listed = [...(this.#objects.get(kind)?.values() ?? NO_OBJECTS)];
    this.#lists.set(kind, listed);
    return listed;
  }

  /** undefined for what is gone. */
  byUid(uid: string): SimObject | undefined {
    const object = this.#everything.get(uid);
    return object !== undefined && this.get(object.kind, keyOf(object.metadata))?.metadata.uid === uid ? object : undefined;
  }

  /** As it is, or as it was when it went. */
  lastOf(uid: string): SimObject | undefined {
    return this.#everything.get(uid);
  }

  /** The living objects of that kind that name the uid as an owner. */
  ownedBy(uid: string, kind: string): readonly SimObject[] {
    return [...(this.#children.get(uid) ?? [])].flatMap((child) => {
      const object = this.byUid(child);
      return object?.kind === kind ? [object] : [];
    });
  }

  kinds(): readonly string[] {
    return [...this.#history.keys()];
  }

  /** Everything that was ever told of that kind, in order. */
  history(kind: string): readonly WatchEvent[] {
    return this.#history.get(kind) ?? [];
  }

  /** From now on no watch of that kind can begin before the present. */
  compact(kind: string): void {
    this.#compacted.set(kind, this.#version);
  }

  /** Whether a watch of that kind can still begin after that version. */
  remembers(kind: string, version: number): boolean {
    return version >= (this.#compacted.get(kind) ?? FIRST_VERSION);
  }

  create(who: string, object: KubeObject): SimObject {
    const key = keyOf(object.metadata);
    const known = this.get(object.kind, key);
    this.#checkNamespace(object);
    for (const owner of object.metadata.ownerReferences ?? [])
      if (owner.uid === '') throw refusal(422, 'Invalid', 'metadata.ownerReferences.uid: must not be empty');
    const { status, ...rest } = object as KubeObject & { status?: Plain; spec?: Plain };
    const fresh = { ...rest, ...(hasStatus(object.kind) || status === undefined ? {} : { status }) };
    const valid = this.#validSpec({ ...fresh, metadata: { ...object.metadata, uid: '', resourceVersion: '' } });
    checkRules(valid, undefined);
    if (object.kind === 'Job' && this.#isOverQuota(object))
      throw refusal(403, 'Forbidden', `jobs.batch "${object.metadata.name}" is forbidden: exceeded quota`);
    if (object.metadata.resourceVersion !== undefined)
      throw refusal(500, undefined, 'resourceVersion should not be set on objects to be created');
    if (known !== undefined) throw refusal(409, 'AlreadyExists', `${object.kind} ${key} already exists`);
    const metadata = this.#newMetadata(object);
    if ((metadata.ownerReferences ?? []).length > 0) this.#mayHaveOrphans = true; // its owner may have gone meanwhile
    const made = this.#put(who, 'create', asKept({ ...valid, metadata }));
    this.#written.set(made.metadata.uid, made as unknown as Plain);
    return made;
  }

  /** As an older version of the schema let it in: nothing is checked, nothing is completed. */
  plant(who: string, object: KubeObject): SimObject {
    return this.#put(who, 'create', asKept({ ...object, metadata: this.#newMetadata(object) }));
  }

  #newMetadata({ kind, metadata }: KubeObject): SimMeta & { readonly uid: string; readonly resourceVersion: string } {
    const count = UNCOUNTED.has(kind) ? {} : { generation: 1 };
    return { ...metadata, ...count, uid: this.#newUid(kind), creationTimestamp: this.#time(), resourceVersion: '' };
  }

  /**
   * Applies spec and metadata; a uid or resourceVersion in the change is a precondition, but for an object that is not there a
   * resourceVersion is none: it is created.
   */
  apply(who: string, change: KubeObject): SimObject {
    const before = this.get(change.kind, keyOf(change.metadata));
    const { uid, resourceVersion, ...metadata } = change.metadata;
    const { status: _status, ...rest } = change as KubeObject & { status?: unknown; spec?: unknown };
    checkShape(definitionOf(change.kind)?.spec, rest.spec);
    const applied: Plain = { ...rest, metadata };
    if (before === undefined && uid !== undefined)
      throw refusal(409, 'Conflict', `Precondition failed: UID in precondition: ${uid}, UID in object meta: `);
    if (before === undefined) {
      const made = this.create(who, applied as unknown as KubeObject);
      this.#written.delete(made.metadata.uid);
      this.#applied.set(made.metadata.uid, applied);
      return made;
    }
    this.#check(before, { resourceVersion });
    this.#checkUid(before, uid);
    const known = this.#applied.get(before.metadata.uid);
    const kept = withoutLeftOut(before as unknown as Plain, known ?? {}, applied, this.#written.get(before.metadata.uid) ?? {});
    const after = this.#update(who, 'apply', before, merged(kept, applied) as unknown as SimObject);
    this.#applied.set(before.metadata.uid, applied);
    // who applies what others wrote owns it from then on, too: that is written down
    return known === undefined && after === before ? this.#put(who, 'apply', before) : after;
  }

  /** One manager owns the whole status: what it leaves out is gone. Here a uid is no precondition. */
  applyStatus(who: string, change: KubeObject): SimObject {
    const before = this.#existing(change);
    this.#check(before, { resourceVersion: change.metadata.resourceVersion });
    const status = (change as { status?: Plain }).status ?? {};
    checkShape(definitionOf(before.kind)?.status, status);
    const parsed = definitionOf(before.kind)?.status.safeParse(status);
    if (parsed?.success === false) throw refusal(422, 'Invalid', `status: ${parsed.error.message}`);
    return this.#update(who, 'apply status', before, { ...before, status });
  }

  /** Somebody else's edit, of whatever part; an edit that changes nothing is none. */
  update(who: string, kind: string, key: string, edit: (draft: SimObject) => SimObject): SimObject {
    const before = this.get(kind, key);
    if (before === undefined) throw refusal(404, 'NotFound', `${kind} ${key} not found`);
    const after = this.#update(who, 'update', before, edit(before));
    this.#written.set(after.metadata.uid, after as unknown as Plain);
    return after;
  }

  /** A merge patch; its resourceVersion is a precondition, and a status is written elsewhere. */
  patch(who: string, kind: string, key: string, patch: object): SimObject {
    return this.update(who, kind, key, (before) => {
      const after = patched(before, patch) as SimObject;
      this.#check(before, { resourceVersion: after.metadata.resourceVersion });
      this.#checkUid(before, after.metadata.uid);
      const { status: _status, ...rest } = after;
      if (!hasStatus(kind)) return after;
      return { ...rest, ...(before.status === undefined ? {} : { status: before.status }) };
    });
  }

  delete(who: string, kind: string, key: string, preconditions: Preconditions = {}): 'deleted' | 'absent' {
    const object = this.get(kind, key);
    if (object === undefined) return 'absent';
    this.#check(object, preconditions);
    if ((object.metadata.finalizers ?? []).length === 0) return this.#remove(who, object);
    if (object.metadata.deletionTimestamp !== undefined) return 'deleted';
    const { generation } = object.metadata;
    const count = generation === undefined ? {} : { generation: generation + 1 };
    const metadata = { ...object.metadata, deletionTimestamp: this.#time(), deletionGracePeriodSeconds: 0, ...count };
    this.#put(who, 'delete', asKept({ ...object, metadata }));
    return 'deleted';
  }

  /** What the garbage collector would look after now: objects with an owner that is gone. */
  orphans(): readonly SimObject[] {
    if (!this.#mayHaveOrphans) return NO_OBJECTS;
    const found = this.#findOrphans();
    this.#mayHaveOrphans = found.length > 0;
    return found;
  }

  /** The garbage collector deletes an object whose every owner is gone, and takes those that are gone from one that has another. */
  collect({ kind, metadata }: SimObject): void {
    const who = 'garbage-collector';
    const owners = (metadata.ownerReferences ?? []).filter((owner) => this.byUid(owner.uid) !== undefined);
    if (owners.length === 0) this.delete(who, kind, keyOf(metadata), { uid: metadata.uid });
    else this.patch(who, kind, keyOf(metadata), { metadata: { uid: metadata.uid, ownerReferences: owners } });
  }

  #findOrphans(): readonly SimObject[] {
    return [...this.#objects.values()]
      .flatMap((byKey) => [...byKey.values()])
      .filter(
        ({ metadata }) =>
          metadata.deletionTimestamp === undefined &&
          (metadata.ownerReferences ?? []).some((owner) => this.byUid(owner.uid) === undefined),
      );
  }

  #checkNamespace({ metadata: { namespace } }: KubeObject): void {
    if (namespace !== undefined && this.get('Namespace', namespace) === undefined)
      throw refusal(404, 'NotFound', `namespaces "${namespace}" not found`);
  }

  #checkUid({ metadata }: SimObject, uid: string | undefined): void {
    if (uid !== undefined && uid !== metadata.uid) throw refusal(422, 'Invalid', 'metadata.uid: field is immutable');
  }

  #isOverQuota({ metadata }: KubeObject): boolean {
    return this.list('ResourceQuota').some((quota) => quota.metadata.namespace === metadata.namespace);
  }

  /** Counted by kind, so that Events beside the work change nothing of it. */
  #newUid(kind: string): string {
    const n = (this.#uids.get(kind) ?? 0) + 1;
    this.#uids.set(kind, n);
    return `uid-${kind.toLowerCase()}-${n}`;
  }

  #notFound({ kind, metadata }: KubeObject): Error {
    return refusal(404, 'NotFound', `${kind} ${keyOf(metadata)} not found`);
  }

  #existing(change: KubeObject): SimObject {
    const before = this.get(change.kind, keyOf(change.metadata));
    if (before === undefined) throw this.#notFound(change);
    return before;
  }

  #check({ kind, metadata }: SimObject, { uid, resourceVersion }: Preconditions): void {
    if (uid !== undefined && uid !== metadata.uid)
      throw refusal(409, 'Conflict', `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${metadata.uid}`);
    if (
      resourceVersion !== undefined &&
      resourceVersion !== '' &&
      compareResourceVersions(resourceVersion, metadata.resourceVersion) !== 0
    )
      throw refusal(409, 'Conflict', `${kind} ${keyOf(metadata)}: the object has been modified`);
  }

  /** With the defaults of its schema, and nothing that the schema does not know. */
  #validSpec(object: SimObject): SimObject {
    const definition = definitionOf(object.kind);
    if (definition === undefined) return object;
    const parsed = definition.spec.safeParse(object.spec);
    if (!parsed.success) throw refusal(422, 'Invalid', `spec: ${parsed.error.message}`);
    return { ...object, spec: parsed.data };
  }

  #update(who: string, verb: Verb, before: SimObject, wanted: SimObject): SimObject {
    const changed = asKept(wanted);
    if (isSameJson(before, changed)) return before;
    if (before.metadata.deletionTimestamp !== undefined) {
      const held = before.metadata.finalizers ?? [];
      if ((changed.metadata.finalizers ?? []).some((finalizer) => !held.includes(finalizer)))
        throw refusal(422, 'Invalid', 'metadata.finalizers: no new finalizers can be added if the object is being deleted');
    }
    const hasNewSpec = !isSameJson(before.spec, changed.spec);
    const valid = hasNewSpec ? this.#validSpec(changed) : changed;
    if (hasNewSpec) checkRules(valid, before);
    const { uid, generation } = before.metadata;
    const count = generation === undefined || !hasNewSpec ? {} : { generation: generation + 1 };
    const after = asKept({ ...valid, metadata: { ...valid.metadata, uid, ...count } });
    if (!isGoing(after)) return this.#put(who, verb, after);
    this.#remove(who, before); // told as it was stored last
    return after;
  }

  #put(who: string, verb: Verb, object: SimObject): SimObject {
    const version = ++this.#version;
    const stored = asKept({ ...object, metadata: { ...object.metadata, resourceVersion: String(version) } });
    const key = keyOf(stored.metadata);
    const byKey = this.#objects.get(stored.kind) ?? new Map<string, SimObject>();
    const before = byKey.get(key);
    byKey.set(key, stored);
    this.#objects.set(stored.kind, byKey);
    this.#lists.delete(stored.kind);
    this.#everything.set(stored.metadata.uid, stored);
    this.#own(stored, before);
    this.#tell({ type: 'put', version, before, object: stored });
    this.audit.push({ who, verb, kind: stored.kind, key, version });
    this.#options.onWrite({ who, verb, before, after: stored });
    return stored;
  }

  #own({ metadata: { uid, ownerReferences = [] } }: SimObject, before: SimObject | undefined): void {
    const old = before?.metadata.ownerReferences ?? [];
    if (before !== undefined && !isSameJson(old, ownerReferences)) this.#mayHaveOrphans = true;
    for (const owner of old) this.#children.get(owner.uid)?.delete(uid);
    for (const owner of ownerReferences) this.#children.set(owner.uid, (this.#children.get(owner.uid) ?? new Set()).add(uid));
  }

  #remove(who: string, object: SimObject): 'deleted' {
    const { kind, metadata } = object;
    const key = keyOf(metadata);
    this.#objects.get(kind)?.delete(key);
    this.#lists.delete(kind);
    this.#mayHaveOrphans = true;
    const version = ++this.#version;
    const last = asKept({ ...object, metadata: { ...metadata, resourceVersion: String(version) } });
    this.#everything.set(metadata.uid, last);
    for (const { uid } of metadata.ownerReferences ?? []) this.#children.get(uid)?.delete(metadata.uid);
    this.#tell({ type: 'delete', version, before: object, object: last });
    this.audit.push({ who, verb: 'delete', kind, key, version });
    this.#options.onWrite({ who, verb: 'delete', before: object, after: undefined });
    return 'deleted';
  }

  #tell(event: WatchEvent): void {
    const { kind } = event.object;
    const events = this.#history.get(kind) ?? [];
    events.push(event);
    this.#history.set(kind, events);
  }

  #time(): string {
    return timestamp(this.#options.nowMs());
  }
}
