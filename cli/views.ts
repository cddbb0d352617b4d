// The objects of a namespace, followed: caches filled by reflectors, and word of each change. For commands that print more than once.

import { Cache } from '../kube/cache.ts';
import { ApiError } from '../kube/error.ts';
import type { KubeObject, Resource, Stored } from '../kube/object.ts';
import { Reflector, type Report } from '../kube/reflector.ts';
import { RESOURCES, type Cluster, type Objects } from './cluster.ts';
import type { StoryView } from './story-tree.ts';

type Where = Pick<Cluster, 'client' | 'namespace'>;

export interface Selection {
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
}

/** Wakes whoever waits for a change; none is missed between two waits. */
export class Changes {
  #waiting = Promise.withResolvers<void>();

  readonly tell = (): void => {
    this.#waiting.resolve();
    this.#waiting = Promise.withResolvers<void>();
  };

  /** Take the promise first, look then, wait last. */
  next(): Promise<void> {
    return this.#waiting.promise;
  }
}

export interface Following<T extends KubeObject> {
  values(): readonly Stored<T>[];
  /** Resolves when everything was seen once; rejects when the server refuses. */
  readonly ready: Promise<void>;
}

/** Follows a resource in the namespace until the signal aborts. */
export const follow = <T extends KubeObject>(
  where: Where,
  resource: Resource,
  options: Selection & { readonly changes: Changes; readonly signal: AbortSignal },
): Following<T> => {
  const { changes, signal, ...selection } = options;
  const cache = new Cache<T>();
  const refused = Promise.withResolvers<never>();
  const onReport = (report: Report): void => {
    if (report.type === 'broken' && report.error instanceof ApiError && report.error.sort === 'terminal')
      refused.reject(report.error);
  };
  const reflector = new Reflector<T>({
    client: where.client,
    resource,
    cache,
    namespace: where.namespace,
    ...selection,
    onReport,
  });
  cache.onChange(changes.tell);
  void reflector.run(signal);
  return { values: () => [...cache.values()], ready: Promise.race([reflector.synced, refused.promise]) };
};

/** Stories with their Plans and Tasks, oldest first; of one name or all. */
export interface Stories {
  readonly ready: Promise<unknown>;
  views(): readonly StoryView[];
}

export const followStories = (
  where: Where,
  name: string | undefined,
  around: { readonly changes: Changes; readonly signal: AbortSignal },
): Stories => {
  const stories = follow<Objects['story']>(where, RESOURCES.story, {
    ...around,
    ...(name !== undefined && { fieldSelector: `metadata.name=${name}` }),
  });
  const plans = follow<Objects['plan']>(where, RESOURCES.plan, around);
  const tasks = follow<Objects['task']>(where, RESOURCES.task, around);
  const viewOf = (story: Objects['story']): StoryView => ({
    story,
    plans: plans.values().filter(({ spec }) => spec.storyRef.name === story.metadata.name),
    tasks: tasks.values().filter(({ spec }) => spec.storyRef.uid === story.metadata.uid),
  });
  const oldestFirst = (a: Objects['story'], b: Objects['story']): number =>
    a.metadata.creationTimestamp.localeCompare(b.metadata.creationTimestamp) || a.metadata.name.localeCompare(b.metadata.name);
  return {
    ready: Promise.all([stories.ready, plans.ready, tasks.ready]),
    views: () => stories.values().toSorted(oldestFirst).map(viewOf),
  };
};
