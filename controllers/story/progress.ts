// How far a Story's tasks are: which Task object does which task of the Plan in force, what is done, what is the newest commit.
// May: read Plans and Tasks. May not: count what is not seen; a commit counts when its Task has Succeeded.

import { planTaskDigest } from '../../crds/digests.ts';
import { taskName } from '../../crds/names.ts';
import type { Plan } from '../../crds/kinds/plan.ts';
import type { PlanTask } from '../../crds/kinds/plan-task.ts';
import type { StoryPhase, StoryStatus } from '../../crds/kinds/story.ts';
import type { Task } from '../../crds/kinds/task.ts';
import { latestRecord, listedRecords } from '../task/runs.ts';
import { hasSucceeded, isFinished } from '../task/seen.ts';
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

/** The tasks of a Plan that is in force, with the objects that stand for them. */
export const plannedTasks = ({ story, tasks }: StorySeen, plan: Plan): readonly PlannedTask[] =>
  (plan.status?.tasks ?? []).map((wanted) => {
    const digest = planTaskDigest(wanted);
    const name = taskName(story.metadata, plan.status?.digest ?? '', wanted.id);
    return {
      wanted,
      digest,
      name,
      task: tasks.find(({ metadata }) => metadata.name === name),
      doneBy: tasks.find((task) => hasSucceeded(task) && task.spec.task.id === wanted.id && task.spec.taskDigest === digest),
    };
  });

export const isDone = ({ doneBy }: PlannedTask): boolean => doneBy !== undefined;

const taskPhases = { Build: ['DESIGN', 'BUILD'], Test: ['TEST'], Docs: ['DOCS'] } as const;
export type WorkPhase = keyof typeof taskPhases;
export const isWorkPhase = (phase: StoryPhase | undefined): phase is WorkPhase =>
  phase === 'Build' || phase === 'Test' || phase === 'Docs';

export const tasksOfPhase = (planned: readonly PlannedTask[], phase: WorkPhase): readonly PlannedTask[] =>
  planned.filter(({ wanted }) => (taskPhases[phase] as readonly string[]).includes(wanted.phase));

export const unfinishedTasks = (tasks: readonly Task[]): readonly Task[] => tasks.filter((task) => !isFinished(task));

const landedAt = (task: Task): string =>
  [task.status?.completedAt, latestRecord(listedRecords(task))?.startedAt].map((time) => time ?? '').join(' ');

/** `the tasks of phase Build: 1 of 3 done` */
export const tasksSentence = (planned: readonly PlannedTask[], phase: WorkPhase): string => {
  const ofPhase = tasksOfPhase(planned, phase);
  return `the tasks of phase ${phase}: ${ofPhase.filter(isDone).length} of ${ofPhase.length} done`;
};

/** The newest commit: couriers go one at a time, and `completedAt` of a Task is the end of its courier. */
export const headCommit = ({ story, tasks }: StorySeen): string | undefined =>
  tasks
    .filter((task) => hasSucceeded(task) && task.status?.commit !== undefined)
    .sort((a, b) => (landedAt(a) < landedAt(b) ? -1 : 1))
    .at(-1)?.status?.commit ?? story.status?.headCommit;

const AT_WORK: readonly string[] = ['Running', 'Integrating'];

export const taskCounts = (planned: readonly PlannedTask[]): NonNullable<StoryStatus['tasks']> => {
  const count = (holds: (each: PlannedTask) => boolean): number => planned.filter(holds).length;
  const succeeded = count(isDone);
  return {
    total: planned.length,
    succeeded,
    running: count(({ task }) => AT_WORK.includes(task?.status?.phase ?? '')),
    failed: count(({ task, doneBy }) => doneBy === undefined && task !== undefined && isFinished(task)),
    summary: `${succeeded}/${planned.length}`,
  };
};
