// What happens to a Deliberation next: the first rule of `rules.ts` that applies decides.

import { firstOf } from '../rules.ts';
import { rules } from './rules.ts';
import type { DeliberationSeen } from './seen.ts';
import type { DeliberationDecision } from './status.ts';

export const decideDeliberation = (seen: DeliberationSeen, now: number): DeliberationDecision => firstOf(rules, seen, now);
