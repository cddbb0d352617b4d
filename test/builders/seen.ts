// Records as `observe` gives them, each valid and each one step before something happens: a Task that could start, a Story, a Plan.

import type { PlanSeen } from '../../controllers/plan/seen.ts';
import type { StorySeen } from '../../controllers/story/seen.ts';
import type { PlaceSeen, TaskSeen } from '../../controllers/task/seen.ts';
import { networkPolicy } from '../../controllers/workspace/network-policy.ts';
import type { Plan } from '../../crds/kinds/plan.ts';
import type { PlanTask } from '../../crds/kinds/plan-task.ts';
import type { Story } from '../../crds/kinds/story.ts';
import type { Task } from '../../crds/kinds/task.ts';
import { approvedPlan, council, meta, platform, story, storyStatus } from './objects.ts';

/** Nobody else wants anything. */
export const FREE: PlaceSeen = { taken: { cluster: 0, namespace: 0, story: 0 }, overlaps: false };

/** A Task of plan `login-1` that nothing holds up. `others` are the plan's other tasks. */
export const taskSeen = (given: Task, more: Partial<TaskSeen> = {}, others: readonly PlanTask[] = []): TaskSeen => ({
  task: given,
  story: story({}, storyStatus()),
  plan: approvedPlan([given.spec.task, ...others]),
  council: council(),
  jobs: [],
  family: [],
  usage: undefined,
  pods: [],
  attemptUsage: undefined,
  receipts: {},
  place: FREE,
  namespace: {
    workspaceAccount: { apiVersion: 'v1', kind: 'ServiceAccount', metadata: meta('fleet-workspace') },
    readerAccount: { apiVersion: 'v1', kind: 'ServiceAccount', metadata: meta('fleet-reader') },
    networkPolicy: { ...networkPolicy(platform(), 'shop'), metadata: meta(networkPolicy(platform(), 'shop').metadata.name) },
  },
  platform: platform(),
  gateway: { address: '10.0.0.9', caPem: 'PEM' },
  storeAvailable: true,
  cursor: undefined,
  ...more,
});

export const storySeen = (given: Story, more: Partial<StorySeen> = {}): StorySeen => ({
  story: given,
  plans: [],
  tasks: [],
  answers: [],
  usage: undefined,
  platform: platform(),
  storeAvailable: true,
  cursor: undefined,
  ...more,
});

export const planSeen = (given: Plan, more: Partial<PlanSeen> = {}): PlanSeen => ({
  plan: given,
  story: story({}, storyStatus({ phase: 'Design', plan: undefined })),
  platform: platform(),
  cursor: undefined,
  ...more,
});
