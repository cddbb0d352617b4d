// An OpenAI-compatible server that plays scripts: chat (whole and streamed), tool calls, structured output, models. It is no language
// model and says so in its name. Plain node, no dependencies, so that it also runs as a pod of any image that has Node.
import { createHash } from 'node:crypto';
import {
  createServer as createHttpServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { chunksOf, tokensOf, wholeAnswer, type Answer } from './answers.ts';
import { nextStep, type ChatRequest } from './player.ts';
import { scriptedModelName, type Fault, type Script } from './script.ts';

export interface ScriptedModelOptions {
  readonly scripts: readonly Script[];
  readonly host?: string;
  /** 0 or absent: any free port. */
  readonly port?: number;
  /** PEM; absent: plain HTTP. */
  readonly tls?: { readonly key: string; readonly cert: string };
  /** Demanded as a bearer token when given. */
  readonly apiKey?: string;
  /** Before every answer. */
  readonly latencyMs?: number;
  readonly onRequest?: (line: ModelRequestLine) => void;
}

export interface ModelRequestLine {
  readonly at: string;
  readonly method: string;
  readonly path: string;
  readonly status: number;
  /** What was played, for chat requests. */
  readonly played?: string;
}

export interface ScriptedModel {
  /** With `/v1`, as clients want it. */
  readonly url: string;
  readonly port: number;
  close(): Promise<void>;
}

const maxRequestBytes = 16 * 1024 * 1024;

export const startScriptedModel = async (options: ScriptedModelOptions): Promise<ScriptedModel> => {
  const faults = new Map<string, number>();
  const listener: RequestListener = (request, response) => {
    serve(options, faults, request, response).catch((error: unknown) => {
      if (!response.headersSent) fail(response, 500, 'server_error', String(error));
      response.destroy();
    });
  };
  const server: Server = options.tls === undefined ? createHttpServer(listener) : createHttpsServer(options.tls, listener);
  const host = options.host ?? '127.0.0.1';
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port ?? 0, host, resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `${options.tls === undefined ? 'http' : 'https'}://${host}:${port}/v1`,
    port,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
};

const serve = async (
  options: ScriptedModelOptions,
  faults: Map<string, number>,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> => {
  const path = new URL(request.url ?? '/', 'http://model.invalid').pathname;
  const log = (status: number, played?: string): void =>
    options.onRequest?.({
      at: new Date().toISOString(),
      method: request.method ?? '',
      path,
      status,
      ...(played === undefined ? {} : { played }),
    });
  if (path === '/healthz') return void response.end('ok\n');
  const body = await bodyOf(request);
  if (options.apiKey !== undefined && request.headers.authorization !== `Bearer ${options.apiKey}`) {
    log(401);
    return fail(response, 401, 'invalid_api_key', 'a key that this server knows is needed');
  }
  if (request.method === 'GET' && path === '/v1/models') {
    log(200);
    return send(response, 200, {
      object: 'list',
      data: [{ id: scriptedModelName, object: 'model', created: 0, owned_by: 'swe-fleet-tests' }],
    });
  }
  if (request.method === 'POST' && path === '/v1/chat/completions') return chat({ options, faults, response, log, body });
  log(404);
  return fail(response, 404, 'not_found', `nothing is served at ${path}`);
};

interface ChatExchange {
  readonly options: ScriptedModelOptions;
  readonly faults: Map<string, number>;
  readonly response: ServerResponse;
  readonly log: (status: number, played?: string) => void;
  readonly body: Buffer;
}

const chat = async ({ options, faults, response, log, body }: ChatExchange): Promise<void> => {
  const request = parse(body);
  if (request === undefined) {
    log(400);
    return fail(response, 400, 'invalid_request_error', 'a JSON object with messages is needed');
  }
  if (request.model !== scriptedModelName) {
    log(404);
    return fail(response, 404, 'model_not_found', `this server has only ${scriptedModelName}`);
  }
  const { title, step } = nextStep(request, options.scripts);
  await delay((options.latencyMs ?? 0) + (step.slowMs ?? 0));
  const digest = createHash('sha256').update(JSON.stringify(request.messages)).digest('hex');
  const fault = dueFault(faults, digest, step.fault);
  if (fault?.kind === 'status') {
    log(fault.status, `${title} fault`);
    return fail(
      response,
      fault.status,
      fault.status === 429 ? 'rate_limit_exceeded' : 'server_error',
      'a fault that the script wants',
    );
  }
  const answer: Answer = {
    id: `chatcmpl-scripted-${digest.slice(0, 12)}`,
    createdSeconds: Math.floor(Date.now() / 1000),
    promptTokens: tokensOf(body.toString('utf8')),
    step,
  };
  log(200, fault === undefined ? title : `${title} fault`);
  if (request.stream === true)
    return stream(response, answer, { withUsage: request.stream_options?.include_usage === true, cut: fault !== undefined });
  const text = JSON.stringify(wholeAnswer(answer));
  if (fault === undefined) return send(response, 200, text);
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) });
  response.write(text.slice(0, text.length / 2), () => response.destroy());
};

/** A fault is due for the first `times` requests with the very same conversation: what tries again gets through. */
const dueFault = (faults: Map<string, number>, digest: string, fault: Fault | undefined): Fault | undefined => {
  if (fault === undefined) return undefined;
  const seen = faults.get(digest) ?? 0;
  faults.set(digest, seen + 1);
  return seen < fault.times ? fault : undefined;
};

const stream = (response: ServerResponse, answer: Answer, how: { readonly withUsage: boolean; readonly cut: boolean }): void => {
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' });
  const chunks = chunksOf(answer, how.withUsage);
  if (how.cut) return void response.write(`data: ${JSON.stringify(chunks[0])}\n\n`, () => response.destroy());
  for (const chunk of chunks) response.write(`data: ${JSON.stringify(chunk)}\n\n`);
  response.end('data: [DONE]\n\n');
};

const parse = (body: Buffer): ChatRequest | undefined => {
  try {
    const parsed = JSON.parse(body.toString('utf8')) as ChatRequest | null;
    return Array.isArray(parsed?.messages) ? (parsed ?? undefined) : undefined;
  } catch {
    return undefined;
  }
};

const bodyOf = async (request: IncomingMessage): Promise<Buffer> => {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > maxRequestBytes) throw new Error('the request is too large');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
};

const send = (response: ServerResponse, status: number, body: object | string): void => {
  response.writeHead(status, { 'content-type': 'application/json' }).end(typeof body === 'string' ? body : JSON.stringify(body));
};

const fail = (response: ServerResponse, status: number, code: string, message: string): void => {
  send(response, status, {
    error: { message, type: status < 500 ? 'invalid_request_error' : 'server_error', param: null, code },
  });
};
