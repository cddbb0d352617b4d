// How ready a Story's text is to be planned: the INVEST findings and a score from 0 to 100. A pure function of the spec.
// May: read the text. May not: judge whether the Story is a good idea; that is the scope gate's business.

import type { StorySpec } from '../../crds/kinds/story.ts';
import { clipped } from '../text.ts';
import {
  ambiguousWords,
  dependencyWords,
  findingWeights,
  limits,
  readinessThresholds,
  type FindingCode,
} from './readiness-table.ts';

export interface Finding {
  readonly code: FindingCode;
  readonly message: string;
  readonly weight: number;
}

export interface Readiness {
  readonly score: number;
  readonly threshold: number;
  readonly findings: readonly Finding[];
}

export type ReadinessText = Pick<StorySpec, 'title' | 'description' | 'acceptanceCriteria' | 'rigor'>;

type Check = (story: ReadinessText) => string | undefined;

const wordsIn = (text: string): number => text.split(/\s+/).filter((word) => word !== '').length;
const textOf = (story: ReadinessText): string =>
  [story.title, story.description, ...(story.acceptanceCriteria ?? [])].join('\n').toLowerCase();

const holdsWord = (text: string, word: string): boolean => {
  for (let at = text.indexOf(word); at >= 0; at = text.indexOf(word, at + 1))
    if (!/[a-z0-9]/.test(text.charAt(at - 1)) && !/[a-z0-9]/.test(text.charAt(at + word.length))) return true;
  return false;
};
const wordsFound = (story: ReadinessText, words: readonly string[]): readonly string[] =>
  words.filter((word) => holdsWord(textOf(story), word));

const dependent: Check = (story) => {
  const found = wordsFound(story, dependencyWords);
  return found.length === 0 ? undefined : `names other work it waits for ("${found.join('", "')}")`;
};
const titleWithoutValue: Check = ({ title }) =>
  wordsIn(title) >= limits.titleWords ? undefined : 'the title does not say what somebody gets from it';
const descriptionThin: Check = ({ description }) =>
  (description ?? '').trim().length >= limits.descriptionCharacters
    ? undefined
    : 'the description says too little to estimate it';
const ambiguous: Check = (story) => {
  const found = wordsFound(story, ambiguousWords);
  return found.length === 0 ? undefined : `holds words that two readers take in two ways ("${found.join('", "')}")`;
};
const tooLarge: Check = ({ description, acceptanceCriteria }) => {
  if ((acceptanceCriteria ?? []).length > limits.criteria)
    return `has more than ${limits.criteria} acceptance criteria: split it`;
  return (description ?? '').length > limits.smallDescriptionCharacters
    ? 'the description is too long for one change'
    : undefined;
};
const criteriaMissing: Check = ({ acceptanceCriteria }) =>
  (acceptanceCriteria ?? []).length > 0 ? undefined : 'no acceptance criterion says when it is done';
const criterionVague: Check = ({ acceptanceCriteria }) => {
  const vague = (acceptanceCriteria ?? []).find((criterion) => wordsIn(criterion) < limits.criterionWords);
  return vague === undefined ? undefined : `the criterion "${vague}" cannot be checked`;
};

const checks: readonly (readonly [FindingCode, Check])[] = [
  ['DEPS', dependent],
  ['TITLE_VALUE', titleWithoutValue],
  ['ESTIMABLE', descriptionThin],
  ['AMBIGUOUS', ambiguous],
  ['SMALL', tooLarge],
  ['AC_MISSING', criteriaMissing],
  ['AC_VAGUE', criterionVague],
];

/** `score` is 100 less the weights of the findings, never below 0; a Story is ready when it reaches `threshold`. */
export const readiness = (story: ReadinessText): Readiness => {
  const findings = checks.flatMap(([code, check]) => {
    const message = check(story);
    return message === undefined ? [] : [{ code, message: clipped(message, 512), weight: findingWeights[code] }];
  });
  const score = Math.max(0, 100 - findings.reduce((sum, finding) => sum + finding.weight, 0));
  return { score, threshold: readinessThresholds[story.rigor ?? 'L1'], findings };
};
