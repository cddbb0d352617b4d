// How far a Story's tasks are: which Task object does which task of the Plan in force, and what is done.
// May: read Plans and Tasks. May not: count what is not seen.

import { planTaskDigest } from '../../crds/digests.ts';
import { taskName } from '../../crds/names.ts';
import { remember } from '../../crds/remember.ts';
import type { Plan } from '../../crds/kinds/plan.ts';
import type { PlanTask } from '../../crds/kinds/plan-task.ts';
import type { StoryPhase, StoryStatus } from '../../crds/kinds/story.ts';
import type { Task } from '../../crds/kinds/task.ts';
import { hasSucceeded, isFinished } from '../../crds/rules/phases.ts';
import { conditionOf } from '../conditions.ts';
import { isIdleReason, isOutsideReason, isPlaceReason } from '../task/blocked.ts';
import type { StorySeen } from './seen.ts';

export interface PlannedTask {
  readonly wanted: PlanTask;
  readonly digest: string;
  /** Name of the Task object of this revision. */
  readonly name: string;
  /** That object. */
  readonly task: Task | undefined;
  /** A Task of any revision that is equal in id and content and has Succeeded. */
  readonly doneBy: Task | undefined;
}

/** Each is a hash, and a Story looks at all of them whenever one of its Tasks moves. */
const namesIn = remember((plan: Plan) => {
  const known = new Map<string, string>();
  return ({ metadata }: StorySeen['story'], taskId: string): string => {
    const which = `${metadata.uid} ${taskId}`;
    const name = known.get(which) ?? taskName(metadata, plan.status?.digest ?? '', taskId);
    known.set(which, name);
    return name;
  };
});

/** The tasks of a Plan that is in force, with the objects that stand for them. */
export const plannedTasks = ({ story, tasks }: StorySeen, plan: Plan): readonly PlannedTask[] => {
  const byName = new Map(tasks.map((task) => [task.metadata.name, task]));
  const succeeded = new Map(
    tasks.filter(hasSucceeded).map((task) => [`${task.spec.task.id} ${task.spec.taskDigest}`, task] as const),
  );
  const nameOf = namesIn(plan);
  return (plan.status?.tasks ?? []).map((wanted) => {
    const digest = planTaskDigest(wanted);
    const name = nameOf(story, wanted.id);
    return { wanted, digest, name, task: byName.get(name), doneBy: succeeded.get(`${wanted.id} ${digest}`) };
  });
};

export const isDone = ({ doneBy }: PlannedTask): boolean => doneBy !== undefined;

const taskPhases = { Build: ['DESIGN', 'BUILD'], Test: ['TEST'], Docs: ['DOCS'] } as const;
export type WorkPhase = keyof typeof taskPhases;
export const isWorkPhase = (phase: StoryPhase | undefined): phase is WorkPhase =>
  phase === 'Build' || phase === 'Test' || phase === 'Docs';

const tasksOfPhase = (planned: readonly PlannedTask[], phase: WorkPhase): readonly PlannedTask[] =>
  planned.filter(({ wanted }) => (taskPhases[phase] as readonly string[]).includes(wanted.phase));

const WORK_PHASES = Object.keys(taskPhases) as readonly WorkPhase[];

/**
 * The phase whose tasks are waited for: the Story's own, or an earlier one that is open again, because somebody deleted a Task of it.
 * undefined: all of them are done.
 */
export const openPhase = (planned: readonly PlannedTask[], phase: WorkPhase): WorkPhase | undefined =>
  WORK_PHASES.slice(0, WORK_PHASES.indexOf(phase) + 1).find((each) => !tasksOfPhase(planned, each).every(isDone));

export const unfinishedTasks = (tasks: readonly Task[]): readonly Task[] => tasks.filter((task) => !isFinished(task));

/** Nothing is decided for a Task that is being deleted, so that it never ends, for as long as somebody's finalizer keeps it. */
export const isBeingDeleted = ({ metadata }: Task): boolean => metadata.deletionTimestamp !== undefined;

/** `tasks of phase Build: 1 of 3 done` */
export const tasksSentence = (planned: readonly PlannedTask[], phase: WorkPhase): string => {
  const ofPhase = tasksOfPhase(planned, phase);
  return `tasks of phase ${phase}: ${ofPhase.filter(isDone).length} of ${ofPhase.length} done`;
};

const isOpen = ({ task }: PlannedTask): boolean => task !== undefined && !isFinished(task);

const stalledSentence = ({ wanted, task }: PlannedTask): string | undefined => {
  const stalled = conditionOf(task?.status?.conditions, 'Stalled');
  return stalled?.status === 'True' ? `${wanted.id} needs a person: ${stalled.message}` : undefined;
};

const deletedSentence = ({ wanted, task }: PlannedTask): string | undefined =>
  task !== undefined && isBeingDeleted(task)
    ? `${wanted.id} waits for task ${task.metadata.name} to be gone: it is being deleted (metadata.finalizers says for whom)`
    : undefined;

/** A Task that is not under way says in its condition Succeeded what it waits for. */
const waitingSentence =
  (isTold: (reason: string) => boolean) =>
  ({ wanted, task }: PlannedTask): string | undefined => {
    const succeeded = conditionOf(task?.status?.conditions, 'Succeeded');
    return succeeded !== undefined && isTold(succeeded.reason) ? `${wanted.id} ${succeeded.message}` : undefined;
  };

const AT_WORK: readonly string[] = ['Running', 'Integrating'];
const isAtWork = ({ task }: PlannedTask): boolean => AT_WORK.includes(task?.status?.phase ?? '');

const hasBegun = (each: PlannedTask): boolean => isAtWork(each) || (each.task?.status?.attempt ?? 0) > 0;

/**
 * How far the phase is, and of its open Tasks the one that says most: the first (in the order of the plan) that needs a person, or else
 * the first that waits for something outside of the Story, or else, while nothing is at work, for a date, or, until work has begun, for a
 * place. What passes by itself as work goes on is not told: each change of the sentence is a write to the Story, which must not follow
 * every move of a Task.
 */
export const progressSentence = (planned: readonly PlannedTask[], phase: WorkPhase): string => {
  const open = planned.filter(isOpen);
  const ofPhase = tasksOfPhase(open, phase);
  const idle = planned.some(isAtWork) ? [] : ofPhase.map(waitingSentence(isIdleReason));
  const first = planned.some(hasBegun) ? [] : ofPhase.map(waitingSentence(isPlaceReason));
  const telling = [
    ...open.map(deletedSentence),
    ...open.map(stalledSentence),
    ...ofPhase.map(waitingSentence(isOutsideReason)),
    ...idle,
    ...first,
  ];
  return [tasksSentence(planned, phase), telling.find((sentence) => sentence !== undefined)]
    .filter((part) => part !== undefined)
    .join('; ');
};

export const taskCounts = (planned: readonly PlannedTask[]): NonNullable<StoryStatus['tasks']> => {
  const count = (holds: (each: PlannedTask) => boolean): number => planned.filter(holds).length;
  const succeeded = count(isDone);
  return {
    total: planned.length,
    succeeded,
    failed: count(({ task, doneBy }) => doneBy === undefined && task !== undefined && isFinished(task)),
    summary: `${succeeded}/${planned.length}`,
  };
};
