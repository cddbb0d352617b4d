// The specification of a Plan: its tasks are parsed once and get their digest, and the design gate opens for that digest. Read
// `rules`, at the end, from top to bottom: the first that applies decides.
// May: parse and judge. May not: parse again what is in status, or count an approval of another digest.

import { planDigest } from '../../crds/digests.ts';
import { READING_ROLE } from '../../crds/kinds/meta.ts';
import type { PlanTask } from '../../crds/kinds/plan-task.ts';
import type { PlanStatus } from '../../crds/kinds/plan.ts';
import { planTasks } from '../../crds/plan-text/source.ts';
import { leave } from '../compose.ts';
import type { RuleOf, Rules } from '../rules.ts';
import { approvalState, gateMode } from './approval.ts';
import type { PlanSeen } from './seen.ts';
import { invalid, pending, written, type Problems } from './status.ts';

type Given = [seen: PlanSeen, now: number];
type Rule = RuleOf<Given, PlanStatus>;

const foundInvalid: Rule = ({ plan }) =>
  plan.status?.phase === 'Invalid' ? leave('an invalid Plan stays invalid: its spec cannot change', { kind: 'done' }) : undefined;

/** What a valid plan may ask for and this version does not do. */
const unserved = (tasks: readonly PlanTask[]): Problems =>
  tasks.flatMap(({ id, candidates, role }) => {
    const refuse = (message: string) => ({ where: `task ${id}`, message });
    return [
      ...(candidates > 1 ? [refuse(`candidates: ${candidates} is refused: this version runs one candidate of a task`)] : []),
      ...(role === READING_ROLE ? [refuse(`role ${role} only reads: give the task to a role that writes, as DEV does`)] : []),
    ];
  });

const asks = (name: string, digest: string): string =>
  `waits for approval of digest ${digest} (kubectl fleet approve plan ${name})`;

/** The first look at the tasks. Their digest holds the Story's scope, so that it waits until the scope is pinned. */
const unparsed: Rule = (seen, now) => {
  const { plan, story } = seen;
  if (plan.status?.digest !== undefined) return undefined;
  const result = planTasks(plan.spec);
  if (!result.ok) return invalid(seen, now, [...result.problems]);
  const refused = unserved(result.tasks);
  if (refused.length > 0) return invalid(seen, now, refused);
  const { name } = plan.spec.storyRef;
  if (story === undefined) return pending(seen, now, 'StoryMissing', `waits for story ${name}, which is not there`);
  const scope = story.status?.scopeDigest;
  if (scope === undefined || story.status?.baseCommit === undefined)
    return pending(seen, now, 'ScopeOpen', `waits for the scope of story ${name}: the plan gets its digest when it is approved`);
  const content = { storyUid: story.metadata.uid, scopeDigest: scope, revision: plan.spec.revision, tasks: result.tasks };
  const digest = planDigest(content);
  return written(seen, now, {
    phase: 'Parsed',
    message: asks(plan.metadata.name, digest),
    parsed: 'True',
    approved: 'Unknown',
    reason: 'Undecided',
    fields: {
      storyUid: story.metadata.uid,
      scopeDigest: scope,
      digest,
      taskCount: result.tasks.length,
      tasks: [...result.tasks],
    },
  });
};

const storyReplaced: Rule = (seen, now) => {
  const { plan, story } = seen;
  if (story === undefined || plan.status?.storyUid === story.metadata.uid) return undefined;
  const message = `story ${story.metadata.name} was deleted and made anew: this plan was for the one before; make another Plan`;
  return written(seen, now, { phase: 'Superseded', message, parsed: 'True', approved: 'False', reason: 'StoryReplaced' });
};

const superseded: Rule = (seen, now) => {
  const { plan, story } = seen;
  const inForce = story?.status?.plan;
  if (inForce === undefined || inForce.revision <= plan.spec.revision || plan.status?.phase === 'Rejected') return undefined;
  const message = `superseded by plan ${inForce.name} (revision ${inForce.revision}), which is in force`;
  return written(seen, now, { phase: 'Superseded', message, parsed: 'True', approved: 'False', reason: 'Superseded' });
};

/** The Story went, or came back as a draft: what was approved stays approved until another is in force. */
const approvedBefore: Rule = ({ plan, story }) =>
  story === undefined && plan.status?.phase !== 'Parsed'
    ? leave('waits for its Story, which is not seen', { kind: 'waiting' })
    : undefined;

const decided: Rule = (seen, now) => {
  const { plan, story, platform } = seen;
  const state = approvalState(plan, story === undefined ? 'Human' : gateMode('design', story, platform));
  const parsed = 'True';
  switch (state.kind) {
    case 'approved': {
      const message = `approved by ${state.by}`;
      const approvedBy = state.by;
      return written(seen, now, { phase: 'Approved', message, parsed, approved: 'True', reason: 'Approved', approvedBy });
    }
    case 'rejected': {
      const message = `rejected by ${state.by}: ${state.reason}; make another Plan`;
      return written(seen, now, { phase: 'Rejected', message, parsed, approved: 'False', reason: 'Rejected' });
    }
    case 'refused': {
      const message = `the decision does not count: ${state.why}; make another Plan`;
      return written(seen, now, { phase: 'Parsed', message, parsed, approved: 'False', reason: 'DecisionRefused' });
    }
    case 'undecided':
    case 'unparsed': {
      const message = asks(plan.metadata.name, plan.status?.digest ?? '');
      return written(seen, now, { phase: 'Parsed', message, parsed, approved: 'Unknown', reason: 'Undecided' });
    }
  }
};

/** The specification: what holds first decides. */
export const rules: Rules<Given, PlanStatus> = [
  ['an invalid Plan stays invalid', foundInvalid],
  ['the tasks are parsed once, when the scope they are for is pinned', unparsed],
  ['a Plan belongs to the one Story that it was parsed for', storyReplaced],
  ['a higher revision in force supersedes', superseded],
  ['without its Story the Plan stays as it is', approvedBefore],
  ['the design gate opens for the digest that a person names', decided],
];
