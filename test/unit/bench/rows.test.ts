import { describe, expect, it } from 'vitest';
import { asMarkdown, asText, isMeasured, meets, rowsOf, type Goal } from '../../../bench/rows.ts';
import { median, quantile, rounded } from '../../../bench/statistics.ts';

const declared: readonly Goal[] = [
  { name: 'writes', unit: 'writes', goal: '≤ 8' },
  { name: 'ratio', unit: '×', goal: '≥ 0.7' },
  { name: 'floor', unit: 'ms' },
];

describe('rows of the bench', () => {
  it('are one for each that was declared, in that order, with the goal judged', () => {
    expect(rowsOf(declared, { floor: 3.14159, ratio: { value: 0.5, note: 'half' }, writes: 8 })).toEqual([
      { name: 'writes', unit: 'writes', goal: '≤ 8', value: 8, met: true },
      { name: 'ratio', unit: '×', goal: '≥ 0.7', value: 0.5, met: false, note: 'half' },
      { name: 'floor', unit: 'ms', goal: null, value: 3.14, met: null },
    ]);
  });

  it.each([
    ['was not told', {}],
    ['is no number', { writes: NaN, ratio: Infinity, floor: NaN }],
  ])('say so when a figure %s, and have not met their goal', (_, figures) => {
    const rows = rowsOf(declared, figures, 'kwok has ended');
    expect(rows.map(({ value, met, note }) => [value, met, note])).toEqual([
      [null, false, 'kwok has ended'],
      [null, false, 'kwok has ended'],
      [null, null, 'kwok has ended'],
    ]);
    expect(rows.some(isMeasured)).toBe(false);
    expect(asText(rows)).toContain('NOT MEASURED');
  });

  it('are not there for what nobody declared', () => {
    expect(() => rowsOf(declared, { wirtes: 3 })).toThrow('no row is declared for "wirtes"');
  });

  it('are judged by what was measured, not by what is shown', () => {
    expect(rowsOf([{ name: 'a', unit: 'ms', goal: '≤ 3' }], { a: 3.004 })[0]).toMatchObject({ value: 3, met: false });
  });

  it('can be read as Markdown', () => {
    expect(asMarkdown(rowsOf(declared.slice(0, 1), { writes: { value: 13.6, note: 'a | b' } }))).toBe(
      [
        '| name | value | unit | goal | met | note |',
        '|---|---|---|---|---|---|',
        '| writes | 13.6 | writes | ≤ 8 | no | a \\| b |',
      ].join('\n'),
    );
  });
});

describe('figures from samples', () => {
  it.each([
    ['the least of one', [7], 0.5, 7],
    ['the middle', [3, 1, 2], 0.5, 2],
    ['the nearest rank', [1, 2, 3, 4], 0.99, 4],
    ['the lower of two middles', [4, 1, 3, 2], 0.5, 2],
  ])('%s', (_, samples, part, want) => {
    expect(quantile(samples, part)).toBe(want);
  });

  it('there are none without samples', () => {
    expect(() => median([])).toThrow('no samples');
  });

  it.each([
    [0.012345, 0.0123],
    [12.345, 12.3],
    [123.45, 123],
    [12_345.6, 12_346],
    [0, 0],
  ])('%d is shown as %d', (value, want) => {
    expect(rounded(value)).toBe(want);
  });

  it.each([
    [8, '≤ 8', true],
    [8.1, '≤ 8', false],
    [0.7, '≥ 0.7', true],
    [0.69, '≥ 0.7', false],
  ] as const)('%d meets %s: %s', (value, goal, want) => {
    expect(meets(value, goal)).toBe(want);
  });
});
