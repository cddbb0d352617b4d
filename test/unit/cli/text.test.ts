import { describe, expect, it } from 'vitest';
import { duration, harmless, oneLine, shortDigest } from '../../../cli/text.ts';
import { nearest } from '../../../cli/nearest.ts';

describe("a stranger's text on a terminal", () => {
  it.each([
    { given: 'plain text, with tab\tand\nline break', want: 'plain text, with tab\tand\nline break' },
    { given: '\u001b[31mred\u001b[0m', want: 'red' },
    { given: 'a\u001b[2J\u001b[Hb', want: 'ab' },
    { given: 'title\u001b]0;owned\u0007', want: 'title0;owned' },
    { given: 'overwritten\rdone', want: 'overwrittendone' },
    { given: 'a\u202egpj.exe', want: 'agpj.exe' },
    { given: 'nul\u0000bell\u0007\u009b31m', want: 'nulbell31m' },
    { given: 'line\r\nline', want: 'line\nline' },
  ])('$given cannot steer it', ({ given, want }) => {
    expect(harmless(given)).toBe(want);
  });

  it('fits on one line', () => {
    expect(oneLine('  a\n\n b\tc ')).toBe('a b c');
  });
});

describe('short words', () => {
  it.each([
    [0, '0s'],
    [59_400, '59s'],
    [60_000, '1m'],
    [310_000, '5m10s'],
    [10_920_000, '3h2m'],
    [187_200_000, '2d4h'],
  ])('%d ms is %s', (ms, want) => {
    expect(duration(ms)).toBe(want);
  });

  it('keeps the beginning of digests and commits', () => {
    expect(shortDigest(`sha256:${'ab'.repeat(32)}`)).toBe('sha256:abababababab');
    expect(shortDigest('c'.repeat(40))).toBe('c'.repeat(12));
  });

  it.each([
    { word: 'aprove', want: ['approve'] },
    { word: 'tre', want: ['tree'] },
    { word: 'zzzzzz', want: [] },
  ])('$word is near to $want', ({ word, want }) => {
    expect(nearest(word, ['approve', 'reject', 'tree', 'logs'])).toEqual(want);
  });
});
