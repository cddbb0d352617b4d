// Who gets the next workspace. Places are given in the order of Story priority, Task priority and age; a Task keeps its place from
// its attempt until the courier has landed the patch. Two Tasks of one Story whose file scopes overlap never have places together.
// May: share out what was seen. May not: remember; the line is formed anew for each decision, from all unfinished Tasks.

import type { PlatformConfig } from '../../crds/contracts/platform.ts';
import type { Blocked } from './blocked.ts';
import { attemptBlockers, firstBlocker, type Judging } from './blockers.ts';
import { scopesOverlap } from './file-scope.ts';
import { isInFlight } from './run-reading.ts';
import type { TaskCore } from './seen.ts';

/** As the API server writes times, in UTC, earlier is also smaller as text. */
const bornOf = ({ task }: TaskCore): string => task.metadata.creationTimestamp;
const nameOf = ({ task }: TaskCore): string => `${task.metadata.namespace}/${task.metadata.name}`;

const inOrder = (a: string, b: string): number => (a === b ? 0 : a < b ? -1 : 1);

/** Negative: a comes first. Total, so that every Task forms the same line. */
export const byPrecedence = (a: TaskCore, b: TaskCore): number =>
  (b.story?.spec.priority ?? 0) - (a.story?.spec.priority ?? 0) ||
  b.task.spec.priority - a.task.spec.priority ||
  inOrder(bornOf(a), bornOf(b)) ||
  inOrder(nameOf(a), nameOf(b));

const sameStory = (a: TaskCore, b: TaskCore): boolean => a.task.spec.storyRef.uid === b.task.spec.storyRef.uid;
const queued = (reason: string, sentence: string): Blocked => ({ phase: 'Queued', reason, sentence });

const collides = (a: TaskCore, b: TaskCore): boolean =>
  sameStory(a, b) && scopesOverlap(a.task.spec.task.fileScope, b.task.spec.task.fileScope);

const overlap = (other: TaskCore): Blocked =>
  queued('ScopeOverlap', `waits for task ${other.task.metadata.name} to end, which may change the same files`);

/** Whether there are places left at all: of the cluster, of the namespace, of the Story. */
const allTaken = (core: TaskCore, placed: readonly TaskCore[], { capacity }: PlatformConfig): Blocked | undefined => {
  if (placed.length >= capacity.workspaces)
    return queued('ClusterFull', `waits for a workspace: all ${capacity.workspaces} of the cluster are in use`);
  const inNamespace = placed.filter(({ task }) => task.metadata.namespace === core.task.metadata.namespace).length;
  if (inNamespace >= capacity.perNamespace)
    return queued('NamespaceFull', `waits for a workspace: all ${capacity.perNamespace} of the namespace are in use`);
  if (placed.filter((other) => sameStory(core, other)).length >= capacity.perStory)
    return queued('StoryFull', `waits for a workspace: all ${capacity.perStory} of the Story are in use`);
  return undefined;
};

const noPlace = (core: TaskCore, placed: readonly TaskCore[], platform: PlatformConfig): Blocked | undefined => {
  const other = placed.find((each) => collides(core, each));
  return other === undefined ? allTaken(core, placed, platform) : overlap(other);
};

/**
 * Why the Task, which nothing else blocks, gets no place now; undefined: it has one. Rivals ahead of it are judged one by one, and no
 * more of them than it takes to know.
 */
export const withoutPlace = (me: TaskCore, rivals: readonly TaskCore[], judging: Judging): Blocked | undefined => {
  const { platform } = judging;
  const placed = rivals.filter(({ task, jobs }) => isInFlight(task, jobs));
  const full = noPlace(me, placed, platform);
  if (full !== undefined) return full;
  const hasPlace = new Set(placed);
  const ahead = rivals.filter((rival) => !hasPlace.has(rival) && byPrecedence(rival, me) < 0).sort(byPrecedence);
  for (const rival of ahead) {
    if (firstBlocker(attemptBlockers, rival, judging) !== undefined || noPlace(rival, placed, platform) !== undefined) continue;
    placed.push(rival);
    const taken = collides(me, rival) ? overlap(rival) : allTaken(me, placed, platform);
    if (taken !== undefined) return taken;
  }
  return undefined;
};
