// Asks the gateway with this step's token: brief, artifacts; and lends its connection to the model client. May: HTTPS to the gateway only.
// A gateway that does not listen, says nothing, or waits for something itself (503) is asked again for a while; every other answer is data.
import { randomInt } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import type { Agent } from 'undici';
import { z } from 'zod';

export interface GatewayPlace {
  readonly url: string;
  /** PEM. */
  readonly ca: string;
  readonly tokenFile: string;
  /** How long to ask again for what comes later; default 120 s, so that a gateway that went silent is asked once more. */
  readonly patienceMs?: number;
  /** How long to wait for one whole answer; default 60 s. */
  readonly answerMs?: number;
}

export interface GatewayAnswer {
  readonly status: number;
  readonly body: Buffer;
}

export interface GatewayRequest {
  readonly method: 'GET' | 'PUT';
  readonly path: string;
  readonly body?: Buffer;
  /** More than this in an answer is an error. */
  readonly maxBytes: number;
}

/** The gateway could not be reached, or did not let us in, for the whole of the time that we wait. */
export class GatewayUnreachable extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'GatewayUnreachable';
  }
}

const refusalBody = z.object({ error: z.object({ code: z.string(), message: z.string() }) });
const MAX_REFUSAL_BYTES = 64 * 1024;
const PATIENCE_MS = 120_000;
const ANSWER_MS = 60_000;
const notUpYet = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
  'UND_ERR_SOCKET',
]);

export class GatewayClient {
  readonly #place: GatewayPlace;
  #agent: Agent | undefined;

  constructor(place: GatewayPlace) {
    this.#place = place;
  }

  /** The connections to the gateway. The package is loaded at first use: half of the steps ask for nothing and should start fast. */
  async dispatcher(): Promise<Agent> {
    const undici = await import('undici');
    this.#agent ??= new undici.Agent({
      connect: { ca: this.#place.ca, timeout: 5_000 },
      connections: 4,
      headersTimeout: 0,
      bodyTimeout: 0,
    });
    return this.#agent;
  }

  /** The kubelet renews the file, so it is read for each use. */
  async token(): Promise<string> {
    return (await readFile(this.#place.tokenFile, 'utf8')).trim();
  }

  async send(wanted: GatewayRequest): Promise<GatewayAnswer> {
    const { patienceMs = PATIENCE_MS } = this.#place;
    const givesUpAt = Date.now() + patienceMs;
    for (let tries = 1; ; tries += 1) {
      const result = await this.#once(wanted);
      if (!(result instanceof Error) && !comesLater(result)) return result;
      if (Date.now() >= givesUpAt) throw unreachable(result, patienceMs);
      await delay(Math.min(250 * tries, 2_000) + randomInt(250));
    }
  }

  async #once(wanted: GatewayRequest): Promise<GatewayAnswer | Error> {
    const { request } = await import('undici');
    try {
      const response = await request(`${this.#place.url}${wanted.path}`, {
        method: wanted.method,
        dispatcher: await this.dispatcher(),
        headers: { authorization: `Bearer ${await this.token()}` },
        ...(wanted.body === undefined ? {} : { body: wanted.body }),
        signal: AbortSignal.timeout(this.#place.answerMs ?? ANSWER_MS),
      });
      const limit = response.statusCode < 400 ? wanted.maxBytes : Math.max(wanted.maxBytes, MAX_REFUSAL_BYTES);
      return { status: response.statusCode, body: await collect(response.body, limit) };
    } catch (error) {
      if (error instanceof Error && (notUpYet.has(codeOf(error)) || error.name === 'TimeoutError')) return error;
      throw error;
    }
  }

  async close(): Promise<void> {
    await this.#agent?.destroy();
  }
}

const collect = async (stream: AsyncIterable<Buffer>, maxBytes: number): Promise<Buffer> => {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of stream) {
    bytes += chunk.length;
    if (bytes > maxBytes) throw new Error(`the gateway answered more than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
};

/** `{ "error": { "code", "message" } }` of the gateway, as far as it is that. */
export const refusalOf = (answer: GatewayAnswer): { readonly code: string; readonly message: string } => {
  try {
    const { error } = refusalBody.parse(JSON.parse(answer.body.toString('utf8')));
    return { code: error.code, message: error.message.slice(0, 300) };
  } catch {
    return { code: String(answer.status), message: answer.body.toString('utf8').slice(0, 200) };
  }
};

/** With 503 the gateway says that it waits itself: for a cache, the API server, the store. */
const comesLater = ({ status }: GatewayAnswer): boolean => status === 429 || status === 503;

const unreachable = (last: GatewayAnswer | Error, patienceMs: number): GatewayUnreachable => {
  const why = last instanceof Error ? last.message : refusalOf(last).message;
  return new GatewayUnreachable(
    `no way through the gateway within ${patienceMs / 1000} s: ${why}`,
    last instanceof Error ? { cause: last } : {},
  );
};

const codeOf = (error: Error): string => {
  const { code } = error as { code?: unknown };
  const { cause } = error;
  return typeof code === 'string' ? code : cause instanceof Error ? codeOf(cause) : '';
};
