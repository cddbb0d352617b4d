// Which waiting turn is next: tables, and long runs in which nobody starves.

import { describe, expect, it } from 'vitest';
import { nextPick, type Place, type Places } from '../../../agent-pool/picking.ts';
import type { TurnPriority } from '../../../crds/contracts/turns.ts';

const places = (high: Place, normal: Place, low: Place): Places => ({ high, normal, low });

/** So many picks from what always has more. */
const picksOf = (from: Places, count: number): readonly (TurnPriority | undefined)[] =>
  Array.from({ length: count }, (_, picks) => nextPick(from, picks));

describe('the next pick', () => {
  it.each([
    { given: 'nothing waits', places: places('nothing', 'nothing', 'nothing'), picks: 0, want: undefined },
    { given: 'one of each waits', places: places('waiting', 'waiting', 'waiting'), picks: 0, want: 'high' },
    { given: 'no high one waits', places: places('nothing', 'waiting', 'waiting'), picks: 0, want: 'normal' },
    { given: 'only a low one waits', places: places('nothing', 'nothing', 'waiting'), picks: 0, want: 'low' },
    { given: 'a high one is on its way', places: places('coming', 'nothing', 'waiting'), picks: 0, want: undefined },
    { given: 'a low one is on its way', places: places('waiting', 'nothing', 'coming'), picks: 0, want: 'high' },
    { given: 'it is the turn of normal', places: places('waiting', 'waiting', 'waiting'), picks: 3, want: 'normal' },
    {
      given: 'it is the turn of normal, where none waits',
      places: places('waiting', 'nothing', 'waiting'),
      picks: 3,
      want: 'high',
    },
    { given: 'it is the turn of the lowest', places: places('waiting', 'waiting', 'waiting'), picks: 7, want: 'low' },
    {
      given: 'it is the turn of the lowest, which is normal',
      places: places('waiting', 'waiting', 'nothing'),
      picks: 7,
      want: 'normal',
    },
    {
      given: 'it is the turn of the lowest, where high alone waits',
      places: places('waiting', 'nothing', 'nothing'),
      picks: 7,
      want: 'high',
    },
    {
      given: 'the lowest, whose turn it is, is on its way',
      places: places('waiting', 'waiting', 'coming'),
      picks: 15,
      want: undefined,
    },
  ] as const)('is $want when $given', ({ places: given, picks, want }) => {
    expect(nextPick(given, picks)).toBe(want);
  });

  it('gives of each eight six to high, one to normal and one to low, when all of them have more', () => {
    const round = ['high', 'high', 'high', 'normal', 'high', 'high', 'high', 'low'];
    expect(picksOf(places('waiting', 'waiting', 'waiting'), 24)).toEqual([...round, ...round, ...round]);
  });

  it('gives of each eight one to low, whatever else has more', () => {
    for (const high of ['nothing', 'waiting'] as const)
      for (const normal of ['nothing', 'waiting'] as const)
        for (let first = 0; first < 8; first += 1) {
          const eight = picksOf(places(high, normal, 'waiting'), first + 8).slice(first);
          expect(eight).toContain('low');
        }
  });
});
