// What a Deliberation asks next: a pure function of what was pinned and of what came of the turns so far. There is no barrier between agents: a
// revision is asked for when its critiques are there, whatever the others do. Only the scores wait for all texts, as they compare them.
//
//   Proposal(i) ─► Critique(i-1 of i, reviewers of i) ─► Revision(i) ─► … rounds … ─┐
//   Proposal(j) ─► …                                                                ├─► Score(everybody) ─► Selection(architect) ─► the end
//   Proposal(k) ─► …                                                                ┘
//
// May: say which turns are open and which text stands. May not: read a clock; when a turn is given up is `turns.ts`'s to say.
import { epochMs } from '../time.ts';
import { MAX_SELECTIONS, type TurnInput, type TurnPlace } from '../contracts/turns.ts';
import type { DELIBERATION_STEPS } from '../kinds/deliberation.ts';
import type { Book, Contribution, Labels } from './contributions.ts';
import { agentAt, architect, criticsOf, proposers, scorers, type Pinned } from './seats.ts';

export type StepName = (typeof DELIBERATION_STEPS)[number];

/** A turn that is to be asked for, and from when on it could be (epoch milliseconds). */
export interface OpenTurn {
  readonly place: TurnPlace;
  readonly inputs: readonly TurnInput[];
  readonly readyMs: number;
}

/** The text of one proposer that stands. */
export interface Standing {
  readonly seat: number;
  readonly agent: string;
  readonly digest: string;
  readonly checks: Contribution['checks'];
  readonly atMs: number;
}

interface Stage {
  readonly step: StepName;
  readonly round: number;
}

/** How far one proposer is. */
type Path =
  | { readonly kind: 'pending'; readonly stage: Stage }
  | { readonly kind: 'none'; readonly atMs: number }
  | { readonly kind: 'stands'; readonly text: Standing };

/** Everything up to the scores: who stands, what is open, how many turns there are in all as far as can be told. */
export interface Texts {
  readonly standing: readonly Standing[];
  readonly pending: number;
  readonly open: readonly OpenTurn[];
  readonly expected: number;
  readonly stage: Stage | undefined;
  /** From when on the texts could be scored. */
  readonly readyMs: number;
}

const atOf = ({ at }: Contribution): number => epochMs(at) ?? 0;
const isAnswered = (contribution: Contribution | undefined): contribution is Contribution & { digest: string } =>
  contribution?.outcome === 'Answered' && contribution.digest !== undefined;

interface Walk {
  readonly book: Book;
  readonly startedMs: number;
  readonly open: OpenTurn[];
  expected: number;
}

const propose = (walk: Walk, seat: number): Path => {
  const place: TurnPlace = { kind: 'Proposal', round: 0, seat };
  walk.expected += 1;
  const found = walk.book.of(place);
  if (found === undefined) {
    walk.open.push({ place, inputs: [], readyMs: walk.startedMs });
    return { kind: 'pending', stage: { step: 'Generate', round: 0 } };
  }
  if (!isAnswered(found)) return { kind: 'none', atMs: atOf(found) };
  const { digest, checks } = found;
  return { kind: 'stands', text: { seat, agent: agentAt(walk.book.pinned, seat), digest, checks, atMs: atOf(found) } };
};

const critiques = (walk: Walk, text: Standing, round: number): readonly (Contribution | undefined)[] =>
  criticsOf(walk.book.pinned, text.seat).map((critic) => {
    const place: TurnPlace = { kind: 'Critique', round, seat: critic, target: text.seat };
    walk.expected += 1;
    const found = walk.book.of(place);
    if (found === undefined) walk.open.push({ place, inputs: [{ label: 'proposal', digest: text.digest }], readyMs: text.atMs });
    return found;
  });

/** The text after that round: revised by its author, or as it was where nobody said anything about it. */
const revise = (walk: Walk, text: Standing, round: number): Path => {
  const said = critiques(walk, text, round);
  if (said.includes(undefined)) {
    walk.expected += 1;
    return { kind: 'pending', stage: { step: 'Critique', round } };
  }
  const heard = said.filter(isAnswered);
  const saidMs = Math.max(text.atMs, ...said.flatMap((each) => (each === undefined ? [] : [atOf(each)])));
  if (heard.length === 0) return { kind: 'stands', text: { ...text, atMs: saidMs } };
  const place: TurnPlace = { kind: 'Revision', round, seat: text.seat };
  walk.expected += 1;
  const found = walk.book.of(place);
  if (found === undefined) {
    const inputs = heard.map(({ digest }, index) => ({ label: `critique-${index + 1}`, digest }));
    walk.open.push({ place, inputs: [{ label: 'own', digest: text.digest }, ...inputs], readyMs: saidMs });
    return { kind: 'pending', stage: { step: 'Revise', round } };
  }
  const atMs = atOf(found);
  if (!isAnswered(found)) return { kind: 'stands', text: { ...text, atMs } };
  return { kind: 'stands', text: { ...text, digest: found.digest, checks: found.checks, atMs } };
};

const pathOf = (walk: Walk, seat: number): Path => {
  const { pinned } = walk.book;
  let path = propose(walk, seat);
  const perRound = criticsOf(pinned, seat).length + 1;
  for (let round = 1; round <= pinned.rounds && perRound > 1; round += 1) {
    if (path.kind === 'none') return path;
    if (path.kind === 'stands') path = revise(walk, path.text, round);
    else walk.expected += perRound;
  }
  return path;
};

const STEPS: readonly StepName[] = ['Generate', 'Critique', 'Revise', 'Score', 'Select'];
const isBefore = (a: Stage, b: Stage): boolean =>
  a.round === b.round ? STEPS.indexOf(a.step) < STEPS.indexOf(b.step) : a.round < b.round;

/** The stage of whoever is furthest behind. */
const hindmost = (stages: readonly Stage[]): Stage | undefined =>
  stages.reduce<Stage | undefined>((least, stage) => (least === undefined || isBefore(stage, least) ? stage : least), undefined);

export const textsOf = (book: Book, startedMs: number): Texts => {
  const walk: Walk = { book, startedMs, open: [], expected: 0 };
  const paths = proposers(book.pinned).map((seat) => pathOf(walk, seat));
  const standing = paths.flatMap((path) => (path.kind === 'stands' ? [path.text] : []));
  return {
    standing,
    pending: paths.filter(({ kind }) => kind === 'pending').length,
    open: walk.open,
    expected: walk.expected,
    stage: hindmost(paths.flatMap((path) => (path.kind === 'pending' ? [path.stage] : []))),
    readyMs: Math.max(
      startedMs,
      ...paths.flatMap((path) => (path.kind === 'stands' ? [path.text.atMs] : path.kind === 'none' ? [path.atMs] : [])),
    ),
  };
};

const LETTERS = 'ABCDEFGHIJKL';

/** Texts under letters, in the order of their digests: neither the place nor the letter says who wrote one. */
export const lettered = (texts: readonly Standing[]): readonly { readonly label: string; readonly text: Standing }[] =>
  texts
    .toSorted((a, b) => (a.digest === b.digest ? a.seat - b.seat : a.digest < b.digest ? -1 : 1))
    .map((text, index) => ({ label: LETTERS[index] ?? '', text }));

type Lettered = ReturnType<typeof lettered>;

export const labelsOf = (texts: Lettered): Labels => new Map(texts.map(({ label, text }) => [label, text.agent]));
export const inputsOf = (texts: Lettered): readonly TurnInput[] =>
  texts.map(({ label, text }) => ({ label, digest: text.digest }));

export interface Scoring {
  /** What each scorer said of each agent's text, without those who said nothing. */
  readonly given: readonly { readonly scorer: string; readonly scores: NonNullable<Contribution['scores']> }[];
  readonly open: readonly OpenTurn[];
  readonly expected: number;
  readonly readyMs: number;
}

/** One turn for each who judges, about all texts but his own. Of one proposer without reviewers nobody judges anything. */
export const scoringOf = (book: Book, { standing, readyMs }: Texts): Scoring => {
  const { pinned } = book;
  const texts = lettered(standing);
  const turns = scorers(pinned).flatMap((seat) => {
    const others = texts.filter(({ text }) => text.seat !== seat);
    if (others.length === 0) return [];
    const place: TurnPlace = { kind: 'Score', round: 0, seat };
    return [{ place, others, found: book.of(place, labelsOf(others)) }];
  });
  return {
    given: turns.flatMap(({ found }) => (found?.scores === undefined ? [] : [{ scorer: found.agent, scores: found.scores }])),
    open: turns.flatMap(({ place, others, found }) =>
      found === undefined ? [{ place, inputs: inputsOf(others), readyMs }] : [],
    ),
    expected: turns.length,
    readyMs: Math.max(readyMs, ...turns.flatMap(({ found }) => (found === undefined ? [] : [atOf(found)]))),
  };
};

/** How many Score turns there will be, before it is known who stands. */
export const scoresExpected = (pinned: Pinned): number =>
  proposers(pinned).length > 1 ? scorers(pinned).length : scorers(pinned).length - 1;

/** Every turn that there can be with that roster and so many rounds. */
export const everyTurn = (pinned: Pinned): readonly TurnPlace[] => {
  const writers = proposers(pinned);
  const rounds = Array.from({ length: pinned.rounds }, (_, index) => index + 1);
  const seat = architect(pinned);
  return [
    ...writers.map((writer): TurnPlace => ({ kind: 'Proposal', round: 0, seat: writer })),
    ...rounds.flatMap((round) =>
      writers.flatMap((target): readonly TurnPlace[] => [
        ...criticsOf(pinned, target).map((critic): TurnPlace => ({ kind: 'Critique', round, seat: critic, target })),
        { kind: 'Revision', round, seat: target },
      ]),
    ),
    ...scorers(pinned).map((scorer): TurnPlace => ({ kind: 'Score', round: 0, seat: scorer })),
    ...(seat === undefined
      ? []
      : Array.from({ length: MAX_SELECTIONS }, (_, index): TurnPlace => ({ kind: 'Selection', round: index + 1, seat }))),
  ];
};
