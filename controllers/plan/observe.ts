// Gathers what the decision about a Plan is made from: the Plan and the Story that it names.
// May: ask the snapshot. May not: judge.

import type { Snapshot } from '../snapshot.ts';
import type { PlanSeen } from './seen.ts';

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
