// What happens to a Task next: the first rule of `rules.ts` that applies decides.

import { firstOf } from '../rules.ts';
import { rules } from './rules.ts';
import type { TaskSeen } from './seen.ts';
import type { TaskDecision } from './status.ts';
import { viewOf } from './view.ts';

export const decideTask = (seen: TaskSeen, now: number): TaskDecision => firstOf(rules, viewOf(seen, now));
