// When a Story or a Task has finished: it is never taken up again, nothing is started for it, and nobody waits for it.
import type { Story, StoryPhase } from '../kinds/story.ts';
import type { Task, TaskObjectPhase } from '../kinds/task.ts';

/** No phase of the one kind is an unfinished phase of the other, so one list serves both. */
const FINISHED: readonly (StoryPhase | TaskObjectPhase | undefined)[] = ['Done', 'Succeeded', 'Failed', 'Cancelled'];

/** The phases in which Tasks run, in their order. */
const WORK_PHASES: readonly StoryPhase[] = ['Build', 'Test', 'Docs'];

export const isFinished = ({ status }: Pick<Story, 'status'> | Pick<Task, 'status'>): boolean => FINISHED.includes(status?.phase);
/**
 * Whether the Story is in that phase or was: a Task of a phase that is over is made anew when somebody deletes it, and then has to run.
 * A Story that has finished is none of these phases' any more.
 */
export const hasReached = ({ status }: Pick<Story, 'status'>, phase: StoryPhase): boolean =>
  WORK_PHASES.indexOf(status?.phase ?? 'Draft') >= WORK_PHASES.indexOf(phase);

export const hasSucceeded = ({ status }: Pick<Task, 'status'>): boolean => status?.phase === 'Succeeded';
