// What is not believed: a pod that somebody else made for a Job of ours, and a Task that was given to another Story.

import { describe, expect, it } from 'vitest';
import { decideTask } from '../../../../controllers/task/decide.ts';
import { wantedJobName } from '../../../../controllers/task/job-identity.ts';
import type { Job, Pod } from '../../../../controllers/kubernetes.ts';
import { LABEL_ATTEMPT, LABEL_WORKSPACE } from '../../../../crds/labels.ts';
import type { Task } from '../../../../crds/kinds/task.ts';
import { attempt, COMMIT, DIGEST, NOW, task, work } from '../../../builders/objects.ts';
import { taskSeen } from '../../../builders/seen.ts';
import { job, pod, REPORT, runningPod } from '../../../builders/workspaces.ts';

const running = task(work('form'), { phase: 'Running', attempts: [attempt(1)] });
const integrating = task(work('form'), {
  phase: 'Integrating',
  attempts: [attempt(1, { patch: DIGEST, evidence: DIGEST, base: COMMIT, courierUid: 'uid-courier-1', courierTries: 1 })],
});

const attemptJob = job(running);
const courierJob = job(running, { kind: 'courier' });
const DEADBEEF = 'deadbeef'.repeat(5);

type Change = (made: Pod, of: Job) => Pod;

const changed =
  (more: (made: Pod) => Partial<Pod['metadata']>): Change =>
  (made) => ({ ...made, metadata: { ...made.metadata, ...more(made) } });
const owners = (more: object): Change =>
  changed(({ metadata }) => ({ ownerReferences: (metadata.ownerReferences ?? []).map((owner) => ({ ...owner, ...more })) }));

const forgeries: readonly (readonly [string, Change])[] = [
  ['runs under another account', (made) => ({ ...made, spec: { serviceAccountName: 'default' } })],
  ['says no account', ({ spec: _spec, ...made }) => made],
  ['has another name', changed(() => ({ name: 'innocent' }))],
  ["has a name that only begins like the Job's", changed(({ metadata }) => ({ name: metadata.name.replace('-pod', 'pod') }))],
  ['has none of our labels', changed(() => ({ labels: {} }))],
  ['says another attempt', changed(({ metadata }) => ({ labels: { ...metadata.labels, [LABEL_ATTEMPT]: '2' } }))],
  ['says another purpose', changed(({ metadata }) => ({ labels: { ...metadata.labels, [LABEL_WORKSPACE]: 'reader' } }))],
  ['names the Job as an owner and not as its controller', owners({ controller: false })],
  ['names a controller of another kind', owners({ kind: 'ReplicaSet', apiVersion: 'apps/v1' })],
  ['names a controller of another name', owners({ name: 'another' })],
  [
    'has a second owner',
    changed(({ metadata }) => ({
      ownerReferences: [...(metadata.ownerReferences ?? []), { apiVersion: 'v1', kind: 'Pod', name: 'x', uid: 'uid-x' }],
    })),
  ],
];

const phaseAfter = (given: Task, jobs: readonly Job[], pods: readonly Pod[]): string | undefined => {
  const { status } = decideTask(taskSeen(given, { jobs, pods, receipts: everyReceipt }), NOW + 12_000);
  return status?.phase;
};

/** The gateway served both: here it is the pod alone that is judged. */
const everyReceipt = {
  [attemptJob.metadata.uid]: { kind: 'report', ...REPORT },
  [courierJob.metadata.uid]: { kind: 'push', commit: DEADBEEF },
} as const;

describe('a pod that the Job controller did not make for us', () => {
  it.each(forgeries)('is not believed to have reported: it %s', (_, forge) => {
    const forged = forge(pod(attemptJob, { report: { finding: REPORT } }), attemptJob);
    expect(phaseAfter(running, [attemptJob], [runningPod(attemptJob), forged])).toBe('Running');
  });

  it.each(forgeries)('is not believed to have pushed: it %s', (_, forge) => {
    const forged = forge(pod(courierJob, { push: { finding: { commit: DEADBEEF } } }), courierJob);
    expect(phaseAfter(integrating, [courierJob], [runningPod(courierJob), forged])).toBe('Integrating');
  });

  it('and what it did make is', () => {
    expect(phaseAfter(integrating, [courierJob], [pod(courierJob, { push: { finding: { commit: DEADBEEF } } })])).toBe(
      'Succeeded',
    );
  });
});

describe('a finding that the gateway has no receipt for', () => {
  const reported = pod(attemptJob, { report: { finding: REPORT } });
  const pushed = pod(courierJob, { push: { finding: { commit: DEADBEEF } } });
  const other = `sha256:${'e'.repeat(64)}`;

  it.each([
    ['none', {}],
    ['one of another patch', { [attemptJob.metadata.uid]: { kind: 'report', ...REPORT, patch: other } }],
    ['one of other evidence', { [attemptJob.metadata.uid]: { kind: 'report', ...REPORT, evidence: other } }],
    ['one of another base', { [attemptJob.metadata.uid]: { kind: 'report', ...REPORT, base: DEADBEEF } }],
    ['one of a push', { [attemptJob.metadata.uid]: { kind: 'push', commit: COMMIT } }],
    ["another Job's", { 'uid-attempt-9': { kind: 'report', ...REPORT } }],
  ] as const)('delivers nothing: there is %s', (_, receipts) => {
    const { status } = decideTask(taskSeen(running, { jobs: [attemptJob], pods: [reported], receipts }), NOW + 12_000);
    expect(status).toMatchObject({ phase: 'Running', attempts: [{ n: 1, jobUid: attemptJob.metadata.uid }] });
    expect(status?.attempts?.[0]).not.toHaveProperty('patch');
  });

  it.each([
    ['none', {}],
    ['one of another commit', { [courierJob.metadata.uid]: { kind: 'push', commit: COMMIT } }],
    ['one of a report', { [courierJob.metadata.uid]: { kind: 'report', ...REPORT } }],
  ] as const)('lets no Task succeed: there is %s', (_, receipts) => {
    const { status } = decideTask(taskSeen(integrating, { jobs: [courierJob], pods: [pushed], receipts }), NOW + 12_000);
    expect(status?.phase).toBe('Integrating');
  });

  const waitedSince = (seconds: number, given: Task): Task => ({
    ...given,
    status: {
      ...given.status,
      conditions: [
        {
          ...{ type: 'ReceiptMissing', status: 'True', reason: 'ReceiptMissing', message: 'waits' },
          lastTransitionTime: new Date(NOW - seconds * 1_000).toISOString().replace('.000', ''),
        },
      ],
    },
  });

  it('is waited for under a condition of its own', () => {
    const decision = decideTask(taskSeen(integrating, { jobs: [courierJob], pods: [pushed], receipts: {} }), NOW);
    expect(decision.status?.conditions).toContainEqual(expect.objectContaining({ type: 'ReceiptMissing', status: 'True' }));
    expect(decision.outcome).toMatchObject({ kind: 'waiting', afterMs: 30_000 });
  });

  it('is a fault of the infrastructure in the end: the courier comes again', () => {
    const given = waitedSince(40, integrating);
    const seen = { jobs: [courierJob], pods: [pushed], receipts: {} };
    const { status } = decideTask(taskSeen(given, seen), NOW);
    expect(status?.attempts).toMatchObject([{ courierTries: 1, courierFaults: 1, reason: 'ReceiptMissing' }]);
    const { effects } = decideTask(taskSeen({ ...given, status } as Task, seen), NOW);
    const again = wantedJobName(running, { kind: 'courier', n: 1, candidate: 1, courierTry: 2 });
    expect(effects).toMatchObject([{ verb: 'create', object: { metadata: { name: again } } }]);
  });

  it('is a fault once, however long the next courier waits', () => {
    const [first] = integrating.status?.attempts ?? [];
    const fourth = job(running, { kind: 'courier', courierTry: 4 });
    const listed = { ...integrating.status, attempts: [{ ...first, courierUid: fourth.metadata.uid, courierTries: 4 }] };
    const given = waitedSince(31, { ...integrating, status: listed } as Task);
    const told = pod(fourth, { push: { finding: { commit: DEADBEEF } } });
    const seen = { jobs: [fourth], pods: [told], receipts: {} };
    const waiting = decideTask(taskSeen(given, seen), NOW);
    expect(waiting.status).toMatchObject({
      phase: 'Integrating',
      waitingFor: expect.stringContaining('ReceiptMissing') as string,
    });
    const later = { ...given, status: waiting.status } as Task;
    expect(decideTask(taskSeen(later, seen), NOW + 60_000).effects).toHaveLength(1);
  });

  it('is a fault of the infrastructure in the end: the attempt has failed', () => {
    const given = waitedSince(40, running);
    const { status } = decideTask(taskSeen(given, { jobs: [attemptJob], pods: [reported], receipts: {} }), NOW);
    expect(status?.attempts?.[0]).toMatchObject({ outcome: 'InfrastructureFailed', reason: 'ReceiptMissing' });
  });

  it('is waited for without an end while the store is away, which cannot tell', () => {
    const given = waitedSince(4_000, integrating);
    const away = { jobs: [courierJob], pods: [pushed], receipts: {}, storeAvailable: false };
    const { status } = decideTask(taskSeen(given, away), NOW);
    expect(status?.phase).toBe('Integrating');
    expect(status?.conditions).toContainEqual(expect.objectContaining({ type: 'ReceiptMissing', status: 'True' }));
  });

  it('and another pod of the Job that has its receipt is believed beside it', () => {
    const honest = pod(courierJob, { push: { finding: { commit: COMMIT } } });
    const forged = { ...pushed, metadata: { ...pushed.metadata, name: `${courierJob.metadata.name}-aaaaa` } };
    const receipts = { [courierJob.metadata.uid]: { kind: 'push', commit: COMMIT } } as const;
    const { status } = decideTask(taskSeen(integrating, { jobs: [courierJob], pods: [forged, honest], receipts }), NOW);
    expect(status).toMatchObject({ phase: 'Succeeded', commit: COMMIT });
  });
});

describe('a Task that was given to another owner', () => {
  const given = (owner: object): Task => ({
    ...running,
    status: undefined as never,
    metadata: {
      ...running.metadata,
      ownerReferences: (running.metadata.ownerReferences ?? []).map((each) => ({ ...each, ...owner })),
    },
  });

  it.each([
    ['another Story', { uid: 'uid-other', name: 'other' }],
    ['an object of another kind', { kind: 'ConfigMap', apiVersion: 'v1' }],
    ['nobody in particular', { controller: false }],
  ])('starts nothing and says why: it belongs to %s', (_, owner) => {
    const decision = decideTask(taskSeen(given(owner)), NOW);
    expect(decision.effects).toEqual([]);
    expect(decision.outcome).toMatchObject({ kind: 'stalled', reason: 'OwnerChanged' });
  });
});
