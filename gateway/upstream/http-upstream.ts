// One HTTP request to an upstream of the table: guarded connection, its own CA, its credentials, no redirect, every failure mapped to
// a refusal that tells the caller nothing about the inside.

import { createHash } from 'node:crypto';
import type { Readable } from 'node:stream';
import { Agent, type Dispatcher } from 'undici';
import type { Upstream } from '../../crds/contracts/platform.ts';
import { Refusal } from '../http/refusal.ts';
import type { Range } from './addresses.ts';
import { AddressRefused, guardedConnector, type Resolve } from './connector.ts';
import type { UpstreamSecrets } from './secrets.ts';

export interface UpstreamRequest {
  readonly method: 'GET' | 'POST';
  /** Below the upstream's origin, with the query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | Buffer | Readable;
  readonly signal: AbortSignal;
  /** From sending to the first byte of the answer. */
  readonly timeoutMs: number;
  /** Between two bytes of the answer; absent: the same. */
  readonly idleMs?: number;
}

export interface UpstreamAnswer {
  readonly status: number;
  readonly headers: Dispatcher.ResponseData['headers'];
  readonly body: Dispatcher.ResponseData['body'];
  /** What was sent as `Authorization`, to keep it out of what is passed on. */
  readonly authorization: string | undefined;
}

export interface Outside {
  send(upstream: Upstream, request: UpstreamRequest): Promise<UpstreamAnswer>;
}

export interface OutsideOptions {
  readonly secrets: UpstreamSecrets;
  readonly cluster: readonly Range[];
  readonly resolve?: Resolve;
  readonly connectTimeoutMs?: number;
}

interface Kept {
  readonly key: string;
  readonly agent: Agent;
}

export const headerOf = (headers: Dispatcher.ResponseData['headers'], name: string): string | undefined => {
  const value = headers[name];
  return Array.isArray(value) ? value[0] : value;
};

const refusalOf = (upstream: Upstream, error: unknown): Refusal => {
  if (error instanceof Refusal) return error;
  const detail = `upstream ${upstream.name}`;
  const code = (error as { readonly code?: unknown } | null)?.code;
  if (error instanceof AddressRefused)
    return new Refusal(502, 'UpstreamRefused', 'the upstream has an address that the platform does not allow', {
      cause: error,
      detail,
    });
  if (code === 'UND_ERR_HEADERS_TIMEOUT' || code === 'UND_ERR_CONNECT_TIMEOUT' || code === 'UND_ERR_BODY_TIMEOUT')
    return new Refusal(504, 'UpstreamTimeout', 'the upstream did not answer in time', { cause: error, detail });
  return new Refusal(502, 'UpstreamUnavailable', 'the upstream cannot be reached', { cause: error, detail });
};

export class HttpOutside implements Outside {
  readonly #options: OutsideOptions;
  readonly #agents = new Map<string, Kept>();

  constructor(options: OutsideOptions) {
    this.#options = options;
  }

  /** Throws Refusal (502, 504) when there is no usable answer; a redirect is none. */
  async send(upstream: Upstream, request: UpstreamRequest): Promise<UpstreamAnswer> {
    try {
      const authorization = await this.#options.secrets.authorization(upstream);
      const agent = await this.#agentOf(upstream);
      const answer = await agent.request({
        origin: `${upstream.scheme}://${upstream.host}`,
        path: request.path,
        method: request.method,
        headers: {
          'user-agent': 'swe-fleet-gateway',
          'accept-encoding': 'identity',
          ...request.headers,
          ...(authorization !== undefined && { authorization }),
        },
        body: request.body ?? null,
        signal: request.signal,
        headersTimeout: request.timeoutMs,
        bodyTimeout: request.idleMs ?? request.timeoutMs,
      });
      answer.body.on('error', () => undefined); // a body that breaks after its reader left must not end the process
      if (answer.statusCode < 300 || answer.statusCode >= 400)
        return { status: answer.statusCode, headers: answer.headers, body: answer.body, authorization };
      answer.body.destroy();
      throw new Refusal(502, 'UpstreamRedirects', 'the upstream redirects, and redirects are not followed', {
        detail: `upstream ${upstream.name} answered ${answer.statusCode}`,
      });
    } catch (error) {
      throw refusalOf(upstream, error);
    }
  }

  async close(): Promise<void> {
    await Promise.all([...this.#agents.values()].map(({ agent }) => agent.destroy()));
    this.#agents.clear();
  }

  /** One agent an upstream; a changed row or CA makes a new one and lets the old one finish. */
  async #agentOf(upstream: Upstream): Promise<Agent> {
    const ca = await this.#options.secrets.ca(upstream);
    const key = createHash('sha256')
      .update(JSON.stringify([upstream.scheme, upstream.host, upstream.allowPrivate, ca]))
      .digest('hex');
    const kept = this.#agents.get(upstream.name);
    if (kept?.key === key) return kept.agent;
    void kept?.agent.close();
    const { cluster, resolve, connectTimeoutMs = 10_000 } = this.#options;
    const guard = { allowPrivate: upstream.allowPrivate, cluster };
    const connect = guardedConnector({ guard, ca, connectTimeoutMs, ...(resolve !== undefined && { resolve }) });
    const agent = new Agent({ connect, keepAliveTimeout: 10_000, maxHeaderSize: 32_768 });
    this.#agents.set(upstream.name, { key, agent });
    return agent;
  }
}
