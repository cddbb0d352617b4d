// What happens to a Story next: the first rule of `rules.ts` that applies decides.

import { storyDeadlineMs } from '../../crds/rules/limits.ts';
import { withinDeadline } from '../compose.ts';
import { firstOf } from '../rules.ts';
import { rules } from './rules.ts';
import type { StorySeen } from './seen.ts';
import type { StoryDecision } from './status.ts';

export const decideStory = (seen: StorySeen, now: number): StoryDecision =>
  withinDeadline(firstOf(rules, seen, now), storyDeadlineMs(seen.story), now);
