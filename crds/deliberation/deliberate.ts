// Where a Deliberation stands: which turns are open, or how it ends. One function of pins, contributions and answers; the operator decides by it,
// and whoever replays one asks the same with the contributions alone.
import type { DeliberationSpec, DeliberationStatus } from '../kinds/deliberation.ts';
import { Book, type Answer, type Contribution } from './contributions.ts';
import { ranked, selected, type Choice, type Judged } from './outcome.ts';
import { scoresExpected, scoringOf, textsOf, type OpenTurn, type StepName, type Texts } from './protocol.ts';
import type { Result } from './scores.ts';
import { architect, proposers, type Pinned } from './seats.ts';

export interface Course {
  readonly pinned: Pinned;
  readonly select: DeliberationSpec['select'];
  readonly startedMs: number;
  readonly contributions: readonly Contribution[];
  /** By the number of their turns; none where it is replayed. */
  readonly answers: ReadonlyMap<number, Answer>;
}

export type End =
  | {
      readonly kind: 'completed';
      readonly results: readonly Result[];
      readonly choice: Choice;
      /** Why the scores decided where an architect should have. */
      readonly byScores?: string;
    }
  | { readonly kind: 'failed'; readonly reason: string; readonly message: string; readonly results: readonly Result[] };

export type Stand =
  | { readonly kind: 'open'; readonly turns: readonly OpenTurn[]; readonly step: StepName; readonly round: number }
  | { readonly kind: 'ended'; readonly end: End };

export interface Deliberated {
  readonly stand: Stand;
  readonly contributions: readonly Contribution[];
  /** Turns that came to something, and all that there will be as far as can be told. */
  readonly answered: number;
  readonly expected: number;
  readonly usage: NonNullable<DeliberationStatus['usage']>;
}

const failed = (reason: string, message: string, results: readonly Result[] = []): Stand => ({
  kind: 'ended',
  end: { kind: 'failed', reason, message, results },
});

/** Told in the same words whatever came first: as soon as it is certain, while others are still at it. */
const quorumMissing = ({ quorum }: Pinned, { standing, pending }: Texts): Stand | undefined =>
  standing.length + pending >= quorum
    ? undefined
    : failed(
        'QuorumMissing',
        `fewer than the ${quorum} proposal${quorum === 1 ? '' : 's'} that are needed came: see the reasons among the contributions`,
      );

const open = (turns: readonly OpenTurn[], step: StepName, round = 0): Stand => ({ kind: 'open', turns, step, round });

const unfitSentence = (judged: readonly Judged[]): string =>
  `no proposal can win: ${judged.map(({ result, unfit }) => `${result.agent}, ${unfit ?? ''}`).join('; ')}`;

const standOf = (book: Book, { select }: Course, texts: Texts): { readonly stand: Stand; readonly expected: number } => {
  const { pinned } = book;
  const lastOnes = select === 'Architect' && architect(pinned) !== undefined && proposers(pinned).length > 1 ? 1 : 0;
  const early = { expected: texts.expected + scoresExpected(pinned) + lastOnes };
  const missing = quorumMissing(pinned, texts);
  if (missing !== undefined) return { ...early, stand: missing };
  if (texts.stage !== undefined) return { ...early, stand: open(texts.open, texts.stage.step, texts.stage.round) };
  const scoring = scoringOf(book, texts);
  const late = { expected: texts.expected + scoring.expected + lastOnes };
  if (scoring.open.length > 0) return { ...late, stand: open(scoring.open, 'Score') };
  const judged = ranked(pinned, texts, scoring);
  const results = judged.map(({ result }) => result);
  const fit = judged.filter(({ unfit }) => unfit === undefined);
  if (fit.length === 0) return { ...late, stand: failed('NoneEligible', unfitSentence(judged), results) };
  const selection = selected(book, { fit, scoring, select });
  if (selection.kind === 'open') return { ...late, stand: open([selection.turn], 'Select', selection.turn.place.round) };
  const { choice, byScores } = selection;
  return {
    ...late,
    stand: { kind: 'ended', end: { kind: 'completed', results, choice, ...(byScores !== undefined && { byScores }) } },
  };
};

/** Turns that are given up must be among `contributions` before: nothing here looks at a clock. */
export const deliberate = (course: Course): Deliberated => {
  const book = new Book(course.pinned, course.contributions, course.answers);
  const texts = textsOf(book, course.startedMs);
  const { stand, expected } = standOf(book, course, texts);
  const { contributions } = book;
  const tokens = contributions.reduce((sum, each) => sum + (each.tokens ?? 0), 0);
  const calls = contributions.filter(({ outcome, late }) => outcome !== 'TimedOut' || late).length;
  return {
    stand,
    contributions,
    answered: contributions.length,
    expected: Math.max(expected, contributions.length),
    usage: { tokens, calls },
  };
};
