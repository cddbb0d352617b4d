// How much checks weigh beside the scores of the agents, by rigor, and which of them a winner must have passed. Data.
import type { Story } from '../kinds/story.ts';

export type Rigor = Story['spec']['rigor'];
export type CheckName = 'policy' | 'lint' | 'dryrun';

export interface Weights {
  readonly scores: number;
  readonly policy: number;
  readonly lint: number;
  readonly dryrun: number;
}

/** Of what a result is judged by; a check that does not apply weighs nothing. */
export const WEIGHTS: Readonly<Record<Rigor, Weights>> = {
  L0: { scores: 80, policy: 5, lint: 5, dryrun: 10 },
  L1: { scores: 65, policy: 10, lint: 10, dryrun: 15 },
  L2: { scores: 55, policy: 10, lint: 15, dryrun: 20 },
  L3: { scores: 45, policy: 15, lint: 15, dryrun: 25 },
};

/** A result that failed one of these does not win, whatever its score. */
export const REQUIRED: Readonly<Record<Rigor, readonly CheckName[]>> = {
  L0: ['policy'],
  L1: ['policy', 'lint', 'dryrun'],
  L2: ['policy', 'lint', 'dryrun'],
  L3: ['policy', 'lint', 'dryrun'],
};

/** Without a Story. */
export const DEFAULT_RIGOR: Rigor = 'L1';

/** Where neither the task nor the Council has criteria. */
export const DEFAULT_RUBRIC = [
  { criterion: 'correctness', weight: 4, text: 'It does what was asked, in every case that was named.' },
  { criterion: 'feasibility', weight: 3, text: 'It can be built as described, in this repository, with what is there.' },
  { criterion: 'tests', weight: 2, text: 'It says how to find out that it works, and that nothing else broke.' },
  { criterion: 'simplicity', weight: 1, text: 'Nothing of it can be left out.' },
] as const;

/** Version of the rules of scoring and selection: a Deliberation replays by the rules that it pinned. */
export const RULES_VERSION = '1';
