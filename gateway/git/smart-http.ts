// Git smart HTTP between a workspace and the Story's repository. The caller chooses neither host nor path nor credentials: all three
// come from the Story and the platform's table. A push is read up to its pack before the git server hears of it.

import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import type { Upstream } from '../../crds/contracts/platform.ts';
import { bodyOf, limited, requestLimit } from '../http/body.ts';
import { Refusal } from '../http/refusal.ts';
import { relay } from '../http/relay.ts';
import { headerOf, type Outside, type UpstreamAnswer } from '../upstream/http-upstream.ts';
import { MalformedPktLine } from './pkt-line.ts';
import { judgePush, type ExpectedPush } from './ref-update.ts';

export type GitService = 'git-upload-pack' | 'git-receive-pack';

export interface Repository {
  readonly upstream: Upstream;
  /** Path on the upstream, without a trailing slash. */
  readonly path: string;
}

export interface GitLimits {
  /** What a fetch may send (its haves and wants). */
  readonly fetchRequestBytes: number;
  /** What a push may send after decompression. */
  readonly pushRequestBytes: number;
  readonly fetchAnswerBytes: number;
  readonly pushAnswerBytes: number;
  /** Silence of the git server while it packs or receives. */
  readonly timeoutMs: number;
  /** Its silence when it is asked for a ref. */
  readonly refsMs: number;
}

export const GIT_LIMITS: GitLimits = {
  fetchRequestBytes: 8 * 1024 * 1024,
  pushRequestBytes: 64 * 1024 * 1024,
  fetchAnswerBytes: 4 * 1024 * 1024 * 1024,
  pushAnswerBytes: 4 * 1024 * 1024,
  timeoutMs: 120_000,
  refsMs: 30_000,
};

export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly repository: Repository;
  readonly signal: AbortSignal;
}

const REFUSALS: Readonly<Record<number, readonly [status: number, code: string, message: string]>> = {
  401: [502, 'RepositoryDenied', 'the git server does not accept the credentials of the platform'],
  403: [502, 'RepositoryDenied', 'the git server does not allow this with the credentials of the platform'],
  404: [404, 'RepositoryNotFound', 'the git server has no such repository'],
  429: [503, 'RepositoryBusy', 'the git server asks to slow down'],
};

/** Throws Refusal unless the upstream answered 200 with the content type that git's protocol demands. */
export const expectGit = (answer: UpstreamAnswer, contentType: string): void => {
  const type = (headerOf(answer.headers, 'content-type') ?? '').split(';')[0]?.trim();
  if (answer.status === 200 && type === contentType) return;
  answer.body.destroy();
  const known = answer.status === 200 ? undefined : REFUSALS[answer.status];
  const [status, code, message] = known ?? [502, 'RepositoryUnavailable', 'the git server gave no usable answer'];
  throw new Refusal(status, code, message, { detail: `git server answered ${answer.status} ${type ?? ''}` });
};

/** The protocol version is the one header of git's that matters to the server; anything but a plain version is dropped. */
const protocolOf = (request: IncomingMessage): Record<string, string> => {
  const value = request.headers['git-protocol'];
  return typeof value === 'string' && /^version=[012]$/.test(value) ? { 'git-protocol': value } : {};
};

export class GitProxy {
  readonly #outside: Outside;
  readonly #limits: GitLimits;

  constructor(outside: Outside, limits: GitLimits = GIT_LIMITS) {
    this.#outside = outside;
    this.#limits = limits;
  }

  async advertise(exchange: Exchange, service: GitService): Promise<void> {
    const { request, response, repository, signal } = exchange;
    const contentType = `application/x-${service}-advertisement`;
    const answer = await this.#outside.send(repository.upstream, {
      method: 'GET',
      path: `${repository.path}/info/refs?service=${service}`,
      headers: { accept: contentType, ...protocolOf(request) },
      signal,
      timeoutMs: this.#limits.timeoutMs,
    });
    expectGit(answer, contentType);
    await relay(answer.body, response, { contentType, maxBytes: this.#limits.fetchAnswerBytes });
  }

  async uploadPack(exchange: Exchange): Promise<void> {
    const limit = requestLimit(this.#limits.fetchRequestBytes);
    await this.#exchange(exchange, 'git-upload-pack', limited(plainBody(exchange.request), limit));
  }

  /** Throws Refusal (403) for a push that the expected does not allow; nothing of it was sent then. */
  async receivePack(exchange: Exchange, expected: ExpectedPush): Promise<void> {
    const push = await openPush(limited(plainBody(exchange.request), requestLimit(this.#limits.pushRequestBytes)), expected);
    if (push === 'probe') {
      exchange.response.writeHead(200, { 'content-type': 'application/x-git-receive-pack-result' }).end();
      return;
    }
    await this.#exchange(exchange, 'git-receive-pack', push);
  }

  async #exchange(exchange: Exchange, service: GitService, body: AsyncIterable<Buffer>): Promise<void> {
    const { request, response, repository, signal } = exchange;
    const contentType = `application/x-${service}-result`;
    const answer = await this.#outside.send(repository.upstream, {
      method: 'POST',
      path: `${repository.path}/${service}`,
      headers: { accept: contentType, 'content-type': `application/x-${service}-request`, ...protocolOf(request) },
      body: Readable.from(body, { objectMode: false }),
      signal,
      timeoutMs: this.#limits.timeoutMs,
    });
    expectGit(answer, contentType);
    const { fetchAnswerBytes, pushAnswerBytes } = this.#limits;
    await relay(answer.body, response, {
      contentType,
      maxBytes: service === 'git-upload-pack' ? fetchAnswerBytes : pushAnswerBytes,
    });
  }
}

/** Git compresses what it sends when it is large; the limits are on what comes out. */
const plainBody = (request: IncomingMessage): AsyncIterable<unknown> => {
  const encoding = request.headers['content-encoding'] ?? 'identity';
  if (encoding === 'identity') return bodyOf(request);
  if (encoding !== 'gzip' && encoding !== 'x-gzip')
    throw new Refusal(415, 'EncodingNotTaken', 'a body may be compressed with gzip or not at all');
  const gunzip = createGunzip();
  request.on('error', (error) => gunzip.destroy(error));
  request.on('aborted', () => gunzip.destroy(new Error('the caller went away')));
  return request.pipe(gunzip);
};

const forbidden = (message: string): Refusal => new Refusal(403, 'PushNotAllowed', message);

/** Reads until the command list can be judged; gives the whole body again, from its first byte, when it may pass. */
const openPush = async (
  body: AsyncGenerator<Buffer, void, undefined>,
  expected: ExpectedPush,
): Promise<AsyncIterable<Buffer> | 'probe'> => {
  let seen = Buffer.alloc(0);
  for (let next = await nextOf(body); ; next = await nextOf(body)) {
    if (next !== undefined) seen = Buffer.concat([seen, next]);
    const judged = judge(seen, expected);
    if (judged.type === 'refused') throw forbidden(judged.message);
    if (judged.type === 'update') return joined(seen, body);
    if (judged.type === 'probe') {
      if (seen.length > judged.length || (await nextOf(body)) !== undefined) throw forbidden('a push without a ref update');
      return 'probe';
    }
    if (next === undefined) throw new Refusal(400, 'PushIncomplete', 'the push ends within its command list');
  }
};

const nextOf = async (body: AsyncGenerator<Buffer, void, undefined>): Promise<Buffer | undefined> => {
  const next = await body.next();
  return next.done === true ? undefined : next.value;
};

const judge = (seen: Buffer, expected: ExpectedPush): ReturnType<typeof judgePush> => {
  try {
    return judgePush(seen, expected);
  } catch (error) {
    if (error instanceof MalformedPktLine) throw new Refusal(400, 'PushMalformed', error.message, { cause: error });
    throw error;
  }
};

async function* joined(first: Buffer, rest: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void, undefined> {
  yield first;
  yield* rest;
}
