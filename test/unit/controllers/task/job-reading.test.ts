import { describe, expect, it } from 'vitest';
import { isLive, readJob, type Reading } from '../../../../controllers/task/job-reading.ts';
import { stepTable } from '../../../../controllers/workspace/step-table.ts';
import type { Job, Pod } from '../../../../controllers/kubernetes.ts';
import { at, COMMIT, NOW, task, work } from '../../../builders/objects.ts';
import { job, over, pod, receiptOf, REPORT } from '../../../builders/workspaces.ts';

const form = task(work('form'));
const attempt = job(form);
const courier = job(form, { kind: 'courier' });

/** Seen while its last step runs. */
const going = pod(attempt, {}, { phase: 'Running', containerStatuses: [{ name: 'report', state: { running: {} } }] });

const besideMesh: Pod = {
  ...going,
  status: {
    ...going.status,
    containerStatuses: [...(going.status?.containerStatuses ?? []), { name: 'sidecar', state: { terminated: { exitCode: 0 } } }],
  },
};

/** A pod that came to its deadline before that step started. */
const neverStarted = (step: string): Pod => {
  const steps = stepTable.attempt.map(({ name }) => name as string);
  const statuses = steps.map((name, index) => {
    if (index < steps.indexOf(step)) return { name, state: { terminated: { exitCode: 0 } } };
    return { name, state: { waiting: { reason: name === step ? 'ImagePullBackOff' : 'PodInitializing' } } };
  });
  return { ...pod(attempt), status: { phase: 'Failed', reason: 'DeadlineExceeded', initContainerStatuses: statuses } };
};

interface Case {
  readonly name: string;
  readonly job: Job;
  readonly pods: readonly Pod[];
  readonly nowS?: number;
  readonly want: string;
}

const firstReceipt = (pods: readonly Pod[]): ReturnType<typeof receiptOf> => pods.flatMap((of) => receiptOf(of) ?? [])[0];

const shown = (reading: Reading): string => {
  if (reading.kind !== 'ended') return reading.kind;
  const { side, reason, message } = reading.end;
  return side === 'ok' ? 'ok' : `${side}: ${reason ?? ''}, ${message}`;
};

type Broken = readonly [name: string, ends: Parameters<typeof pod>[1], want: string, status?: Pod['status'], of?: Job];

const complete = (name: string, ends: Parameters<typeof pod>[1], want: string, of = attempt): Case => ({
  name,
  job: over(of, 'Complete'),
  pods: [pod(of, ends)],
  want,
});
const broken = (...[name, ends, want, status, of = attempt]: Broken): Case => ({
  name,
  job: over(of, 'Failed'),
  pods: [pod(of, ends, status)],
  want,
});

const cases: readonly Case[] = [
  { name: 'a Job without an end runs', job: attempt, pods: [], want: 'running' },
  { name: 'a Job that is about to fail still runs', job: over(attempt, 'FailureTarget'), pods: [going], want: 'running' },
  { name: 'a Job that is about to be complete still runs', job: over(attempt, 'SuccessCriteriaMet'), pods: [], want: 'running' },
  { name: 'its pod is not seen yet', job: over(attempt, 'Complete'), pods: [], nowS: 20, want: 'unread' },
  {
    name: 'its pod is seen, but as it was before its end',
    job: over(attempt, 'Complete'),
    pods: [going],
    nowS: 20,
    want: 'unread',
  },
  {
    name: 'its last step ended, which pod and Job do not say yet',
    job: attempt,
    pods: [pod(attempt, { report: { finding: REPORT } }, { phase: 'Pending' })],
    want: 'ok',
  },
  {
    name: 'its last step ended well just before its deadline',
    job: over(attempt, 'Failed'),
    pods: [pod(attempt, { report: { finding: REPORT } }, { phase: 'Failed', reason: 'DeadlineExceeded' })],
    want: 'ok',
  },
  {
    name: 'its last step ended badly, which the Job does not say yet',
    job: attempt,
    pods: [pod(attempt, { report: { exitCode: 1 } }, { phase: 'Pending' })],
    want: 'running',
  },
  {
    name: 'its pod is not seen for long',
    job: over(attempt, 'Failed'),
    pods: [],
    nowS: 41,
    want: "infrastructure: PodLost, the Job's pod is gone:",
  },

  complete('a report that is well', { report: { finding: REPORT } }, 'ok'),
  complete(
    'a report without a patch is no report',
    { report: { finding: { evidence: REPORT.evidence } } },
    'infrastructure: StepFailed, the finding of step report names no patch, evidence or base',
  ),
  complete('no report', {}, 'infrastructure: StepFailed, step report left no finding'),
  complete(
    'a report of what the agent did not achieve',
    { report: { finding: { outcome: 'failed', reason: 'VerifyFailed', message: '1 of 2 failed' } } },
    'agent: VerifyFailed, 1 of 2 failed',
  ),
  complete(
    "a checkout that failed explains the report's silence",
    {
      checkout: { finding: { outcome: 'failed', reason: 'RefUnknown', message: 'no such commit' } },
      report: { finding: { outcome: 'skipped' } },
    },
    'stalled: RefUnknown, no such commit',
  ),
  complete(
    'a finding of a step that ran foreign code is not believed',
    {
      work: { finding: { outcome: 'failed', reason: 'NetworkNotContained' } },
      verify: { finding: { outcome: 'ok' } },
      report: { finding: REPORT },
    },
    'ok',
  ),
  complete(
    'a finding with a reason that is none',
    { report: { finding: { outcome: 'failed', reason: 'BecauseISaySo' } } },
    'infrastructure: StepFailed, step report left no finding',
  ),

  broken(
    'the agent ran out of memory',
    { work: { exitCode: 137, reason: 'OOMKilled' } },
    'agent: OOMKilled, step work ran out of memory',
  ),
  broken(
    'the tests ran out of memory',
    { verify: { exitCode: 137, reason: 'OOMKilled' } },
    'agent: OOMKilled, step verify ran out of memory',
  ),
  broken(
    "a step of ours ran out of memory, which is not the agent's fault",
    { checkout: { exitCode: 137, reason: 'OOMKilled' } },
    'infrastructure: StepFailed, step checkout ended with exit code 137 (OOMKilled)',
  ),
  broken(
    'the agent ran out of time',
    { work: { exitCode: 137, reason: 'Error' } },
    'agent: DeadlineExceeded, step work ran out of time',
    {
      phase: 'Failed',
      reason: 'DeadlineExceeded',
    },
  ),
  broken(
    "time ran out while the repository was fetched, which is not the agent's fault",
    { checkout: { exitCode: 143, reason: 'Error' } },
    'infrastructure: StepFailed, step checkout ended with exit code 143 (Error): DeadlineExceeded',
    { phase: 'Failed', reason: 'DeadlineExceeded' },
  ),
  broken(
    "a step that runs the agent's code and ends badly for any other reason: it can bring that about",
    { work: { exitCode: 1, reason: 'Error' } },
    'agent: StepBroken, step work ended with exit code 1 (Error)',
  ),
  broken(
    'a step of ours that ends badly',
    { report: { exitCode: 1, reason: 'Error' } },
    'infrastructure: StepFailed, step report ended with exit code 1 (Error)',
  ),
  broken(
    'a step of ours that ran out of memory on what the agent left',
    { report: { exitCode: 137, reason: 'OOMKilled' } },
    'agent: OOMKilled, step report ran out of memory',
  ),
  broken(
    'the agent left no time',
    { report: { exitCode: 137, reason: 'Error' } },
    'agent: DeadlineExceeded, step report ran out of time',
    { phase: 'Failed', reason: 'DeadlineExceeded' },
  ),
  broken(
    'the agent filled a volume',
    { work: { exitCode: 137, reason: 'Error' } },
    'agent: StorageExceeded, evicted at step work: Usage of EmptyDir volume "tree" exceeds the limit "8Gi".',
    { phase: 'Failed', reason: 'Evicted', message: 'Usage of EmptyDir volume "tree" exceeds the limit "8Gi".' },
  ),
  broken(
    'a node that is short of something evicts whom it likes',
    { work: { exitCode: 137, reason: 'Error' } },
    'infrastructure: StepFailed, step work ended with exit code 137 (Error): Evicted The node was low on resource: memory.',
    {
      phase: 'Failed',
      reason: 'Evicted',
      message: 'The node was low on resource: memory.',
      conditions: [{ type: 'DisruptionTarget', status: 'True' }],
    },
  ),
  broken(
    'a container that could not be started',
    { work: { exitCode: 128, reason: 'StartError' } },
    'infrastructure: StepFailed, step work ended with exit code 128 (StartError)',
  ),
  broken(
    'tests that end the step of a courier',
    { verify: { exitCode: 143, reason: 'Error' } },
    'agent: StepBroken, step verify ended with exit code 143 (Error)',
    {},
    courier,
  ),
  broken(
    'time that ran out while the courier pushed',
    { push: { exitCode: 137, reason: 'Error' } },
    'infrastructure: StepFailed, step push ended with exit code 137 (Error): DeadlineExceeded',
    { phase: 'Failed', reason: 'DeadlineExceeded' },
    courier,
  ),
  {
    name: 'a pod that was evicted before any step ended',
    job: over(attempt, 'Failed'),
    pods: [{ ...pod(attempt), status: { phase: 'Failed', reason: 'Evicted', message: 'The node was low on resource' } }],
    want: 'infrastructure: PodLost, Evicted at step runner: The node was low on resource',
  },

  complete(
    'a checkout that found no gateway: nobody is to blame',
    {
      checkout: { finding: { outcome: 'failed', reason: 'GatewayUnavailable', message: 'no way through' } },
      report: { finding: { outcome: 'skipped' } },
    },
    'nobody: GatewayUnavailable, no way through',
  ),
  complete(
    'a report that found no gateway counts: by then the agent has worked',
    { report: { finding: { outcome: 'failed', reason: 'GatewayUnavailable', message: 'no way through' } } },
    'infrastructure: GatewayUnavailable, no way through',
  ),
  {
    name: 'an image that could not be pulled until the deadline: nobody is to blame',
    job: over(attempt, 'Failed'),
    pods: [neverStarted('setup')],
    want: 'nobody: NotStarted, step setup could not start in time: ImagePullBackOff',
  },
  {
    name: 'a step after the work that did not start in time: the agent used the time up',
    job: over(attempt, 'Failed'),
    pods: [neverStarted('verify')],
    want: 'agent: DeadlineExceeded, step verify ran out of time',
  },
  complete(
    'a courier that found no gateway: nobody is to blame',
    {
      merge: { finding: { outcome: 'failed', reason: 'GatewayUnavailable', message: 'no way through' } },
      push: { finding: { outcome: 'skipped' } },
    },
    'nobody: GatewayUnavailable, no way through',
    courier,
  ),
  complete(
    'a courier that pushed',
    { merge: { finding: { commit: COMMIT } }, push: { finding: { commit: COMMIT } } },
    'ok',
    courier,
  ),
  complete(
    'a courier whose commit had landed before',
    { merge: { finding: { commit: COMMIT, landed: true } }, push: { finding: {} } },
    'ok',
    courier,
  ),
  complete(
    'a patch that does not merge',
    {
      merge: { finding: { outcome: 'failed', reason: 'Conflict', message: 'src/a.ts' } },
      push: { finding: { outcome: 'skipped' } },
    },
    'infrastructure: Conflict, src/a.ts',
    courier,
  ),
  complete(
    "a branch that is somebody else's",
    { merge: { finding: { outcome: 'failed', reason: 'BranchTaken', message: 'no trailer of ours' } } },
    'stalled: BranchTaken, no trailer of ours',
    courier,
  ),
  complete(
    'a push that was refused',
    { push: { finding: { outcome: 'failed', reason: 'PushRejected' } } },
    'infrastructure: PushRejected, step push failed and left no message',
    courier,
  ),
  complete(
    'a push without a commit',
    { push: { finding: {} } },
    'infrastructure: StepFailed, the finding of step push names no commit',
    courier,
  ),
];

describe('what a Job says', () => {
  it.each(cases)('$name', ({ job: given, pods, nowS = 12, want }) => {
    const kind = given.metadata.name === courier.metadata.name ? 'courier' : 'attempt';
    expect(shown(readJob({ kind, job: given, pods, receipt: firstReceipt(pods) }, NOW + nowS * 1000))).toBe(want);
  });

  it('ends at the time that its last step ended, whenever it is read and whatever its Job says by then', () => {
    const pods = [pod(attempt, { report: { finding: REPORT, finishedAt: at(5) } })];
    for (const seen of [attempt, over(attempt, 'SuccessCriteriaMet', 6), over(attempt, 'Complete', 7)])
      expect(readJob({ kind: 'attempt', job: seen, pods, receipt: firstReceipt(pods) }, NOW + 3_600_000)).toMatchObject({
        end: { at: at(5) },
      });
  });

  it('says what its commit was put upon', () => {
    const pods = [
      pod(courier, { merge: { finding: { commit: COMMIT, parent: 'a'.repeat(40) } }, push: { finding: { commit: COMMIT } } }),
    ];
    expect(readJob({ kind: 'courier', job: over(courier, 'Complete'), pods, receipt: firstReceipt(pods) }, NOW)).toMatchObject({
      end: { commit: COMMIT, parent: 'a'.repeat(40) },
    });
  });

  it.each([
    ['found below another: it had landed before', true, 'b'.repeat(40), 'b'.repeat(40)],
    ['found at the head: it had landed before', true, COMMIT, undefined],
    ['put upon the head', false, 'a'.repeat(40), undefined],
  ])('says of a commit that it was %s', (_, landed, head, under) => {
    const merge = { finding: { commit: COMMIT, parent: 'a'.repeat(40), landed, head } };
    const pods = [pod(courier, { merge, push: { finding: { commit: COMMIT } } })];
    const { end } = readJob({ kind: 'courier', job: over(courier, 'Complete'), pods, receipt: firstReceipt(pods) }, NOW) as {
      readonly end: { readonly under?: string };
    };
    expect(end.under).toBe(under);
  });

  it('ends, if it fails, at the time that the Job says', () => {
    const pods = [pod(attempt, { work: { exitCode: 1 } })];
    expect(
      readJob({ kind: 'attempt', job: over(attempt, 'Failed', 7), pods, receipt: undefined }, NOW + 3_600_000),
    ).toMatchObject({ end: { at: at(7) } });
  });
});

describe('something of it may still run', () => {
  it.each([
    ['before its pod is seen', attempt, [], true],
    ['while its last step runs', attempt, [going], true],
    ['while its last step runs, whatever became of a container beside it', attempt, [besideMesh], true],
    ['when its last step ended badly, until the Job says so', attempt, [pod(attempt, { report: { exitCode: 1 } })], true],
    ['not after its last step ended well', attempt, [pod(attempt)], false],
    ['not after the Job ended', over(attempt, 'Failed'), [], false],
  ] as const)('%s', (_, given, pods, want) => {
    expect(isLive(given, pods)).toBe(want);
  });
});
