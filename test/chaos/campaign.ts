// Which points are walked together and in what order, and what is known of each so far. Pure; main.ts keeps the state in a file.
import type { Moment, Point } from './contract.ts';
import type { PointSeen, RoundSeen } from './round.ts';

/** What is known of a point. `broke` only when it was alone in its round. */
export interface Verdict extends PointSeen {
  readonly verdict: 'survived' | 'broke' | 'not struck';
  readonly round: string;
  readonly problems: readonly string[];
}

export interface Campaign {
  readonly seed: number;
  readonly done: readonly Verdict[];
  /** Points whose round went wrong in company: the next time they are alone. */
  readonly alone: readonly Point[];
  /** Points whose moment did not come: the next time they are first. */
  readonly missed: readonly Point[];
  readonly rounds: number;
}

export const emptyCampaign = (seed: number): Campaign => ({ seed, done: [], alone: [], missed: [], rounds: 0 });

const isSame = (a: Point, b: Point): boolean => a.kind === b.kind && a.moment === b.moment;
const isIn = (points: readonly Point[], point: Point): boolean => points.some((each) => isSame(each, point));

/** Mulberry32: small, and the same on every machine. */
const randomFrom = (seed: number): (() => number) => {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
};

/** In an order that the seed decides, one point of each kind before the second of any: who ends early has seen all kinds. */
export const shuffled = (points: readonly Point[], seed: number): readonly Point[] => {
  const random = randomFrom(seed);
  const drawn = points.map((point) => ({ point, at: random() })).sort((a, b) => a.at - b.at);
  const seen = new Map<string, number>();
  const turns = drawn.map(({ point, at }) => {
    const turn = seen.get(point.kind) ?? 0;
    seen.set(point.kind, turn + 1);
    return { point, at, turn };
  });
  return turns.sort((a, b) => a.turn - b.turn || a.at - b.at).map(({ point }) => point);
};

const FIRST_ONLY: readonly Moment[] = ['Story applied', 'Plan approved'];

/** The points of the next round: one that must be alone, or the next ones of different kinds, of which only the first may be a beginning. */
export const nextRound = (campaign: Campaign, wanted: readonly Point[], most: number): readonly Point[] => {
  const [lonely] = campaign.alone;
  if (lonely !== undefined) return [lonely];
  const open = wanted.filter((point) => !isIn(campaign.done, point));
  const first = campaign.missed[0] ?? open.find(({ moment }) => FIRST_ONLY.includes(moment)) ?? open[0];
  if (first === undefined) return [];
  const round = [first];
  for (const point of open) {
    const fits = !FIRST_ONLY.includes(point.moment) && !round.some(({ kind }) => kind === point.kind);
    if (round.length < most && fits) round.push(point);
  }
  return round;
};

const verdictOf = (seen: PointSeen, round: RoundSeen): Verdict['verdict'] => {
  if (round.problems.length > 0) return 'broke';
  return seen.struck ? 'survived' : 'not struck';
};

export const withRound = (campaign: Campaign, id: string, round: RoundSeen): Campaign => {
  const wasAlone = round.points.length === 1;
  const doubted = round.problems.length > 0 && !wasAlone;
  const missed = (seen: PointSeen): boolean => !seen.struck && !isIn(campaign.missed, seen);
  const verdicts = round.points.map((seen): Verdict => ({
    ...seen,
    verdict: verdictOf(seen, round),
    round: id,
    problems: round.problems,
  }));
  const left = (points: readonly Point[]): readonly Point[] => points.filter((point) => !isIn(round.points, point));
  const bare = ({ kind, moment }: Point): Point => ({ kind, moment });
  return {
    ...campaign,
    rounds: campaign.rounds + 1,
    done: [...campaign.done, ...(doubted ? [] : verdicts.filter((seen) => !missed(seen)))],
    alone: [...left(campaign.alone), ...(doubted ? round.points.map(bare) : [])],
    missed: [...left(campaign.missed), ...(doubted ? [] : round.points.filter(missed).map(bare))],
  };
};
