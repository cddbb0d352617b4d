// Passes an upstream's answer on: status 200 and a content type of ours, the body as it comes, bounded. No header of the upstream
// reaches the caller. What breaks after the first byte ends the connection, so that nobody takes a part for the whole.

import type { ServerResponse } from 'node:http';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { answerLimit, limited } from './body.ts';

export interface RelayOptions {
  readonly contentType: string;
  readonly maxBytes: number;
  /** Sees every chunk that passes. */
  readonly watch?: (chunk: Buffer) => void;
}

/** Ends when the last byte was handed over; throws when either side broke. Before the first byte nothing is sent, so a refusal can be. */
export const relay = async (body: AsyncIterable<unknown>, response: ServerResponse, options: RelayOptions): Promise<number> => {
  let size = 0;
  const head = { 'content-type': options.contentType, 'cache-control': 'no-store' };
  const counted = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      if (!response.headersSent) response.writeHead(200, head);
      size += chunk.length;
      options.watch?.(chunk);
      done(null, chunk);
    },
  });
  await pipeline(Readable.from(limited(body, answerLimit(options.maxBytes)), { objectMode: false }), counted, response, {
    end: false,
  });
  if (!response.headersSent) response.writeHead(200, head);
  response.end();
  return size;
};
