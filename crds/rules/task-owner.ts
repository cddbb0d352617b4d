// Whose Task it is: the Story's that its spec names, which is immutable. Its controller must be the same one, or it counts for nobody: a
// Task that was given to another owner would end with it, or count for a Story that never planned it.
import { API_VERSION, controllerOf } from '../kinds/meta.ts';
import type { Task } from '../kinds/task.ts';

export const isOwnedByItsStory = (task: Pick<Task, 'metadata' | 'spec'>): boolean => {
  const { apiVersion, kind, uid } = controllerOf(task) ?? {};
  return apiVersion === API_VERSION && kind === 'Story' && uid === task.spec.storyRef.uid;
};
