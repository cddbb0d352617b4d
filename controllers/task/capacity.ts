// Who gets the next workspace. Places are given in the order of Story priority, Task priority and age; a Task keeps its place from
// its attempt until the courier has landed the patch. Two Tasks of one Story whose file scopes overlap never have places together.
// May: share out what was seen. May not: remember; the line is formed anew for each decision, from all unfinished Tasks.

import type { PlatformConfig } from '../../crds/platform.ts';
import { epochMs } from '../time.ts';
import { attemptBlockers, firstBlocker, type Blocked, type Judging } from './blockers.ts';
import { scopesOverlap } from './file-scope.ts';
import { isInFlight } from './history.ts';
import type { TaskCore } from './seen.ts';

const ageOf = ({ task }: TaskCore): number => epochMs(task.metadata.creationTimestamp) ?? 0;
const nameOf = ({ task }: TaskCore): string => `${task.metadata.namespace}/${task.metadata.name}`;

/** Negative: a comes first. Total, so that every Task forms the same line. */
export const byPrecedence = (a: TaskCore, b: TaskCore): number =>
  (b.story?.spec.priority ?? 0) - (a.story?.spec.priority ?? 0) ||
  b.task.spec.priority - a.task.spec.priority ||
  ageOf(a) - ageOf(b) ||
  (nameOf(a) < nameOf(b) ? -1 : 1);

const sameStory = (a: TaskCore, b: TaskCore): boolean => a.task.spec.storyRef.uid === b.task.spec.storyRef.uid;
const queued = (reason: string, message: string): Blocked => ({ phase: 'Queued', reason, message });

const noPlace = (core: TaskCore, placed: readonly TaskCore[], { capacity }: PlatformConfig): Blocked | undefined => {
  const scope = core.task.spec.task.fileScope;
  const ofStory = placed.filter((other) => sameStory(core, other));
  const overlapping = ofStory.find((other) => scopesOverlap(scope, other.task.spec.task.fileScope));
  if (overlapping !== undefined)
    return queued('ScopeOverlap', `task ${overlapping.task.metadata.name}, which may change the same files, to end`);
  if (placed.length >= capacity.workspaces)
    return queued('ClusterFull', `a workspace: all ${capacity.workspaces} of the cluster are in use`);
  const inNamespace = placed.filter(({ task }) => task.metadata.namespace === core.task.metadata.namespace).length;
  if (inNamespace >= capacity.perNamespace)
    return queued('NamespaceFull', `a workspace: all ${capacity.perNamespace} of the namespace are in use`);
  if (ofStory.length >= capacity.perStory)
    return queued('StoryFull', `a workspace: all ${capacity.perStory} of the Story are in use`);
  return undefined;
};

/** Why the Task, which nothing else blocks, gets no place now; undefined: it has one. */
export const withoutPlace = (me: TaskCore, rivals: readonly TaskCore[], judging: Judging): Blocked | undefined => {
  const placed = rivals.filter(({ task, jobs }) => isInFlight(task, jobs));
  const ahead = rivals
    .filter((rival) => byPrecedence(rival, me) < 0 && !placed.includes(rival))
    .filter((rival) => firstBlocker(attemptBlockers, rival, judging) === undefined)
    .sort(byPrecedence);
  for (const rival of ahead) if (noPlace(rival, placed, judging.platform) === undefined) placed.push(rival);
  return noPlace(me, placed, judging.platform);
};
