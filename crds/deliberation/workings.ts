// What lies between the contributions and the results, for people who read how it came about: who stood behind which letter, and who could not win.
// May: work it out from the record by the rules of this version. May not: say what the outcome is.
import { Book, type Contribution, type Labels } from './contributions.ts';
import { ranked, shortlist } from './outcome.ts';
import { labelsOf, lettered, scoringOf, textsOf } from './protocol.ts';
import type { Pinned } from './seats.ts';

export interface Workings {
  /** Agents by the letters under which everybody scored their texts. */
  readonly scored: Labels;
  /** Agents by the letters under which the architect chose. */
  readonly chosenAmong: Labels;
  /** Why one cannot win, by agent. */
  readonly unfit: ReadonlyMap<string, string>;
}

export const workingsOf = (pinned: Pinned, contributions: readonly Contribution[]): Workings => {
  const book = new Book(pinned, contributions, new Map());
  const texts = textsOf(book, 0);
  const judged = ranked(pinned, texts, scoringOf(book, texts));
  return {
    scored: labelsOf(lettered(texts.standing)),
    chosenAmong: labelsOf(
      shortlist(
        pinned,
        judged.filter(({ unfit }) => unfit === undefined),
      ),
    ),
    unfit: new Map(judged.flatMap(({ text, unfit }) => (unfit === undefined ? [] : [[text.agent, unfit] as const]))),
  };
};
