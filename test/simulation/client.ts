// What an operator process has for an API client: writes are requests that the simulation makes when it picks them, a list is as old as
// the simulation says, and a watch tells one event of a kind's history at a time.

import { keyOf, type KubeObject, type ObjectRef, type Resource, type Stored } from '../../kube/object.ts';
import type { ApplyOptions, DeleteOptions, ListOptions, Page, Selection, WatchOptions } from '../../kube/client.ts';
import type { WatchEvent } from '../../kube/watch-stream.ts';
import type { OperatorApi } from '../../operator/operator.ts';
import type { ApiServer, SimObject, WatchEvent as Happening } from './api-server.ts';

/** The request is made when the returned promise resolves, and is lost when it never does. */
export type Request = <T>(label: string, call: () => T) => Promise<T>;

interface Watch {
  readonly kind: string;
  /** Events of the kind's history that were read. */
  read: number;
  /** Ends the wait for the next event. */
  wake: (() => void) | undefined;
}

const WHO = 'operator';

const isSelected = ({ metadata }: SimObject, { namespace, labelSelector, fieldSelector }: Selection): boolean => {
  const [label = '', value] = labelSelector?.split('=') ?? [];
  const hasLabel = labelSelector === undefined || (value ?? metadata.labels?.[label]) === metadata.labels?.[label];
  const isThere = value !== undefined || labelSelector === undefined || metadata.labels?.[label] !== undefined;
  const isNamed = fieldSelector === undefined || fieldSelector === `metadata.name=${metadata.name}`;
  return hasLabel && isThere && isNamed && (namespace === undefined || namespace === metadata.namespace);
};

/** What travels is text: nobody shares an object with the server, and what is undefined is not there. */
const sent = <T>(value: T): T => (value === undefined ? value : (JSON.parse(JSON.stringify(value)) as T));

/** As the API server tells it: an object that is no longer selected is as good as deleted. */
const told = ({ type, version, object }: Happening, selection: Selection): WatchEvent => {
  const copy = sent({ ...object, metadata: { ...object.metadata, resourceVersion: String(version) } });
  return { type: type === 'put' && isSelected(object, selection) ? 'MODIFIED' : 'DELETED', object: copy };
};

export class Client implements OperatorApi {
  readonly #server: ApiServer;
  readonly #request: Request;
  readonly #listedAt: () => number;
  readonly #watches = new Set<Watch>();

  constructor(server: ApiServer, request: Request, listedAt: () => number) {
    this.#server = server;
    this.#request = request;
    this.#listedAt = listedAt;
  }

  /** Kinds with a watch that waits although there is something to tell. */
  behind(): readonly string[] {
    return [...this.#watches]
      .filter(({ kind, read, wake }) => wake !== undefined && read < this.#server.history(kind).length)
      .map(({ kind }) => kind);
  }

  deliver(kind: string): void {
    for (const watch of this.#watches) if (watch.kind === kind) watch.wake?.();
  }

  async listPage({ kind }: Resource, options: ListOptions): Promise<Page> {
    const version = this.#listedAt();
    const objects = new Map<string, SimObject>();
    for (const event of this.#server.history(kind).filter((each) => each.version <= version)) {
      const key = keyOf(event.object.metadata);
      if (event.type === 'put' && isSelected(event.object, options)) objects.set(key, event.object);
      else objects.delete(key);
    }
    const items = sent([...objects.values()]);
    return { items, resourceVersion: String(version), continueToken: undefined };
  }

  async *watch({ kind }: Resource, options: WatchOptions): AsyncGenerator<WatchEvent, void, undefined> {
    const history = (): readonly Happening[] => this.#server.history(kind);
    const read = history().filter(({ version }) => version <= Number(options.resourceVersion)).length;
    const watch: Watch = { kind, read, wake: undefined };
    this.#watches.add(watch);
    for (;;) {
      await new Promise<void>((resolve) => (watch.wake = resolve));
      watch.wake = undefined;
      const event = history()[watch.read];
      if (event === undefined) continue;
      watch.read += 1;
      yield told(event, options);
    }
  }

  create<T extends KubeObject>(resource: Resource, object: T): Promise<Stored<T>> {
    return this.#made<Stored<T>>(`create ${resource.kind}`, () => this.#server.create(WHO, object));
  }

  apply<T extends KubeObject>({ kind }: Resource, object: T, { subresource }: ApplyOptions): Promise<Stored<T>> {
    return subresource === undefined
      ? this.#made<Stored<T>>(`apply ${kind}`, () => this.#server.apply(WHO, object))
      : this.#made<Stored<T>>('status', () => this.#server.applyStatus(WHO, object));
  }

  patch({ kind }: Resource, ref: ObjectRef, patch: object): Promise<unknown> {
    return this.#request(`patch ${kind}`, () => this.#server.update(WHO, kind, keyOf(ref), (draft) => ({ ...draft, ...patch })));
  }

  delete({ kind }: Resource, ref: ObjectRef, { preconditions }: DeleteOptions = {}): Promise<'deleted' | 'absent'> {
    return this.#request(`delete ${kind}`, () => this.#server.delete(WHO, kind, keyOf(ref), preconditions?.uid));
  }

  get<T extends KubeObject>({ kind }: Resource, ref: ObjectRef): Promise<Stored<T> | undefined> {
    return this.#made<Stored<T> | undefined>(`get ${kind}`, () => this.#server.get(kind, keyOf(ref)));
  }

  /** The simulated server knows objects, not their types: what is asked for is what was stored. */
  #made<T>(label: string, call: () => SimObject | undefined): Promise<T> {
    return this.#request(label, () => sent(call()) as T);
  }
}
