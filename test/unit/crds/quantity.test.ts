import { describe, expect, it } from 'vitest';
import { amountOf, greater, isMore, lesser } from '../../../crds/quantity.ts';

describe('a quantity', () => {
  it.each([
    ['1', 1],
    ['250m', 0.25],
    ['1.5', 1.5],
    ['1k', 1000],
    ['1Ki', 1024],
    ['2Gi', 2_147_483_648],
    ['0', 0],
    ['0.0', 0],
    ['1E', Number.NaN],
    ['-1', Number.NaN],
    ['', Number.NaN],
  ])('%s is %d', (text, want) => {
    expect(amountOf(text)).toBe(want);
  });

  it('is compared whatever its unit', () => {
    expect([isMore('1Gi', '1000M'), isMore('1000m', '1'), isMore('2', '1500m')]).toEqual([true, false, true]);
    expect([lesser('1Gi', '1G'), greater('1Gi', '1G')]).toEqual(['1G', '1Gi']);
  });
});
