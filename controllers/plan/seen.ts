// What the decision about a Plan is made from. Plain data.

import type { PlatformConfig } from '../../crds/contracts/platform.ts';
import type { Plan } from '../../crds/kinds/plan.ts';
import type { Story } from '../../crds/kinds/story.ts';

export interface PlanSeen {
  readonly plan: Plan;
  /** The Story that it names, if there is one of that name. */
  readonly story: Story | undefined;
  readonly platform: PlatformConfig;
  /** The last published event of the Plan. */
  readonly cursor: number | undefined;
}
