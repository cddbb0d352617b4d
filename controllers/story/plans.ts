// Which Plan is in force, and what Design waits for while none is.

import type { Plan } from '../../crds/kinds/plan.ts';
import type { StoryStatus } from '../../crds/kinds/story.ts';
import { deadlineAfter } from '../../crds/rules/limits.ts';
import { approvalState, gateMode, type ApprovalState } from '../plan/approval.ts';
import { leave, type Fields } from '../compose.ts';
import { epochMs, timestamp } from '../../crds/time.ts';
import { plannedTasks, taskCounts, tasksSentence } from './progress.ts';
import type { StorySeen } from './seen.ts';
import { planInForce, written, type Rule } from './status.ts';

const stateOf = ({ story, platform }: StorySeen, plan: Plan): ApprovalState =>
  plan.status?.storyUid === undefined || plan.status.storyUid === story.metadata.uid
    ? approvalState(plan, gateMode('design', story, platform))
    : { kind: 'unparsed' }; // it was parsed for another Story of the same name

/** The approved Plan of the highest revision; of two with the same revision the last by name. */
const approvedPlan = (seen: StorySeen): Plan | undefined =>
  seen.plans.filter((plan) => plan.metadata.deletionTimestamp === undefined && stateOf(seen, plan).kind === 'approved').at(-1);

const reference = ({ metadata, spec, status }: Plan): NonNullable<StoryStatus['plan']> => ({
  name: metadata.name,
  uid: metadata.uid,
  revision: spec.revision,
  digest: status?.digest ?? '',
});

const takeOver = (seen: StorySeen, plan: Plan, now: number): Fields<StoryStatus> => {
  const { status, spec } = seen.story;
  const startedAt = status?.startedAt ?? timestamp(now);
  return {
    plan: reference(plan),
    tasks: taskCounts(plannedTasks(seen, plan)),
    startedAt,
    deadline: timestamp(deadlineAfter(epochMs(startedAt) ?? now, spec)),
  };
};

const inForce = (seen: StorySeen, plan: Plan, now: number) =>
  written(seen, now, {
    phase: 'Build',
    reason: 'PlanApproved',
    message: tasksSentence(plannedTasks(seen, plan), 'Build'),
    fields: takeOver(seen, plan, now),
  });

export const councilPlansUnserved: Rule = (seen, now) => {
  if (seen.story.status?.plan !== undefined || seen.story.spec.plan.mode !== 'Council') return undefined;
  const message = 'waits for a version that lets councils write plans; with spec.plan.mode Provided it takes a Plan of yours';
  const condition = { type: 'PlanApproved', status: 'False', reason: 'CouncilPlansNotServed', message } as const;
  return written(seen, now, { phase: 'Design', reason: 'CouncilPlansNotServed', message, conditions: [condition] });
};

export const planSuperseded: Rule = (seen, now) => {
  const before = seen.story.status?.plan;
  const plan = approvedPlan(seen);
  if (before === undefined || plan === undefined || plan.spec.revision <= before.revision) return undefined;
  return inForce(seen, plan, now);
};

export const adopted: Rule = (seen, now) => {
  const plan = approvedPlan(seen);
  return seen.story.status?.plan !== undefined || plan === undefined ? undefined : inForce(seen, plan, now);
};

/** The Plan in force is not there any more: deleted, and perhaps made again. */
const isGone = ({ story, plans }: StorySeen): boolean => {
  const inForce = story.status?.plan;
  return inForce !== undefined && plans.every(({ metadata }) => metadata.uid !== inForce.uid);
};

/** What is in force is a digest. Whoever makes the same Plan again and has it approved again brings nothing new: its Tasks go on. */
export const planMadeAgain: Rule = (seen, now) => {
  const before = seen.story.status?.plan;
  if (before === undefined || !isGone(seen)) return undefined;
  const again = seen.plans.find((plan) => plan.status?.digest === before.digest && stateOf(seen, plan).kind === 'approved');
  if (again === undefined) return undefined;
  const message = `plan ${again.metadata.name} is in force again, as it was approved`;
  return written(seen, now, {
    phase: seen.story.status?.phase ?? 'Build',
    reason: 'PlanMadeAgain',
    message,
    fields: { plan: reference(again) },
  });
};

export const planDeleted: Rule = (seen, now) => {
  const plan = seen.story.status?.plan;
  if (plan === undefined || planInForce(seen) !== undefined) return undefined;
  if (!isGone(seen))
    return leave(`waits until plan ${plan.name} is seen as it was approved: a cache is behind`, { kind: 'waiting' });
  const message = `waits for a Plan: plan ${plan.name}, which was in force, was deleted; make it again as it was and have it approved, or make a further revision`;
  const outcome = { kind: 'stalled', reason: 'PlanDeleted', message } as const;
  return written(seen, now, { phase: seen.story.status?.phase ?? 'Build', reason: 'PlanDeleted', message, outcome });
};

const wordsFor = (seen: StorySeen, plan: Plan): { readonly reason: string; readonly message: string } => {
  const { name } = plan.metadata;
  const state = stateOf(seen, plan);
  switch (state.kind) {
    case 'undecided':
      return { reason: 'PlanUndecided', message: `waits for approval of plan ${name} (kubectl fleet approve plan ${name})` };
    case 'rejected':
      return { reason: 'PlanRejected', message: `waits for a further Plan: ${state.by} rejected plan ${name} (${state.reason})` };
    case 'refused':
      return {
        reason: 'DecisionRefused',
        message: `waits for a further Plan: the decision on plan ${name} does not count, ${state.why}`,
      };
    case 'approved':
    case 'unparsed':
      return plan.status?.phase === 'Invalid'
        ? { reason: 'PlanInvalid', message: `waits for a further Plan: plan ${name} is invalid, ${plan.status.message ?? ''}` }
        : { reason: 'PlanUnparsed', message: `waits for plan ${name} to be parsed` };
  }
};

/** Speaks of the Plan of the highest revision: what went before it is past. */
export const planMissing: Rule = (seen, now) => {
  if (seen.story.status?.plan !== undefined) return undefined;
  const newest = seen.plans.at(-1);
  const words =
    newest === undefined
      ? {
          reason: 'PlanMissing',
          message: `waits for a Plan for story ${seen.story.metadata.name} (an object Plan with its name in spec.storyRef.name)`,
        }
      : wordsFor(seen, newest);
  const condition = { type: 'PlanApproved', status: 'False', ...words } as const;
  return written(seen, now, { phase: 'Design', ...words, conditions: [condition] });
};
