// Stories with their Plans, as a person would apply them, for work that kwok plays; and what became of their Tasks.

import type { PlanTask } from '../crds/kinds/plan-task.ts';
import type { Story } from '../crds/kinds/story.ts';
import type { Task } from '../crds/kinds/task.ts';
import { council, plan, story, unstored, work } from '../test/builders/objects.ts';
import { scriptedModelName } from '../test/model/script.ts';
import type { Bed } from './bed.ts';
import { nowMs, resourceOf, watchFromNow, type Watching } from './watch.ts';

const AUTO = { scope: 'Auto', design: 'Auto', test: 'Auto', docs: 'Auto' };

/** `count` Tasks that have nothing to do with each other: not a file in common. */
export const independent = (count: number): readonly PlanTask[] =>
  Array.from({ length: count }, (_, n) => work(`t${n}`, { fileScope: [`t${n}/**`] }));

/** Each depends on the one before. */
export const chained = (count: number): readonly PlanTask[] =>
  Array.from({ length: count }, (_, n) => work(`t${n}`, { fileScope: [`t${n}/**`], dependsOn: n === 0 ? [] : [`t${n - 1}`] }));

/** The namespace with its Council. */
export const makeTeam = async (bed: Bed, namespace: string): Promise<void> => {
  await bed.makeNamespace(namespace);
  const { metadata: _, ...rest } = unstored(council({ model: { endpoint: 'gpu', name: scriptedModelName } }, false));
  await bed.client.create(resourceOf('Council'), { ...rest, metadata: { namespace, name: 'dev' } });
};

export interface Applied {
  readonly namespace: string;
  readonly name: string;
  readonly tasks: readonly PlanTask[];
}

export const applyStory = async ({ client, repositoryUrl }: Bed, { namespace, name, tasks }: Applied): Promise<void> => {
  const wanted = story({ repository: { url: repositoryUrl }, gates: AUTO, rigor: 'L0' }, undefined, { namespace, name });
  await client.create(resourceOf('Story'), unstored(wanted));
  const { metadata: _, ...rest } = unstored(plan(tasks, { storyRef: { name } }));
  await client.create(resourceOf('Plan'), { ...rest, metadata: { namespace, name: `${name}-1` } });
};

/** How the Tasks of a namespace move. */
export interface Progress {
  /** When each Task that succeeded was first seen so, in the order of that. */
  readonly succeededAtMs: readonly number[];
  /** Tasks that have a status, whatever it says. */
  readonly known: number;
  /** Resolves when it holds, or when that time is over; false: it was over first. */
  within(limitMs: number, holds: () => boolean): Promise<boolean>;
  stop(): Promise<void>;
}

/** @throws (from `within`) when a Task fails or stalls: nothing is measured on what went wrong */
export const followTasks = async (bed: Bed, namespace: string): Promise<Progress> => {
  const succeeded = new Map<string, number>();
  const known = new Set<string>();
  const wrong: string[] = [];
  const onChange = (object: object, atMs: number): void => {
    const { metadata, status } = object as Task;
    if (status?.phase !== undefined) known.add(metadata.name);
    if (status?.phase === 'Succeeded' && !succeeded.has(metadata.name)) succeeded.set(metadata.name, atMs);
    const isStalled = status?.conditions?.some(({ type, status: is }) => type === 'Stalled' && is === 'True') ?? false;
    if (status?.phase === 'Failed' || status?.phase === 'Cancelled' || isStalled)
      wrong.push(`Task ${metadata.name} is ${status?.phase}: ${JSON.stringify(status?.conditions)}`);
  };
  const watching = await watchFromNow(bed.client, { resource: resourceOf('Task'), namespace, onChange });
  return {
    get succeededAtMs() {
      return [...succeeded.values()];
    },
    get known() {
      return known.size;
    },
    within: async (limitMs, holds) => {
      const over = Promise.withResolvers<false>();
      const timer = setTimeout(() => over.resolve(false), limitMs);
      const found = watching.until(() => (wrong.length > 0 || holds() ? true : undefined));
      const result = holds() || (await Promise.race([found, over.promise]));
      clearTimeout(timer);
      const [first] = wrong;
      if (first !== undefined) throw new Error(first);
      return result;
    },
    stop: () => watching.stop(),
  };
};

/** Resolves when the Story is Done; to be called before it is applied. */
export const storyDone = async (
  bed: Bed,
  namespace: string,
): Promise<{ readonly done: Promise<true>; readonly watching: Watching }> => {
  const watching = await watchFromNow(bed.client, { resource: resourceOf('Story'), namespace });
  const done = watching.until((object) => ((object as Story).status?.phase === 'Done' ? (true as const) : undefined));
  return { done, watching };
};

/** Finished Tasks a second, from that moment to the last one. */
export const rateOf = (succeededAtMs: readonly number[], sinceMs: number): number =>
  (1_000 * succeededAtMs.length) / ((succeededAtMs.at(-1) ?? nowMs()) - sinceMs);
