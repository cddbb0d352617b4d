// One Story from apply to its end, as persons would drive it. The tests look at what came of it.
import { join } from 'node:path';
import { expect } from 'vitest';
import type { Plan } from '../../crds/kinds/plan.ts';
import type { Story } from '../../crds/kinds/story.ts';
import type { Task } from '../../crds/kinds/task.ts';
import { git } from '../environment/repository.ts';
import {
  planName as planNameOf,
  planObject,
  STORY_ENDS,
  storyObject,
  type StoryInput,
  type TaskInput,
} from '../environment/stories.ts';
import { TEST_BOX } from '../environment/test-cluster.ts';
import { follow, type Follower } from '../environment/watching.ts';
import { connectEnvironment, type Repository, type Environment } from '../environment/environment.ts';

export const fixture = (name: string): string => join(import.meta.dirname, '..', 'fixtures', name);

export interface WalkInput extends StoryInput {
  readonly repositoryFolder: string;
  readonly tasks: readonly TaskInput[];
}

export interface Walk {
  readonly environment: Environment;
  readonly namespace: string;
  readonly repository: Repository;
  readonly follower: Follower;
  readonly branch: string;
  /** Applied as alice; resolves when the Plan waits for its approval. */
  start(): Promise<Plan>;
  /** As bob, by the CLI. */
  approve(): Promise<void>;
  ended(): Promise<Story>;
  taskEnded(id: string): Promise<Task>;
  task(id: string): Task;
  git(...args: readonly string[]): Promise<string>;
  close(): Promise<void>;
}

export const walk = async (input: WalkInput): Promise<Walk> => {
  const { namespace, name } = input;
  const environment = await connectEnvironment(TEST_BOX);
  // of an earlier run in a kept cluster
  await environment.as('alice')('delete', `story/${name}`, `plan/${name}-1`, '--namespace', namespace, '--ignore-not-found');
  const repository = await environment.createRepository(`${namespace}-${name}`, input.repositoryFolder);
  const follower = await follow(environment.cluster.kubeconfig, namespace);
  const planName = planNameOf(name);
  const taskOf = (id: string): Task | undefined =>
    follower.view().tasks.find(({ spec }) => spec.storyRef.name === name && spec.task.id === id);
  return {
    environment,
    namespace,
    repository,
    follower,
    branch: `fleet/${namespace}/${name}`,
    start: async () => {
      await environment.as('alice').apply([storyObject(input, repository), planObject(input, input.tasks)]);
      return follower.until(({ stories, plans }) => {
        const story = stories.find(({ metadata }) => metadata.name === name);
        return story?.status?.phase === 'Design'
          ? plans.find(({ metadata, status }) => metadata.name === planName && status?.digest !== undefined)
          : undefined;
      });
    },
    approve: async () => {
      const end = await environment.fleet(
        'bob',
        'approve',
        'plan',
        planName,
        '--namespace',
        namespace,
        '--yes',
        '--reason',
        'reviewed',
      );
      expect(end).toMatchObject({ status: 0 });
    },
    ended: () =>
      follower.until(({ stories }) =>
        stories.find(({ metadata, status }) => metadata.name === name && STORY_ENDS.includes(status?.phase ?? 'Draft')),
      ),
    taskEnded: (id) =>
      follower.until(() => {
        const task = taskOf(id);
        const over =
          task?.status?.completedAt !== undefined ||
          task?.status?.conditions?.some(({ type, status }) => type === 'Stalled' && status === 'True');
        return over === true ? task : undefined;
      }),
    task: (id) => {
      const task = taskOf(id);
      if (task === undefined) throw new Error(`no task ${id}`);
      return task;
    },
    git: (...args) => git(repository.bare, ...args),
    close: () => follower.close(),
  };
};
