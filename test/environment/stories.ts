// A Story and its Plan as persons would write them: the same words in every test, so that what differs is what the test is about.
import { API_VERSION } from '../../crds/kinds/meta.ts';
import type { PlanTask } from '../../crds/kinds/plan-task.ts';
import type { StoryPhase } from '../../crds/kinds/story.ts';
import type { Repository } from './environment.ts';

export type TaskInput = Partial<PlanTask> & Pick<PlanTask, 'id' | 'title' | 'description'>;

export interface StoryInput {
  readonly namespace: string;
  readonly name: string;
  readonly councils?: readonly { readonly role: string; readonly name: string }[];
  readonly budget?: { readonly gpuSeconds: number };
}

export const STORY_ENDS: readonly StoryPhase[] = ['Done', 'Failed', 'Cancelled'];

export const planName = (story: string): string => `${story}-1`;

/** Written by alice, who may open the gates that it names. */
export const storyObject = ({ namespace, name, councils, budget }: StoryInput, repository: Repository): object => ({
  apiVersion: API_VERSION,
  kind: 'Story',
  metadata: { name, namespace },
  spec: {
    title: 'Make the library more useful',
    description: 'As a user of the library I want the change that the plan describes, so that I can use it in my work.',
    acceptanceCriteria: [
      'Given the library, when I call the new function, then I get what its documentation says',
      'Given the tests, when they run, then they pass',
    ],
    repository: { url: repository.url, ref: 'main' },
    gates: { scope: 'Auto', test: 'Auto', docs: 'Auto' },
    ...(councils !== undefined && { councils }),
    ...(budget !== undefined && { budget }),
  },
});

export const planObject = ({ namespace, name }: StoryInput, tasks: readonly TaskInput[]): object => ({
  apiVersion: API_VERSION,
  kind: 'Plan',
  metadata: { name: planName(name), namespace },
  spec: {
    storyRef: { name },
    revision: 1,
    author: 'alice',
    tasks: tasks.map((task) => ({ role: 'DEV', phase: 'BUILD', ...task })),
  },
});
