// What happens to a Story next: the first rule of `rules.ts` that applies decides.

import { firstOf } from '../rules.ts';
import { rules } from './rules.ts';
import type { StorySeen } from './seen.ts';
import type { StoryDecision } from './status.ts';

export const decideStory = (seen: StorySeen, now: number): StoryDecision => firstOf(rules, seen, now);
