// How every kind decides: an ordered list of rules, of which the first that applies decides.
// May: walk the list. May not: judge; what a rule looks at is its kind's business.

import type { Decision } from './contract.ts';

/** Decides, or passes (undefined) to the next one. */
export type RuleOf<Args extends readonly unknown[], Status> = (...args: Args) => Decision<Status> | undefined;

/** Each rule with the sentence that it implements. The last one always decides. */
export type Rules<Args extends readonly unknown[], Status> = readonly (readonly [string, RuleOf<Args, Status>])[];

/** @throws Error if no rule applies: the list is then not complete, which is a bug */
export const firstOf = <Args extends readonly unknown[], Status>(rules: Rules<Args, Status>, ...args: Args): Decision<Status> => {
  for (const [sentence, rule] of rules) {
    const decision = rule(...args);
    if (decision !== undefined) return { ...decision, rule: sentence };
  }
  throw new Error('no rule applies: the last rule of a kind has to decide whatever it is given');
};
