// From the bytes of a watch to its events. Says aloud when a line is cut, unreadable or too long: silence would freeze a cache.

import { isRecord, recordAt } from './json.ts';
import { resourceVersionOf } from './object.ts';

export type WatchEvent =
  | { readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'; readonly object: unknown }
  | { readonly type: 'BOOKMARK'; readonly resourceVersion: string; readonly initialEventsEnd: boolean }
  | { readonly type: 'ERROR'; readonly code: number; readonly reason: string | undefined; readonly message: string };

/** The stream said something that cannot be understood: what was missed is unknown, so the reader lists again. */
export class WatchBroken extends Error {
  override readonly name = 'WatchBroken';
}

/** The API server accepts objects of at most about 3 MiB; a longer line is no event of its. */
const MAX_LINE_BYTES = 16 * 1024 * 1024;
const NEWLINE = 0x0a;
const INITIAL_EVENTS_END = 'k8s.io/initial-events-end';

const bookmarkOf = (object: unknown): WatchEvent => {
  const resourceVersion = resourceVersionOf(object);
  if (resourceVersion === undefined) throw new WatchBroken('bookmark without resourceVersion');
  const annotations = recordAt(recordAt(object, 'metadata'), 'annotations');
  return { type: 'BOOKMARK', resourceVersion, initialEventsEnd: annotations[INITIAL_EVENTS_END] === 'true' };
};

const errorOf = (object: unknown): WatchEvent => {
  const { code, reason, message } = isRecord(object) ? object : {};
  return {
    type: 'ERROR',
    code: typeof code === 'number' ? code : 500,
    reason: typeof reason === 'string' ? reason : undefined,
    message: typeof message === 'string' ? message : 'watch error without a message',
  };
};

/** Reads one line. Throws WatchBroken for anything that is no watch event. */
export const parseWatchLine = (line: string): WatchEvent => {
  let parsed: unknown;
  try {
    parsed = JSON.parse(line);
  } catch (cause) {
    throw new WatchBroken(`unparsable line of ${line.length} characters`, { cause });
  }
  const { type, object } = isRecord(parsed) ? parsed : {};
  switch (type) {
    case 'ADDED':
    case 'MODIFIED':
    case 'DELETED':
      return { type, object };
    case 'BOOKMARK':
      return bookmarkOf(object);
    case 'ERROR':
      return errorOf(object);
    default:
      throw new WatchBroken(`unknown event type ${JSON.stringify(type)?.slice(0, 40)}`);
  }
};

/** Cuts chunks of bytes into lines, across chunk borders. Throws WatchBroken when the bytes end within a line. */
export async function* splitLines(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<string, void, undefined> {
  let parts: Uint8Array[] = [];
  let pending = 0;
  for await (const chunk of chunks) {
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, start)) {
      parts.push(chunk.subarray(start, end));
      const line = Buffer.concat(parts).toString('utf8');
      parts = [];
      pending = 0;
      start = end + 1;
      if (line !== '') yield line;
    }
    if (start < chunk.length) parts.push(chunk.subarray(start));
    pending += chunk.length - start;
    if (pending > MAX_LINE_BYTES) throw new WatchBroken(`line longer than ${MAX_LINE_BYTES} bytes`);
  }
  if (pending > 0) throw new WatchBroken(`stream ended within a line, after ${pending} bytes`);
}

export async function* watchEvents(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<WatchEvent, void, undefined> {
  for await (const line of splitLines(chunks)) yield parseWatchLine(line);
}
