// What happens to a Task next: the first rule of `rules.ts` that applies decides.

import { storyDeadlineMs } from '../../crds/rules/limits.ts';
import { withinDeadline } from '../compose.ts';
import { firstOf } from '../rules.ts';
import { rules } from './rules.ts';
import type { TaskSeen } from './seen.ts';
import type { TaskDecision } from './status.ts';
import { viewOf } from './view.ts';

export const decideTask = (seen: TaskSeen, now: number): TaskDecision =>
  withinDeadline(firstOf(rules, viewOf(seen, now)), storyDeadlineMs(seen.story), now);
