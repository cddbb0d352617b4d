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

const byKey = (a: SimObject, b: SimObject): number => (keyOf(a.metadata) < keyOf(b.metadata) ? -1 : 1);

/** A reader completes what it takes at the top and in metadata; all below is shared, and frozen. */
const taken = (object: SimObject): SimObject => ({ ...object, metadata: { ...object.metadata } });

/** As the API server tells it to a watch of that selection: what comes to it is added, what leaves it is deleted, as it was. */
const told = ({ type, version, before, object }: Happening, selection: Selection): WatchEvent | undefined => {
  const was = before !== undefined && isSelected(before, selection);
  const is = type === 'put' && isSelected(object, selection);
  const shown = is || type === 'delete' ? object : before;
  if ((!was && !is) || shown === undefined) return undefined;
  const copy = { ...shown, metadata: { ...shown.metadata, resourceVersion: String(version) } };
  if (!is) return { type: 'DELETED', object: copy };
  return { type: was ? 'MODIFIED' : 'ADDED', object: copy };
};

/** The rest of a list, as it was when its first page was read. */
interface Rest {
  readonly items: readonly SimObject[];
  readonly version: number;
}

export class Client implements OperatorApi {
  readonly #server: ApiServer;
  readonly #request: Request;
  readonly #watches = new Set<Watch>();
  /** By continue token. */
  readonly #rests = new Map<string, Rest>();

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

  /** As it is when the request for the first page is made: a list is never older than what was there when it was asked for. */
  listPage({ kind }: Resource, options: ListOptions): Promise<Page> {
    return this.#request(`list ${kind}`, () => {
      const { items, version } = this.#restOf(kind, options);
      const count = options.limit ?? items.length;
      return {
        items: items.slice(0, count).map(taken),
        resourceVersion: String(version),
        continueToken: this.#keep({ items: items.slice(count), version }),
      };
    });
  }

  #restOf(kind: string, options: ListOptions): Rest {
    if (options.continueToken === undefined) {
      const items = this.#server.list(kind).filter((object) => isSelected(object, options));
      return { items: [...items].sort(byKey), version: this.#server.version };
    }
    const rest = this.#rests.get(options.continueToken);
    if (rest === undefined) throw refusal(400, 'BadRequest', 'continue key is not valid');
    if (!this.#server.remembers(kind, rest.version)) throw refusal(410, 'Expired', 'the provided continue parameter is too old');
    return rest;
  }

  #keep(rest: Rest): string | undefined {
    if (rest.items.length === 0) return undefined;
    const token = `page ${this.#rests.size + 1}`;
    this.#rests.set(token, rest);
    return token;
  }

  async *watch({ kind }: Resource, options: WatchOptions): AsyncGenerator<WatchEvent, void, undefined> {
    const history = (): readonly Happening[] => this.#server.history(kind);
    const since = Number(options.resourceVersion);
    if (!this.#server.remembers(kind, since)) {
      yield { type: 'ERROR', code: 410, reason: 'Expired', message: `too old resource version: ${since}` };
      return;
    }
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
        const news = told(event, options);
        if (news !== undefined) yield news;
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
    return this.#request(`patch ${kind}`, () => this.#server.patch(WHO, kind, keyOf(ref), patch));
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
