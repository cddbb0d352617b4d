// Reading bodies with a limit, in both directions: a caller's request and an upstream's answer are equally untrusted.

import type { IncomingMessage } from 'node:http';
import { Refusal } from './refusal.ts';

export interface BodyLimit {
  readonly bytes: number;
  readonly tooLarge: () => Error;
}

/** Passes chunks on until there are too many bytes. */
export async function* limited(body: AsyncIterable<unknown>, limit: BodyLimit): AsyncGenerator<Buffer, void, undefined> {
  let size = 0;
  for await (const chunk of body) {
    const bytes = Buffer.isBuffer(chunk) ? chunk : Buffer.from(chunk as Uint8Array);
    size += bytes.length;
    if (size > limit.bytes) throw limit.tooLarge();
    yield bytes;
  }
}

export const readLimited = async (body: AsyncIterable<unknown>, limit: BodyLimit): Promise<Buffer> => {
  const chunks: Buffer[] = [];
  for await (const chunk of limited(body, limit)) chunks.push(chunk);
  return Buffer.concat(chunks);
};

/** What a caller sends. Unlike the stream itself, it can be left unread without ending the connection that the answer needs. */
export const bodyOf = (request: IncomingMessage): AsyncIterable<unknown> => request.iterator({ destroyOnReturn: false });

/** Lets a caller finish what it sends, so that it reads our answer instead of a broken connection; not for ever, and not everything. */
export const drain = (request: IncomingMessage, limit: { readonly bytes: number; readonly ms: number }): void => {
  if (request.complete || request.destroyed) return;
  let left = limit.bytes;
  const timer = setTimeout(() => request.destroy(), limit.ms).unref();
  request.on('data', (chunk: Buffer) => {
    left -= chunk.length;
    if (left < 0) request.destroy();
  });
  request.once('close', () => clearTimeout(timer));
  request.resume();
};

/** The limit for what callers send. */
export const requestLimit = (bytes: number): BodyLimit => ({
  bytes,
  tooLarge: () => new Refusal(413, 'BodyTooLarge', `the body may have at most ${bytes} bytes`),
});

/** The limit for what upstreams answer. */
export const answerLimit = (bytes: number): BodyLimit => ({
  bytes,
  tooLarge: () => new Refusal(502, 'AnswerTooLarge', `the upstream's answer has more than ${bytes} bytes`),
});
