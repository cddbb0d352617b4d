// Records as `observe` gives them, each valid and each one step before something happens: a Task that could start, a Story, a Plan.

import type { Job, Pod } from '../../controllers/kubernetes.ts';
import type { PlanSeen } from '../../controllers/plan/seen.ts';
import type { StorySeen } from '../../controllers/story/seen.ts';
import { identityLabels, wantedJobName, type WantedJob } from '../../controllers/task/job-identity.ts';
import type { TaskSeen } from '../../controllers/task/seen.ts';
import { networkPolicy } from '../../controllers/workspace/network-policy.ts';
import { stepTable } from '../../controllers/workspace/step-table.ts';
import { LABEL_WORKSPACE } from '../../crds/labels.ts';
import { API_VERSION } from '../../crds/kinds/meta.ts';
import type { Plan, PlanStatus } from '../../crds/kinds/plan.ts';
import type { PlanTask } from '../../crds/kinds/plan-task.ts';
import type { Story, StoryStatus } from '../../crds/kinds/story.ts';
import type { Attempt, Task } from '../../crds/kinds/task.ts';
import { scopeDigest } from '../../crds/digests.ts';
import { at, COMMIT, council, DIGEST, meta, NOW, plan, platform, story } from './objects.ts';

export const DEADLINE_S = 7 * 86_400;

export const storyStatus = (more: Partial<StoryStatus> = {}): StoryStatus => ({
  phase: 'Build',
  gates: { scope: 'Auto', design: 'Human', test: 'Auto', docs: 'Auto' },
  scopeDigest: scopeDigest(story().spec),
  baseCommit: COMMIT,
  branch: 'fleet/shop/login',
  plan: { name: 'login-1', uid: 'uid-login-1', revision: 1, digest: DIGEST },
  startedAt: at(),
  deadline: at(DEADLINE_S),
  eventSeq: 4,
  ...more,
});

export const planStatus = (tasks: readonly PlanTask[], more: Partial<PlanStatus> = {}): PlanStatus => ({
  phase: 'Approved',
  storyUid: 'uid-login',
  digest: DIGEST,
  taskCount: tasks.length,
  tasks: [...tasks],
  eventSeq: 2,
  ...more,
});

export const approved = { verdict: 'Approved', by: 'grace', digest: DIGEST } as const;

export const approvedPlan = (tasks: readonly PlanTask[]): Plan => plan(tasks, { approval: approved }, planStatus(tasks));

/** A Task of plan `login-1` that nothing holds up. `others` are the plan's other tasks. */
export const taskSeen = (given: Task, more: Partial<TaskSeen> = {}, others: readonly PlanTask[] = []): TaskSeen => ({
  task: given,
  story: story({}, storyStatus()),
  plan: approvedPlan([given.spec.task, ...others]),
  council: council(),
  jobs: [],
  family: [],
  usage: undefined,
  pods: [],
  rivals: () => [],
  namespace: {
    workspaceAccount: { apiVersion: 'v1', kind: 'ServiceAccount', metadata: meta('fleet-workspace') },
    readerAccount: { apiVersion: 'v1', kind: 'ServiceAccount', metadata: meta('fleet-reader') },
    networkPolicy: { ...networkPolicy(platform(), 'shop'), metadata: meta(networkPolicy(platform(), 'shop').metadata.name) },
  },
  platform: platform(),
  gateway: { address: '10.0.0.9', caPem: 'PEM' },
  storeAvailable: true,
  cursor: undefined,
  ...more,
});

export const storySeen = (given: Story, more: Partial<StorySeen> = {}): StorySeen => ({
  story: given,
  plans: [],
  tasks: [],
  answers: [],
  usage: undefined,
  platform: platform(),
  storeAvailable: true,
  cursor: undefined,
  ...more,
});

export const planSeen = (given: Plan, more: Partial<PlanSeen> = {}): PlanSeen => ({
  plan: given,
  story: story({}, storyStatus({ phase: 'Design', plan: undefined })),
  platform: platform(),
  cursor: undefined,
  ...more,
});

export const attempt = (n: number, more: Partial<Attempt> = {}): Attempt => ({
  n,
  agent: `agent-dev-00${n}`,
  candidate: 1,
  jobUid: `uid-attempt-${n}`,
  courierTries: 0,
  startedAt: at(),
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
      labels: identityLabels(whole),
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
    metadata: meta(`${of.metadata.name}-pod`, {
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

export const REPORT = { patch: DIGEST, evidence: DIGEST, base: COMMIT, tokens: 900, verify: { passed: 1, failed: 0 } } as const;

/** Jobs and their pods, as they stand in a record. */
export const workspaces = (...pairs: readonly (readonly [Job, Pod?])[]): Pick<TaskSeen, 'jobs' | 'pods'> => ({
  jobs: pairs.map(([each]) => each),
  pods: pairs.flatMap(([, of]) => of ?? []),
});

export { at, NOW, story };
