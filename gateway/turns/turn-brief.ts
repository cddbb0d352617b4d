// What an agent is told in a turn, from the objects as they are and from what was pinned. Pure: same objects, same brief. What all agents share is
// the same for each of them.

import { contextOf, storyContextOf, type Context } from '../../agent/context.ts';
import type { PlatformConfig } from '../../crds/contracts/platform.ts';
import type { SharedBrief, TurnBrief } from '../../crds/contracts/turn-brief.ts';
import type { Story } from '../../crds/kinds/story.ts';
import type { Task } from '../../crds/kinds/task.ts';
import type { Turn } from './turn.ts';

export interface Around {
  readonly story: Story | undefined;
  readonly task: Task | undefined;
  /** All Tasks of the Story. */
  readonly siblings: readonly Task[];
  readonly platform: PlatformConfig;
}

const NO_CONTEXT: Context = storyContextOf(undefined, []);

const contextAround = ({ story, task, siblings }: Around): Context => {
  if (story === undefined) return NO_CONTEXT;
  return task === undefined ? storyContextOf(story, siblings) : contextOf({ story, task, siblings });
};

const storyPart = (story: Story | undefined): Pick<SharedBrief, 'story'> => {
  if (story === undefined) return {};
  const { title, description, acceptanceCriteria } = story.spec;
  return { story: { title, description, acceptanceCriteria } };
};

const taskPart = (task: Task | undefined): Pick<SharedBrief, 'task'> => {
  if (task === undefined) return {};
  const { id, title, description, role, phase } = task.spec.task;
  return { task: { id, title, description, role, phase } };
};

const sharedPart = ({ deliberation, pinned }: Turn, around: Around): SharedBrief => {
  const { story, task, platform } = around;
  const { namespace } = deliberation.metadata;
  const { kind, subject, constraints } = deliberation.spec;
  const isExempt = platform.limits.protectedPathsAllowedFor.includes(namespace);
  return {
    ...{ kind, subject, ...storyPart(story), ...taskPart(task) },
    requirements: [...(constraints?.requirements ?? []), ...(task?.spec.task.constraints.requirements ?? [])],
    rubric: pinned.rubric,
    fileScope: task?.spec.task.fileScope ?? [],
    protectedPaths: isExempt ? [] : platform.limits.protectedPaths,
    context: contextAround(around),
  };
};

export const turnBriefOf = (turn: Turn, around: Around): TurnBrief => {
  const { id, place, seat } = turn;
  const { agent, role, part, persona, model, temperature, maxTokens } = seat;
  return {
    id,
    place,
    shared: sharedPart(turn, around),
    own: { agent, role, part, persona },
    terms: { model, temperature, maxTokens },
  };
};
