// Gathers what the decision about a Plan is made from: the Plan and the Story that it names.
// May: ask the snapshot. May not: judge.

import type { Plan } from '../../crds/kinds/plan.ts';
import type { PlatformConfig } from '../../crds/contracts/platform.ts';
import type { Story } from '../../crds/kinds/story.ts';
import type { Snapshot } from '../snapshot.ts';

export interface PlanSeen {
  readonly plan: Plan;
  readonly story: Story | undefined;
  readonly platform: PlatformConfig;
  readonly cursor: number | undefined;
}

export const observePlan = (key: string, snapshot: Snapshot): PlanSeen | undefined => {
  const plan = snapshot.plan(key);
  if (plan === undefined) return undefined;
  return {
    plan,
    story: snapshot.story(`${plan.metadata.namespace}/${plan.spec.storyRef.name}`),
    platform: snapshot.platform,
    cursor: snapshot.eventCursor(plan.metadata.uid),
  };
};
