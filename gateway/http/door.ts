// The door: one request in, one answer out. Order of every request, and no route can leave a part of it out:
//
//   known route ─► token ─► who is it (identity) ─► may this step (rights) ─► its share of requests ─► the route, within its time
//
// Every refusal is in the log (refusal-log.ts): who, what, why; never a token.

import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { errorFields, type Fields } from '../../runtime/log.ts';
import type { Caller } from '../identity/caller.ts';
import { mayUse, type Right } from '../identity/rights.ts';
import type { GatewayMetrics } from '../metrics.ts';
import { drain } from './body.ts';
import { callerToken } from './credentials.ts';
import type { Failures, Gate } from './gate.ts';
import type { RefusalLog } from './refusal-log.ts';
import { asRefusal, Refusal, refusalBody, type ErrorShape } from './refusal.ts';

export interface Call {
  readonly id: string;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly url: URL;
  readonly caller: Caller;
  /** Aborts when the caller goes away or the route's time is over. */
  readonly signal: AbortSignal;
}

export interface Route {
  readonly name: string;
  readonly method: 'GET' | 'POST' | 'PUT';
  readonly path: RegExp;
  /** The query must be exactly this; absent: any query, which the route reads or ignores. */
  readonly query?: string;
  readonly right: Right;
  readonly errors: ErrorShape;
  readonly timeoutMs: number;
  readonly handle: (call: Call) => Promise<void>;
}

/** What opens a tunnel for a caller who may have one. */
export type Tunnel = (target: string, caller: Caller, socket: Duplex, head: Buffer) => Promise<void>;

export interface DoorOptions {
  readonly routes: readonly Route[];
  readonly tunnel: Tunnel;
  /** Throws Refusal. */
  readonly identify: (token: string) => Promise<Caller>;
  readonly gate: Gate;
  /** Requests of one caller at one time. */
  readonly share: number;
  readonly failures: Failures;
  readonly refusals: RefusalLog;
  readonly metrics: GatewayMetrics;
}

const MAX_URL_CHARS = 2_048;
/** A pod of the pool has many turns under way; how many calls of a model run at once is the endpoint's to say. */
const POOL_REQUESTS = 1_024;

export const callerFields = (caller: Caller | undefined): Fields => {
  if (caller === undefined) return {};
  if (caller.kind === 'reader') return { namespace: caller.namespace, account: 'fleet-reader' };
  if (caller.kind === 'pool') return { namespace: caller.namespace, pod: caller.podName, podUid: caller.podUid };
  const { namespace, step, podName, podUid, jobUid } = caller;
  return { namespace, step, pod: podName, podUid, jobUid, task: caller.task.metadata.name, attempt: caller.attempt.n };
};

const callerKey = (caller: Caller): string => (caller.kind === 'reader' ? `reader/${caller.namespace}` : caller.podUid);

/** Taken at the start: a request whose connection is gone has no socket any more. */
const addressOf = (request: IncomingMessage): string => request.socket.remoteAddress ?? '';

/** What is still taken of a refused request's body. */
const DRAIN = { bytes: 32 * 1024 * 1024, ms: 30_000 };

interface About {
  readonly id: string;
  readonly address: string;
  readonly route: string;
  readonly errors: ErrorShape;
}

export class Door {
  readonly #options: DoorOptions;
  readonly #tunnels = new Set<Duplex>();
  #inFlight = 0;
  #draining = false;

  constructor(options: DoorOptions) {
    this.#options = options;
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  /** From now on every answer ends its connection. */
  drain(): void {
    this.#draining = true;
  }

  /** Ends the tunnels, which the listener does not know of any more. */
  end(): void {
    for (const socket of this.#tunnels) socket.destroy();
  }

  async request(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const id = randomUUID();
    const address = addressOf(request);
    const startedAt = performance.now();
    const url = parseUrl(request.url ?? '');
    const route = url === undefined ? undefined : this.#options.routes.find((one) => matches(one, request, url));
    let caller: Caller | undefined;
    this.#inFlight += 1;
    if (this.#draining) response.setHeader('connection', 'close');
    response.setHeader('x-request-id', id);
    try {
      if (url === undefined || route === undefined) throw new Refusal(404, 'NoSuchRoute', 'the gateway has no such route');
      caller = await this.#identify(request, address);
      allow(caller, route.right);
      await this.#serve(route, { id, request, response, url, caller });
    } catch (error) {
      const about = { id, address, route: route?.name ?? 'none', errors: route?.errors ?? 'fleet' };
      this.#refuse({ request, response }, asRefusal(error), about, caller);
    } finally {
      this.#inFlight -= 1;
      const seconds = (performance.now() - startedAt) / 1_000;
      this.#options.metrics.requestAnswered(route?.name ?? 'none', response.statusCode, seconds);
    }
  }

  /** `CONNECT`: answers on the bare socket. */
  async connect(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    const id = randomUUID();
    const address = addressOf(request);
    let caller: Caller | undefined;
    this.#inFlight += 1;
    this.#tunnels.add(socket);
    socket.on('error', () => undefined);
    try {
      const admitted = await this.#identify(request, address);
      caller = admitted;
      allow(admitted, 'egress');
      await this.#options.gate.run(callerKey(admitted), this.#shareOf(admitted), () =>
        this.#options.tunnel(request.url ?? '', admitted, socket, head),
      );
    } catch (error) {
      const refusal = asRefusal(error);
      this.#logRefusal(request, refusal, { id, address, route: 'egress', errors: 'fleet' }, caller);
      const challenge = refusal.status === 407 ? 'Proxy-Authenticate: Basic realm="fleet"\r\n' : '';
      const reason = `HTTP/1.1 ${refusal.status} ${refusal.code}\r\n${challenge}Connection: close\r\nContent-Length: 0\r\n\r\n`;
      if (socket.writable) socket.end(reason);
      else socket.destroy();
    } finally {
      this.#tunnels.delete(socket);
      this.#inFlight -= 1;
    }
  }

  async #identify(request: IncomingMessage, address: string): Promise<Caller> {
    const { failures, identify } = this.#options;
    if (failures.blocked(address, Date.now()))
      throw new Refusal(429, 'TooManyFailures', 'too many refused tokens from this address', { retryAfterSeconds: 10 });
    const token = callerToken(request);
    const unauthorized = request.method === 'CONNECT' ? 407 : 401;
    if (token === undefined) throw new Refusal(unauthorized, 'TokenMissing', 'this route wants a step token');
    try {
      return await identify(token);
    } catch (error) {
      if (error instanceof Refusal && error.status === 401) failures.add(address, Date.now());
      throw error;
    }
  }

  async #serve(route: Route, call: Omit<Call, 'signal'>): Promise<void> {
    const closed = new AbortController();
    call.response.once('close', () => closed.abort(new Error('the caller went away')));
    const timeout = AbortSignal.timeout(route.timeoutMs);
    const signal = AbortSignal.any([timeout, closed.signal]);
    try {
      await this.#options.gate.run(callerKey(call.caller), this.#shareOf(call.caller), () => route.handle({ ...call, signal }));
    } catch (error) {
      if (timeout.aborted) throw new Refusal(504, 'RequestTimeout', 'the request took too long', { cause: error });
      throw error;
    }
  }

  #shareOf({ kind }: Caller): number {
    return kind === 'pool' ? POOL_REQUESTS : this.#options.share;
  }

  #refuse(
    exchange: { readonly request: IncomingMessage; readonly response: ServerResponse },
    refusal: Refusal,
    about: About,
    caller: Caller | undefined,
  ): void {
    const { request, response } = exchange;
    this.#logRefusal(request, refusal, about, caller);
    if (response.headersSent || response.destroyed) {
      response.destroy();
      return;
    }
    drain(request, DRAIN);
    response.writeHead(refusal.status, {
      'content-type': 'application/json',
      'cache-control': 'no-store',
      ...(refusal.retryAfterSeconds !== undefined && { 'retry-after': String(refusal.retryAfterSeconds) }),
      ...(refusal.status === 401 && { 'www-authenticate': 'Basic realm="fleet"' }),
    });
    response.end(refusalBody(refusal, about.errors));
  }

  #logRefusal(request: IncomingMessage, refusal: Refusal, about: About, caller: Caller | undefined): void {
    const { refusals, metrics } = this.#options;
    const { status, code, message: reason, detail, cause } = refusal;
    metrics.refused(code);
    refusals.write({
      ...{ status, code, caller: caller === undefined ? about.address : callerKey(caller) },
      fields: {
        ...{ id: about.id, route: about.route, address: about.address, method: request.method, reason, detail },
        ...(cause !== undefined && errorFields(cause)),
        ...callerFields(caller),
      },
    });
  }
}

const allow = (caller: Caller, right: Right): void => {
  if (!mayUse(caller, right)) throw new Refusal(403, 'StepNotAllowed', 'the step of this token may not use this route');
};

const parseUrl = (text: string): URL | undefined => {
  if (text.length > MAX_URL_CHARS || !text.startsWith('/') || text.startsWith('//')) return undefined;
  return URL.parse(text, 'https://gateway.invalid') ?? undefined;
};

const matches = (route: Route, request: IncomingMessage, url: URL): boolean =>
  route.method === request.method &&
  route.path.test(url.pathname) &&
  (route.query === undefined || url.search === `?${route.query}`);
