// Jobs and pods of a Task's runs, as the cluster shows them.

import type { Job, Pod } from '../../controllers/kubernetes.ts';
import { identityLabels, wantedJobName, type WantedJob } from '../../controllers/task/job-identity.ts';
import type { JobInput } from '../../controllers/task/children.ts';
import type { TaskSeen } from '../../controllers/task/seen.ts';
import { parseFinding } from '../../crds/contracts/findings.ts';
import { pushClaim, reportClaim, type Receipt } from '../../crds/contracts/receipts.ts';
import { stepTable } from '../../controllers/workspace/step-table.ts';
import { WORKSPACE_ACCOUNT } from '../../crds/contracts/steps.ts';
import { LABEL_JOB, LABEL_WORKSPACE } from '../../crds/labels.ts';
import { API_VERSION } from '../../crds/kinds/meta.ts';
import type { Task } from '../../crds/kinds/task.ts';
import { at, COMMIT, council, DIGEST, meta, nodeProfile, platform, task, work } from './objects.ts';

/** What the Job of a run is made from. */
export const jobInput = (more: Partial<JobInput> = {}): JobInput => ({
  task: task(work('form')),
  council: council(),
  profile: nodeProfile,
  platform: platform(),
  gateway: { address: '10.0.0.9', caPem: 'PEM' },
  ...more,
});

/** The Job of an attempt or a courier, at work. Its uid is `uid-<kind>-<n>`, with the try where there was one before. */
export const job = (owner: Task, wanted: Partial<WantedJob> = {}, more: Partial<Job['metadata']> = {}): Job => {
  const { kind = 'attempt', n = 1, candidate = 1, courierTry = 1 } = wanted;
  const whole: WantedJob = { kind, n, candidate, courierTry };
  const which = [n, ...(candidate > 1 ? [`candidate-${candidate}`] : []), ...(courierTry > 1 ? [courierTry] : [])].join('-');
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: meta(wantedJobName(owner, whole), {
      uid: `uid-${kind}-${which}`,
      labels: { ...identityLabels(whole), [LABEL_JOB]: wantedJobName(owner, whole) },
      ownerReferences: [
        { apiVersion: API_VERSION, kind: 'Task', name: owner.metadata.name, uid: owner.metadata.uid, controller: true },
      ],
      ...more,
    }),
  };
};

export const over = (given: Job, type: string, seconds = 10): Job => ({
  ...given,
  status: { conditions: [{ type, status: 'True', lastTransitionTime: at(seconds) }] },
});

export interface StepEnd {
  readonly finishedAt?: string;
  readonly exitCode?: number;
  readonly reason?: string;
  readonly finding?: object;
}

/** The pod of a Job: every step ended with 0 but for what is said. Steps after one that ended badly never ran. */
export const pod = (of: Job, ends: Readonly<Record<string, StepEnd>> = {}, status: Pod['status'] = {}): Pod => {
  const kind = of.metadata.labels?.[LABEL_WORKSPACE] === 'courier' ? 'courier' : 'attempt';
  const broken = stepTable[kind].findIndex(({ name }) => (ends[name]?.exitCode ?? 0) !== 0);
  const statuses = stepTable[kind].map(({ name }, index) => {
    const { exitCode = 0, reason, finding, finishedAt } = ends[name] ?? {};
    if (broken >= 0 && index > broken) return { name };
    const message = finding === undefined ? {} : { message: JSON.stringify({ step: name, outcome: 'ok', ...finding }) };
    const said = { ...(reason !== undefined && { reason }), ...(finishedAt !== undefined && { finishedAt }) };
    return { name, state: { terminated: { exitCode, ...said, ...message } } };
  });
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    spec: { serviceAccountName: WORKSPACE_ACCOUNT },
    metadata: meta(`${of.metadata.name}-pod`, {
      ...(of.metadata.labels && { labels: of.metadata.labels }),
      ownerReferences: [{ apiVersion: 'batch/v1', kind: 'Job', name: of.metadata.name, uid: of.metadata.uid, controller: true }],
    }),
    status: {
      phase: broken < 0 ? 'Succeeded' : 'Failed',
      initContainerStatuses: statuses.slice(0, -1),
      containerStatuses: statuses.slice(-1),
      ...status,
    },
  };
};

/** The pod of a Job that is at work: no step has ended yet. */
export const runningPod = (of: Job): Pod => ({
  ...pod(of),
  spec: { ...pod(of).spec, activeDeadlineSeconds: 600 },
  status: { phase: 'Running', startTime: at() },
});

/** The pod of a Job that no node takes. */
export const pendingPod = (of: Job): Pod => ({
  ...pod(of),
  spec: { ...pod(of).spec, activeDeadlineSeconds: 600 },
  status: {
    phase: 'Pending',
    conditions: [
      { type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message: '0/3 nodes are available: 3 Insufficient cpu.' },
    ],
  },
});

export const REPORT = { patch: DIGEST, evidence: DIGEST, base: COMMIT, tokens: 900, verify: { passed: 1, failed: 0 } } as const;

/** The receipt that the gateway gave for what the pod says, if it says that it ended well. */
export const receiptOf = (of: Pod): Receipt | undefined => {
  const statuses = [...(of.status?.initContainerStatuses ?? []), ...(of.status?.containerStatuses ?? [])];
  const said = (step: string): string => statuses.find(({ name }) => name === step)?.state?.terminated?.message ?? '';
  const report = reportClaim.safeParse(parseFinding('report', said('report'))).data;
  const push = pushClaim.safeParse({ ...parseFinding('merge', said('merge')), ...parseFinding('push', said('push')) }).data;
  if (report !== undefined) return { kind: 'report', ...report };
  return push === undefined ? undefined : { kind: 'push', ...push };
};

/** Jobs and their pods with what the gateway says of them, as they stand in a record. */
export const workspaces = (
  ...pairs: readonly (readonly [Job, Pod?])[]
): Pick<TaskSeen, 'jobs' | 'pods' | 'receipts'> & { readonly storeAvailable: boolean } => ({
  jobs: pairs.map(([each]) => each),
  pods: pairs.flatMap(([, of]) => of ?? []),
  receipts: Object.fromEntries(
    pairs.flatMap(([each, of]) => {
      const found = of === undefined ? undefined : receiptOf(of);
      return found === undefined ? [] : [[each.metadata.uid, found] as const];
    }),
  ),
  storeAvailable: true,
});
