// A small API client: one method is one request, nothing is retried but a rotated token, every failure is an ApiError.
// Reads and writes share one pool; lists and watches have another, so that a long list never delays a write.

import { Agent, Pool, type Dispatcher } from 'undici';
import type { Connection } from './connection.ts';
import { answerError, ApiError, isNotFound, networkError } from './error.ts';
import { isRecord, recordAt } from './json.ts';
import {
  apiVersionOf,
  ingest,
  resourceVersionOf,
  type KubeObject,
  type ObjectRef,
  type Resource,
  type Stored,
} from './object.ts';
import { WatchBroken, watchEvents, type WatchEvent } from './watch-stream.ts';

export type WriteVerb = 'create' | 'apply' | 'patch' | 'delete';

export interface Write {
  readonly verb: WriteVerb;
  readonly resource: Resource;
  readonly subresource: string | undefined;
  /** HTTP status of the answer; undefined when there was none. */
  readonly code: number | undefined;
}

export interface ClientOptions {
  /** Sent as User-Agent, so that audit logs tell our processes apart. */
  readonly userAgent: string;
  /** For each request but watches, from sending to the last byte. Default 30 s. */
  readonly requestTimeoutMs?: number;
  /** Connections for reads and writes. Default 16. */
  readonly connections?: number;
  /** Called once for each write that was answered or failed. */
  readonly onWrite?: (write: Write) => void;
}

export interface Page {
  /** Raw: whoever keeps them ingests each, so that one malformed object hurts only itself. */
  readonly items: readonly unknown[];
  readonly resourceVersion: string;
  readonly continueToken: string | undefined;
}

export interface Selection {
  readonly namespace?: string | undefined;
  readonly labelSelector?: string | undefined;
  readonly fieldSelector?: string | undefined;
}

export interface ListOptions extends Selection {
  readonly limit?: number;
  readonly continueToken?: string | undefined;
  readonly signal?: AbortSignal;
}

export interface WatchOptions extends Selection {
  readonly resourceVersion: string;
  /** The server ends the watch after this; then one reconnects. */
  readonly timeoutSeconds: number;
  /** Silence longer than this breaks the stream: bookmarks come about once a minute. */
  readonly idleTimeoutMs: number;
  readonly signal: AbortSignal;
  /** The server has taken the watch; events may come much later. */
  readonly onOpen?: () => void;
}

export interface ApplyOptions {
  readonly fieldManager: string;
  readonly force?: boolean;
  readonly subresource?: 'status';
}

interface Preconditions {
  readonly uid?: string;
  readonly resourceVersion?: string;
}

export interface DeleteOptions {
  readonly preconditions?: Preconditions;
  readonly propagationPolicy?: 'Background' | 'Foreground' | 'Orphan';
  readonly gracePeriodSeconds?: number;
}

export interface RawRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly path: string;
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>>;
  readonly body?: unknown;
  /** Default `application/json`. */
  readonly contentType?: string;
  readonly signal?: AbortSignal;
}

const MAX_RESPONSE_BYTES = 256 * 1024 * 1024;
const KEEP_ALIVE_MS = 30_000;

const readBody = async (body: AsyncIterable<Uint8Array>): Promise<string> => {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    if (size > MAX_RESPONSE_BYTES) throw new Error(`answer larger than ${MAX_RESPONSE_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
};

/** The path of a resource, or of one object in it when a name is given. */
export const pathOf = (resource: Resource, ref: { readonly namespace?: string | undefined; readonly name?: string }): string => {
  const root = resource.group === '' ? `/api/${resource.version}` : `/apis/${resource.group}/${resource.version}`;
  const namespace = resource.namespaced && ref.namespace !== undefined ? `/namespaces/${encodeURIComponent(ref.namespace)}` : '';
  const name = ref.name === undefined ? '' : `/${encodeURIComponent(ref.name)}`;
  return `${root}${namespace}/${resource.plural}${name}`;
};

const withQuery = (path: string, query: RawRequest['query']): string => {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query ?? {})) if (value !== undefined) search.set(name, String(value));
  return search.size === 0 ? path : `${path}?${search.toString()}`;
};

const parseBody = (text: string): unknown => {
  try {
    const parsed: unknown = JSON.parse(text);
    return parsed;
  } catch {
    return undefined;
  }
};

/** The object of an answer. A success that holds none is an answer that cannot be read. */
const stored = <T extends KubeObject>(label: string, answer: unknown, resource: Resource): Stored<T> => {
  try {
    return ingest<T>(answer, resource);
  } catch (cause) {
    throw networkError(label, cause);
  }
};

export class ApiClient {
  readonly #connection: Connection;
  readonly #options: ClientOptions;
  readonly #timeoutMs: number;
  readonly #origin: string;
  readonly #prefix: string;
  readonly #requests: Pool;
  readonly #streams: Agent;

  constructor(connection: Connection, options: ClientOptions) {
    this.#connection = connection;
    this.#options = options;
    this.#timeoutMs = options.requestTimeoutMs ?? 30_000;
    const url = new URL(connection.server);
    this.#origin = url.origin;
    this.#prefix = url.pathname.replace(/\/+$/, '');
    const shared = { connect: { ...connection.tls }, allowH2: false, keepAliveTimeout: KEEP_ALIVE_MS };
    this.#requests = new Pool(this.#origin, { ...shared, connections: options.connections ?? 16 });
    this.#streams = new Agent(shared);
  }

  /** The object, or undefined when there is none of that name. */
  async get<T extends KubeObject>(resource: Resource, ref: ObjectRef): Promise<Stored<T> | undefined> {
    try {
      const path = pathOf(resource, ref);
      return stored<T>(`GET ${path}`, await this.raw({ method: 'GET', path }), resource);
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  }

  /** One page. A continue token that grew too old fails with sort `gone`. */
  async listPage(resource: Resource, options: ListOptions): Promise<Page> {
    const { namespace, labelSelector, fieldSelector, limit, continueToken, signal } = options;
    const path = pathOf(resource, { namespace });
    const query = { labelSelector, fieldSelector, limit, continue: continueToken };
    const request: RawRequest = { method: 'GET', path, query, ...(signal !== undefined && { signal }) };
    const list = await this.#json(request, this.#streams);
    const resourceVersion = resourceVersionOf(list);
    const items = isRecord(list) ? (list['items'] ?? []) : undefined;
    if (resourceVersion === undefined || !Array.isArray(items))
      throw networkError(`GET ${path}`, new Error('the answer is no list'));
    const { continue: next } = recordAt(list, 'metadata');
    return { items, resourceVersion, continueToken: typeof next === 'string' && next !== '' ? next : undefined };
  }

  /** Ends when the server ends it. Throws ApiError (refused, cut, silent too long) or WatchBroken (unreadable). */
  async *watch(resource: Resource, options: WatchOptions): AsyncGenerator<WatchEvent, void, undefined> {
    const { namespace, labelSelector, fieldSelector, resourceVersion, timeoutSeconds } = options;
    const path = pathOf(resource, { namespace });
    const query = { watch: true, allowWatchBookmarks: true, labelSelector, fieldSelector, resourceVersion, timeoutSeconds };
    const label = `WATCH ${path}`;
    const request: RawRequest = { method: 'GET', path, query, signal: options.signal };
    const answer = await this.#send(request, { dispatcher: this.#streams, bodyTimeoutMs: options.idleTimeoutMs });
    if (answer.statusCode !== 200) throw await this.#failure(label, answer);
    options.onOpen?.();
    try {
      yield* watchEvents(answer.body);
    } catch (error) {
      if (error instanceof WatchBroken) throw error;
      throw networkError(label, error);
    } finally {
      answer.body.destroy();
    }
  }

  async create<T extends KubeObject>(resource: Resource, object: T, fieldManager?: string): Promise<Stored<T>> {
    const path = pathOf(resource, { namespace: object.metadata.namespace });
    const body = { ...object, apiVersion: apiVersionOf(resource), kind: resource.kind };
    const answer = await this.#write('create', resource, { method: 'POST', path, query: { fieldManager }, body });
    return stored<T>(`POST ${path}`, answer, resource);
  }

  /** Server-side apply. A `metadata.resourceVersion` in the object is a precondition (sort `conflict` when it fails); a uid is none on /status. */
  async apply<T extends KubeObject>(resource: Resource, object: T, options: ApplyOptions): Promise<Stored<T>> {
    const target = pathOf(resource, object.metadata);
    const path = options.subresource === undefined ? target : `${target}/${options.subresource}`;
    const query = { fieldManager: options.fieldManager, force: options.force ?? false };
    const body = { ...object, apiVersion: apiVersionOf(resource), kind: resource.kind };
    const request: RawRequest = { method: 'PATCH', path, query, body, contentType: 'application/apply-patch+yaml' };
    return stored<T>(`PATCH ${path}`, await this.#write('apply', resource, request, options.subresource), resource);
  }

  /** RFC 7386 merge patch when `patch` is an object, RFC 6902 JSON patch when it is a list. */
  async patch(resource: Resource, ref: ObjectRef, patch: object, subresource?: string): Promise<unknown> {
    const target = pathOf(resource, ref);
    const contentType = Array.isArray(patch) ? 'application/json-patch+json' : 'application/merge-patch+json';
    const path = subresource === undefined ? target : `${target}/${subresource}`;
    return this.#write('patch', resource, { method: 'PATCH', path, body: patch, contentType }, subresource);
  }

  /** `absent` when there was none of that name; a failed precondition is sort `conflict`. */
  async delete(resource: Resource, ref: ObjectRef, options: DeleteOptions = {}): Promise<'deleted' | 'absent'> {
    const body = { apiVersion: 'v1', kind: 'DeleteOptions', ...options };
    try {
      await this.#write('delete', resource, { method: 'DELETE', path: pathOf(resource, ref), body });
      return 'deleted';
    } catch (error) {
      if (isNotFound(error)) return 'absent';
      throw error;
    }
  }

  /** Any request whose answer is JSON or empty (undefined). Not counted as a write. */
  async raw(request: RawRequest): Promise<unknown> {
    return this.#json(request, this.#requests);
  }

  /** Ends all connections; what is in flight fails. */
  async close(): Promise<void> {
    await Promise.all([this.#requests.destroy(), this.#streams.destroy()]);
  }

  async #write(verb: WriteVerb, resource: Resource, request: RawRequest, subresource?: string): Promise<unknown> {
    let code: number | undefined;
    try {
      const answer = await this.raw(request);
      code = 200;
      return answer;
    } catch (error) {
      if (error instanceof ApiError) code = error.code;
      throw error;
    } finally {
      this.#options.onWrite?.({ verb, resource, subresource, code });
    }
  }

  async #json(request: RawRequest, dispatcher: Dispatcher): Promise<unknown> {
    const label = `${request.method} ${request.path}`;
    const limit = AbortSignal.timeout(this.#timeoutMs);
    const signal = request.signal === undefined ? limit : AbortSignal.any([limit, request.signal]);
    const answer = await this.#send({ ...request, signal }, { dispatcher, bodyTimeoutMs: this.#timeoutMs });
    if (answer.statusCode >= 300) throw await this.#failure(label, answer);
    let text: string;
    try {
      text = await readBody(answer.body);
    } catch (cause) {
      throw networkError(label, cause);
    }
    if (text === '') return undefined;
    const parsed = parseBody(text);
    if (parsed === undefined) throw networkError(label, new Error(`answer of ${text.length} characters is no JSON`));
    return parsed;
  }

  async #send(
    request: RawRequest,
    via: { readonly dispatcher: Dispatcher; readonly bodyTimeoutMs: number },
    fresh = false,
  ): Promise<Dispatcher.ResponseData> {
    const label = `${request.method} ${request.path}`;
    let answer: Dispatcher.ResponseData;
    try {
      answer = await via.dispatcher.request({
        origin: this.#origin,
        path: withQuery(this.#prefix + request.path, request.query),
        method: request.method,
        headers: {
          accept: 'application/json',
          'user-agent': this.#options.userAgent,
          ...(request.body !== undefined && { 'content-type': request.contentType ?? 'application/json' }),
          ...(await this.#connection.identity(fresh)),
        },
        body: request.body === undefined ? null : JSON.stringify(request.body),
        headersTimeout: this.#timeoutMs,
        bodyTimeout: via.bodyTimeoutMs,
        signal: request.signal ?? null,
      });
    } catch (cause) {
      throw networkError(label, cause);
    }
    if (answer.statusCode !== 401 || fresh) return answer;
    await answer.body.dump();
    return this.#send(request, via, true);
  }

  async #failure(label: string, answer: Dispatcher.ResponseData): Promise<ApiError> {
    const text = await readBody(answer.body).catch(() => '');
    const header = answer.headers['retry-after'];
    return answerError(label, answer.statusCode, parseBody(text), typeof header === 'string' ? header : undefined);
  }
}
