// Which points walk together, and what becomes of those whose round went wrong.
import { describe, expect, it } from 'vitest';
import { emptyCampaign, nextRound, shuffled, withRound, type Campaign } from '../../chaos/campaign.ts';
import type { Moment, Point } from '../../chaos/contract.ts';
import { ALL_POINTS } from '../../chaos/points.ts';
import type { PointSeen, RoundSeen } from '../../chaos/round.ts';

const point = (kind: string, moment: Moment = 'attempt work'): Point => ({ kind, moment });
const seen = (of: Point, struck = true): PointSeen => ({ ...of, what: 'x', struck });
const round = (points: readonly PointSeen[], ...problems: readonly string[]): RoundSeen => ({
  points,
  problems,
  ending: [],
  walkedMs: 1,
});
const names = (points: readonly { readonly kind: string }[]): readonly string[] => points.map(({ kind }) => kind);

describe('the points of a chaos run', () => {
  it('are at least 120, each once', () => {
    const texts = ALL_POINTS.map(({ kind, moment }) => `${kind} at ${moment}`);
    expect(texts.length).toBeGreaterThanOrEqual(120);
    expect(new Set(texts).size).toBe(texts.length);
  });

  it('come in an order that the seed alone decides', () => {
    expect(shuffled(ALL_POINTS, 7)).toEqual(shuffled(ALL_POINTS, 7));
    expect(shuffled(ALL_POINTS, 7)).not.toEqual(shuffled(ALL_POINTS, 8));
    expect(new Set(shuffled(ALL_POINTS, 7))).toEqual(new Set(ALL_POINTS));
  });

  it('come with one of each kind before the second of any', () => {
    const kinds = new Set(ALL_POINTS.map(({ kind }) => kind));
    expect(new Set(names(shuffled(ALL_POINTS, 7).slice(0, kinds.size)))).toEqual(kinds);
  });
});

describe('a round', () => {
  it('takes different kinds, as many as may walk together', () => {
    const wanted = [point('a'), point('a', 'courier push'), point('b'), point('c'), point('d')];
    expect(names(nextRound(emptyCampaign(1), wanted, 3))).toEqual(['a', 'b', 'c']);
  });

  it('has a beginning of the walk only as its first point', () => {
    const wanted = [point('a'), point('b', 'Plan approved'), point('c', 'Story applied'), point('d')];
    expect(names(nextRound(emptyCampaign(1), wanted, 3))).toEqual(['b', 'a', 'd']);
  });

  it('leaves out what is known, until nothing is left', () => {
    const wanted = [point('a'), point('b')];
    const campaign = withRound(emptyCampaign(1), 'r', round([seen(point('a')), seen(point('b'))]));
    expect(campaign.done.map(({ verdict }) => verdict)).toEqual(['survived', 'survived']);
    expect(nextRound(campaign, wanted, 3)).toEqual([]);
  });
});

describe('a round that went wrong', () => {
  const both = [point('a'), point('b')];
  const doubted: Campaign = withRound(
    emptyCampaign(1),
    'r',
    round(
      both.map((each) => seen(each)),
      'a commit is missing',
    ),
  );

  it('says nothing of its points when they were several: each walks again, alone', () => {
    expect(doubted.done).toEqual([]);
    expect(nextRound(doubted, both, 3)).toEqual([point('a')]);
    const next = withRound(doubted, 's', round([seen(point('a'))]));
    expect(nextRound(next, both, 3)).toEqual([point('b')]);
  });

  it('says all of a point that was alone', () => {
    const next = withRound(doubted, 's', round([seen(point('a'))], 'a commit is missing'));
    expect(next.done).toMatchObject([{ kind: 'a', verdict: 'broke', problems: ['a commit is missing'] }]);
  });

  it('counts no point that was not struck: it is the first of a further round, and then is told as such', () => {
    const company = withRound(emptyCampaign(1), 'r', round([seen(point('b')), seen(point('a'), false)]));
    expect(company.done).toMatchObject([{ kind: 'b', verdict: 'survived' }]);
    expect(names(nextRound(company, [...both, point('c')], 3))).toEqual(['a', 'c']);
    const again = withRound(company, 's', round([seen(point('a'), false), seen(point('c'))]));
    expect(again.done).toMatchObject([{ kind: 'b' }, { kind: 'a', verdict: 'not struck' }, { kind: 'c' }]);
    expect(nextRound(again, [...both, point('c')], 3)).toEqual([]);
  });
});
