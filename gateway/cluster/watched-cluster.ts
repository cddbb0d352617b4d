// The cluster as reflectors show it: one cache a kind, all namespaces; of Pods and Jobs only those of workspaces.

import type { Council } from '../../crds/kinds/council.ts';
import type { Deliberation } from '../../crds/kinds/deliberation.ts';
import { LABEL_WORKSPACE } from '../../crds/labels.ts';
import { GROUP, VERSION } from '../../crds/kinds/meta.ts';
import type { Plan } from '../../crds/kinds/plan.ts';
import type { PlatformConfig } from '../../crds/contracts/platform.ts';
import { isOwnedByItsStory } from '../../crds/rules/task-owner.ts';
import type { Story } from '../../crds/kinds/story.ts';
import type { Task } from '../../crds/kinds/task.ts';
import { Cache } from '../../kube/cache.ts';
import type { ApiClient } from '../../kube/client.ts';
import type { KubeObject, Resource } from '../../kube/object.ts';
import type { Fields } from '../../kube/projection.ts';
import { Reflector, type Report } from '../../kube/reflector.ts';
import { jobs, pods } from '../../kube/resources.ts';
import { errorFields, type Log } from '../../runtime/log.ts';
import { KEPT_JOB, KEPT_POD, type Job, type Pod } from './objects.ts';
import type { ClusterView } from './cluster-view.ts';

const ours = (plural: string, kind: string): Resource => ({ group: GROUP, version: VERSION, plural, kind, namespaced: true });

const namespaceIndex = { namespace: (object: KubeObject): readonly string[] => [object.metadata.namespace ?? ''] };

interface Wish<T> {
  readonly uid: string;
  readonly wanted: (object: T) => boolean;
  readonly withinMs: number;
}

/** The object as soon as it is as wanted, else as it is after that time. */
const when = <T extends KubeObject>(cache: Cache<T>, { uid, wanted, withinMs }: Wish<T>): Promise<T | undefined> => {
  const seen = cache.byUid(uid);
  if (seen !== undefined && wanted(seen)) return Promise.resolve(seen);
  return new Promise((resolve) => {
    const timer = setTimeout(() => end(cache.byUid(uid)), withinMs);
    const stop = cache.onChange((change) => {
      if (change.type !== 'deleted' && change.object.metadata.uid === uid && wanted(change.object)) end(change.object);
    });
    function end(object: T | undefined): void {
      clearTimeout(timer);
      stop();
      resolve(object);
    }
  });
};

export class WatchedCluster implements ClusterView {
  readonly pods = new Cache<Pod>();
  readonly jobs = new Cache<Job>();
  readonly tasks = new Cache<Task>({
    indexes: { story: (task): readonly string[] => (isOwnedByItsStory(task) ? [task.spec.storyRef.uid] : []) },
  });
  readonly stories = new Cache<Story>({ indexes: namespaceIndex });
  readonly plans = new Cache<Plan>();
  readonly councils = new Cache<Council>({ indexes: namespaceIndex });
  readonly deliberations = new Cache<Deliberation>();
  readonly #platform: () => PlatformConfig;

  constructor(platform: () => PlatformConfig) {
    this.#platform = platform;
  }

  get platform(): PlatformConfig {
    return this.#platform();
  }

  pod(uid: string): Pod | undefined {
    return this.pods.byUid(uid);
  }

  async podWhen(uid: string, wanted: (pod: Pod) => boolean, withinMs: number): Promise<Pod | undefined> {
    const pod = await when(this.pods, { uid, wanted, withinMs });
    return pod !== undefined && wanted(pod) ? pod : undefined;
  }

  deliberationWhen(uid: string, wanted: (found: Deliberation) => boolean, withinMs: number): Promise<Deliberation | undefined> {
    return when(this.deliberations, { uid, wanted, withinMs });
  }

  job(uid: string): Job | undefined {
    return this.jobs.byUid(uid);
  }

  task(uid: string): Task | undefined {
    return this.tasks.byUid(uid);
  }

  story(uid: string): Story | undefined {
    return this.stories.byUid(uid);
  }

  plan(uid: string): Plan | undefined {
    return this.plans.byUid(uid);
  }

  tasksOf(storyUid: string): readonly Task[] {
    return this.tasks.by('story', storyUid);
  }

  storiesIn(namespace: string): readonly Story[] {
    return this.stories.by('namespace', namespace);
  }

  councilsIn(namespace: string): readonly Council[] {
    return this.councils.by('namespace', namespace);
  }

  exists(uid: string): boolean {
    return this.#ours().some((cache) => cache.byUid(uid) !== undefined);
  }

  /** The resourceVersion up to which each of our kinds was read. */
  versions(): readonly (string | undefined)[] {
    return this.#ours().map(({ version }) => version);
  }

  #ours(): readonly Pick<Cache<KubeObject>, 'byUid' | 'version'>[] {
    return [this.stories, this.tasks, this.plans, this.councils, this.deliberations];
  }

  namespaceOfRoot(uid: string): string | undefined {
    return (this.stories.byUid(uid) ?? this.deliberations.byUid(uid))?.metadata.namespace;
  }
}

export interface Watching {
  /** Names of the kinds that have not been listed yet. */
  notSynced(): readonly string[];
  /** Names of the kinds whose list or watch is broken. */
  broken(): readonly string[];
  readonly done: Promise<unknown>;
}

/** Fills the caches until `signal` aborts. */
export const watchCluster = (
  view: WatchedCluster,
  client: ApiClient,
  options: { readonly log: Log; readonly signal: AbortSignal },
): Watching => {
  const { log, signal } = options;
  const onReport = (report: Report): void => {
    const resource = report.resource.plural;
    if (report.type === 'listed') log.info('listed', { resource, objects: report.objects });
    else log.warn(`watch ${report.type}`, { resource, ...errorFields(report.error) });
  };
  const workspaces = { labelSelector: LABEL_WORKSPACE };
  const follow = <T extends KubeObject>(resource: Resource, cache: Cache<T>, selection: object = {}): Reflector<T> =>
    new Reflector<T>({ client, resource, cache, onReport, ...selection });
  const reflectors = {
    pods: follow(pods, view.pods, { ...workspaces, fields: KEPT_POD as Fields }),
    jobs: follow(jobs, view.jobs, { ...workspaces, fields: KEPT_JOB as Fields }),
    tasks: follow(ours('tasks', 'Task'), view.tasks),
    stories: follow(ours('stories', 'Story'), view.stories),
    plans: follow(ours('plans', 'Plan'), view.plans),
    councils: follow(ours('councils', 'Council'), view.councils),
    deliberations: follow(ours('deliberations', 'Deliberation'), view.deliberations),
  };
  const done = Promise.all(Object.values(reflectors).map((reflector) => reflector.run(signal)));
  return {
    done,
    notSynced: () => Object.entries(reflectors).flatMap(([name, reflector]) => (reflector.isSynced ? [] : [name])),
    broken: () => Object.entries(reflectors).flatMap(([name, reflector]) => (reflector.isBroken ? [name] : [])),
  };
};
