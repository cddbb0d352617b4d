// What the points that agents gave come to. Integers throughout, so that a result is the same to the byte wherever it is worked out again.
import type { Deliberation } from '../kinds/deliberation.ts';
import { REQUIRED, type CheckName } from './rigor.ts';
import type { Pinned } from './seats.ts';

export type Result = NonNullable<NonNullable<Deliberation['status']>['results']>[number];
export type Checks = NonNullable<Result['checks']>;

const CHECKS: readonly CheckName[] = ['policy', 'lint', 'dryrun'];
const FULL = 1000;

/** The middle one; of an even number the mean of the two in the middle, floored. undefined of nothing. */
export const median = (numbers: readonly number[]): number | undefined => {
  const sorted = numbers.toSorted((a, b) => a - b);
  const [low, high] = [sorted[Math.floor((sorted.length - 1) / 2)], sorted[Math.floor(sorted.length / 2)]];
  return low === undefined || high === undefined ? undefined : Math.floor((low + high) / 2);
};

/** The weighted mean, floored; undefined where nothing weighs anything. */
const mean = (parts: readonly { readonly weight: number; readonly value: number }[]): number | undefined => {
  const whole = parts.reduce((sum, { weight }) => sum + weight, 0);
  return whole === 0 ? undefined : Math.floor(parts.reduce((sum, { weight, value }) => sum + weight * value, 0) / whole);
};

/** One scorer's points of one proposal as one number, by the weights of the rubric. */
export const weighed = ({ rubric }: Pinned, points: readonly number[]): number =>
  mean(rubric.map(({ weight }, index) => ({ weight, value: points[index] ?? 0 }))) ?? 0;

/** Medians by criterion, in the order of the rubric; undefined: nobody has scored it. */
export const criteriaOf = (pinned: Pinned, given: readonly (readonly number[])[]): NonNullable<Result['criteria']> | undefined =>
  given.length === 0
    ? undefined
    : pinned.rubric.map(({ criterion }, index) => ({ criterion, score: median(given.map((points) => points[index] ?? 0)) ?? 0 }));

/** Whole score: the scores and every check that applies, by their pinned weights. Checks alone where nobody scores. */
export const scoreOf = (pinned: Pinned, criteria: Result['criteria'], checks: Checks): number => {
  const { weights, rubric } = pinned;
  const rated = criteria && mean(criteria.map(({ score }, index) => ({ weight: rubric[index]?.weight ?? 0, value: score })));
  return (
    mean([
      ...(rated === undefined ? [] : [{ weight: weights.scores, value: rated }]),
      ...CHECKS.flatMap((name) => {
        const check = checks[name];
        return check === undefined ? [] : [{ weight: weights[name], value: check.passed ? FULL : 0 }];
      }),
    ]) ?? 0
  );
};

/** The check that keeps it from winning, if any. */
export const failedCheck = ({ rigor }: Pinned, checks: Checks | undefined): CheckName | undefined =>
  REQUIRED[rigor].find((name) => checks?.[name]?.passed === false);
