// What the cluster gives to a client that decides nothing: the same two Jobs for each Task (attempt, then courier), the same places, one courier a
// Story at a time, the same API client with the same number of connections, and no write but these. A Task keeps its place until its
// courier has ended, as in the operator. The Stories take turns, so that as many couriers as may are under way.

import { ApiClient } from '../kube/client.ts';
import { loadConnection } from '../kube/connection.ts';
import type { KubeObject } from '../kube/object.ts';
import { jobs, pods } from '../kube/resources.ts';
import type { JobKind } from '../crds/contracts/steps.ts';
import { LABEL_WORKSPACE } from '../crds/labels.ts';
import type { Bed } from './bed.ts';
import { bareJob } from './jobs.ts';
import { nowMs, watchFromNow } from './watch.ts';

/** As many as the operator has (FLEET_WORKERS). */
const CONNECTIONS = 8;

export interface BareWork {
  readonly namespace: string;
  readonly stories: number;
  readonly tasksPerStory: number;
  readonly places: number;
}

interface PlayedPod extends KubeObject {
  readonly status?: { readonly phase?: string };
}

interface BareTask {
  readonly story: number;
  readonly task: number;
}

/** Who has a place, who waits, and whose patch is carried. Sends through `send`; knows no API. */
class BareWalk {
  readonly finishedAtMs: number[] = [];
  readonly #waiting: BareTask[];
  readonly #patches: BareTask[][];
  readonly #carrying = new Set<number>();
  readonly #send: (kind: JobKind, task: BareTask) => void;
  #free: number;

  constructor({ stories, tasksPerStory, places }: BareWork, send: (kind: JobKind, task: BareTask) => void) {
    this.#waiting = Array.from({ length: stories * tasksPerStory }, (_, n) => ({
      story: n % stories,
      task: Math.floor(n / stories),
    }));
    this.#patches = Array.from({ length: stories }, () => []);
    this.#free = places;
    this.#send = send;
  }

  start(): void {
    for (; this.#free > 0; this.#free -= 1) {
      const next = this.#waiting.shift();
      if (next === undefined) return;
      this.#send('attempt', next);
    }
  }

  ended(kind: JobKind, task: BareTask): void {
    if (kind === 'attempt') {
      this.#patches[task.story]?.push(task);
    } else {
      this.finishedAtMs.push(nowMs());
      this.#carrying.delete(task.story);
      this.#free += 1;
      this.start();
    }
    this.#carry(task.story);
  }

  #carry(story: number): void {
    const next = this.#carrying.has(story) ? undefined : this.#patches[story]?.shift();
    if (next === undefined) return;
    this.#carrying.add(story);
    this.#send('courier', next);
  }
}

const nameOf = (kind: JobKind, { story, task }: BareTask): string => `${kind}-${story}-${task}`;

const parsed = (name: string): readonly [JobKind, BareTask] => {
  const [kind = '', story, task] = name.split('-');
  return [kind as JobKind, { story: Number(story), task: Number(task) }];
};

/** Sends everything, and gives when each Task had its courier's end seen, in that order; up to the limit. */
export const runBareClient = async (bed: Bed, work: BareWork, limitMs: number): Promise<readonly number[]> => {
  const { namespace } = work;
  const client = new ApiClient(await loadConnection(bed.cluster.kubeconfig), { userAgent: 'bare', connections: CONNECTIONS });
  const over = Promise.withResolvers<void>();
  const walk = new BareWalk(work, (kind, task) => {
    const job = bareJob({ namespace, name: nameOf(kind, task), kind });
    client.create(jobs, job).catch((error: unknown) => over.reject(error));
  });
  const ended = new Set<string>();
  const onChange = (object: KubeObject): void => {
    const { metadata, status } = object as PlayedPod;
    const job = metadata.ownerReferences?.[0]?.name ?? '';
    if (status?.phase !== 'Succeeded' || ended.has(job)) return;
    ended.add(job);
    walk.ended(...parsed(job));
    if (walk.finishedAtMs.length === work.stories * work.tasksPerStory) over.resolve();
  };
  const watching = await watchFromNow(client, { resource: pods, namespace, labelSelector: LABEL_WORKSPACE, onChange });
  const timer = setTimeout(() => over.resolve(), limitMs);
  try {
    walk.start();
    await over.promise;
    return [...walk.finishedAtMs];
  } finally {
    clearTimeout(timer);
    await watching.stop();
    await client.close();
  }
};
