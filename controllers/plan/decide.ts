// What happens to a Plan next: the first rule of `rules.ts` that applies decides.

import { firstOf } from '../rules.ts';
import { rules } from './rules.ts';
import type { PlanSeen } from './seen.ts';
import type { PlanDecision } from './status.ts';

export const decidePlan = (seen: PlanSeen, now: number): PlanDecision => firstOf(rules, seen, now);
