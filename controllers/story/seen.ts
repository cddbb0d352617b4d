// What the decision about a Story is made from. Plain data.

import type { ResolveAnswer } from '../../crds/contracts/commands.ts';
import type { PlatformConfig } from '../../crds/contracts/platform.ts';
import type { Plan } from '../../crds/kinds/plan.ts';
import type { Story } from '../../crds/kinds/story.ts';
import type { Task } from '../../crds/kinds/task.ts';
import type { Usage } from '../snapshot.ts';

export interface StorySeen {
  readonly story: Story;
  /** Every Plan that names the Story, lowest revision first. */
  readonly plans: readonly Plan[];
  /** Every Task that the Story controls, of whatever Plan. */
  readonly tasks: readonly Task[];
  /** Answers to the question for the base commit, in the order they were asked; none is looked up once the commit is pinned. */
  readonly answers: readonly ResolveAnswer[];
  readonly usage: Usage | undefined;
  readonly platform: PlatformConfig;
  readonly storeAvailable: boolean;
  /** The last published event of the Story. */
  readonly cursor: number | undefined;
}
