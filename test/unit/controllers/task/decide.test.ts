import { describe, expect, it } from 'vitest';
import { decideTask } from '../../../../controllers/task/decide.ts';
import { rules } from '../../../../controllers/task/rules.ts';
import type { PlaceSeen, TaskSeen } from '../../../../controllers/task/seen.ts';
import { wantedJobName } from '../../../../controllers/task/job-identity.ts';
import type { Pod } from '../../../../controllers/kubernetes.ts';
import type { TaskStatus } from '../../../../crds/kinds/task.ts';
import {
  approved,
  at,
  attempt,
  COMMIT,
  council,
  DEADLINE_S,
  DIGEST,
  NOW,
  plan,
  planStatus,
  platform,
  story,
  storyStatus,
  task,
  work,
} from '../../../builders/objects.ts';
import { FREE, taskSeen } from '../../../builders/seen.ts';
import { job, over, pendingPod, pod, REPORT, runningPod, workspaces } from '../../../builders/workspaces.ts';
import { spec, type Spec } from '../../../builders/spec.ts';

const form = task(work('form'));
const formJob = (n: number, courierTry = 0): string =>
  wantedJobName(form, {
    n,
    candidate: 1,
    ...(courierTry === 0 ? { kind: 'attempt', courierTry: 1 } : { kind: 'courier', courierTry }),
  });
const withStatus = (status: TaskStatus, more = {}) => task(work('form'), { eventSeq: 3, ...status }, more);
const running = withStatus({ phase: 'Running', attempts: [attempt(1)] });
const patched = attempt(1, { patch: DIGEST, evidence: DIGEST, base: COMMIT });
const integrating = withStatus({
  phase: 'Integrating',
  attempts: [{ ...patched, courierUid: 'uid-courier-1', courierTries: 1 }],
});
const failed = (n: number, reason = 'VerifyFailed') =>
  attempt(n, { finishedAt: at(-3600), outcome: reason === 'VerifyFailed' ? 'AgentFailed' : 'InfrastructureFailed', reason });
const waits = `waits ${DEADLINE_S} s`;
/** Before it is told what a workspace waits for. */
const soon = 'waits 60 s';
const courierJob = job(form, { kind: 'courier' });
const atWorkNow = workspaces([job(form), runningPod(job(form))]);
const carryingNow = workspaces([courierJob, runningPod(courierJob)]);

interface Case {
  readonly name: string;
  readonly given: TaskSeen;
  readonly nowS?: number;
  readonly want: Spec;
}

const starts = { writes: [`create Job ${formJob(1)}`], outcome: waits };
const pending = (reason: string, more: Partial<Spec> = {}): Spec => ({
  writes: [`status Pending Succeeded=Unknown/${reason}`],
  outcome: waits,
  events: ['planning.task.created'],
  ...more,
});
const queued = (reason: string, more: Partial<Spec> = {}): Spec => ({
  writes: [`status Queued Succeeded=Unknown/${reason}`],
  outcome: waits,
  events: ['planning.task.created', 'orchestration.task.queued'],
  ...more,
});

const altered: TaskSeen['namespace'] = {
  ...taskSeen(form).namespace,
  networkPolicy: {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: { name: 'fleet-workspace-x', namespace: 'shop', uid: 'uid-policy' },
    spec: { podSelector: { matchLabels: {} }, policyTypes: ['Egress'] },
  },
};

const beginnings: readonly Case[] = [
  {
    name: 'a Task that nothing holds up asks for its first Job, and writes no status until it sees it',
    given: taskSeen(form),
    want: starts,
  },
  {
    name: 'a Job that is seen and not listed is listed with its uid',
    given: taskSeen(form, workspaces([job(form)])),
    want: {
      writes: ['status Running Succeeded=Unknown/Running'],
      outcome: soon,
      events: ['planning.task.created', 'orchestration.task.dispatched'],
    },
  },
  {
    name: 'deliberation: Before is skipped, and the Task says so',
    given: taskSeen(task(work('form', { deliberation: 'Before' })), workspaces([job(form)])),
    want: {
      writes: ['status Running Deliberated=False/NotServed Succeeded=Unknown/Running'],
      outcome: soon,
      events: ['planning.task.created', 'orchestration.task.dispatched'],
    },
  },
  {
    name: 'without its accounts and policy the namespace gets them first, and no Job is asked for',
    given: taskSeen(form, { namespace: { workspaceAccount: undefined, readerAccount: undefined, networkPolicy: undefined } }),
    want: {
      writes: [
        'create ServiceAccount fleet-workspace',
        'create ServiceAccount fleet-reader',
        expect.stringMatching(/^create NetworkPolicy fleet-workspace-[0-9a-f]{10}$/) as string,
      ],
      outcome: waits,
    },
  },
  {
    name: 'a policy that was only just asked for is not seen yet',
    given: taskSeen(form, {
      namespace: {
        ...taskSeen(form).namespace,
        networkPolicy: { apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', metadata: { name: 'x', uid: '' } },
      },
    }),
    want: { writes: [], outcome: waits },
  },
  {
    name: 'under a policy that somebody altered nothing starts',
    given: taskSeen(form, { namespace: altered }),
    want: pending('NetworkPolicyAltered', { outcome: `stalled: NetworkPolicyAltered, ${waits}` }),
  },
  {
    name: 'and says so also while there is no place for it, as nobody would wake it then',
    given: taskSeen(form, { namespace: altered, place: { taken: { cluster: 99, namespace: 99, story: 99 }, overlaps: false } }),
    want: pending('NetworkPolicyAltered', { outcome: `stalled: NetworkPolicyAltered, ${waits}` }),
  },
];

const holdUps: readonly Case[] = [
  { name: 'its Story is not seen', given: taskSeen(form, { story: undefined }), want: { writes: [], outcome: 'waiting' } },
  {
    name: 'another plan is in force',
    given: taskSeen(form, {
      story: story({}, storyStatus({ plan: { name: 'login-2', uid: 'u', revision: 2, digest: `sha256:${'e'.repeat(64)}` } })),
    }),
    want: pending('PlanNotInForce'),
  },
  { name: 'its plan is gone', given: taskSeen(form, { plan: undefined }), want: pending('PlanMissing') },
  {
    name: 'the plan says something else under its id',
    given: taskSeen(form, {
      plan: plan([work('form')], { approval: approved }, planStatus([work('form', { title: 'Delete everything' })])),
    }),
    want: {
      ...pending('NotApproved'),
      writes: ['status Pending Succeeded=Unknown/NotApproved Verified=False/NotApproved'],
      outcome: `stalled: NotApproved, ${waits}`,
    },
  },
  {
    name: 'it says another thing itself than its digest',
    given: taskSeen(task(work('form', { title: 'Delete everything' }), undefined, { taskDigest: form.spec.taskDigest }), {
      plan: taskSeen(form).plan,
    }),
    want: {
      ...pending('NotApproved'),
      writes: ['status Pending Succeeded=Unknown/NotApproved Verified=False/NotApproved'],
      outcome: `stalled: NotApproved, ${waits}`,
    },
  },
  {
    name: 'the approval names another digest',
    given: taskSeen(form, {
      plan: plan([work('form')], { approval: { ...approved, digest: `sha256:${'0'.repeat(64)}` } }, planStatus([work('form')])),
    }),
    want: {
      ...pending('NotApproved'),
      writes: ['status Pending Succeeded=Unknown/NotApproved Verified=False/NotApproved'],
      outcome: `stalled: NotApproved, ${waits}`,
    },
  },
  {
    name: 'the approval is not seen yet, though the Story has seen it',
    given: taskSeen(form, { plan: plan([work('form')], {}, planStatus([work('form')])) }),
    want: pending('ApprovalUnseen'),
  },
  {
    name: 'the Story is suspended',
    given: taskSeen(form, { story: story({ suspend: true }, storyStatus()) }),
    want: pending('StorySuspended'),
  },
  {
    name: 'the Task is suspended',
    given: taskSeen(task(work('form'), undefined, { suspend: true })),
    want: pending('Suspended'),
  },
  {
    name: 'a dependency has not succeeded',
    given: taskSeen(task(work('form', { dependsOn: ['base'] })), {}, [work('base')]),
    want: pending('Dependencies'),
  },
  {
    name: 'a dependency has succeeded, but it was another task of the same id',
    given: taskSeen(
      task(work('form', { dependsOn: ['base'] })),
      { family: [{ task: task(work('base', { title: 'An older text' }), { phase: 'Succeeded' }), jobs: [] }] },
      [work('base')],
    ),
    want: pending('Dependencies'),
  },
  {
    name: 'a dependency is at work',
    given: taskSeen(
      task(work('form', { dependsOn: ['base'] })),
      { family: [{ task: task(work('base'), { phase: 'Integrating' }), jobs: [] }] },
      [work('base')],
    ),
    want: pending('Dependencies'),
  },
  {
    name: 'nothing does in a phase that is over: somebody deleted the Task, and it is made again',
    given: taskSeen(form, { story: story({}, storyStatus({ phase: 'Test' })) }),
    want: starts,
  },
  { name: 'the Story is not in its phase', given: taskSeen(task(work('form', { phase: 'TEST' }))), want: pending('Phase') },
  {
    name: 'a DESIGN task comes first',
    given: taskSeen(form, {}, [work('sketch', { phase: 'DESIGN' })]),
    want: pending('DesignFirst'),
  },
  {
    name: 'the Story spent its tokens',
    given: taskSeen(form, { story: story({ budget: { tokens: 1000 } }, storyStatus()), usage: { spent: 1000, reserved: 0 } }),
    want: pending('BudgetSpent', { outcome: `stalled: BudgetSpent, ${waits}` }),
  },
  { name: 'no Council serves the role', given: taskSeen(form, { council: undefined }), want: pending('CouncilMissing') },
  {
    name: "the Council's image profile is not for this namespace",
    given: taskSeen(form, { platform: platform({ imageProfiles: [{ name: 'node', image: 'x', namespaces: ['elsewhere'] }] }) }),
    want: pending('ImageProfileMissing'),
  },
  { name: 'the Council is not ready', given: taskSeen(form, { council: council({}, false) }), want: pending('CouncilNotReady') },
  {
    name: 'JetStream is down',
    given: taskSeen(form, { storeAvailable: false }),
    want: {
      ...pending('StoreUnavailable'),
      writes: ['status Pending StoreUnavailable=True/StoreUnavailable Succeeded=Unknown/StoreUnavailable'],
    },
  },
  { name: 'the gateway is not known', given: taskSeen(form, { gateway: undefined }), want: pending('GatewayUnknown') },
];

const cramped = (more: object) => platform({ capacity: { workspaces: 9, perNamespace: 9, perStory: 9, ...more } });
const taken = (cluster: number, namespace: number, ofStory: number): PlaceSeen => ({
  ...FREE,
  taken: { cluster, namespace, story: ofStory },
});

const capacity: readonly Case[] = [
  {
    name: 'a Task of the Story at work may change the same files',
    given: taskSeen(form, { place: { ...FREE, overlaps: true } }),
    want: queued('ScopeOverlap'),
  },
  {
    name: 'others have all places but one: it starts',
    given: taskSeen(form, {
      platform: cramped({ workspaces: 3, perNamespace: 3, perStory: 3 }),
      place: taken(2, 2, 2),
    }),
    want: { writes: [`create Job ${formJob(1)}`], outcome: waits },
  },
  {
    name: 'every workspace of the cluster is in use',
    given: taskSeen(form, { platform: cramped({ workspaces: 1 }), place: taken(1, 1, 1) }),
    want: queued('ClusterFull'),
  },
  {
    name: 'every workspace of the namespace is in use',
    given: taskSeen(form, { platform: cramped({ perNamespace: 1 }), place: taken(1, 1, 1) }),
    want: queued('NamespaceFull'),
  },
  {
    name: 'every workspace of the Story is in use',
    given: taskSeen(form, { platform: cramped({ perStory: 1 }), place: taken(1, 1, 1) }),
    want: queued('StoryFull'),
  },
];

const ending = (of: Pod, seconds: number): Pod => ({ ...of, metadata: { ...of.metadata, deletionTimestamp: at(seconds) } });

const workEnds: readonly Case[] = [
  {
    name: 'an attempt at work that is listed is left in peace',
    given: taskSeen(running, atWorkNow),
    want: { writes: ['status Running Succeeded=Unknown/Running'], outcome: 'waits 720 s' },
  },
  {
    name: 'a Job that is about to fail has not failed',
    given: taskSeen(running, workspaces([over(job(form), 'FailureTarget'), runningPod(job(form))])),
    want: { writes: ['status Running Succeeded=Unknown/Running'], outcome: 'waits 130 s' },
  },
  {
    name: 'a report that is well gets its courier, and the status is left until the courier is seen',
    given: taskSeen(running, workspaces([over(job(form), 'Complete'), pod(job(form), { report: { finding: REPORT } })])),
    want: { writes: [`create Job ${formJob(1, 1)}`], outcome: waits },
  },
  {
    name: 'a Job that ended is waited for until its pod is seen',
    given: taskSeen(running, workspaces([over(job(form), 'Complete')])),
    nowS: 20,
    want: { writes: [], outcome: 'waits 30 s' },
  },
  {
    name: 'a Job whose pod is not seen for long has lost it',
    given: taskSeen(running, workspaces([over(job(form), 'Complete')])),
    nowS: 60,
    want: {
      writes: ['status Queued Succeeded=Unknown/AttemptEnded'],
      outcome: `waits ${DEADLINE_S - 60} s`,
      events: ['orchestration.task.queued'],
    },
  },
  {
    name: 'a listed Job that is not seen is missed first',
    given: taskSeen(running),
    want: {
      writes: ['status Running Succeeded=Unknown/WorkspaceMissing WorkspaceMissing=True/WorkspaceMissing'],
      outcome: 'waits 30 s',
    },
  },
  {
    name: 'an attempt on a lost node is lost when it is well past its deadline',
    given: taskSeen(running, atWorkNow),
    nowS: 720,
    want: {
      writes: ['status Queued Succeeded=Unknown/AttemptEnded'],
      outcome: `waits ${DEADLINE_S - 720} s`,
      events: ['orchestration.task.queued'],
    },
  },
  {
    name: 'what may still run of it is deleted before the next one starts',
    given: taskSeen(withStatus({ phase: 'Queued', attempts: [{ ...failed(1, 'PodLost'), finishedAt: at(600) }] }), atWorkNow),
    nowS: 721,
    want: { writes: [`delete Job ${formJob(1)} (uid-attempt-1)`], outcome: `waits ${DEADLINE_S - 721} s` },
  },
  {
    name: 'an attempt whose pod is being ended and does not end is lost',
    given: taskSeen(running, workspaces([job(form), ending(runningPod(job(form)), 10)])),
    nowS: 130,
    want: {
      writes: ['status Queued Succeeded=Unknown/AttemptEnded'],
      outcome: `waits ${DEADLINE_S - 130} s`,
      events: ['orchestration.task.queued'],
    },
  },
  {
    name: 'and so is one whose Job was to fail long ago, whatever its pods say',
    given: taskSeen(running, workspaces([over(job(form), 'FailureTarget', 10)])),
    nowS: 130,
    want: {
      writes: ['status Queued Succeeded=Unknown/AttemptEnded'],
      outcome: `waits ${DEADLINE_S - 130} s`,
      events: ['orchestration.task.queued'],
    },
  },
  {
    name: 'a pod that no node takes is no fault: the Task says what it waits for, for as long as that lasts',
    given: taskSeen(running, workspaces([job(form), pendingPod(job(form))])),
    nowS: 86_400,
    want: { writes: ['status Running Succeeded=Unknown/WorkspaceWaiting'], outcome: `waits ${DEADLINE_S - 86_400} s` },
  },
  {
    name: 'a Job without a pod is no fault either',
    given: taskSeen(running, workspaces([job(form)])),
    nowS: 3_600,
    want: { writes: ['status Running Succeeded=Unknown/WorkspaceWaiting'], outcome: `waits ${DEADLINE_S - 3_600} s` },
  },
  {
    name: 'a policy that somebody deleted while a workspace runs is put back',
    given: taskSeen(running, { ...atWorkNow, namespace: { ...taskSeen(form).namespace, networkPolicy: undefined } }),
    want: {
      writes: [
        expect.stringMatching(/^create NetworkPolicy fleet-workspace-/) as string,
        'status Running Succeeded=Unknown/Running',
      ],
      outcome: 'waits 720 s',
    },
  },
  {
    name: 'a Job that nobody listed, of an older attempt, is deleted',
    given: taskSeen(
      withStatus({ phase: 'Running', attempts: [failed(1), attempt(2)] }),
      workspaces([job(form, { n: 1 })], [job(form, { n: 2 })]),
    ),
    want: { writes: [`delete Job ${formJob(1)} (uid-attempt-1)`], outcome: waits },
  },
  {
    name: 'a Job of another uid under the name of a listed attempt is deleted',
    given: taskSeen(running, workspaces([job(form, {}, { uid: 'uid-of-an-old-leader' })])),
    want: { writes: [`delete Job ${formJob(1)} (uid-of-an-old-leader)`], outcome: waits },
  },
  {
    name: "a Job with our label and another's name is nobody's attempt: it is left alone",
    given: taskSeen(form, workspaces([job(form, {}, { name: 'fleet-ws-of-mine' })])),
    want: starts,
  },
];

const carriedOnce = { ...patched, courierUid: 'uid-courier-1', courierTries: 1 };
/** Its first courier failed, and that is written down. */
const givenUp = withStatus({
  phase: 'Integrating',
  attempts: [{ ...patched, courierTries: 1, courierFaults: 1, courierFailedAt: at(10), reason: 'PodLost', message: 'lost' }],
});
const fortieth = job(form, { kind: 'courier', courierTry: 40 });
const noGateway = { outcome: 'failed', reason: 'GatewayUnavailable', message: 'no way through the gateway within 60 s' };
const skipped = { outcome: 'skipped' };

const couriers: readonly Case[] = [
  {
    name: 'a courier that is seen is listed together with the patch it carries',
    given: taskSeen(
      running,
      workspaces([over(job(form), 'Complete'), pod(job(form), { report: { finding: REPORT } })], [courierJob]),
    ),
    want: {
      writes: ['status Integrating Succeeded=Unknown/Integrating'],
      outcome: soon,
      events: ['orchestration.task.integrating'],
    },
  },
  {
    name: 'a courier that pushed has succeeded',
    given: taskSeen(
      integrating,
      workspaces([over(courierJob, 'Complete'), pod(courierJob, { push: { finding: { commit: COMMIT } } })]),
    ),
    want: { writes: ['status Succeeded Succeeded=True/Integrated'], outcome: 'done', events: ['orchestration.task.completed'] },
  },
  {
    name: 'a courier that pushed has succeeded, also when the Task was cancelled meanwhile',
    given: taskSeen(
      { ...integrating, spec: { ...integrating.spec, cancel: true } },
      workspaces([over(courierJob, 'Complete'), pod(courierJob, { push: { finding: { commit: COMMIT } } })]),
    ),
    want: { writes: ['status Succeeded Succeeded=True/Integrated'], outcome: 'done', events: ['orchestration.task.completed'] },
  },
  {
    name: 'a courier at work is let finish, also when the Task was cancelled meanwhile',
    given: taskSeen({ ...integrating, spec: { ...integrating.spec, cancel: true } }, carryingNow),
    want: { writes: ['status Integrating Succeeded=Unknown/Integrating'], outcome: 'waits 720 s' },
  },
  {
    name: 'a courier whose pod has not started has pushed nothing: a cancelled Task does not wait for it',
    given: taskSeen(
      { ...integrating, spec: { ...integrating.spec, cancel: true } },
      workspaces([courierJob, pendingPod(courierJob)]),
    ),
    want: {
      writes: ['status Cancelled Succeeded=False/Cancelled'],
      outcome: 'done',
      events: ['orchestration.task.cancelled'],
    },
  },
  {
    name: 'nor does one whose Story is over its budget',
    given: taskSeen(integrating, workspaces([courierJob])),
    nowS: DEADLINE_S,
    want: {
      writes: ['status Failed Succeeded=False/DeadlineExceeded'],
      outcome: 'done',
      events: ['orchestration.task.failed'],
    },
  },
  {
    name: 'a courier on a lost node is given up, and its Job is not listed any more',
    given: taskSeen(integrating, carryingNow),
    nowS: 720,
    want: { writes: ['status Integrating Succeeded=Unknown/BackOff'], outcome: 'waits 0.001 s' },
  },
  {
    name: 'what may still run of it is deleted',
    given: taskSeen(givenUp, carryingNow),
    nowS: 721,
    want: { writes: [`delete Job ${formJob(1, 1)} (uid-courier-1)`], outcome: `waits ${DEADLINE_S - 721} s` },
  },
  {
    name: 'and the next one starts, under a name of its own',
    given: taskSeen(givenUp),
    nowS: 721,
    want: { writes: [`create Job ${formJob(1, 2)}`], outcome: `waits ${DEADLINE_S - 721} s` },
  },
  {
    name: 'a cancelled Task does not wait for a courier on a lost node',
    given: taskSeen({ ...integrating, spec: { ...integrating.spec, cancel: true } }, carryingNow),
    nowS: 720,
    want: {
      writes: ['status Cancelled Succeeded=False/Cancelled'],
      outcome: 'done',
      events: ['orchestration.task.cancelled'],
    },
  },
  {
    name: 'a courier that found no gateway is tried again, however often it did',
    given: taskSeen(
      withStatus({
        phase: 'Integrating',
        attempts: [{ ...patched, courierUid: 'uid-courier-1-40', courierTries: 40 }],
      }),
      workspaces([over(fortieth, 'Complete'), pod(fortieth, { merge: { finding: noGateway }, push: { finding: skipped } })]),
    ),
    nowS: 10,
    want: { writes: ['status Integrating Succeeded=Unknown/BackOff'], outcome: 'waits 300 s' },
  },
  {
    name: 'a courier that the infrastructure failed for the last time ends its attempt',
    given: taskSeen(
      { ...integrating, status: { ...integrating.status, attempts: [{ ...carriedOnce, courierFaults: 5 }] } },
      workspaces([over(courierJob, 'Failed'), pod(courierJob, { setup: { exitCode: 1 } })]),
    ),
    nowS: 10,
    want: {
      writes: ['status Queued Succeeded=Unknown/AttemptEnded'],
      outcome: `waits ${DEADLINE_S - 10} s`,
      events: ['orchestration.task.queued'],
    },
  },
  {
    name: 'a patch needs no Council: its courier runs in the image profile of its attempt',
    given: taskSeen(withStatus({ phase: 'Integrating', attempts: [{ ...patched, imageProfile: 'node' }] }), {
      council: undefined,
    }),
    want: { writes: [`create Job ${formJob(1, 1)}`], outcome: waits },
  },
  {
    name: 'a patch whose attempt does not say its image profile waits for its Council',
    given: taskSeen(withStatus({ phase: 'Integrating', attempts: [patched] }), { council: undefined }),
    want: { writes: ['status Integrating Succeeded=Unknown/CouncilMissing'], outcome: waits },
  },
  {
    name: 'a patch that waits for something itself lets the others by',
    given: taskSeen(
      withStatus({ phase: 'Integrating', attempts: [patched] }),
      {
        family: [
          {
            task: task(work('session'), {
              phase: 'Integrating',
              attempts: [{ ...patched, startedAt: at(-5), imageProfile: 'gone' }],
            }),
            jobs: [],
          },
        ],
      },
      [work('session')],
    ),
    want: { writes: [`create Job ${formJob(1, 1)}`], outcome: waits },
  },
  {
    name: 'a courier of another Task that was given up lets the others by, also while its Job cannot go',
    given: taskSeen(
      withStatus({ phase: 'Integrating', attempts: [patched] }),
      {
        family: [
          {
            task: task(work('session'), { phase: 'Integrating', attempts: [{ ...patched, courierTries: 1 }] }),
            jobs: [job(task(work('session')), { kind: 'courier' })],
          },
        ],
      },
      [work('session')],
    ),
    want: { writes: [`create Job ${formJob(1, 1)}`], outcome: waits },
  },
  {
    name: 'a patch that cannot be merged makes another attempt',
    given: taskSeen(
      integrating,
      workspaces([
        over(courierJob, 'Complete'),
        pod(courierJob, { merge: { finding: { outcome: 'failed', reason: 'Conflict' } } }),
      ]),
    ),
    nowS: 10,
    want: {
      writes: ['status Queued Succeeded=Unknown/AttemptEnded'],
      outcome: `waits ${DEADLINE_S - 10} s`,
      events: ['orchestration.task.queued'],
    },
  },
  {
    name: 'a courier that the infrastructure failed waits before it is tried again with the same patch',
    given: taskSeen(integrating, workspaces([over(courierJob, 'Failed'), pod(courierJob, { merge: { exitCode: 1 } })])),
    nowS: 10,
    want: { writes: ['status Integrating Succeeded=Unknown/BackOff'], outcome: 'waits 10 s' },
  },
  {
    name: 'which is written down, also when it is read late',
    given: taskSeen(integrating, workspaces([over(courierJob, 'Failed'), pod(courierJob, { merge: { exitCode: 1 } })])),
    nowS: 21,
    want: { writes: ['status Integrating Succeeded=Unknown/BackOff'], outcome: 'waits 0.001 s' },
  },
  {
    name: 'and is then tried again under a name of its own; the Job that failed stays for whoever wants to look at it',
    given: taskSeen(givenUp, workspaces([over(courierJob, 'Failed'), pod(courierJob, { setup: { exitCode: 1 } })])),
    nowS: 21,
    want: { writes: [`create Job ${formJob(1, 2)}`], outcome: `waits ${DEADLINE_S - 21} s` },
  },
  {
    name: "a patch waits while another Task's courier is at work",
    given: taskSeen(withStatus({ phase: 'Integrating', attempts: [patched] }), {
      family: [{ task: task(work('session')), jobs: [job(task(work('session')), { kind: 'courier' })] }],
    }),
    want: { writes: ['status Integrating Succeeded=Unknown/CourierTurn'], outcome: waits },
  },
  {
    name: 'of two patches that wait the one of the older attempt goes first',
    given: taskSeen(
      withStatus({ phase: 'Integrating', attempts: [patched] }),
      {
        family: [
          { task: task(work('session'), { phase: 'Integrating', attempts: [{ ...patched, startedAt: at(-5) }] }), jobs: [] },
        ],
      },
      [work('session')],
    ),
    want: { writes: ['status Integrating Succeeded=Unknown/CourierTurn'], outcome: waits },
  },
  {
    name: 'a patch of a suspended Story gets no courier',
    given: taskSeen(withStatus({ phase: 'Integrating', attempts: [patched] }), {
      story: story({ suspend: true }, storyStatus()),
    }),
    want: { writes: ['status Integrating Succeeded=Unknown/StorySuspended'], outcome: waits },
  },
  {
    name: 'a patch needs no model: its courier starts while the Council is not ready',
    given: taskSeen(withStatus({ phase: 'Integrating', attempts: [patched] }), { council: council({}, false) }),
    want: { writes: [`create Job ${formJob(1, 1)}`], outcome: waits },
  },
];

const retries: readonly Case[] = [
  {
    name: "after the agent's failure the next attempt starts at once",
    given: taskSeen(withStatus({ phase: 'Queued', attempts: [failed(1)] })),
    want: { writes: [`create Job ${formJob(2)}`], outcome: waits },
  },
  {
    name: "three failures of the agent are the Task's end, unless a person helps",
    given: taskSeen(withStatus({ phase: 'Queued', attempts: [failed(1), failed(2), failed(3)] })),
    want: {
      writes: ['status Pending Succeeded=Unknown/AttemptsUsedUp'],
      outcome: `stalled: AttemptsUsedUp, ${waits}`,
      events: ['orchestration.task.pending'],
    },
  },
  {
    name: 'a person grants one more',
    given: taskSeen(withStatus({ phase: 'Pending', attempts: [failed(1), failed(2), failed(3)] }, { extraAttempts: 1 })),
    want: { writes: [`create Job ${formJob(4)}`], outcome: waits },
  },
  {
    name: "the infrastructure's failures are counted apart and have their own limit",
    given: taskSeen(
      withStatus({ phase: 'Queued', attempts: [failed(1), failed(2), ...[3, 4, 5, 6, 7].map((n) => failed(n, 'PodLost'))] }),
    ),
    want: { writes: [`create Job ${formJob(8)}`], outcome: waits },
  },
  {
    name: 'six failures of the infrastructure need a person',
    given: taskSeen(withStatus({ phase: 'Queued', attempts: [1, 2, 3, 4, 5, 6].map((n) => failed(n, 'PodLost')) })),
    want: {
      writes: ['status Pending Succeeded=Unknown/InfrastructureRetriesUsedUp'],
      outcome: `stalled: InfrastructureRetriesUsedUp, ${waits}`,
      events: ['orchestration.task.pending'],
    },
  },
  {
    name: 'after a failure of the infrastructure the next attempt waits, and longer each time',
    given: taskSeen(
      withStatus({ phase: 'Queued', attempts: [failed(1, 'PodLost'), { ...failed(2, 'PodLost'), finishedAt: at() }] }),
    ),
    nowS: 5,
    want: { writes: ['status Queued Succeeded=Unknown/BackOff'], outcome: 'waits 15 s' },
  },
  {
    name: 'attempts that could not start are no failures of anybody, and wait longer each time',
    given: taskSeen(
      withStatus({
        phase: 'Queued',
        attempts: [1, 2, 3, 4, 5, 6, 7].map((n) =>
          attempt(n, { finishedAt: at(), outcome: 'NotStarted', reason: 'GatewayUnavailable', message: 'no way through' }),
        ),
      }),
    ),
    want: { writes: ['status Queued Succeeded=Unknown/BackOff'], outcome: 'waits 300 s' },
  },
  {
    name: 'a network that does not contain stalls at once, with its own reason',
    given: taskSeen(
      withStatus({
        phase: 'Queued',
        attempts: [attempt(1, { finishedAt: at(), outcome: 'Stalled', reason: 'NetworkNotContained' })],
      }),
    ),
    want: {
      writes: ['status Pending Succeeded=Unknown/NetworkNotContained'],
      outcome: `stalled: NetworkNotContained, ${waits}`,
      events: ['orchestration.task.pending'],
    },
  },
];

const ends: readonly Case[] = [
  {
    name: 'a finished Task stays as it is',
    given: taskSeen(withStatus({ phase: 'Succeeded' })),
    want: { writes: [], outcome: 'done' },
  },
  {
    name: 'what still runs for a finished Task is ended',
    given: taskSeen(withStatus({ phase: 'Cancelled', attempts: [attempt(1, { finishedAt: at() })] }), workspaces([job(form)])),
    want: { writes: [`delete Job ${formJob(1)} (uid-attempt-1)`], outcome: 'done' },
  },
  {
    name: 'a cancelled Task ends at once: its workspace is deleted when that is written, so that a Job that cannot go does not keep it',
    given: taskSeen({ ...running, spec: { ...running.spec, cancel: true } }, atWorkNow),
    want: {
      writes: ['status Cancelled Succeeded=False/Cancelled'],
      outcome: 'done',
      events: ['orchestration.task.cancelled'],
    },
  },
  {
    name: 'a Task of a cancelled Story ends',
    given: taskSeen(form, { story: story({ cancel: true }, storyStatus()) }),
    want: {
      writes: ['status Cancelled Succeeded=False/StoryCancelled'],
      outcome: 'done',
      events: ['planning.task.created', 'orchestration.task.cancelled'],
    },
  },
  {
    name: 'at the end of the wall clock budget an unfinished Task fails',
    given: taskSeen(running, workspaces([job(form)])),
    nowS: DEADLINE_S,
    want: {
      writes: ['status Failed Succeeded=False/DeadlineExceeded'],
      outcome: 'done',
      events: ['orchestration.task.failed'],
    },
  },
  {
    name: 'not at an end that was moved: the budget was raised',
    given: taskSeen(running, {
      ...atWorkNow,
      story: story({ budget: { wallClockSeconds: 2 * DEADLINE_S } }, storyStatus()),
    }),
    nowS: DEADLINE_S,
    want: {
      writes: ['status Queued Succeeded=Unknown/AttemptEnded'],
      outcome: waits,
      events: ['orchestration.task.queued'],
    },
  },
  {
    name: 'a Task that needs a person fails at the end all the same',
    given: taskSeen(withStatus({ phase: 'Pending', attempts: [failed(1), failed(2), failed(3)] })),
    nowS: DEADLINE_S,
    want: {
      writes: ['status Failed Succeeded=False/DeadlineExceeded'],
      outcome: 'done',
      events: ['orchestration.task.failed'],
    },
  },
  {
    name: 'a transition waits while the outbox is full, and nothing is done meanwhile',
    given: taskSeen(
      withStatus({
        phase: 'Pending',
        eventSeq: 64,
        outbox: Array.from({ length: 64 }, (_, index) => ({
          seq: index + 1,
          type: 'orchestration.task.queued',
          at: at(),
          data: '{}',
        })),
      }),
      { ...workspaces([job(form)]) },
    ),
    want: { writes: ['status Pending EventsBehind=True/OutboxFull'], outcome: waits },
  },
];

const groups = { beginnings, 'what holds a Task up': holdUps, capacity, 'how work ends': workEnds, couriers, retries, ends };

describe.each(Object.entries(groups))('the decision about a Task: %s', (_, cases) => {
  it.each(cases)('$name', ({ given, nowS = 0, want }) => {
    expect(spec(decideTask(given, NOW + nowS * 1000), given.task.status?.eventSeq)).toEqual(want);
  });
});

const longAgo = job(form, {}, { creationTimestamp: at(-120) });
const unpulled: Pod = {
  ...runningPod(job(form)),
  status: {
    phase: 'Pending',
    initContainerStatuses: [
      { name: 'runner', state: { terminated: { exitCode: 0 } } },
      { name: 'checkout', state: { terminated: { exitCode: 0 } } },
      { name: 'setup', state: { waiting: { reason: 'ImagePullBackOff' } } },
    ],
  },
};

const sentences: readonly (readonly [string, TaskSeen, string])[] = [
  [
    'the workspaces that are in use',
    taskSeen(form, { platform: cramped({ workspaces: 1 }), place: taken(1, 1, 1) }),
    'waits for a workspace: all 1 of the cluster are in use',
  ],
  [
    'the Task that may change the same files',
    taskSeen(form, { place: { ...FREE, overlaps: true } }),
    'waits for another task of its Story to end, which may change the same files',
  ],
  [
    'the Council that is not ready',
    taskSeen(form, { council: council({}, false) }),
    'waits for council dev to be ready (NotProbed)',
  ],
  [
    'the node that takes its pod, with the words of the scheduler',
    taskSeen(task(work('form'), { phase: 'Running', attempts: [attempt(1)] }), workspaces([longAgo, pendingPod(longAgo)])),
    'the attempt waits for a node that takes its pod: 0/3 nodes are available: 3 Insufficient cpu.',
  ],
  [
    'the pod that is not made, and who knows why',
    taskSeen(task(work('form'), { phase: 'Running', attempts: [attempt(1)] }), workspaces([longAgo])),
    `the attempt waits for its pod, which is not made: kubectl describe job ${formJob(1)} says why`,
  ],
  [
    'the image that cannot be pulled, while the pod is at work',
    taskSeen(task(work('form'), { phase: 'Running', attempts: [attempt(1)] }), workspaces([job(form), unpulled])),
    'the attempt waits for the image of step setup, which cannot be pulled',
  ],
  [
    'why the last courier failed',
    taskSeen(
      withStatus({
        phase: 'Integrating',
        attempts: [{ ...patched, courierTries: 1, courierFailedAt: at(), reason: 'PodLost', message: 'its node is lost' }],
      }),
    ),
    'waits before its next courier: the last one failed (PodLost, its node is lost)',
  ],
  [
    'who has to resume it',
    taskSeen(task(work('form'), undefined, { suspend: true })),
    'waits to be resumed: set spec.suspend of task login-form to false',
  ],
  [
    'how often the agent failed, and what to do',
    taskSeen(withStatus({ phase: 'Queued', attempts: [failed(1), failed(2), failed(3)] })),
    'the agent failed 3 times; grant more attempts with spec.extraAttempts of task login-form; the last failure: VerifyFailed',
  ],
  [
    'how often the infrastructure failed, and what to do',
    taskSeen(withStatus({ phase: 'Queued', attempts: [1, 2, 3, 4, 5, 6].map((n) => failed(n, 'PodLost')) })),
    'the infrastructure failed 6 times; grant more attempts with spec.extraAttempts of task login-form; the last failure: PodLost',
  ],
  [
    'what stopped an attempt, and what to do',
    taskSeen(
      withStatus({
        phase: 'Queued',
        attempts: [
          attempt(1, {
            finishedAt: at(),
            outcome: 'Stalled',
            reason: 'BranchTaken',
            message: 'branch fleet/shop/login is taken',
          }),
        ],
      }),
    ),
    'an attempt was stopped (branch fleet/shop/login is taken); when that is solved, grant another one with spec.extraAttempts of task login-form',
  ],
];

describe('a Task that waits says in a whole sentence, everywhere the same,', () => {
  it.each(sentences)('%s', (_, given, want) => {
    const { why, status, outcome } = decideTask(given, NOW);
    const succeeded = status?.conditions?.find(({ type }) => type === 'Succeeded')?.message;
    const said = [why, status?.waitingFor, succeeded, ...(outcome.kind === 'stalled' ? [outcome.message] : [])];
    expect([...new Set(said)]).toEqual([want]);
  });
});

describe('the rules about a Task', () => {
  it('are sentences, each once', () => {
    const names = rules.map(([name]) => name);
    expect(new Set(names).size).toBe(names.length);
  });
});
