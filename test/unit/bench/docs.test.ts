import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { withRows } from '../../../bench/docs.ts';
import { growthPlot, SIZES, timePerTaskRow } from '../../../bench/growth.ts';
import { rowsOf } from '../../../bench/rows.ts';

const page = readFileSync(join(import.meta.dirname, '../../../docs/benchmarks.md'), 'utf8');
const rows = (times: readonly number[]) => {
  const names = SIZES.map(timePerTaskRow);
  const figures = Object.fromEntries(times.map((ms, n) => [names[n] ?? '', ms]));
  return rowsOf(
    names.map((name) => ({ name, unit: 'ms' })),
    figures,
  );
};

describe('the page of figures', () => {
  it('has a part for the bench, and keeps everything around it', () => {
    const once = withRows(page, 'FIRST');
    expect(once).toContain('FIRST');
    expect(withRows(once, 'SECOND')).toBe(withRows(page, 'SECOND'));
    expect(withRows(once, 'SECOND').replace('SECOND', 'FIRST')).toBe(once);
  });

  it('is refused when it has none', () => {
    expect(() => withRows('# Figures\n', 'rows')).toThrow('no part between');
  });
});

describe('the plot of growth', () => {
  it('has a point for each size that was measured', () => {
    const svg = growthPlot(rows([100, 110, 130])) ?? '';
    expect(svg.match(/<circle/g)).toHaveLength(3);
    expect(svg).toContain('110 ms');
    expect(svg).toContain('10,000');
  });

  it('rises where time rises', () => {
    const heights = [...(growthPlot(rows([100, 200, 400])) ?? '').matchAll(/cy="([\d.]+)"/g)].map(([, y]) => Number(y));
    expect([...heights].sort((a, b) => b - a)).toEqual(heights);
    expect(new Set(heights).size).toBe(3);
  });

  it('is not drawn from a single point', () => {
    expect(growthPlot(rows([100]))).toBeUndefined();
  });
});
