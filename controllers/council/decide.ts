// What happens to a Council next: the first rule of `rules.ts` that applies decides.

import { firstOf } from '../rules.ts';
import { rules } from './rules.ts';
import type { CouncilSeen } from './seen.ts';
import type { CouncilDecision } from './status.ts';

export const decideCouncil = (seen: CouncilSeen, now: number): CouncilDecision => firstOf(rules, seen, now);
