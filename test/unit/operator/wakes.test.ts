import { describe, expect, it } from 'vitest';
import type { Job, Pod } from '../../../controllers/kubernetes.ts';
import type { Council } from '../../../crds/kinds/council.ts';
import type { StoryStatus } from '../../../crds/kinds/story.ts';
import type { Attempt, TaskStatus } from '../../../crds/kinds/task.ts';
import type { Stored } from '../../../kube/object.ts';
import type { ObjectKind, Objects } from '../../../operator/state/watched-kinds.ts';
import {
  splitWorkKey,
  wokenBy,
  wokenByAnswer,
  wokenByCursor,
  wokenByFailure,
  wokenByReceipt,
  wokenByStore,
  wokenByUsage,
} from '../../../operator/reconcile/wakes.ts';
import { Caches } from '../../../operator/state/caches.ts';
import {
  at,
  attempt,
  condition,
  council,
  deliberation,
  meta,
  outboxEvent,
  plan,
  platform,
  story,
  storyStatus,
  task,
  work,
} from '../../builders/objects.ts';
import { job, pod } from '../../builders/workspaces.ts';

type Of<K extends ObjectKind> = Stored<Objects[K]>;

const open = task(work('open'), { phase: 'Queued' });
const after = task(work('after', { dependsOn: ['base'] }));
const carried = task(work('carried', { phase: 'DESIGN' }), {
  phase: 'Integrating',
  attempts: [attempt(1, { courierUid: 'uid-courier', courierTries: 1 })],
});
const elsewhere = task(work('far'));
const openJob = job(open);
const cronJob = { apiVersion: 'batch/v1', kind: 'CronJob', name: 'nightly', uid: 'uid-nightly', controller: true };
const { namespace, serviceName } = platform().gateway;
const gatewayService = { apiVersion: 'v1', kind: 'Service', metadata: meta(serviceName, { namespace }) };
const child = <K extends ObjectKind>(kind: K, name: string) => ({ apiVersion: 'v1', kind, metadata: meta(name) });

const ended = { name: 'checkout', state: { terminated: { exitCode: 0 } } };
const begun = { name: 'setup', state: { running: {} } };
const imageless = { name: 'checkout', state: { waiting: { reason: 'ImagePullBackOff' } } };

/** One Story with two Plans and two Tasks (one finished) with a Job; a Task, a finished Story and a Council elsewhere. */
const caches = (): Caches => {
  const known = new Caches({
    ...{ client: { listPage: () => new Promise(() => undefined), watch: () => neverEnding() } },
    ...{ platform: platform(), namespace: undefined },
    clock: { nowMs: () => 0, random: () => 0, after: () => () => undefined, yield: () => undefined },
    ...{ onReport: () => undefined, onBug: () => undefined },
  });
  known.cache('Story').upsert(story());
  known.cache('Story').upsert(story({}, { phase: 'Done' }, { name: 'done' }));
  known.cache('Plan').upsert(plan([work('open')]));
  known.cache('Plan').upsert(plan([work('open')], { revision: 2 }));
  known.cache('Plan').upsert(plan([work('open')], { storyRef: { name: 'other' } }));
  known.cache('Task').upsert(open);
  known.cache('Task').upsert(after);
  known.cache('Task').upsert(carried);
  known.cache('Task').upsert(task(work('closed'), { phase: 'Succeeded' }));
  known.cache('Task').upsert({ ...elsewhere, metadata: { ...elsewhere.metadata, namespace: 'elsewhere', ownerReferences: [] } });
  known.cache('Council').upsert(council());
  known.cache('Job').upsert(openJob);
  return known;
};

async function* neverEnding(): AsyncGenerator<never> {
  await new Promise(() => undefined);
}

const added = <K extends ObjectKind>(kind: K, object: Of<K>): readonly string[] =>
  wokenBy(kind, { type: 'added', object }, caches()).toSorted();

const OPEN_HERE = ['Task shop/login-after', 'Task shop/login-carried', 'Task shop/login-open'];
const ALL_OPEN = ['Task elsewhere/login-far', ...OPEN_HERE];

describe('what a change wakes', () => {
  const cases: readonly { readonly name: string; readonly woken: readonly string[]; readonly want: readonly string[] }[] = [
    {
      name: 'a Story wakes itself, its Plans and its Tasks',
      woken: added('Story', story()),
      want: ['Plan shop/login-1', 'Plan shop/login-2', 'Story shop/login', 'Task shop/login-closed', ...OPEN_HERE],
    },
    {
      name: 'a Plan wakes itself, its Story, the Plans beside it and the Tasks that come from it',
      woken: added('Plan', plan([work('open')])),
      want: ['Plan shop/login-1', 'Plan shop/login-2', 'Story shop/login', 'Task shop/login-closed', ...OPEN_HERE],
    },
    {
      name: 'a Task whose pass failed wakes its Story and those of it that wait for their couriers, but not itself',
      woken: wokenByFailure('Task shop/login-open', caches()).toSorted(),
      want: ['Story shop/login', 'Task shop/login-carried'],
    },
    {
      name: 'a pass that failed on what is gone wakes nobody',
      woken: wokenByFailure('Task shop/login-gone', caches()),
      want: [],
    },
    {
      name: 'a new Task wakes itself, its Story, those that may only start after it and those that wait for their couriers',
      woken: added('Task', task(work('base'))),
      want: ['Story shop/login', 'Task shop/login-after', 'Task shop/login-base', 'Task shop/login-carried'],
    },
    {
      name: 'a Council wakes itself, and what is unfinished in its namespace',
      woken: added('Council', council()),
      want: ['Council shop/dev', 'Story shop/login', ...OPEN_HERE],
    },
    {
      name: 'a Job wakes the Task that owns it',
      woken: added('Job', openJob),
      want: ['Task shop/login-open'],
    },
    {
      name: 'a Job of somebody else wakes nobody',
      woken: added('Job', job(open, {}, { ownerReferences: [cronJob] })),
      want: [],
    },
    {
      name: 'a pod wakes the Task that owns its Job',
      woken: added('Pod', pod(openJob)),
      want: ['Task shop/login-open'],
    },
    { name: 'a pod without a Job that we know wakes nobody', woken: added('Pod', pod(job(open, { n: 2 }))), want: [] },
    {
      name: 'a service account wakes the open Tasks of its namespace',
      woken: added('ServiceAccount', child('ServiceAccount', 'fleet-workspace')),
      want: OPEN_HERE,
    },
    {
      name: 'a network policy wakes the open Tasks of its namespace',
      woken: added('NetworkPolicy', child('NetworkPolicy', 'fleet-workspace')),
      want: OPEN_HERE,
    },
    { name: 'the gateway’s Service wakes all open Tasks', woken: added('Service', gatewayService), want: ALL_OPEN },
    {
      name: 'a Deliberation wakes itself and its Story',
      woken: added('Deliberation', deliberation({ ownerReferences: open.metadata.ownerReferences ?? [] })),
      want: ['Deliberation shop/which-way', 'Story shop/login'],
    },
    {
      name: 'the answer to a resolve wakes its Story',
      woken: wokenByAnswer('resolve-uid-login-0', caches()),
      want: ['Story shop/login'],
    },
    {
      name: 'the answer to a probe wakes the Councils',
      woken: wokenByAnswer('probe-0a1b2c3d-99', caches()),
      want: ['Council shop/dev'],
    },
    { name: 'an answer that nobody asked for wakes nobody', woken: wokenByAnswer('rubbish', caches()), want: [] },
    {
      name: 'usage of a Story’s account wakes the Story',
      woken: wokenByUsage('story.uid-login', caches()),
      want: ['Story shop/login'],
    },
    {
      name: 'a receipt wakes the Task whose Job it is of',
      woken: wokenByReceipt(openJob.metadata.uid, caches()),
      want: ['Task shop/login-open'],
    },
    { name: 'a receipt of a Job that we do not know wakes nobody', woken: wokenByReceipt('uid-gone', caches()), want: [] },
    {
      name: 'a Task that was given to another owner wakes the Story that its spec names',
      woken: added('Task', { ...open, metadata: { ...open.metadata, ownerReferences: [cronJob] } }).filter((key) =>
        key.startsWith('Story'),
      ),
      want: ['Story shop/login'],
    },
    { name: 'usage of any other account wakes nobody', woken: wokenByUsage('endpoint.vllm', caches()), want: [] },
    {
      name: 'a store that comes or goes wakes all that is unfinished',
      woken: wokenByStore(caches()),
      want: [...ALL_OPEN, 'Story shop/login', 'Council shop/dev'],
    },
    { name: 'a cursor wakes nobody whose outbox has room', woken: wokenByCursor('uid-login', 0, caches()), want: [] },
  ];
  for (const { name, woken, want } of cases)
    it(name, () => {
      expect(woken.toSorted()).toEqual([...want].toSorted());
    });

  const before: TaskStatus = { phase: 'Running', waitingFor: 'x', attempts: [attempt(1)] };
  const integrating = (reason: string, of: Partial<Attempt> = {}): TaskStatus => ({
    ...{ phase: 'Integrating', attempts: [attempt(1, of)] },
    conditions: [condition('Succeeded', 'Unknown', reason, reason)],
  });
  const inTurn = integrating('CourierTurn');
  const carrying = integrating('Integrating', { courierUid: 'uid-courier', courierTries: 1 });
  const heldUp = integrating('CouncilNotReady', { courierTries: 1 });
  const SELF = ['Story shop/login', 'Task shop/login-base'];
  const moves: readonly {
    readonly name: string;
    readonly from?: TaskStatus;
    readonly to: TaskStatus;
    readonly want: string[];
  }[] = [
    {
      name: 'succeeded wakes those that may only start after it',
      to: { ...before, phase: 'Succeeded' },
      want: ['Task shop/login-after'],
    },
    { name: 'began to integrate wakes nobody else', to: inTurn, want: [] },
    { name: 'got its courier wakes nobody else', from: inTurn, to: carrying, want: [] },
    { name: 'lost its courier wakes those that wait for theirs', from: carrying, to: heldUp, want: ['Task shop/login-carried'] },
    { name: 'is held up lets those by that wait', from: inTurn, to: heldUp, want: ['Task shop/login-carried'] },
    {
      name: 'is held up for another reason now wakes those that wait',
      from: heldUp,
      to: heldUp,
      want: ['Task shop/login-carried'],
    },
    { name: 'comes into the line again wakes nobody else', from: heldUp, to: inTurn, want: [] },
    {
      name: 'has integrated wakes both',
      ...{ from: carrying, to: { ...before, phase: 'Succeeded' } },
      want: ['Task shop/login-after', 'Task shop/login-carried'],
    },
    { name: 'waits for something else wakes nobody else', to: { ...before, waitingFor: 'y' }, want: [] },
    { name: 'begins another attempt wakes nobody else', to: { ...before, attempts: [attempt(1), attempt(2)] }, want: [] },
  ];
  for (const { name, from = before, to, want } of moves)
    it(`a Task that ${name}`, () => {
      const change = { type: 'changed', old: task(work('base'), from), object: task(work('base'), to) } as const;
      expect(wokenBy('Task', change, caches()).toSorted()).toEqual([...SELF, ...want].toSorted());
    });

  it('a Task of phase DESIGN that ended wakes those of phase BUILD', () => {
    const design = work('sketch', { phase: 'DESIGN' });
    const change = {
      type: 'changed',
      old: task(design, before),
      object: task(design, { ...before, phase: 'Succeeded' }),
    } as const;
    expect(wokenBy('Task', change, caches())).toEqual(expect.arrayContaining(['Task shop/login-open', 'Task shop/login-after']));
  });

  it('a Task that was deleted wakes its Story and whom its end concerns', () => {
    const woken = wokenBy('Task', { type: 'deleted', old: task(work('base')) }, caches());
    expect(woken).toEqual(expect.arrayContaining(['Story shop/login', 'Task shop/login-after', 'Task shop/login-carried']));
    expect(woken).not.toContain('Task elsewhere/login-far');
  });

  const storyMoves: readonly (readonly [string, Partial<StoryStatus>, boolean])[] = [
    [
      'how far it is wakes nobody else',
      { tasks: { total: 2, succeeded: 1, failed: 0, summary: '1/2' }, waitingFor: 'more' },
      false,
    ],
    ['its phase wakes its Plans and Tasks', { phase: 'Test' }, true],
    ['its plan in force wakes its Plans and Tasks', { plan: undefined }, true],
    ['its deadline wakes its Plans and Tasks', { deadline: at(9) }, true],
  ];
  it.each(storyMoves)('a Story that changed %s', (_, status, isForAll) => {
    const [old, object] = [story({}, storyStatus()), story({}, storyStatus(status))];
    const woken = wokenBy('Story', { type: 'changed', old, object }, caches());
    expect(woken).toContain('Story shop/login');
    expect([woken.includes('Plan shop/login-1'), woken.includes('Task shop/login-open')]).toEqual([isForAll, isForAll]);
  });

  const councilMoves: readonly (readonly [string, Council, boolean])[] = [
    ['was probed again wakes itself alone', { ...council(), status: { ...council().status, observedGeneration: 1 } }, false],
    ['is no longer ready wakes those who work with it', { ...council(), status: {} }, true],
  ];
  it.each(councilMoves)('a Council that %s', (_, object, isNews) => {
    const woken = wokenBy('Council', { type: 'changed', old: council(), object }, caches());
    expect([woken.includes('Council shop/dev'), woken.includes('Task shop/login-open')]).toEqual([true, isNews]);
  });

  const running: Pod['status'] = { phase: 'Running', initContainerStatuses: [{ name: 'checkout', state: { running: {} } }] };
  const podMoves: readonly (readonly [string, Pod['status'], boolean])[] = [
    ['in which a step ended and the next began wakes nobody', { ...running, initContainerStatuses: [ended, begun] }, false],
    ['that is ready wakes nobody', { ...running, conditions: [{ type: 'Ready', status: 'True' }] }, false],
    ['whose last step begins wakes nobody', { ...running, containerStatuses: [begun] }, false],
    ['that finds no node wakes its Task', { ...running, conditions: [{ type: 'PodScheduled', status: 'False' }] }, true],
    ['that is disrupted wakes its Task', { ...running, conditions: [{ type: 'DisruptionTarget', status: 'True' }] }, true],
    ['that ended wakes its Task', { ...running, phase: 'Failed' }, true],
    ['whose last step ended wakes its Task', { ...running, containerStatuses: [ended] }, true],
    ['that gets no image wakes its Task', { ...running, initContainerStatuses: [imageless] }, true],
  ];
  it.each(podMoves)('a pod %s', (_, status, isNews) => {
    const [old, object] = [running, status].map((each) => ({ ...pod(openJob), ...(each && { status: each }) }));
    if (old === undefined || object === undefined) throw new Error('two were made');
    expect(wokenBy('Pod', { type: 'changed', old, object }, caches())).toEqual(isNews ? ['Task shop/login-open'] : []);
  });

  const jobMoves: readonly (readonly [string, Job['status'], boolean])[] = [
    ['whose pod was made wakes nobody', { active: 1, startTime: at(1) }, false],
    ['that is about to end wakes its Task', { conditions: [{ type: 'SuccessCriteriaMet', status: 'True' }] }, true],
    ['that ended wakes its Task', { completionTime: at(2) }, true],
  ];
  it.each(jobMoves)('a Job %s', (_, status, isNews) => {
    const object = { ...openJob, ...(status && { status }) };
    expect(wokenBy('Job', { type: 'changed', old: openJob, object }, caches())).toEqual(isNews ? ['Task shop/login-open'] : []);
  });

  const over: Job['status'] = { conditions: [{ type: 'Failed', status: 'True' }] };
  const courierMoves: readonly (readonly [string, Job, Job['status'], readonly string[]])[] = [
    [
      'its Task does not list wakes those that wait for their turn',
      job(open, { kind: 'courier' }),
      over,
      ['Task shop/login-carried'],
    ],
    ['its Task lists wakes its Task alone', job(carried, { kind: 'courier' }, { uid: 'uid-courier' }), over, []],
    [
      'still runs wakes its Task alone',
      job(open, { kind: 'courier' }),
      { conditions: [{ type: 'FailureTarget', status: 'True' }] },
      [],
    ],
  ];
  it.each(courierMoves)('a courier that ended and that %s', (_, courier, status, want) => {
    const object = { ...courier, ...(status && { status }) };
    const woken = wokenBy('Job', { type: 'changed', old: courier, object }, caches());
    const owner = `Task shop/${courier.metadata.ownerReferences?.[0]?.name ?? ''}`;
    expect(woken).toEqual([owner, ...want]);
  });

  it('a cursor that moved makes room in an outbox that was full, and wakes its object', () => {
    const known = caches();
    const outbox = Array.from({ length: 64 }, (_, index) => outboxEvent(index + 1));
    known.cache('Story').upsert(story({}, { outbox }, { resourceVersion: '2' }));
    expect(wokenByCursor('uid-login', 0, known)).toEqual(['Story shop/login']);
  });

  it('a cursor that is ahead of its object wakes it, if events wait there that must be numbered again', () => {
    const known = caches();
    known.cache('Story').upsert(story({}, { eventSeq: 4, outbox: [outboxEvent(4)] }, { resourceVersion: '2' }));
    expect(wokenByCursor('uid-login', 4, known)).toEqual([]);
    expect(wokenByCursor('uid-login', 50, known)).toEqual(['Story shop/login']);
    known.cache('Story').upsert(story({}, { eventSeq: 4, outbox: [] }, { resourceVersion: '3' }));
    expect(wokenByCursor('uid-login', 50, known)).toEqual([]);
  });

  it('keys say their kind', () => {
    expect(splitWorkKey('Story ns/a')).toEqual({ kind: 'Story', key: 'ns/a' });
  });
});
