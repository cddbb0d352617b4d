import { describe, expect, it } from 'vitest';
import { parseWatchLine, splitLines, WatchBroken, watchEvents, type WatchEvent } from '../../../kube/watch-stream.ts';

async function* chunks(...texts: readonly string[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) yield Buffer.from(text, 'utf8');
}

async function* bytes(data: Buffer, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < data.length; at += size) yield data.subarray(at, at + size);
}

const collect = async <T>(source: AsyncIterable<T>): Promise<readonly T[]> => {
  const all: T[] = [];
  for await (const each of source) all.push(each);
  return all;
};

describe('lines of a watch', () => {
  const cases: readonly { readonly name: string; readonly given: readonly string[]; readonly want: readonly string[] }[] = [
    { name: 'nothing is no line', given: [], want: [] },
    { name: 'one line in one chunk', given: ['{"a":1}\n'], want: ['{"a":1}'] },
    { name: 'several lines in one chunk', given: ['a\nb\nc\n'], want: ['a', 'b', 'c'] },
    { name: 'a line over several chunks', given: ['{"a"', ':', '1}', '\n'], want: ['{"a":1}'] },
    { name: 'a chunk that ends one line and begins the next', given: ['a\nb', 'c\n'], want: ['a', 'bc'] },
    { name: 'empty lines and chunks are passed over', given: ['', '\n\na\n', '', '\n'], want: ['a'] },
  ];
  for (const { name, given, want } of cases)
    it(name, async () => {
      expect(await collect(splitLines(chunks(...given)))).toEqual(want);
    });

  it('characters of several bytes are whole, wherever the chunks are cut', async () => {
    const line = '{"text":"Ärger — 日本語 🚢"}';
    for (const size of [1, 2, 3, 5, 7]) expect(await collect(splitLines(bytes(Buffer.from(`${line}\n`), size)))).toEqual([line]);
  });

  it('an end within a line is told, after the whole lines before it', async () => {
    const seen: string[] = [];
    const read = async (): Promise<void> => {
      for await (const line of splitLines(chunks('a\nb\n{"cut'))) seen.push(line);
    };
    await expect(read()).rejects.toThrow(WatchBroken);
    expect(seen).toEqual(['a', 'b']);
  });

  it('a line without end is given up before it fills the memory', async () => {
    async function* endless(): AsyncGenerator<Uint8Array> {
      for (;;) yield Buffer.alloc(1024 * 1024, 'x');
    }
    await expect(collect(splitLines(endless()))).rejects.toThrow('line longer than');
  });
});

describe('events of a watch', () => {
  const object = { metadata: { name: 'x' } };
  const cases: readonly { readonly name: string; readonly line: string; readonly want: WatchEvent }[] = [
    { name: 'an addition', line: JSON.stringify({ type: 'ADDED', object }), want: { type: 'ADDED', object } },
    { name: 'a deletion', line: JSON.stringify({ type: 'DELETED', object }), want: { type: 'DELETED', object } },
    {
      name: 'a bookmark',
      line: '{"type":"BOOKMARK","object":{"metadata":{"resourceVersion":"17"}}}',
      want: { type: 'BOOKMARK', resourceVersion: '17', initialEventsEnd: false },
    },
    {
      name: 'an error',
      line: '{"type":"ERROR","object":{"code":410,"reason":"Expired","message":"too old"}}',
      want: { type: 'ERROR', code: 410, reason: 'Expired', message: 'too old' },
    },
    {
      name: 'an error that says nothing about itself',
      line: '{"type":"ERROR"}',
      want: { type: 'ERROR', code: 500, reason: undefined, message: 'watch error without a message' },
    },
  ];
  for (const { name, line, want } of cases)
    it(`${name} is read`, () => {
      expect(parseWatchLine(line)).toEqual(want);
    });

  const broken = [
    '',
    'not json',
    '{"type":"ADDED","object":',
    '{"type":"NEWS","object":{}}',
    '{}',
    'null',
    '{"type":"BOOKMARK","object":{}}',
    '[1]',
  ];
  for (const line of broken)
    it(`${JSON.stringify(line)} breaks the watch aloud`, () => {
      expect(() => parseWatchLine(line)).toThrow(WatchBroken);
    });

  it('events before an unreadable line are still given', async () => {
    const seen: string[] = [];
    const read = async (): Promise<void> => {
      for await (const event of watchEvents(chunks('{"type":"ADDED","object":1}\nrubbish\n{"type":"DELETED","object":1}\n')))
        seen.push(event.type);
    };
    await expect(read()).rejects.toThrow(WatchBroken);
    expect(seen).toEqual(['ADDED']);
  });
});
