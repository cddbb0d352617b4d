// Makes requests through the operator's API client and writes down what came of each, so that two servers can be compared: uids and versions
// are called by the order in which they were first seen, and of built-in kinds only those fields of a spec are told that no server completes.

import type { ObjectMeta } from '../../../crds/kinds/meta.ts';
import type { ListOptions, Selection } from '../../../kube/client.ts';
import { ApiError } from '../../../kube/error.ts';
import { compareResourceVersions, describe, type KubeObject, type ObjectRef, type Resource } from '../../../kube/object.ts';
import type { WatchEvent } from '../../../kube/watch-stream.ts';
import type { OperatorApi } from '../../../operator/operator.ts';

export interface Whole extends KubeObject {
  readonly metadata: ObjectMeta & { readonly finalizers?: readonly string[]; readonly deletionGracePeriodSeconds?: number };
  readonly spec?: Readonly<Record<string, unknown>>;
  readonly status?: Readonly<Record<string, unknown>>;
}

/** One request and its answer, in words, and the object that came back. */
export interface Line {
  readonly what: string;
  readonly object?: object | undefined;
}

const MANAGER = { fieldManager: 'swe-fleet-operator', force: true } as const;
const JOB_FIELDS = ['backoffLimit', 'managedBy', 'suspend'];

const orNone = <T extends object>(value: T | undefined): T | undefined =>
  value === undefined || Object.keys(value).length === 0 ? undefined : value;

const answerOf = (error: unknown): string => {
  if (!(error instanceof ApiError)) throw error;
  return `${error.sort} ${error.code ?? ''} ${error.reason ?? ''}`;
};

export class Hand {
  readonly lines: Line[] = [];
  readonly namespace: string;
  readonly #api: OperatorApi;
  readonly #names = new Map<string, string>();
  #newest = '0';

  constructor(api: OperatorApi, namespace: string) {
    this.#api = api;
    this.namespace = namespace;
  }

  create(resource: Resource, object: Whole): Promise<Whole | undefined> {
    return this.#request(`create ${object.metadata.name}`, () => this.#api.create<Whole>(resource, object, MANAGER.fieldManager));
  }

  apply(resource: Resource, object: Whole): Promise<Whole | undefined> {
    return this.#request(`apply ${object.metadata.name}`, () => this.#api.apply<Whole>(resource, object, MANAGER));
  }

  applyStatus(resource: Resource, object: Whole): Promise<Whole | undefined> {
    const options = { ...MANAGER, subresource: 'status' } as const;
    return this.#request(`status ${object.metadata.name}`, () => this.#api.apply<Whole>(resource, object, options));
  }

  patch(resource: Resource, name: string, patch: object): Promise<Whole | undefined> {
    return this.#request(`patch ${name}`, () => this.#api.patch(resource, this.#ref(name), patch) as Promise<Whole>);
  }

  get(resource: Resource, name: string): Promise<Whole | undefined> {
    return this.#request(`get ${name}`, () => this.#api.get<Whole>(resource, this.#ref(name)));
  }

  async delete(resource: Resource, name: string, preconditions: { uid?: string; resourceVersion?: string } = {}): Promise<void> {
    const options = { preconditions, propagationPolicy: 'Background' } as const;
    const answer = await this.#api.delete(resource, this.#ref(name), options).catch(answerOf);
    this.#say(`delete ${name}: ${answer}`);
  }

  /** Looks again and again, and tells nothing but the end; the test's own limit ends a wait in vain. */
  async untilGone(resource: Resource, name: string): Promise<void> {
    while ((await this.#api.get(resource, this.#ref(name))) !== undefined) await new Promise((next) => setTimeout(next, 20));
    this.#say(`${name} is gone`);
  }

  /** A quota is in force some moments after it is there. */
  async untilRefused(resource: Resource, object: Whole): Promise<void> {
    for (;;) {
      try {
        await this.#api.create(resource, object);
      } catch (error) {
        if (!(error instanceof ApiError)) throw error;
        this.#say(`${object.metadata.name} is refused: ${/exceeded quota/.exec(error.message)?.[0] ?? error.message}`);
        return;
      }
      await this.#api.delete(resource, object.metadata);
      await new Promise((next) => setTimeout(next, 20));
    }
  }

  /** As `untilGone`, for what the garbage collector takes away. */
  async untilOwners(resource: Resource, name: string, count: number): Promise<void> {
    for (;;) {
      const found = await this.#api.get<Whole>(resource, this.#ref(name));
      if (found?.metadata.ownerReferences?.length === count) break;
      await new Promise((next) => setTimeout(next, 20));
    }
    this.#say(`${name} has ${count}`);
    await this.get(resource, name);
  }

  /** Names of all pages, and the version that one would watch from. */
  async list(resource: Resource, options: ListOptions = {}): Promise<string> {
    let continueToken = options.continueToken;
    let version = '';
    do {
      const page = await this.#api.listPage(resource, { namespace: this.namespace, ...options, continueToken }).catch(answerOf);
      if (typeof page === 'string') {
        this.#say(`list: ${page}`);
        return version;
      }
      const isSame = version === '' || version === page.resourceVersion;
      const isNew = compareResourceVersions(page.resourceVersion, this.#newest) >= 0;
      ({ resourceVersion: version, continueToken } = page);
      const names = page.items.map((item) => describe(item).replace(`${this.namespace}/`, ''));
      const more = continueToken === undefined ? 'all' : 'more to come';
      this.#say(`list: ${names.join(' ')}, ${more}, ${isSame ? 'one version' : 'another version'}${isNew ? '' : ', old'}`);
    } while (continueToken !== undefined);
    return version;
  }

  /** The events after that version until `count` came, or the watch failed. */
  async watch(resource: Resource, resourceVersion: string, count: number, selection: Selection = {}): Promise<void> {
    const stop = new AbortController();
    const limits = { timeoutSeconds: 60, idleTimeoutMs: 60_000, signal: stop.signal };
    let told = 0;
    try {
      const stream = this.#api.watch(resource, { namespace: this.namespace, resourceVersion, ...selection, ...limits });
      for await (const event of stream) {
        if (event.type === 'BOOKMARK') continue;
        this.#tell(event);
        told += 1;
        if (told >= count || event.type === 'ERROR') break;
      }
    } catch (error) {
      this.#say(`watch: ${answerOf(error)}`);
    }
    stop.abort();
  }

  #tell(event: Exclude<WatchEvent, { type: 'BOOKMARK' }>): void {
    if (event.type === 'ERROR') this.#say(`watch: ERROR ${event.code} ${event.reason ?? ''}`);
    else {
      const object = event.object as Whole;
      this.lines.push({ what: `watch: ${event.type} ${object.metadata.name}`, object: this.#seen(object) });
    }
  }

  #ref(name: string): ObjectRef {
    return { namespace: this.namespace, name };
  }

  #say(what: string): void {
    this.lines.push({ what });
  }

  async #request(label: string, call: () => Promise<Whole | undefined>): Promise<Whole | undefined> {
    try {
      const object = await call();
      this.lines.push({ what: `${label}: ${object === undefined ? 'none' : 'ok'}`, object: object && this.#seen(object) });
      return object;
    } catch (error) {
      this.#say(`${label}: ${answerOf(error)}`);
      return undefined;
    }
  }

  #nameOf(sort: string, value: string): string {
    const name =
      this.#names.get(value) ?? `${sort} ${[...this.#names.values()].filter((each) => each.startsWith(sort)).length + 1}`;
    this.#names.set(value, name);
    return name;
  }

  #versionOf({ resourceVersion = '' }: ObjectMeta): string {
    const isNewest = compareResourceVersions(resourceVersion, this.#newest) > 0;
    if (isNewest) this.#newest = resourceVersion;
    return `${this.#nameOf('version', resourceVersion)}${isNewest ? ', the newest yet' : ''}`;
  }

  #seen({ kind, metadata, spec, status }: Whole): object {
    const isJob = kind === 'Job' || spec?.['backoffLimit'] !== undefined;
    const told = isJob
      ? Object.fromEntries(JOB_FIELDS.flatMap((field) => (spec?.[field] === undefined ? [] : [[field, spec[field]]])))
      : spec;
    return {
      uid: this.#nameOf('uid', metadata.uid ?? ''),
      version: this.#versionOf(metadata),
      generation: metadata.generation,
      hasCreationTime: metadata.creationTimestamp !== undefined,
      hasDeletionTime: metadata.deletionTimestamp !== undefined,
      grace: metadata.deletionGracePeriodSeconds,
      finalizers: metadata.finalizers,
      labels: orNone(metadata.labels),
      owners: metadata.ownerReferences?.map(({ uid, ...owner }) => ({ ...owner, uid: this.#nameOf('uid', uid) })),
      spec: told,
      status: orNone(status),
    };
  }
}
