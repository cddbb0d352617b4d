// Asks the gateway with the token of this pod: briefs, texts; and lends its connections to the model client. May: HTTPS to the gateway only.
// A gateway that cannot be reached, says nothing, or waits for something itself is to be tried again; every other answer is data.

import { readFile } from 'node:fs/promises';
import { Agent, request, type Dispatcher } from 'undici';
import { z } from 'zod';
import { sha256 } from '../crds/canonical.ts';
import { turnBrief } from '../crds/contracts/turn-brief.ts';
import { errorFields } from '../runtime/log.ts';
import { isLater, type Later } from './take-turn.ts';
import type { BriefGiven, Over, TextGiven, TextTaken, TurnGateway } from './turn-gateway.ts';

export interface GatewayPlace {
  /** `https://host:port`. */
  readonly url: string;
  /** PEM. */
  readonly ca: string;
  readonly tokenFile: string;
  /** For one whole answer; default 60 s. */
  readonly answerMs?: number;
}

interface Asked {
  readonly method: 'GET' | 'PUT';
  readonly path: string;
  readonly body?: Buffer;
  readonly signal: AbortSignal;
}

interface Answer {
  readonly status: number;
  readonly body: Buffer;
  readonly retryAfterMs: number | undefined;
}

const ANSWER_MS = 60_000;
const CONNECT_MS = 5_000;
/** A brief is at most a context and its texts; an artifact is at most what the store takes. */
const MAX_BYTES = 8 * 1024 * 1024;
const MAX_MESSAGE = 300;

const OVER = new Set(['TurnUnknown', 'TurnNotAsked', 'DeliberationEnded']);
const refusalBody = z.object({ error: z.object({ code: z.string(), message: z.string() }) });

const agentFor = (ca: string): Agent => new Agent({ connect: { ca, timeout: CONNECT_MS }, headersTimeout: 0, bodyTimeout: 0 });

export class GatewayClient implements TurnGateway {
  readonly #place: GatewayPlace;
  #agent: Agent;

  constructor(place: GatewayPlace) {
    this.#place = place;
    this.#agent = agentFor(place.ca);
  }

  /** The connections of this moment. */
  get dispatcher(): Dispatcher {
    return this.#agent;
  }

  /** New connections trust this CA; those that are in use go on. */
  trust(ca: string): void {
    const before = this.#agent;
    this.#agent = agentFor(ca);
    void before.close();
  }

  /** The kubelet renews the file, so it is read for each use. */
  async token(): Promise<string> {
    return (await readFile(this.#place.tokenFile, 'utf8')).trim();
  }

  modelUrl(turnId: string): string {
    return `${this.#place.url}${pathOf(turnId)}/openai/v1`;
  }

  async brief(turnId: string, signal: AbortSignal): Promise<BriefGiven> {
    const answer = await this.#ask({ method: 'GET', path: `${pathOf(turnId)}/brief`, signal });
    if (isLater(answer)) return answer;
    if (answer.status !== 200) return overOf(answer) ?? laterOf(answer);
    const brief = turnBrief.safeParse(jsonOf(answer.body));
    return brief.success ? { kind: 'brief', brief: brief.data } : { later: 'the gateway gives a brief of another version' };
  }

  async text(turnId: string, digest: string, signal: AbortSignal): Promise<TextGiven> {
    const answer = await this.#ask({ method: 'GET', path: `${pathOf(turnId)}/artifacts/${digest}`, signal });
    if (isLater(answer)) return answer;
    if (answer.status === 404 || answer.status === 410) return { kind: 'lost', message: `${digest}: ${sayingOf(answer)}` };
    if (answer.status !== 200) return laterOf(answer);
    if (sha256(answer.body) !== digest) return { kind: 'lost', message: `${digest} came with other bytes` };
    return { kind: 'text', text: answer.body.toString('utf8') };
  }

  async put(
    turnId: string,
    { digest, bytes }: { readonly digest: string; readonly bytes: Buffer },
    signal: AbortSignal,
  ): Promise<TextTaken> {
    const answer = await this.#ask({ method: 'PUT', path: `${pathOf(turnId)}/artifacts/${digest}`, body: bytes, signal });
    if (isLater(answer)) return answer;
    if (answer.status >= 200 && answer.status < 300) return { kind: 'stored' };
    if (answer.status === 413) return { kind: 'refused', message: sayingOf(answer) };
    return overOf(answer) ?? laterOf(answer);
  }

  async close(): Promise<void> {
    await this.#agent.destroy();
  }

  async #ask({ method, path, body, signal }: Asked): Promise<Answer | Later> {
    try {
      const response = await request(`${this.#place.url}${path}`, {
        ...{ method, dispatcher: this.#agent, headers: { authorization: `Bearer ${await this.token()}` } },
        ...(body !== undefined && { body }),
        signal: AbortSignal.any([signal, AbortSignal.timeout(this.#place.answerMs ?? ANSWER_MS)]),
      });
      const seconds = Number(response.headers['retry-after']);
      const retryAfterMs = seconds > 0 ? seconds * 1_000 : undefined;
      return { status: response.statusCode, body: await collect(response.body), retryAfterMs };
    } catch (error) {
      if (signal.aborted) throw error;
      return { later: errorFields(error).error };
    }
  }
}

const pathOf = (turnId: string): string => `/v1/turns/${turnId}`;

const collect = async (stream: AsyncIterable<Buffer>): Promise<Buffer> => {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of stream) {
    bytes += chunk.length;
    if (bytes > MAX_BYTES) throw new Error(`the gateway answered more than ${MAX_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
};

const jsonOf = (body: Buffer): unknown => {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    return undefined;
  }
};

const refusalOf = ({ status, body }: Answer): { readonly code: string; readonly message: string } => {
  const refusal = refusalBody.safeParse(jsonOf(body));
  return refusal.success ? refusal.data.error : { code: String(status), message: body.toString('utf8') };
};

const sayingOf = (answer: Answer): string => {
  const { code, message } = refusalOf(answer);
  return `${code}: ${message}`.slice(0, MAX_MESSAGE);
};

/** Only by its code: a gateway that does not know these routes says 404, too. */
const overOf = (answer: Answer): Over | undefined => {
  const { code } = refusalOf(answer);
  return (answer.status === 404 || answer.status === 409) && OVER.has(code) ? { kind: 'over', code } : undefined;
};

const laterOf = (answer: Answer): Later => ({
  later: `${answer.status} ${sayingOf(answer)}`,
  ...(answer.retryAfterMs !== undefined && { afterMs: answer.retryAfterMs }),
});
