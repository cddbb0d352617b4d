// What the cluster gives to a client that decides nothing: the same two Jobs for each Task (attempt, then courier), by the same API client with
// the same number of connections, and no write but these.

import { ApiClient } from '../kube/client.ts';
import { loadConnection } from '../kube/connection.ts';
import type { KubeObject } from '../kube/object.ts';
import { jobs, pods } from '../kube/resources.ts';
import { LABEL_WORKSPACE } from '../crds/labels.ts';
import type { Bed } from './bed.ts';
import { BareWalk, jobOf, nameOf, type BareWalkInput } from './bare-walk.ts';
import { bareJob } from './jobs.ts';
import { watchFromNow } from './watch.ts';

/** As many as the operator has (FLEET_WORKERS). */
const CONNECTIONS = 8;

export interface BareWork extends BareWalkInput {
  readonly namespace: string;
}

interface PlayedPod extends KubeObject {
  readonly status?: { readonly phase?: string };
}

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
    walk.ended(...jobOf(job));
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
