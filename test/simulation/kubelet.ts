// The Job controller and the kubelets of a simulation: they bring a workspace Job to its end in the small steps of the real ones,
// each of which is an update of its own that a watcher may see or not see yet. What happens in a workspace is the plot's to say.
//
//   Job ─► pod ─► pod runs ─► its steps ended ─► pod ended ─► Job FailureTarget / SuccessCriteriaMet ─► Job Failed / Complete
//
// A pod outlives a Job that is deleted until it is collected, and may come to its end meanwhile. One whose node is lost is stuck.

import { controllerOf } from '../../crds/kinds/meta.ts';
import { timestamp } from '../../crds/time.ts';
import type { Receipt } from '../../crds/contracts/receipts.ts';
import { WORKSPACE_ACCOUNT, type JobKind } from '../../crds/contracts/steps.ts';
import type { Job, Pod } from '../../controllers/kubernetes.ts';
import { stepTable } from '../../controllers/workspace/step-table.ts';
import { LABEL_ATTEMPT, LABEL_TRY, LABEL_WORKSPACE } from '../../crds/labels.ts';
import { keyOf, type KubeObject } from '../../kube/object.ts';
import type { Task } from '../../crds/kinds/task.ts';
import type { ApiServer, SimMeta, SimObject } from './api-server.ts';
import type { Carried, Repository } from './repository.ts';
import { findingsOf, stepStatuses } from './steps.ts';

/** How a workspace ends. `hang`: not before its deadline. `lost`: its pod vanishes while it runs. `forgotten`: it ends well, but the pod is gone before anybody looks. `nodeLost`: its pod is to be deleted and stays. */
export type Ending =
  | { readonly how: 'ok' }
  | { readonly how: 'finding'; readonly step: string; readonly reason: string }
  | { readonly how: 'killed'; readonly step: string; readonly reason: 'OOMKilled' | 'Error'; readonly exitCode: number }
  | { readonly how: 'deadline'; readonly step: string }
  | { readonly how: 'hang' }
  | { readonly how: 'lost' }
  | { readonly how: 'forgotten' }
  | { readonly how: 'nodeLost' };

export interface Workspace extends Carried {
  readonly kind: JobKind;
  readonly courierTry: number;
}

export type Plot = (workspace: Workspace) => Ending;

interface KubeletPorts {
  readonly server: ApiServer;
  readonly repository: Repository;
  readonly plot: Plot;
  /** By the clock of nodes and Job controller. */
  readonly nowMs: () => number;
  /** The gateway serves the last step of the Job of that uid, and keeps a receipt; false: it cannot. */
  readonly serve: (jobUid: string, receipt: Receipt) => boolean;
}

type Step = () => string;

/** How long the gateway lets a step wait until its Job is listed. */
const LISTED_WITHIN_MS = 60_000;
/** Holds a pod whose node is lost. */
export const NODE_FINALIZER = 'simulation/lost-node';

export const isFinished = (job: Job): boolean =>
  job.status?.conditions?.some(({ type, status }) => (type === 'Complete' || type === 'Failed') && status === 'True') === true;

export const isNodeLost = ({ metadata }: { readonly metadata: SimMeta }): boolean =>
  metadata.finalizers?.includes(NODE_FINALIZER) === true;

const deadlineMsOf = (job: SimObject): number => {
  const template = job.spec?.['template'] as { readonly spec?: { readonly activeDeadlineSeconds?: number } } | undefined;
  return (template?.spec?.activeDeadlineSeconds ?? 86_400) * 1000;
};

export class Kubelet {
  readonly #ports: KubeletPorts;
  #known: { readonly version: number; readonly atMs: number; readonly moves: readonly Step[] } | undefined;

  constructor(ports: KubeletPorts) {
    this.#ports = ports;
  }

  /** One small step for each Job, and each pod without one, for which something can happen now. */
  moves(): readonly Step[] {
    const { server, nowMs } = this.#ports;
    const atMs = nowMs();
    if (this.#known?.version === server.version && this.#known.atMs === atMs) return this.#known.moves;
    const moves = [
      ...server.list('Job').flatMap((job) => this.#move(job) ?? []),
      ...server.list('Pod').flatMap((pod) => this.#runOn(pod) ?? []),
    ];
    this.#known = { version: server.version, atMs, moves };
    return moves;
  }

  /** When a step that waits gives up or runs out of time, if any waits. */
  nextDateMs(): number | undefined {
    const dates = this.#ports.server
      .list('Job')
      .filter((job) => !isFinished(job as unknown as Job) && this.#move(job) === undefined)
      .flatMap((job) => this.#dateOf(job) ?? [])
      .filter((date) => date > this.#ports.nowMs());
    return dates.length === 0 ? undefined : Math.min(...dates);
  }

  #dateOf(job: SimObject): number | undefined {
    const [pod] = this.#pods(job);
    const workspace = this.#workspaceOf(job);
    if (pod === undefined || workspace === undefined || isNodeLost(pod)) return undefined;
    const sinceMs = Date.parse(pod.metadata.creationTimestamp ?? '');
    return sinceMs + (this.#ports.plot(workspace).how === 'hang' ? deadlineMsOf(job) : LISTED_WITHIN_MS);
  }

  #pods(job: SimObject): readonly SimObject[] {
    return this.#ports.server.ownedBy(job.metadata.uid, 'Pod');
  }

  #move(object: SimObject): Step | undefined {
    const job = object as unknown as Job;
    const workspace = this.#workspaceOf(object);
    if (isFinished(job) || workspace === undefined) return undefined;
    const [pod] = this.#pods(object);
    if (pod !== undefined && isNodeLost(pod)) return undefined; // the Job controller waits until the pod has ended
    const ending = this.#ports.plot(workspace);
    const target = job.status?.conditions?.[0]?.type;
    if (target !== undefined) return this.#afterTarget(object, ending, target);
    if (pod !== undefined) return this.#moveWith(object, pod as unknown as Pod, workspace, ending);
    if (job.status?.startTime !== undefined) return () => this.#target(object, 'FailureTarget');
    return object.metadata.deletionTimestamp === undefined ? () => this.#createPod(object) : undefined;
  }

  #moveWith(job: SimObject, pod: Pod, workspace: Workspace, ending: Ending): Step | undefined {
    const { phase, containerStatuses } = pod.status ?? {};
    if (phase === undefined) return () => this.#run(job.metadata.name, pod);
    if (phase === 'Running' && containerStatuses === undefined) return this.#end(job, pod, workspace, ending);
    if (phase === 'Running') return () => this.#endPod(job.metadata.name, pod, ending);
    return () => this.#target(job, phase === 'Succeeded' ? 'SuccessCriteriaMet' : 'FailureTarget');
  }

  /** A pod whose Job is gone goes on until it is collected: its steps may still be served. */
  #runOn(object: SimObject): Step | undefined {
    const { server } = this.#ports;
    const jobUid = controllerOf(object)?.uid ?? '';
    const pod = object as unknown as Pod;
    if (server.byUid(jobUid) !== undefined || isNodeLost(object)) return undefined;
    const job = server.lastOf(jobUid);
    const workspace = job === undefined ? undefined : this.#workspaceOf(job);
    if (job === undefined || workspace === undefined) return undefined;
    if (pod.status?.phase !== 'Running' || pod.status.containerStatuses !== undefined) return undefined;
    const ending = this.#ports.plot(workspace);
    return ending.how === 'ok' && this.#isListed(job) ? () => this.#terminate(job, pod, workspace, ending) : undefined;
  }

  /** While a pod of the Job is not ended, Failed is withheld. */
  #afterTarget(job: SimObject, ending: Ending, target: string): Step | undefined {
    if (ending.how === 'nodeLost') return undefined;
    return () => this.#finish(job, ending, target === 'SuccessCriteriaMet' ? 'Complete' : 'Failed');
  }

  #workspaceOf(job: SimObject): Workspace | undefined {
    const owner = this.#ports.server.byUid(controllerOf(job)?.uid ?? '') as unknown as Task | undefined;
    if (owner === undefined) return undefined;
    const labels = job.metadata.labels ?? {};
    const { storyRef, planRef, task } = owner.spec;
    return {
      story: `${owner.metadata.namespace}/${storyRef.name}`,
      storyUid: storyRef.uid,
      owner: owner.metadata.uid,
      revision: planRef.revision,
      taskId: task.id,
      kind: labels[LABEL_WORKSPACE] as JobKind,
      attempt: Number(labels[LABEL_ATTEMPT]),
      courierTry: Number(labels[LABEL_TRY]),
    };
  }

  #createPod({ metadata }: SimObject): string {
    const { server } = this.#ports;
    server.create('job-controller', {
      apiVersion: 'v1',
      kind: 'Pod',
      spec: { serviceAccountName: WORKSPACE_ACCOUNT },
      metadata: {
        name: `${metadata.name}-${metadata.uid.replace(/^.*-/, '')}`,
        ...(metadata.namespace !== undefined && { namespace: metadata.namespace }),
        ...(metadata.labels && { labels: metadata.labels }),
        ownerReferences: [{ apiVersion: 'batch/v1', kind: 'Job', name: metadata.name, uid: metadata.uid, controller: true }],
      },
    } as KubeObject);
    this.#patchJob(keyOf(metadata), { active: 1, startTime: this.#time() });
    return `the pod of ${metadata.name} is created`;
  }

  #run(jobName: string, pod: Pod): string {
    this.#patchPod(pod, { phase: 'Running', startTime: this.#time() });
    return `the pod of ${jobName} runs`;
  }

  /** Steps talk to the gateway only while the owner's status lists their Job. */
  #isListed(job: SimObject): boolean {
    const owner = this.#ports.server.byUid(controllerOf(job)?.uid ?? '') as unknown as Task | undefined;
    return (owner?.status?.attempts ?? []).some(
      ({ jobUid, courierUid, finishedAt }) => finishedAt === undefined && [jobUid, courierUid].includes(job.metadata.uid),
    );
  }

  #end(job: SimObject, pod: Pod, workspace: Workspace, ending: Ending): Step | undefined {
    if (ending.how === 'lost') return () => this.#losePod(job.metadata.name, pod);
    if (ending.how === 'nodeLost') return () => this.#loseNode(job, pod);
    const waitedMs = this.#ports.nowMs() - Date.parse(pod.metadata.creationTimestamp);
    if (ending.how === 'hang') {
      const late: Ending = { how: 'deadline', step: workspace.kind === 'attempt' ? 'work' : 'setup' };
      return waitedMs < deadlineMsOf(job) ? undefined : () => this.#terminate(job, pod, workspace, late);
    }
    if (this.#isListed(job)) return () => this.#terminate(job, pod, workspace, ending);
    if (waitedMs < LISTED_WITHIN_MS) return undefined;
    const [first] = stepTable[workspace.kind].slice(1);
    const unheard: Ending = { how: 'killed', step: first?.name ?? '', reason: 'Error', exitCode: 1 };
    return () => this.#terminate(job, pod, workspace, unheard);
  }

  /** The pod is to be deleted, and no kubelet does it. */
  #loseNode(job: SimObject, pod: Pod): string {
    const deletionTimestamp = this.#time();
    this.#ports.server.update('node-controller', 'Pod', keyOf(pod.metadata), (draft) => ({
      ...draft,
      metadata: { ...draft.metadata, deletionTimestamp },
    }));
    this.#target(job, 'FailureTarget');
    return `the node of ${job.metadata.name} is lost`;
  }

  #losePod(jobName: string, pod: Pod): string {
    this.#ports.server.delete('node', 'Pod', keyOf(pod.metadata));
    return `the pod of ${jobName} is lost`;
  }

  #terminate({ metadata }: SimObject, pod: Pod, workspace: Workspace, ending: Ending): string {
    const { repository } = this.#ports;
    const real = this.#served(metadata.uid, workspace, ending);
    const statuses = stepStatuses(workspace.kind, real, this.#time(), findingsOf(repository, workspace, real));
    this.#patchPod(pod, { initContainerStatuses: statuses.slice(0, -1), containerStatuses: statuses.slice(-1) });
    return `the steps of ${metadata.name} ended`;
  }

  /** What becomes of an ending that was to be a good one, once the gateway is asked. */
  #served(jobUid: string, workspace: Workspace, ending: Ending): Ending {
    if (ending.how !== 'ok' && ending.how !== 'forgotten') return ending;
    const { repository, serve } = this.#ports;
    const isCourier = workspace.kind === 'courier';
    if (isCourier && repository.isTaken(workspace)) return { how: 'finding', step: 'merge', reason: 'BranchTaken' };
    const digest = repository.digestOf(workspace);
    const receipt: Receipt = isCourier
      ? { kind: 'push', commit: repository.commitOf(workspace) }
      : { kind: 'report', patch: digest, evidence: digest, base: repository.base };
    if (serve(jobUid, receipt)) return ending;
    return { how: 'killed', step: isCourier ? 'push' : 'report', reason: 'Error', exitCode: 1 };
  }

  #endPod(jobName: string, pod: Pod, ending: Ending): string {
    const isBroken = pod.status?.containerStatuses?.at(-1)?.state?.terminated?.exitCode !== 0;
    this.#patchPod(pod, {
      phase: isBroken ? 'Failed' : 'Succeeded',
      ...((ending.how === 'deadline' || ending.how === 'hang') && {
        reason: 'DeadlineExceeded',
        message: 'Pod was active on the node longer than the specified deadline',
      }),
    });
    return `the pod of ${jobName} ended${isBroken ? ' badly' : ''}`;
  }

  #target(job: SimObject, type: 'FailureTarget' | 'SuccessCriteriaMet'): string {
    this.#patchJob(keyOf(job.metadata), { active: 0, conditions: [this.#condition(type)] });
    return `Job ${job.metadata.name} is about to end (${type})`;
  }

  #finish(job: SimObject, ending: Ending, type: 'Complete' | 'Failed'): string {
    const first = (job as unknown as Job).status?.conditions?.[0];
    this.#patchJob(keyOf(job.metadata), {
      active: 0,
      conditions: [...(first === undefined ? [] : [first]), this.#condition(type)],
    });
    if (ending.how === 'forgotten') for (const pod of this.#pods(job)) this.#losePod(job.metadata.name, pod as unknown as Pod);
    return `Job ${job.metadata.name} is ${type}`;
  }

  #condition(type: string): object {
    return {
      type,
      status: 'True',
      reason: type === 'Failed' ? 'BackoffLimitExceeded' : 'Simulated',
      lastTransitionTime: this.#time(),
    };
  }

  #patchJob(key: string, status: object): void {
    this.#ports.server.update('job-controller', 'Job', key, (draft) => ({ ...draft, status: { ...draft.status, ...status } }));
  }

  #patchPod(pod: Pod, status: object): void {
    this.#ports.server.update('kubelet', 'Pod', keyOf(pod.metadata), (draft) => ({
      ...draft,
      status: { ...draft.status, ...status },
    }));
  }

  #time(): string {
    return timestamp(this.#ports.nowMs());
  }
}
