// When a Story or a Task has finished: it is never taken up again, nothing is started for it, and nobody waits for it.
import type { Story, StoryPhase } from '../kinds/story.ts';
import type { Task, TaskObjectPhase } from '../kinds/task.ts';

/** No phase of the one kind is an unfinished phase of the other, so one list serves both. */
const FINISHED: readonly (StoryPhase | TaskObjectPhase | undefined)[] = ['Done', 'Succeeded', 'Failed', 'Cancelled'];

export const isFinished = ({ status }: Pick<Story, 'status'> | Pick<Task, 'status'>): boolean => FINISHED.includes(status?.phase);
export const hasSucceeded = ({ status }: Pick<Task, 'status'>): boolean => status?.phase === 'Succeeded';
