// Why a Task may not start an attempt, as an ordered list: the first that holds is what it waits for. Capacity is not among them
// (see capacity.ts), nor is what only the Task's own namespace can tell, so that the same list judges a Task and its rivals.
// May: judge what was seen. May not: judge by what is hoped; a dependency counts when its Task has Succeeded, and not before.

import type { PlanTask } from '../../crds/kinds/plan-task.ts';
import { planTaskDigest } from '../../crds/digests.ts';
import type { PlatformConfig } from '../../crds/contracts/platform.ts';
import { councilNameOf } from '../../crds/rules/councils.ts';
import { hasReached, hasSucceeded } from '../../crds/rules/phases.ts';
import { courierProfileName, imageProfileNamed, imageProfileOf } from '../../crds/rules/platform-rows.ts';
import type { StoryPhase } from '../../crds/kinds/story.ts';
import type { Attempt } from '../../crds/kinds/task.ts';
import { conditionOf } from '../conditions.ts';
import { approvalState, gateMode } from '../plan/approval.ts';
import { untilMs } from '../../crds/time.ts';
import { gpuBudget } from './gpu.ts';
import { nextAttemptMs, usedUp } from './limits.ts';
import { outside, pending, stalled, type Blocked } from './blocked.ts';
import { isOpen, latestRecord, listedRecords } from './records.ts';
import type { TaskCore } from './seen.ts';

export interface Judging {
  readonly platform: PlatformConfig;
  readonly storeAvailable: boolean;
  readonly gatewayKnown: boolean;
  readonly now: number;
}

export type Blocker = (core: TaskCore, judging: Judging) => Blocked | undefined;

const storyMissing: Blocker = ({ story }) =>
  story === undefined ? pending('StoryMissing', 'waits for its Story, which is not there') : undefined;

const planNotInForce: Blocker = ({ task, story }) => {
  const { name, digest } = task.spec.planRef;
  const inForce = story?.status?.plan;
  if (inForce?.digest === digest) return undefined;
  return pending(
    'PlanNotInForce',
    inForce === undefined
      ? `waits for plan ${name} to be in force`
      : `waits for its Story to cancel it: plan ${inForce.name} is in force instead of plan ${name}`,
  );
};

/** What runs is what was approved: the Task says what the Plan in force says, and that Plan was approved by its digest. */
const notApproved: Blocker = ({ task, story, plan }, { platform }) => {
  const { planRef, task: work, taskDigest } = task.spec;
  if (plan?.status?.digest === undefined)
    return outside('PlanMissing', `waits for plan ${planRef.name}, which is not there or not parsed yet`);
  const approved = plan.status.tasks?.find(({ id }) => id === work.id);
  const isSame =
    plan.status.digest === planRef.digest &&
    approved !== undefined &&
    planTaskDigest(approved) === taskDigest &&
    planTaskDigest(work) === taskDigest;
  if (!isSame)
    return stalled(
      'NotApproved',
      `the task is not what plan ${planRef.name} says, and is never started: make a further revision of the plan`,
    );
  const approval = story === undefined ? undefined : approvalState(plan, gateMode('design', story, platform));
  if (approval?.kind === 'approved') return undefined;
  // an approval is set once: where the Story has seen it and we do not, a cache is behind
  if (approval?.kind === 'undecided')
    return pending('ApprovalUnseen', `waits for the approval of plan ${planRef.name} to arrive in the operator's cache`);
  return stalled(
    'NotApproved',
    `nobody approved digest ${planRef.digest} of plan ${planRef.name}: make a further revision of the plan`,
  );
};

const storySuspended: Blocker = ({ story }) =>
  story?.spec.suspend === true
    ? pending('StorySuspended', `waits for its Story to be resumed: set spec.suspend of story ${story.metadata.name} to false`)
    : undefined;
const suspended: Blocker = ({ task }) =>
  task.spec.suspend
    ? outside('Suspended', `waits to be resumed: set spec.suspend of task ${task.metadata.name} to false`)
    : undefined;

const isDone = (wanted: PlanTask, { family }: TaskCore): boolean => {
  const digest = planTaskDigest(wanted);
  return family.some(({ task }) => hasSucceeded(task) && task.spec.task.id === wanted.id && task.spec.taskDigest === digest);
};

const dependenciesOpen: Blocker = (core) => {
  const ids = core.task.spec.task.dependsOn;
  if (ids.length === 0) return undefined;
  const wanted = (core.plan?.status?.tasks ?? []).filter(({ id }) => ids.includes(id));
  if (wanted.length === ids.length && wanted.every((each) => isDone(each, core))) return undefined;
  return pending('Dependencies', `waits for task${ids.length === 1 ? '' : 's'} ${ids.join(', ')} to succeed`);
};

const storyPhaseOf = { DESIGN: 'Build', BUILD: 'Build', TEST: 'Test', DOCS: 'Docs' } as const satisfies Record<
  string,
  StoryPhase
>;

const phaseNotReached: Blocker = ({ task, story }) => {
  const wanted = storyPhaseOf[task.spec.task.phase];
  return story !== undefined && hasReached(story, wanted)
    ? undefined
    : pending('Phase', `waits for story ${task.spec.storyRef.name} to reach phase ${wanted}`);
};

const designOpen: Blocker = (core) => {
  if (core.task.spec.task.phase !== 'BUILD') return undefined;
  const open = (core.plan?.status?.tasks ?? []).filter((each) => each.phase === 'DESIGN' && !isDone(each, core));
  return open.length === 0 ? undefined : pending('DesignFirst', 'waits for the DESIGN tasks of the plan to succeed');
};

const attemptsUsedUp: Blocker = ({ task }, { platform }) => {
  const limit = usedUp(task, listedRecords(task), platform);
  return limit === undefined ? undefined : stalled(limit.reason, limit.sentence);
};

const backingOff: Blocker = ({ task }, { now }) => {
  const attempts = listedRecords(task);
  const last = latestRecord(attempts);
  const atMs = nextAttemptMs(attempts);
  if (now >= atMs) return undefined;
  const how = last?.outcome === 'NotStarted' ? 'the last one could not start' : 'the infrastructure failed the last one';
  const sentence = `waits before its next attempt: ${how} (${last?.reason ?? 'unknown'}${last?.message === undefined ? '' : `, ${last.message}`})`;
  return { phase: 'Queued', reason: 'BackOff', sentence, afterMs: untilMs(atMs, now) };
};

/** The Story's status knows what was spent when the ledger, which knows it sooner, was lost. */
const budgetSpent: Blocker = ({ story, usage }) => {
  const most = story?.spec.budget.tokens;
  const spent = Math.max(usage?.spent ?? 0, story?.status?.usage?.tokens ?? 0);
  if (most === undefined || spent < most) return undefined;
  return stalled(
    'BudgetSpent',
    `the Story has spent its ${most} tokens: raise spec.budget.tokens of story ${story?.metadata.name ?? ''}`,
  );
};

/** Of couriers too: their workspaces have the GPUs of their Council. */
export const gpuBudgetSpent: Blocker = (core, { now }) => {
  const budget = gpuBudget(core, now);
  if (budget?.isSpent !== true) return undefined;
  const name = core.story?.metadata.name ?? '';
  return stalled(
    'BudgetSpent',
    `the Story has spent its ${budget.most} GPU seconds: raise spec.budget.gpuSeconds of story ${name}`,
  );
};

const councilMissing: Blocker = ({ task, story, council }) => {
  if (council !== undefined) return undefined;
  const { role } = task.spec.task;
  const named = story === undefined ? undefined : councilNameOf(role, story);
  return outside(
    'CouncilMissing',
    named === undefined
      ? `waits for a default Council of role ${role}: there is none in the namespace`
      : `waits for council ${named}, which the Story names for role ${role} and which is not there`,
  );
};

const imageProfileMissing: Blocker = ({ council }, { platform }) => {
  if (council === undefined || imageProfileOf(council, platform).kind === 'found') return undefined;
  return outside(
    'ImageProfileMissing',
    `waits for image profile ${council.spec.workspace.imageProfile} of council ${council.metadata.name}: the platform has none of that name for this namespace`,
  );
};

/** The run whose patch waits for a courier, as far as it is listed. */
const carried = ({ task }: TaskCore): Attempt | undefined => listedRecords(task).findLast(isOpen);

const courierProfileMissing: Blocker = (core, judging) => {
  const { task, council } = core;
  const name = courierProfileName(carried(core), council);
  if (name === undefined) return councilMissing(core, judging);
  if (imageProfileNamed(name, task.metadata.namespace, judging.platform).kind === 'found') return undefined;
  return outside(
    'ImageProfileMissing',
    `waits for image profile ${name}, in which its patch was made: the platform has none of that name for this namespace`,
  );
};

const councilNotReady: Blocker = ({ council }) => {
  const ready = conditionOf(council?.status?.conditions, 'Ready');
  if (ready?.status === 'True') return undefined;
  return outside(
    'CouncilNotReady',
    `waits for council ${council?.metadata.name ?? ''} to be ready (${ready?.reason ?? 'NotProbed'})`,
  );
};

const storeUnavailable: Blocker = (_core, { storeAvailable }) =>
  storeAvailable ? undefined : outside('StoreUnavailable', 'waits for JetStream, without which nothing starts');
const gatewayUnknown: Blocker = (_core, { gatewayKnown }) =>
  gatewayKnown ? undefined : outside('GatewayUnknown', 'waits for the gateway: its address or its CA is not known yet');

/** What anything new of a Task waits for, attempt and courier alike. */
const common: readonly Blocker[] = [storyMissing, planNotInForce, notApproved, storySuspended, suspended];
const machinery: readonly Blocker[] = [storeUnavailable, gatewayUnknown];

export const attemptBlockers: readonly Blocker[] = [
  ...common,
  dependenciesOpen,
  phaseNotReached,
  designOpen,
  attemptsUsedUp,
  backingOff,
  budgetSpent,
  gpuBudgetSpent,
  councilMissing,
  imageProfileMissing,
  ...machinery,
  councilNotReady,
];

/** A courier needs no model, no agent and no phase, and so no Council; the tokens of what it carries were already paid for. */
export const courierBlockers: readonly Blocker[] = [...common, courierProfileMissing, gpuBudgetSpent, ...machinery];

export const firstBlocker = (blockers: readonly Blocker[], core: TaskCore, judging: Judging): Blocked | undefined => {
  for (const blocker of blockers) {
    const blocked = blocker(core, judging);
    if (blocked !== undefined) return blocked;
  }
  return undefined;
};
