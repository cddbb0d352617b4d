// What a Plan's status says: its tasks, parsed once, their digest, and whether the design gate is open for that digest.
// May: parse and judge. May not: parse again what is in status, or count an approval of another digest.

import { planDigest } from '../../crds/digests.ts';
import { MESSAGE_LENGTH, READING_ROLE } from '../../crds/kinds/meta.ts';
import type { Plan, PlanPhase, PlanStatus } from '../../crds/kinds/plan.ts';
import { planTasks } from '../../crds/plan-text/source.ts';
import type { PlanTask } from '../../crds/kinds/plan-task.ts';
import type { WantedCondition } from '../conditions.ts';
import type { Decision } from '../contract.ts';
import type { WantedEvent } from '../events.ts';
import { leave, settle, type Fields } from '../settle.ts';
import { clipped } from '../text.ts';
import { timestamp } from '../time.ts';
import { wireId } from '../wire-names.ts';
import { gateMode, planVerdict } from './approval.ts';
import type { PlanSeen } from './observe.ts';

type PlanDecision = Decision<PlanStatus>;
type Rule = (seen: PlanSeen, now: number) => PlanDecision | undefined;
type Problems = NonNullable<PlanStatus['problems']>;

interface Words {
  readonly phase: PlanPhase;
  readonly message: string;
  readonly parsed: WantedCondition['status'];
  readonly approved: WantedCondition['status'];
  readonly reason: string;
  /** What else the status holds; what was parsed before is kept. */
  readonly fields?: Fields<PlanStatus>;
  readonly events?: readonly WantedEvent[];
}

const kept = ({ status }: Plan): Fields<PlanStatus> => ({
  storyUid: status?.storyUid,
  scopeDigest: status?.scopeDigest,
  digest: status?.digest,
  taskCount: status?.taskCount,
  tasks: status?.tasks,
});

/** Every change of phase is told; the wire's own subject is that of the approval. */
const phaseEvent = ({ plan, story }: PlanSeen, phase: PlanPhase, now: number): readonly WantedEvent[] => {
  if (plan.status?.phase === phase) return [];
  const storyId = story === undefined ? plan.spec.storyRef.name : wireId(story);
  const data = { story_id: storyId, plan_id: wireId(plan), revision: plan.spec.revision, timestamp: timestamp(now) };
  return [{ type: `planning.plan.${phase.toLowerCase()}`, data }];
};

const written = (seen: PlanSeen, now: number, words: Words): PlanDecision => {
  const { phase, message, parsed, approved, reason } = words;
  return settle<PlanStatus, 'Plan'>(
    seen.plan,
    {
      outcome: phase === 'Pending' || phase === 'Parsed' ? { kind: 'waiting' } : { kind: 'done' },
      why: message,
      fields: { ...kept(seen.plan), ...words.fields, phase, message: clipped(message, MESSAGE_LENGTH) },
      conditions: [
        { type: 'Parsed', status: parsed, reason: parsed === 'True' ? 'Parsed' : reason, message },
        { type: 'Approved', status: approved, reason, message },
      ],
      events: words.events ?? phaseEvent(seen, phase, now),
    },
    { now, cursor: seen.cursor },
  );
};

/** What a valid plan may ask for and this version does not do. */
const unserved = (tasks: readonly PlanTask[]): Problems =>
  tasks.flatMap(({ id, candidates, role }) => {
    const refuse = (message: string) => ({ where: `task ${id}`, message });
    return [
      ...(candidates > 1 ? [refuse(`candidates: ${candidates} is refused: this version runs one candidate of a task`)] : []),
      ...(role === READING_ROLE ? [refuse(`role ${role} only reads: give the task to a role that writes, as DEV does`)] : []),
    ];
  });

const invalid = (seen: PlanSeen, now: number, problems: Problems): PlanDecision => {
  const [first] = problems;
  const more = problems.length > 1 ? ` (and ${problems.length - 1} more, see status.problems)` : '';
  return written(seen, now, {
    phase: 'Invalid',
    message: `${first?.where ?? 'source'}: ${first?.message ?? 'not usable'}${more}; make another Plan`,
    parsed: 'False',
    approved: 'False',
    reason: 'Invalid',
    fields: { problems: problems.slice(0, 50) },
  });
};

const beingDeleted: Rule = ({ plan }) =>
  plan.metadata.deletionTimestamp === undefined ? undefined : leave('the Plan is being deleted', { kind: 'done' });

const foundInvalid: Rule = ({ plan }) =>
  plan.status?.phase === 'Invalid' ? leave('an invalid Plan stays invalid: its spec cannot change', { kind: 'done' }) : undefined;

const pending = (reason: string, message: string) => (seen: PlanSeen, now: number) =>
  written(seen, now, { phase: 'Pending', message, parsed: 'Unknown', approved: 'Unknown', reason });

/** The first look at the tasks. Their digest holds the Story's scope, so that it waits until the scope is pinned. */
const unparsed: Rule = (seen, now) => {
  const { plan, story } = seen;
  if (plan.status?.digest !== undefined) return undefined;
  const result = planTasks(plan.spec);
  if (!result.ok) return invalid(seen, now, [...result.problems]);
  const refused = unserved(result.tasks);
  if (refused.length > 0) return invalid(seen, now, refused);
  const name = plan.spec.storyRef.name;
  if (story === undefined) return pending('StoryMissing', `story ${name} is not there`)(seen, now);
  const scope = story.status?.scopeDigest;
  if (scope === undefined || story.status?.baseCommit === undefined)
    return pending('ScopeOpen', `story ${name} is still a draft: the plan gets its digest when its scope is approved`)(seen, now);
  const content = { storyUid: story.metadata.uid, scopeDigest: scope, revision: plan.spec.revision, tasks: result.tasks };
  const digest = planDigest(content);
  return written(seen, now, {
    phase: 'Parsed',
    message: `waits for approval of digest ${digest} (kubectl fleet approve plan ${plan.metadata.name})`,
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
  const message = `story ${story.metadata.name} was made anew: this plan was for the one before`;
  return written(seen, now, { phase: 'Superseded', message, parsed: 'True', approved: 'False', reason: 'StoryReplaced' });
};

const superseded: Rule = (seen, now) => {
  const { plan, story } = seen;
  const inForce = story?.status?.plan;
  if (inForce === undefined || inForce.revision <= plan.spec.revision || plan.status?.phase === 'Rejected') return undefined;
  const message = `revision ${inForce.revision} (plan ${inForce.name}) is in force`;
  return written(seen, now, { phase: 'Superseded', message, parsed: 'True', approved: 'False', reason: 'Superseded' });
};

const approvedEvent = ({ plan, story }: PlanSeen, by: string, now: number): readonly WantedEvent[] => {
  if (plan.status?.phase === 'Approved') return [];
  const tasks = plan.status?.tasks ?? [];
  const data = {
    story_id: story === undefined ? plan.spec.storyRef.name : wireId(story),
    plan_id: wireId(plan),
    approved_by: by,
    timestamp: timestamp(now),
    roles: [...new Set(tasks.map(({ role }) => role))].sort(),
    subtasks_count: tasks.length,
  };
  return [{ type: 'planning.plan.approved', data }];
};

/** The Story went, or came back as a draft: what was approved stays approved until another is in force. */
const approvedBefore: Rule = ({ plan, story }) =>
  story === undefined && plan.status?.phase !== 'Parsed' ? leave('its Story is not seen', { kind: 'waiting' }) : undefined;

const decided: Rule = (seen, now) => {
  const { plan, story, platform } = seen;
  const verdict = planVerdict(plan, story === undefined ? 'Human' : gateMode('design', story, platform));
  const ask = `kubectl fleet approve plan ${plan.metadata.name}`;
  switch (verdict.kind) {
    case 'approved':
      return written(seen, now, {
        phase: 'Approved',
        message: `approved by ${verdict.by}`,
        parsed: 'True',
        approved: 'True',
        reason: 'Approved',
        events: approvedEvent(seen, verdict.by, now),
      });
    case 'rejected':
      return written(seen, now, {
        phase: 'Rejected',
        message: `rejected by ${verdict.by}: ${verdict.reason}`,
        parsed: 'True',
        approved: 'False',
        reason: 'Rejected',
      });
    case 'refused':
      return written(seen, now, {
        phase: 'Parsed',
        message: `the decision does not count: ${verdict.why}; make another Plan`,
        parsed: 'True',
        approved: 'False',
        reason: 'DecisionRefused',
      });
    case 'undecided':
    case 'unparsed':
      return written(seen, now, {
        phase: 'Parsed',
        message: `waits for approval of digest ${plan.status?.digest ?? ''} (${ask})`,
        parsed: 'True',
        approved: 'Unknown',
        reason: 'Undecided',
      });
  }
};

/** The specification: what holds first decides. */
export const rules: readonly (readonly [string, Rule])[] = [
  ['a Plan that is being deleted is left alone', beingDeleted],
  ['an invalid Plan stays invalid', foundInvalid],
  ['the tasks are parsed once, when the scope they are for is pinned', unparsed],
  ['a Plan belongs to the one Story that it was parsed for', storyReplaced],
  ['a higher revision in force supersedes', superseded],
  ['without its Story the Plan stays as it is', approvedBefore],
  ['the design gate opens for the digest that a person names', decided],
];

export const decidePlan = (seen: PlanSeen, now: number): PlanDecision => {
  for (const [, rule] of rules) {
    const decision = rule(seen, now);
    if (decision !== undefined) return decision;
  }
  return leave('nothing applies', { kind: 'done' });
};
