// From a reviewed token to a caller: pod uid -> pod -> Job -> Task -> an attempt that is listed and not finished. Pure.
//
// Three ends: a caller; `later`, when something is not (yet) in the caches or not yet listed, which a moment may change; and
// `refused`, when no waiting helps.

import { controllerOf } from '../../crds/kinds/meta.ts';
import {
  ARTIFACTS_READ_AUDIENCE,
  ATTEMPT_STEPS,
  COURIER_STEPS,
  POOL_AUDIENCE,
  READER_ACCOUNT,
  WORKSPACE_ACCOUNT,
  type Step,
} from '../../crds/contracts/steps.ts';
import { isOwnedByItsStory } from '../../crds/rules/task-owner.ts';
import { isPodOfJob } from '../../crds/rules/workspace-pods.ts';
import type { Attempt, Task } from '../../crds/kinds/task.ts';
import type { Job, Pod } from '../cluster/objects.ts';
import type { ClusterView } from '../cluster/cluster-view.ts';
import type { Caller } from './caller.ts';
import { stepOfAudience } from './rights.ts';
import type { Reviewed } from './token-review.ts';

export type Standing =
  | { readonly kind: 'caller'; readonly caller: Caller }
  | { readonly kind: 'later'; readonly message: string }
  | { readonly kind: 'refused'; readonly code: string; readonly message: string };

const later = (message: string): Standing => ({ kind: 'later', message });
const refused = (code: string, message: string): Standing => ({ kind: 'refused', code, message });

interface Account {
  readonly namespace: string;
  readonly name: string;
}

const accountOf = (username: string): Account | undefined => {
  const [, namespace, name] = /^system:serviceaccount:([^:]+):([^:]+)$/.exec(username) ?? [];
  return namespace === undefined || name === undefined ? undefined : { namespace, name };
};

const ended = (pod: Pod): boolean =>
  pod.metadata.deletionTimestamp !== undefined || pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed';

interface Listed {
  readonly attempt: Attempt;
  readonly steps: readonly Step[];
}

const listedIn = (task: Task, jobUid: string): Listed | undefined => {
  for (const attempt of task.status?.attempts ?? []) {
    if (attempt.jobUid === jobUid) return { attempt, steps: ATTEMPT_STEPS };
    if (attempt.courierUid === jobUid) return { attempt, steps: COURIER_STEPS };
  }
  return undefined;
};

const stepStanding = (reviewed: Reviewed, account: Account, step: Step, view: ClusterView): Standing => {
  if (account.name !== WORKSPACE_ACCOUNT)
    return refused('AccountNotAllowed', 'the token is of another account than the workspaces');
  if (reviewed.podUid === undefined) return refused('NotAPodToken', 'the token is bound to no pod');
  const pod = view.pod(reviewed.podUid);
  if (pod === undefined) return later('the pod has not been seen yet');
  if (pod.metadata.namespace !== account.namespace || (reviewed.podName !== undefined && pod.metadata.name !== reviewed.podName))
    return refused('PodMismatch', 'the token names another pod');
  if (ended(pod)) return refused('PodEnded', 'the pod has ended');
  const owner = controllerOf(pod);
  if (owner?.kind !== 'Job') return refused('NotAWorkspace', 'the pod belongs to no Job');
  const job = view.job(owner.uid);
  return job === undefined ? later('the Job has not been seen yet') : jobStanding(pod, job, step, view);
};

const jobStanding = (pod: Pod, job: Job, step: Step, view: ClusterView): Standing => {
  const owner = controllerOf(job);
  const namespace = job.metadata.namespace ?? '';
  const jobUid = job.metadata.uid ?? '';
  if (owner?.kind !== 'Task' || namespace !== pod.metadata.namespace)
    return refused('NotAWorkspace', 'the Job belongs to no Task');
  if (!isPodOfJob(pod, job)) return refused('NotAWorkspace', 'the pod is not as the Job makes them');
  const task = view.task(owner.uid);
  if (task === undefined || task.metadata.namespace !== namespace) return later('the Task has not been seen yet');
  if (!isOwnedByItsStory(task)) return refused('OwnerChanged', 'the Task was given to another owner than its Story');
  const listed = listedIn(task, jobUid);
  if (listed === undefined) return later('the Task does not list this Job');
  const { attempt, steps } = listed;
  if (attempt.finishedAt !== undefined) return refused('AttemptFinished', 'the attempt has ended');
  if (!steps.includes(step)) return refused('StepMismatch', 'this Job has no such step');
  const story = view.story(task.spec.storyRef.uid);
  if (story === undefined || story.metadata.namespace !== namespace) return later('the Story has not been seen yet');
  const { name: podName, uid: podUid = '' } = pod.metadata;
  return { kind: 'caller', caller: { kind: 'step', step, namespace, podName, podUid, jobUid, pod, task, attempt, story } };
};

/** The account is the chart's alone: who may make pods in its namespace is trusted with what they may do. */
const poolStanding = ({ podUid, podName }: Reviewed, account: Account, { platform }: ClusterView): Standing => {
  const { agentPool } = platform;
  if (agentPool === undefined || account.namespace !== agentPool.namespace || account.name !== agentPool.serviceAccount)
    return refused('AccountNotAllowed', 'the token is of another account than the agent pool');
  if (podUid === undefined || podName === undefined) return refused('NotAPodToken', 'the token is bound to no pod');
  return { kind: 'caller', caller: { kind: 'pool', namespace: account.namespace, podName, podUid } };
};

/** What a token is worth now. */
export const standingOf = (reviewed: Reviewed, view: ClusterView): Standing => {
  const account = accountOf(reviewed.username);
  if (account === undefined) return refused('AccountNotAllowed', 'the token is of no service account');
  const [audience, ...others] = reviewed.audiences;
  if (audience === undefined || others.length > 0)
    return refused('AudienceInvalid', 'a step token has exactly one audience of ours');
  if (audience === ARTIFACTS_READ_AUDIENCE)
    return account.name === READER_ACCOUNT
      ? { kind: 'caller', caller: { kind: 'reader', namespace: account.namespace } }
      : refused('AccountNotAllowed', `only account ${READER_ACCOUNT} reads artifacts`);
  if (audience === POOL_AUDIENCE) return poolStanding(reviewed, account, view);
  const step = stepOfAudience(audience);
  return step === undefined ? refused('AudienceInvalid', 'the audience is no step') : stepStanding(reviewed, account, step, view);
};
