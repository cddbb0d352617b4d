// The ways in which a rule about a Story writes: it stays in its phase and waits, it moves to another, it ends. Each gives the
// whole status.
// May: word and compose. May not: decide which of them it is.

import { scopeDigest } from '../../crds/digests.ts';
import { MESSAGE_LENGTH, SHORT_LENGTH } from '../../crds/kinds/meta.ts';
import { storyDeadlineMs } from '../../crds/rules/limits.ts';
import { branchOf } from '../../crds/names.ts';
import type { Plan } from '../../crds/kinds/plan.ts';
import type { StoryPhase, StoryStatus } from '../../crds/kinds/story.ts';
import type { ConditionOf } from '../conditions.ts';
import type { Decision, Effect, Outcome } from '../contract.ts';
import { compose, type Fields } from '../compose.ts';
import type { RuleOf } from '../rules.ts';
import { recordedSpending } from '../spending.ts';
import { clipped } from '../text.ts';
import { timestamp } from '../../crds/time.ts';
import { storyEvents } from './events.ts';
import { pinnedGates } from './gates.ts';
import { plannedTasks, taskCounts } from './progress.ts';
import { headCommit } from './head.ts';
import { readiness } from './readiness.ts';
import type { StorySeen } from './seen.ts';

export type StoryDecision = Decision<StoryStatus>;
/** What each rule about a Story is given. */
export type Given = [seen: StorySeen, now: number];
export type Rule = RuleOf<Given, StoryStatus>;

export interface Words {
  readonly phase: StoryPhase;
  readonly reason: string;
  /** What it waits for, or how it ended: a whole sentence, as a person reads it. */
  readonly message: string;
  readonly outcome?: Outcome;
  readonly effects?: readonly Effect[];
  readonly fields?: Fields<StoryStatus>;
  readonly succeeded?: 'True' | 'False';
  readonly conditions?: readonly ConditionOf<'Story'>[];
}

/** Of the scope: as it is while the Story is a draft, pinned from then on. */
export const scopeOf = ({ story }: StorySeen): string =>
  story.status?.baseCommit === undefined ? scopeDigest(story.spec) : (story.status.scopeDigest ?? scopeDigest(story.spec));

/** As it was when it came into force: a Plan whose status a cache does not show yet is as good as none. */
export const planInForce = ({ story, plans }: StorySeen): Plan | undefined => {
  const inForce = story.status?.plan;
  return plans.find(({ metadata, status }) => metadata.uid === inForce?.uid && status?.digest === inForce.digest);
};

/**
 * What was spent, as far as the attempts that ended say: a lost ledger starts again from here. The ledger itself is asked at a change of
 * phase alone, since it moves with every call of a model.
 */
const usageFields = ({ story, tasks }: StorySeen): StoryStatus['usage'] => {
  const spent = recordedSpending(story, tasks);
  return spent.tokens + spent.gpuSeconds === 0 ? story.status?.usage : spent;
};

const kept = (seen: StorySeen): Fields<StoryStatus> => {
  const { status, metadata, spec } = seen.story;
  const plan = planInForce(seen);
  const deadlineMs = storyDeadlineMs(seen.story);
  return {
    readiness: status?.baseCommit === undefined ? readiness(spec) : status.readiness,
    scopeDigest: scopeOf(seen),
    gates: pinnedGates(seen),
    baseCommit: status?.baseCommit,
    branch: branchOf(metadata.namespace, metadata.name),
    headCommit: headCommit(seen),
    plan: status?.plan,
    tasks: plan === undefined ? status?.tasks : taskCounts(plannedTasks(seen, plan)),
    usage: usageFields(seen),
    startedAt: status?.startedAt,
    ...(deadlineMs !== undefined && { deadline: timestamp(deadlineMs) }),
  };
};

const usageOfMove = ({ story, tasks, usage }: StorySeen): StoryStatus['usage'] => {
  const { tokens, gpuSeconds } = recordedSpending(story, tasks);
  return { tokens: Math.max(tokens, usage?.spent ?? 0), gpuSeconds };
};

const lasting = ({ baseCommit: base, plan }: Fields<StoryStatus>): readonly ConditionOf<'Story'>[] => {
  return [
    ...(base === undefined
      ? []
      : ([
          { type: 'Ready', status: 'True', reason: 'Ready', message: 'the text passes' },
          { type: 'ScopeApproved', status: 'True', reason: 'Approved', message: 'the scope is frozen' },
          { type: 'BaseResolved', status: 'True', reason: 'Resolved', message: `work starts from ${base}` },
        ] as const)),
    ...(plan === undefined
      ? []
      : ([{ type: 'PlanApproved', status: 'True', reason: 'Approved', message: `plan ${plan.name} is in force` }] as const)),
  ];
};

/** The whole status for a rule's words; conditions of the rule stand before those that last. */
export const written = (seen: StorySeen, now: number, words: Words): StoryDecision => {
  const { story } = seen;
  const { phase, reason, message, succeeded } = words;
  const isMove = story.status?.phase !== undefined && story.status.phase !== phase;
  const isEnd = succeeded !== undefined;
  const own = words.conditions ?? [];
  const fields: Fields<StoryStatus> = { ...kept(seen), ...(isMove ? { usage: usageOfMove(seen) } : {}), ...words.fields };
  const others = lasting(fields).filter(({ type }) => !own.some((condition) => condition.type === type));
  return compose<StoryStatus, 'Story'>(
    story,
    {
      outcome: isEnd ? { kind: 'done' } : (words.outcome ?? { kind: 'waiting' }),
      why: message,
      effects: words.effects ?? [],
      fields: {
        ...fields,
        phase,
        waitingFor: clipped(message, SHORT_LENGTH),
        ...(isEnd ? { completedAt: timestamp(now), reason, message: clipped(message, MESSAGE_LENGTH) } : {}),
      },
      conditions: [{ type: 'Succeeded', status: succeeded ?? 'Unknown', reason, message }, ...own, ...others],
      events: storyEvents(seen, phase, now),
    },
    { now, cursor: seen.cursor },
  );
};
