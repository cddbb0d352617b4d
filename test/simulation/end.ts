// What a run came to, without what may differ between runs that are both right: order, times, names of Jobs.

import type { Story } from '../../crds/kinds/story.ts';
import type { Task } from '../../crds/kinds/task.ts';
import type { Simulation } from './simulation.ts';

export interface End {
  readonly story: string | undefined;
  readonly reason: string | undefined;
  /** `<revision>/<task id>: <phase>`, sorted. */
  readonly tasks: readonly string[];
  /** Ids of the tasks whose commits are on the branch, sorted; the same as those that succeeded, or an accident happened. */
  readonly commits: readonly string[];
}

export const endOf = ({ server, repository }: Simulation): End => {
  const [story] = server.list('Story') as unknown as readonly Story[];
  const tasks = server.list('Task') as unknown as readonly Task[];
  return {
    story: story?.status?.phase,
    reason: story?.status?.reason,
    tasks: tasks.map(({ spec, status }) => `${spec.planRef.revision}/${spec.task.id}: ${status?.phase}`).sort(),
    commits: repository.log.map((trailer) => trailer.replace(/#\d+$/, '')).sort(),
  };
};
