// What an operator process has for an API client: lists and writes are requests that the simulation makes when it picks them, and a watch
// tells one event of a kind's history at a time, or breaks.

import { ApiError } from '../../kube/error.ts';
import { keyOf, type KubeObject, type ObjectRef, type Resource, type Stored } from '../../kube/object.ts';
import type { ApplyOptions, DeleteOptions, ListOptions, Page, Selection, WatchOptions } from '../../kube/client.ts';
import type { WatchEvent } from '../../kube/watch-stream.ts';
import type { OperatorApi } from '../../operator/operator.ts';
import type { ApiServer, SimObject, WatchEvent as Happening } from './api-server.ts';
import { refusal } from './refusals.ts';

/** The request is made when the returned promise resolves, and is lost when it never does. */
export type Request = <T>(label: string, call: () => T) => Promise<T>;

/** How a watch comes to its end: the server's time is up, the connection is cut, or what was missed is no longer known. */
export type WatchEnd = 'ended' | 'cut' | 'expired';

interface Watch {
  readonly kind: string;
  /** Events of the kind's history that were read. */
  read: number;
  end: WatchEnd | undefined;
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

/** A reader completes what it takes at the top and in metadata; all below is shared, and frozen. */
const taken = (object: SimObject): SimObject => ({ ...object, metadata: { ...object.metadata } });

/** As the API server tells it: an object that is no longer selected is as good as deleted. */
const told = ({ type, version, object }: Happening, selection: Selection): WatchEvent => {
  const copy = { ...object, metadata: { ...object.metadata, resourceVersion: String(version) } };
  return { type: type === 'put' && isSelected(object, selection) ? 'MODIFIED' : 'DELETED', object: copy };
};

export class Client implements OperatorApi {
  readonly #server: ApiServer;
  readonly #request: Request;
  readonly #watches = new Set<Watch>();

  constructor(server: ApiServer, request: Request) {
    this.#server = server;
    this.#request = request;
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

  /** Ends the watch of that kind, if it waits. */
  endWatch(kind: string, end: WatchEnd): void {
    for (const watch of this.#watches) {
      if (watch.kind !== kind || watch.wake === undefined) continue;
      watch.end = end;
      watch.wake();
    }
  }

  /** As it is when the request is made: a list is never older than what was there when it was asked for. */
  listPage({ kind }: Resource, options: ListOptions): Promise<Page> {
    return this.#request(`list ${kind}`, () => ({
      items: this.#server
        .list(kind)
        .filter((object) => isSelected(object, options))
        .map(taken),
      resourceVersion: String(this.#server.version),
      continueToken: undefined,
    }));
  }

  async *watch({ kind }: Resource, options: WatchOptions): AsyncGenerator<WatchEvent, void, undefined> {
    const history = (): readonly Happening[] => this.#server.history(kind);
    const since = Number(options.resourceVersion);
    if (!this.#server.remembers(kind, since))
      throw refusal(410, 'Expired', `too old resource version: ${since} (${this.#server.version})`);
    const read = history().findIndex(({ version }) => version > since);
    const watch: Watch = { kind, read: read < 0 ? history().length : read, end: undefined, wake: undefined };
    this.#watches.add(watch);
    try {
      for (;;) {
        await new Promise<void>((resolve) => (watch.wake = resolve));
        watch.wake = undefined;
        if (watch.end === 'ended') return;
        if (watch.end === 'cut')
          throw new ApiError({ sort: 'transient', request: 'SIM watch', message: 'the connection was cut' });
        if (watch.end === 'expired') {
          yield { type: 'ERROR', code: 410, reason: 'Expired', message: 'too old resource version' };
          return;
        }
        const event = history()[watch.read];
        if (event === undefined) continue;
        watch.read += 1;
        yield told(event, options);
      }
    } finally {
      this.#watches.delete(watch);
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
    return this.#request(`delete ${kind}`, () => this.#server.delete(WHO, kind, keyOf(ref), preconditions));
  }

  get<T extends KubeObject>({ kind }: Resource, ref: ObjectRef): Promise<Stored<T> | undefined> {
    return this.#made<Stored<T> | undefined>(`get ${kind}`, () => this.#server.get(kind, keyOf(ref)));
  }

  /** The simulated server knows objects, not their types: what is asked for is what was stored. */
  #made<T>(label: string, call: () => SimObject | undefined): Promise<T> {
    return this.#request(label, () => {
      const answer = call();
      return (answer === undefined ? undefined : taken(answer)) as T;
    });
  }
}
