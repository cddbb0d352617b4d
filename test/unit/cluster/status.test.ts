// How a death is put into words.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { describeDeath, lastLines } from '../../cluster/status.ts';

const directory = mkdtempSync(join(tmpdir(), 'swe-fleet-status-'));
afterAll(() => rmSync(directory, { recursive: true }));

describe('the last lines of a log', () => {
  const cases: readonly (readonly [string, string, readonly string[]])[] = [
    ['are all of a short one', 'one\ntwo\n', ['one', 'two']],
    [
      'are the last of a long one',
      `${Array.from({ length: 5_000 }, (_, n) => `line ${n}`).join('\n')}\n`,
      ['line 4997', 'line 4998', 'line 4999'],
    ],
    ['are there without a last line break', 'one\ntwo\nthree\nfour', ['two', 'three', 'four']],
  ];
  it.each(cases)('%s', (_, text, want) => {
    const path = join(directory, 'log');
    writeFileSync(path, text);
    expect(lastLines(path, 3)).toEqual(want);
  });

  it('are none where no log is', () => expect(lastLines(join(directory, 'gone'), 3)).toEqual([]));
});

describe('a death', () => {
  const death = { how: 'signal SIGKILL', at: '2026-01-02T03:04:05.000Z', livedMs: 10, log: '/l/etcd.log' };
  const component = { name: 'etcd', pid: 7, startedAt: '2026-01-02T03:04:04.990Z' } as const;

  it('is told with its name, time, cause and last lines', () => {
    expect(describeDeath({ ...component, death: { ...death, lastLines: ['a', 'b'] } })).toBe(
      'etcd died at 2026-01-02T03:04:05.000Z (signal SIGKILL). Last lines of /l/etcd.log:\n    a\n    b',
    );
  });

  it('is told even of one that said nothing', () => {
    expect(describeDeath({ ...component, death: { ...death, lastLines: [] } })).toMatch(/etcd\.log:\n {4}\(none\)$/);
  });
});
