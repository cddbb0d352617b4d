// Contributions: what came of each turn, as it stands in the status. What is recorded stays as it was written; an answer that nobody waits for any
// more is only marked as late. The order in which answers arrive leaves no trace.
import type { DeliberationStatus } from '../kinds/deliberation.ts';
import { turnNumber, type TurnPlace, type TurnResult } from '../contracts/turns.ts';
import { preciseTimestamp } from '../time.ts';
import { agentAt, seatOfAgent, type Pinned } from './seats.ts';

export type Contribution = NonNullable<DeliberationStatus['contributions']>[number];

/** An answer as the store has it, and when this process first saw it (epoch milliseconds, its own clock): workers' clocks decide nothing. */
export interface Answer {
  readonly result: TurnResult;
  readonly seenMs: number;
}

export const placeOf = (pinned: Pinned, { kind, round, agent, target }: Contribution): TurnPlace => ({
  ...{ kind, round, seat: seatOfAgent(pinned, agent) },
  ...(kind === 'Critique' && { target: seatOfAgent(pinned, target) }),
});

const keyed = (pinned: Pinned, { kind, round, seat, target }: TurnPlace) => ({
  ...{ agent: agentAt(pinned, seat), kind, round },
  target: target === undefined ? '' : agentAt(pinned, target),
});

/** In the order of their turns, whatever the order in which they came. */
const inOrder = (pinned: Pinned, contributions: readonly Contribution[]): readonly Contribution[] => {
  const numberOf = (contribution: Contribution): number => turnNumber(placeOf(pinned, contribution));
  return contributions.toSorted((a, b) => numberOf(a) - numberOf(b));
};

const timedOut = (pinned: Pinned, place: TurnPlace, nowMs: number): Contribution => ({
  ...keyed(pinned, place),
  ...{ outcome: 'TimedOut', reason: 'TurnTimedOut', at: preciseTimestamp(nowMs), late: false },
});

/** With turns that nobody waits for any more. */
export const withGivenUp = (
  pinned: Pinned,
  contributions: readonly Contribution[],
  places: readonly TurnPlace[],
  nowMs: number,
): readonly Contribution[] => inOrder(pinned, [...contributions, ...places.map((place) => timedOut(pinned, place, nowMs))]);

/** The texts that a turn is about, by the labels that its agent read. */
export type Labels = ReadonlyMap<string, string>;
const NO_LABELS: Labels = new Map();

type Answered = Extract<TurnResult, { ok: true }>;
type Told = Pick<Contribution, 'scores' | 'choice' | 'rationale' | 'dissent'>;
type Reading = { readonly told: Told } | { readonly reason: string };

/** Each text that was to be judged, once, by every criterion; nothing else. */
const scoresIn = (pinned: Pinned, { scores = [] }: Answered, labels: Labels): Reading => {
  const isWhole = scores.length === labels.size && new Set(scores.map(({ label }) => label)).size === labels.size;
  const known = scores.flatMap(({ label, points }) => {
    const agent = labels.get(label);
    return agent === undefined || points.length !== pinned.rubric.length ? [] : [{ agent, points: [...points] }];
  });
  if (!isWhole || known.length !== labels.size) return { reason: 'ScoresInvalid' };
  return { told: { scores: known.toSorted((a, b) => seatOfAgent(pinned, a.agent) - seatOfAgent(pinned, b.agent)) } };
};

const choiceIn = ({ choice }: Answered, labels: Labels): Reading => {
  const agent = choice && labels.get(choice.label);
  if (choice === undefined || agent === undefined) return { reason: 'ChoiceInvalid' };
  return { told: { choice: agent, rationale: choice.rationale, dissent: choice.dissent } };
};

const read = (pinned: Pinned, { kind }: TurnPlace, result: Answered, labels: Labels): Reading => {
  if (kind === 'Score') return scoresIn(pinned, result, labels);
  if (kind === 'Selection') return choiceIn(result, labels);
  return { told: {} };
};

/** What is recorded of an answer that came in time. One that does not say what its turn asked for is a failure of its agent. */
export const contributionOf = (
  pinned: Pinned,
  place: TurnPlace,
  { result, seenMs }: Answer,
  labels: Labels = NO_LABELS,
): Contribution => {
  const { context, prompts, tokens, durationMs } = result;
  const common = {
    ...keyed(pinned, place),
    ...{ prompts, tokens, durationMs, at: preciseTimestamp(seenMs), late: false },
    ...(context !== undefined && { context }),
  };
  if (!result.ok) return { ...common, outcome: 'Failed', reason: result.reason };
  const reading = read(pinned, place, result, labels);
  if ('reason' in reading) return { ...common, outcome: 'Failed', reason: reading.reason, digest: result.digest };
  const { checks } = result;
  return { ...common, outcome: 'Answered', digest: result.digest, ...(checks !== undefined && { checks }), ...reading.told };
};

/** What was given up, and then came after all: its digest and cost are kept, its words count for nothing. */
const asLate = (contribution: Contribution, { result }: Answer): Contribution => {
  if (contribution.outcome !== 'TimedOut' || contribution.late) return contribution;
  const { tokens, durationMs } = result;
  return { ...contribution, late: true, tokens, durationMs, ...(result.ok && { digest: result.digest }) };
};

/** What a Deliberation knows of its turns: what is recorded, and the answers that are not yet. */
export class Book {
  readonly pinned: Pinned;
  readonly #known = new Map<number, Contribution>();
  readonly #answers: ReadonlyMap<number, Answer>;

  constructor(pinned: Pinned, recorded: readonly Contribution[], answers: ReadonlyMap<number, Answer>) {
    this.pinned = pinned;
    this.#answers = answers;
    for (const contribution of recorded) {
      const n = turnNumber(placeOf(pinned, contribution));
      const answer = answers.get(n);
      this.#known.set(n, answer === undefined ? contribution : asLate(contribution, answer));
    }
  }

  /** What came of that turn; undefined: nothing yet. */
  of(place: TurnPlace, labels?: Labels): Contribution | undefined {
    const n = turnNumber(place);
    const known = this.#known.get(n);
    const answer = this.#answers.get(n);
    if (known !== undefined || answer === undefined) return known;
    const contribution = contributionOf(this.pinned, place, answer, labels);
    this.#known.set(n, contribution);
    return contribution;
  }

  get contributions(): readonly Contribution[] {
    return inOrder(this.pinned, [...this.#known.values()]);
  }
}
