// Reading bodies with a limit, in both directions: a caller's request and an upstream's answer are equally untrusted.

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
