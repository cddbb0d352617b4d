// The data of the readiness score: what each finding takes away from 100, the thresholds by rigor, and the words that make a text
// vague or dependent. Change figures here and nowhere else.

import type { Rigor } from '../../crds/kinds/story.ts';

/** Codes of the wire's `Finding`, by the letter of INVEST that each one speaks for. */
export type FindingCode = 'DEPS' | 'TITLE_VALUE' | 'ESTIMABLE' | 'AMBIGUOUS' | 'SMALL' | 'AC_MISSING' | 'AC_VAGUE';

export const findingWeights: Readonly<Record<FindingCode, number>> = {
  DEPS: 10, //        Independent: it names other work it waits for
  TITLE_VALUE: 15, // Valuable: the title does not say what somebody gets
  ESTIMABLE: 20, //   Estimable: there is no description to speak of
  AMBIGUOUS: 10, //   Estimable: words that two readers understand in two ways
  SMALL: 15, //       Small: more than one change in one Story
  AC_MISSING: 40, //  Testable: nothing says when it is done
  AC_VAGUE: 15, //    Testable: a criterion that no test can check
};

/** The least score with which a Story leaves Draft. */
export const readinessThresholds: Readonly<Record<Rigor, number>> = { L0: 50, L1: 75, L2: 85, L3: 90 };

export const limits = {
  titleWords: 3,
  descriptionCharacters: 20,
  criterionWords: 3,
  criteria: 10,
  smallDescriptionCharacters: 6000,
} as const;

export const ambiguousWords: readonly string[] = [
  'etc',
  'tbd',
  'todo',
  'somehow',
  'and/or',
  'as appropriate',
  'as needed',
  'if possible',
  'user-friendly',
  'user friendly',
  'various',
];

export const dependencyWords: readonly string[] = ['depends on', 'blocked by', 'once story', 'after story', 'waits for story'];
