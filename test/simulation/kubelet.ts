// The Job controller and the kubelet of a simulation: they bring a workspace Job to its end in the small steps of the real ones,
// each of which is an update of its own that a watcher may see or not see yet. What happens in a workspace is the plot's to say.
//
//   Job ─► pod ─► pod runs ─► its steps ended ─► pod ended ─► Job FailureTarget / SuccessCriteriaMet ─► Job Failed / Complete

import { controllerOf } from '../../crds/kinds/meta.ts';
import { timestamp } from '../../crds/time.ts';
import { WORKSPACE_ACCOUNT, type JobKind } from '../../crds/contracts/steps.ts';
import type { ContainerStatus, Job, Pod } from '../../controllers/kubernetes.ts';
import { stepTable } from '../../controllers/workspace/step-table.ts';
import { LABEL_ATTEMPT, LABEL_TRY, LABEL_WORKSPACE } from '../../crds/labels.ts';
import { keyOf, type KubeObject } from '../../kube/object.ts';
import type { Receipt } from '../../crds/contracts/receipts.ts';
import type { Task } from '../../crds/kinds/task.ts';
import type { ApiServer, SimObject } from './api-server.ts';
import type { Repository } from './repository.ts';

/** How a workspace ends. `hang`: not by itself. `lost`: its pod vanishes while it runs. `forgotten`: it ends well, but the pod is gone before anybody looks. `nodeLost`: its pod is to be deleted and stays. */
export type Ending =
  | { readonly how: 'ok' }
  | { readonly how: 'finding'; readonly step: string; readonly reason: string }
  | { readonly how: 'killed'; readonly step: string; readonly reason: 'OOMKilled' | 'Error'; readonly exitCode: number }
  | { readonly how: 'deadline'; readonly step: string }
  | { readonly how: 'hang' }
  | { readonly how: 'lost' }
  | { readonly how: 'forgotten' }
  | { readonly how: 'nodeLost' };

export interface Workspace {
  readonly revision: number;
  /** Uid of the Task, which is another one in each revision of its plan. */
  readonly owner: string;
  readonly taskId: string;
  readonly kind: JobKind;
  readonly attempt: number;
  readonly courierTry: number;
}

export type Plot = (workspace: Workspace) => Ending;

interface KubeletPorts {
  readonly server: ApiServer;
  readonly repository: Repository;
  readonly plot: Plot;
  readonly nowMs: () => number;
  /** The gateway has served the last step of the Job of that uid. */
  readonly onServed: (jobUid: string, receipt: Receipt) => void;
}

/** How long the gateway lets a step wait until its Job is listed. */
const LISTED_WITHIN_MS = 60_000;

const isFinished = (job: Job): boolean =>
  job.status?.conditions?.some(({ type, status }) => (type === 'Complete' || type === 'Failed') && status === 'True') === true;

export class Kubelet {
  readonly #ports: KubeletPorts;

  constructor(ports: KubeletPorts) {
    this.#ports = ports;
  }

  /** One small step for each Job for which something can happen now. */
  moves(): readonly (() => string)[] {
    return this.#ports.server.list('Job').flatMap((job) => this.#move(job) ?? []);
  }

  /** When a step that waits to be listed gives up, if any waits. */
  nextDateMs(): number | undefined {
    const dates = this.#ports.server
      .list('Job')
      .filter((job) => !isFinished(job as unknown as Job) && this.#move(job) === undefined)
      .map((job) => Date.parse(this.#pod(job)?.metadata.creationTimestamp ?? '') + LISTED_WITHIN_MS)
      .filter((date) => date > this.#ports.nowMs());
    return dates.length === 0 ? undefined : Math.min(...dates);
  }

  #pod(job: SimObject): SimObject | undefined {
    return this.#ports.server.list('Pod').find((pod) => controllerOf(pod)?.uid === job.metadata.uid);
  }

  #move(object: SimObject): (() => string) | undefined {
    const job = object as unknown as Job;
    const workspace = this.#workspaceOf(object);
    if (isFinished(job) || workspace === undefined) return undefined;
    const ending = this.#ports.plot(workspace);
    const pod = this.#pod(object) as unknown as Pod | undefined;
    const target = job.status?.conditions?.[0]?.type;
    if (target !== undefined) return this.#afterTarget(object, ending, target);
    if (pod === undefined && job.status?.startTime === undefined) return () => this.#createPod(object);
    if (pod === undefined) return () => this.#target(object, 'FailureTarget');
    if (pod.status?.phase === undefined) return () => this.#run(object, pod);
    if (pod.status.phase === 'Running' && pod.status.containerStatuses !== undefined)
      return () => this.#endPod(object, pod, ending);
    if (pod.status.phase === 'Running') return this.#end(object, pod, workspace, ending);
    return () => this.#target(object, pod.status?.phase === 'Succeeded' ? 'SuccessCriteriaMet' : 'FailureTarget');
  }

  /** While a pod of the Job is not ended, Failed is withheld. */
  #afterTarget(job: SimObject, ending: Ending, target: string): (() => string) | undefined {
    if (ending.how === 'nodeLost') return undefined;
    return () => this.#finish(job, ending, target === 'SuccessCriteriaMet' ? 'Complete' : 'Failed');
  }

  #workspaceOf(job: SimObject): Workspace | undefined {
    const owner = this.#ports.server.list('Task').find(({ metadata }) => metadata.uid === controllerOf(job)?.uid);
    if (owner === undefined) return undefined;
    const labels = job.metadata.labels ?? {};
    return {
      owner: owner.metadata.uid,
      revision: (owner as unknown as Task).spec.planRef.revision,
      taskId: (owner as unknown as Task).spec.task.id,
      kind: labels[LABEL_WORKSPACE] as JobKind,
      attempt: Number(labels[LABEL_ATTEMPT]),
      courierTry: Number(labels[LABEL_TRY]),
    };
  }

  #createPod(job: SimObject): string {
    const { server } = this.#ports;
    const name = `${job.metadata.name}-pod`;
    server.create('job-controller', {
      apiVersion: 'v1',
      kind: 'Pod',
      spec: { serviceAccountName: WORKSPACE_ACCOUNT },
      metadata: {
        name,
        ...(job.metadata.namespace !== undefined && { namespace: job.metadata.namespace }),
        ...(job.metadata.labels && { labels: job.metadata.labels }),
        ownerReferences: [
          { apiVersion: 'batch/v1', kind: 'Job', name: job.metadata.name, uid: job.metadata.uid, controller: true },
        ],
      },
    } as KubeObject);
    this.#patchJob(job, { active: 1, startTime: this.#time() });
    return `the pod of ${job.metadata.name} is created`;
  }

  #run(job: SimObject, pod: Pod): string {
    this.#patchPod(pod, { phase: 'Running' });
    return `the pod of ${job.metadata.name} runs`;
  }

  /** Steps talk to the gateway only while the owner's status lists their Job. */
  #isListed(job: SimObject): boolean {
    const owner = this.#ports.server.list('Task').find(({ metadata }) => metadata.uid === controllerOf(job)?.uid);
    const attempts = (owner as unknown as Task | undefined)?.status?.attempts ?? [];
    return attempts.some(
      ({ jobUid, courierUid, finishedAt }) => finishedAt === undefined && [jobUid, courierUid].includes(job.metadata.uid),
    );
  }

  #end(job: SimObject, pod: Pod, workspace: Workspace, ending: Ending): (() => string) | undefined {
    if (ending.how === 'hang') return undefined;
    if (ending.how === 'lost') return () => this.#losePod(job, pod);
    if (ending.how === 'nodeLost') return () => this.#loseNode(job, pod);
    const waitedMs = this.#ports.nowMs() - Date.parse(pod.metadata.creationTimestamp);
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

  #losePod(job: SimObject, pod: Pod): string {
    this.#ports.server.delete('node', 'Pod', keyOf(pod.metadata));
    return `the pod of ${job.metadata.name} is lost`;
  }

  #terminate(job: SimObject, pod: Pod, workspace: Workspace, ending: Ending): string {
    const steps = stepTable[workspace.kind].map(({ name }) => name as string);
    const brokenAt = ending.how === 'killed' || ending.how === 'deadline' ? steps.indexOf(ending.step) : steps.length;
    const statuses = steps.map((step, index): ContainerStatus => {
      if (index > brokenAt) return { name: step, state: { waiting: { reason: 'PodInitializing' } } };
      if (index < brokenAt)
        return {
          name: step,
          state: { terminated: { exitCode: 0, finishedAt: this.#time(), message: this.#finding(step, workspace, ending) } },
        };
      return ending.how === 'killed'
        ? { name: step, state: { terminated: { exitCode: ending.exitCode, reason: ending.reason } } }
        : { name: step, state: { terminated: { exitCode: 137, reason: 'Error' } } };
    });
    if (ending.how === 'ok' || ending.how === 'forgotten') this.#serve(job, workspace);
    this.#patchPod(pod, { initContainerStatuses: statuses.slice(0, -1), containerStatuses: statuses.slice(-1) });
    return `the steps of ${job.metadata.name} ended`;
  }

  #serve(job: SimObject, workspace: Workspace): void {
    const { repository, onServed } = this.#ports;
    const digest = repository.digestOf(workspace);
    const receipt: Receipt =
      workspace.kind === 'attempt'
        ? { kind: 'report', patch: digest, evidence: digest, base: repository.base }
        : { kind: 'push', commit: repository.commitOf(workspace) };
    onServed(job.metadata.uid, receipt);
  }

  #endPod(job: SimObject, pod: Pod, ending: Ending): string {
    const isBroken = pod.status?.containerStatuses?.at(-1)?.state?.terminated?.exitCode !== 0;
    this.#patchPod(pod, {
      phase: isBroken ? 'Failed' : 'Succeeded',
      ...(ending.how === 'deadline' && {
        reason: 'DeadlineExceeded',
        message: 'Pod was active on the node longer than the specified deadline',
      }),
    });
    return `the pod of ${job.metadata.name} ended${isBroken ? ' badly' : ''}`;
  }

  #finding(step: string, workspace: Workspace, ending: Ending): string {
    const failed = ending.how === 'finding' ? ending : undefined;
    if (failed?.step === step)
      return JSON.stringify({ step, outcome: 'failed', reason: failed.reason, message: `${step} says no` });
    const order = stepTable[workspace.kind].map(({ name }) => name as string);
    const isAfter = failed !== undefined && order.indexOf(failed.step) < order.indexOf(step);
    if (isAfter && step === 'report')
      return JSON.stringify({ step, outcome: 'failed', reason: failed.reason, message: `${failed.step} says no` });
    if (isAfter) return JSON.stringify({ step, outcome: 'skipped' });
    return JSON.stringify({ step, outcome: 'ok', ...this.#facts(step, workspace) });
  }

  #facts(step: string, workspace: Workspace): object {
    const { repository } = this.#ports;
    const digest = repository.digestOf(workspace);
    if (step === 'report')
      return {
        patch: digest,
        evidence: digest,
        base: repository.base,
        files: 1,
        insertions: 2,
        deletions: 0,
        tokens: 1000,
        verify: { passed: 1, failed: 0 },
      };
    if (step === 'merge') return { base: repository.base, head: repository.head, commit: repository.commitOf(workspace) };
    return step === 'push' ? { commit: repository.push(workspace) } : {};
  }

  #target(job: SimObject, type: 'FailureTarget' | 'SuccessCriteriaMet'): string {
    this.#patchJob(job, { active: 0, conditions: [this.#condition(type)] });
    return `Job ${job.metadata.name} is about to end (${type})`;
  }

  #finish(job: SimObject, ending: Ending, type: 'Complete' | 'Failed'): string {
    const first = (job as unknown as Job).status?.conditions?.[0];
    this.#patchJob(job, { active: 0, conditions: [...(first === undefined ? [] : [first]), this.#condition(type)] });
    if (ending.how === 'forgotten')
      for (const pod of [this.#pod(job)]) if (pod !== undefined) this.#losePod(job, pod as unknown as Pod);
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

  #patchJob(job: SimObject, status: object): void {
    this.#ports.server.update('job-controller', 'Job', keyOf(job.metadata), (draft) => ({
      ...draft,
      status: { ...draft.status, ...status },
    }));
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
