import { describe, expect, it } from 'vitest';
import { Arrivals } from '../../../bench/arrivals.ts';

describe('when something first came', () => {
  it('is told to who asks afterwards and to who asked before', async () => {
    const arrivals = new Arrivals();
    const early = arrivals.when('b');
    arrivals.note('a', 1);
    arrivals.note('b', 2);
    expect([await arrivals.when('a'), await early]).toEqual([1, 2]);
  });

  it('stays the first time', async () => {
    const arrivals = new Arrivals();
    arrivals.note('a', 1);
    arrivals.note('a', 5);
    expect(await arrivals.when('a')).toBe(1);
  });
});
