// What a workspace Job that was seen says: it runs, it has ended well, or whose fault its end is.
// May: read Jobs, pods and findings. May not: believe a step that ran the repository's or the agent's code; of those only the way
// they ended counts (out of memory, out of time).

import type { JobKind } from '../../crds/contracts/steps.ts';
import { parseFinding, sideOf, type FaultSide, type FindingReason, type Findings } from '../../crds/contracts/findings.ts';
import type { Receipt } from '../../crds/contracts/receipts.ts';
import { isPodOfJob } from '../../crds/rules/workspace-pods.ts';
import type { ConditionOf } from '../conditions.ts';
import type { ContainerTermination, Job, Pod } from '../kubernetes.ts';
import { clipped } from '../text.ts';
import { epochMs } from '../../crds/time.ts';
import { stepTable } from '../workspace/step-table.ts';
import { progressOf, statusesOf, type Progress } from './workspace-progress.ts';

/** The condition under which something is waited for that should be there. */
export type Missed = Extract<ConditionOf<'Task'>['type'], 'WorkspaceMissing' | 'ReceiptMissing'>;

export interface JobEnd {
  /** When the Job ended, RFC 3339. */
  readonly at: string;
  /** `nobody`: it never got to what it is for, because something outside was not there. That costs no try. */
  readonly side: 'ok' | 'nobody' | FaultSide;
  /** Absent for `ok`. */
  readonly reason?: FindingReason;
  readonly message: string;
  /** The condition under which it was waited for, of an end that nothing tells but that something is missing. */
  readonly missed?: Missed;
  /** What step `report` told, if an attempt came that far, whichever way it ended. */
  readonly report?: Findings['report'];
  /** Present for a courier that ended well. */
  readonly commit?: string;
  /** What that commit was put upon. */
  readonly parent?: string;
  /** The head of the branch, where the commit was found below it: it had landed before. */
  readonly under?: string;
}

/**
 * `unread`: it ended, but the pod that tells how is not seen. Caches of Jobs and of pods run at their own speed, so it is given
 * some time before the pod counts as lost.
 */
export type Reading =
  | { readonly kind: 'running'; readonly progress: Progress }
  | { readonly kind: 'unread' }
  /** It says that it ended well, and the gateway's receipt that says the same is not seen. */
  | { readonly kind: 'unreceipted' }
  | { readonly kind: 'ended'; readonly end: JobEnd };

export const UNREAD_MS = 30_000;

/** The pods of a Job that are believed to be its workspace. */
export const podsOf = (job: Job, pods: readonly Pod[]): readonly Pod[] => pods.filter((pod) => isPodOfJob(pod, job));

/** Steps that run what the agent wrote: how they end, it can bring about. */
const AGENT_STEPS: Readonly<Record<JobKind, readonly string[]>> = {
  attempt: ['work', 'verify-setup', 'verify'],
  courier: ['setup', 'verify'],
};
/** Of these ends a container's processes have no part. */
const NOT_ITS_OWN_ENDS: readonly string[] = ['StartError', 'ContainerCannotRun', 'ContainerStatusUnknown', 'Unknown'];
const MESSAGE_LENGTH = 400;

/** The condition that ends a Job. `FailureTarget` and `SuccessCriteriaMet` come earlier, while its pods still run. */
const ending = (job: Job) =>
  job.status?.conditions?.find(({ type, status }) => (type === 'Complete' || type === 'Failed') && status === 'True');

const LAST_STEPS: readonly string[] = Object.values(stepTable).flatMap((rows) => rows.at(-1)?.name ?? []);

/**
 * The last step of a workspace, where it ended with exit code 0: then so did all before it, and none starts again. Found by its name:
 * a mesh may have put a container of its own beside it.
 */
const lastStep = ({ status }: Pod): ContainerTermination | undefined => {
  const ended = status?.containerStatuses?.find(({ name }) => LAST_STEPS.includes(name))?.state?.terminated;
  return ended?.exitCode === 0 ? ended : undefined;
};

/**
 * Whether something of it may still run. The kubelet tells the end of the last step some two seconds before pod and Job are said to
 * have succeeded (its next relist, then the Job controller's batch), and nobody has to wait for those.
 */
export const isLive = (job: Job, pods: readonly Pod[]): boolean =>
  ending(job) === undefined && pods.every((pod) => lastStep(pod) === undefined);

/** When what ran of it ended; undefined: it has not. */
export const endedAt = (job: Job, pods: readonly Pod[]): string | undefined =>
  podsOf(job, pods).flatMap((pod) => lastStep(pod)?.finishedAt ?? [])[0] ?? ending(job)?.lastTransitionTime;

const terminations = (pod: Pod): ReadonlyMap<string, ContainerTermination> =>
  new Map(
    statusesOf(pod).flatMap(({ name, state }) => (state?.terminated === undefined ? [] : [[name, state.terminated] as const])),
  );

const fault = (at: string, reason: FindingReason, message: string): JobEnd => ({
  at,
  side: sideOf(reason),
  reason,
  message: clipped(message, MESSAGE_LENGTH),
});

const outage = (at: string, reason: FindingReason, message: string): JobEnd => ({
  ...fault(at, reason, message),
  side: 'nobody',
});

/** The first step that asks the gateway for anything: nothing of the repository or the agent has run before it. */
const firstFinding = (
  at: string,
  finding: { readonly reason?: FindingReason | undefined; readonly message?: string | undefined },
  step: string,
): JobEnd => {
  const { reason, message = 'no way through the gateway' } = finding;
  return reason === 'GatewayUnavailable' ? outage(at, reason, message) : failedFinding(at, finding, step);
};

const failedFinding = (
  at: string,
  finding: { readonly reason?: FindingReason | undefined; readonly message?: string | undefined },
  step: string,
) => fault(at, finding.reason ?? 'StepFailed', finding.message ?? `step ${step} failed and left no message`);

const readAttempt = (at: string, ended: ReadonlyMap<string, ContainerTermination>): JobEnd => {
  const checkout = parseFinding('checkout', ended.get('checkout')?.message ?? '');
  if (checkout?.outcome === 'failed') return firstFinding(at, checkout, 'checkout');
  const report = parseFinding('report', ended.get('report')?.message ?? '');
  if (report === undefined) return fault(at, 'StepFailed', 'step report left no finding');
  if (report.outcome !== 'ok') return { ...failedFinding(at, report, 'report'), report };
  if (report.patch === undefined || report.evidence === undefined || report.base === undefined)
    return fault(at, 'StepFailed', 'the finding of step report names no patch, evidence or base');
  return { at, side: 'ok', message: report.summary ?? '', report };
};

/** Where on the branch the commit lies, as step merge found it. */
const placeOf = (commit: string, merge: Findings['merge'] | undefined): Pick<JobEnd, 'parent' | 'under'> => {
  const { parent, landed, head } = merge ?? {};
  return {
    ...(parent !== undefined && { parent }),
    ...(landed === true && head !== undefined && head !== commit && { under: head }),
  };
};

const readCourier = (at: string, ended: ReadonlyMap<string, ContainerTermination>): JobEnd => {
  const merge = parseFinding('merge', ended.get('merge')?.message ?? '');
  if (merge?.outcome === 'failed') return firstFinding(at, merge, 'merge');
  const push = parseFinding('push', ended.get('push')?.message ?? '');
  if (push === undefined) return fault(at, 'StepFailed', 'step push left no finding');
  if (push.outcome !== 'ok') return failedFinding(at, push, 'push');
  const commit = push.commit ?? merge?.commit;
  if (commit === undefined) return fault(at, 'StepFailed', 'the finding of step push names no commit');
  return { at, side: 'ok', message: '', commit, ...placeOf(commit, merge) };
};

/** The step at which a pod came to its end: the first that did not end with exit code 0. */
const brokenStep = (kind: JobKind, ended: ReadonlyMap<string, ContainerTermination>): string =>
  stepTable[kind].find(({ name }) => ended.get(name)?.exitCode !== 0)?.name ?? 'unknown';

/** Exit code and reason of the step's container, as far as the kubelet said them. */
const howEnded = (termination: ContainerTermination | undefined): string => {
  if (termination === undefined) return 'without an exit code';
  return `with exit code ${termination.exitCode}${termination.reason === undefined ? '' : ` (${termination.reason})`}`;
};

/** The steps up to the first that may run what the repository says: that they find no time is the fault of none of it. */
const comesFirst = (kind: JobKind, step: string): boolean => {
  const names = stepTable[kind].map(({ name }) => name as string);
  return names.includes(step) && names.indexOf(step) <= names.indexOf('setup');
};

/** A pod that came to its deadline before one of those steps began. */
const notStarted = (at: string, kind: JobKind, pod: Pod): JobEnd | undefined => {
  const step = brokenStep(kind, terminations(pod));
  const { running, terminated, waiting } = statusesOf(pod).find(({ name }) => name === step)?.state ?? {};
  const hasBegun = running !== undefined || terminated !== undefined;
  if (pod.status?.reason !== 'DeadlineExceeded' || hasBegun || !comesFirst(kind, step)) return undefined;
  const why = [waiting?.reason, waiting?.message].filter((word) => word !== undefined).join(', ');
  return outage(at, 'NotStarted', `step ${step} could not start in time${why === '' ? '' : `: ${why}`}`);
};

/** Somebody else ended the pod: a drained or lost node, a preemption, a node short of something, a person. */
const isDisrupted = ({ metadata, status }: Pod): boolean =>
  metadata.deletionTimestamp !== undefined ||
  status?.conditions?.some(({ type, status: holds }) => type === 'DisruptionTarget' && holds === 'True') === true;

/** What the agent works with has had its part in the pod: the step runs it, or reads what it left. */
const isAgentIn = (kind: JobKind, step: string): boolean =>
  AGENT_STEPS[kind].includes(step) || (kind === 'attempt' && step === 'report');

/** What only the pod's own processes bring about, where the agent's are or were among them. */
const agentsFault = (at: string, kind: JobKind, pod: Pod, step: string): JobEnd | undefined => {
  if (!isAgentIn(kind, step) || isDisrupted(pod)) return undefined;
  const termination = terminations(pod).get(step);
  const { reason = '', message = '' } = pod.status ?? {};
  if (termination?.reason === 'OOMKilled') return fault(at, 'OOMKilled', `step ${step} ran out of memory`);
  if (reason === 'DeadlineExceeded') return fault(at, 'DeadlineExceeded', `step ${step} ran out of time`);
  if (reason === 'Evicted') return fault(at, 'StorageExceeded', `evicted at step ${step}: ${message}`);
  const isOwnEnd = termination !== undefined && !NOT_ITS_OWN_ENDS.includes(termination.reason ?? '');
  if (!isOwnEnd || !AGENT_STEPS[kind].includes(step)) return undefined;
  return fault(at, 'StepBroken', `step ${step} ended ${howEnded(termination)}`);
};

const readFailure = (at: string, kind: JobKind, pod: Pod): JobEnd => {
  const ended = terminations(pod);
  const step = brokenStep(kind, ended);
  const termination = ended.get(step);
  const { reason: podReason = '', message: podMessage = '' } = pod.status ?? {};
  const agents = agentsFault(at, kind, pod, step);
  if (agents !== undefined) return agents;
  if (podReason !== '' && termination === undefined) return fault(at, 'PodLost', `${podReason} at step ${step}: ${podMessage}`);
  const words = [podReason, termination?.message ?? podMessage].filter((word) => word !== '').join(' ');
  return fault(at, 'StepFailed', `step ${step} ended ${howEnded(termination)}${words === '' ? '' : `: ${words}`}`);
};

/** The pod that ended; of several (there is one, with a back-off limit of 0) the first by name. */
const endedPod = (pods: readonly Pod[]): Pod | undefined =>
  [...pods]
    .sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1))
    .find(({ status }) => status?.phase === 'Succeeded' || status?.phase === 'Failed');

export interface JobSeen {
  readonly kind: JobKind;
  readonly job: Job;
  /** Believed to be its own. */
  readonly pods: readonly Pod[];
  readonly receipt: Receipt | undefined;
}

/** Whether the receipt says what the finding says. */
const isProven = ({ report, commit }: JobEnd, receipt: Receipt | undefined): boolean => {
  if (receipt === undefined) return false;
  if (receipt.kind === 'push') return commit === receipt.commit;
  if (report === undefined) return false;
  return report.patch === receipt.patch && report.evidence === receipt.evidence && report.base === receipt.base;
};

/** Of several pods the one counts that the gateway has served; an end that is no success needs no proof. */
const readWell = ({ kind, receipt }: JobSeen, at: string, pods: readonly Pod[]): Reading => {
  const ends = pods.map((pod) =>
    (kind === 'attempt' ? readAttempt : readCourier)(lastStep(pod)?.finishedAt ?? at, terminations(pod)),
  );
  const end = ends.find((each) => each.side === 'ok' && isProven(each, receipt)) ?? ends.find(({ side }) => side !== 'ok');
  return end === undefined ? { kind: 'unreceipted' } : { kind: 'ended', end };
};

const readOpen = (progress: Progress): Reading => {
  const { lost } = progress;
  if (lost === undefined) return { kind: 'running', progress };
  return { kind: 'ended', end: fault(lost.at, 'PodLost', `${lost.message}: its node is lost`) };
};

const knownEnd = ({ status, metadata }: Job): string => status?.completionTime ?? metadata.creationTimestamp;

/** A pod whose last step ended well is believed whatever its Job says, or is going to say: both then read the same. */
export const readJob = (seen: JobSeen, now: number): Reading => {
  const { kind, job, pods } = seen;
  const ended = ending(job);
  const at = ended?.lastTransitionTime ?? knownEnd(job);
  const well = pods.filter((pod) => lastStep(pod) !== undefined);
  if (well.length > 0) return readWell(seen, at, well);
  if (ended === undefined) return readOpen(progressOf(job, pods, now));
  const pod = endedPod(pods);
  if (pod === undefined && now - (epochMs(at) ?? 0) < UNREAD_MS) return { kind: 'unread' };
  if (pod === undefined)
    return {
      kind: 'ended',
      end: fault(at, 'PodLost', `the Job's pod is gone: ${ended.reason ?? ''} ${ended.message ?? ''}`.trim()),
    };
  if (ended.type !== 'Failed') return readWell(seen, at, [pod]);
  return { kind: 'ended', end: notStarted(at, kind, pod) ?? readFailure(at, kind, pod) };
};
