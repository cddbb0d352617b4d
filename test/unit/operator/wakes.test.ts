import { describe, expect, it } from 'vitest';
import type { TaskStatus } from '../../../crds/kinds/task.ts';
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
import { attempt, council, deliberation, meta, outboxEvent, plan, platform, story, task, work } from '../../builders/objects.ts';
import { job, pod } from '../../builders/workspaces.ts';

type Of<K extends ObjectKind> = Stored<Objects[K]>;

const open = task(work('open'), { phase: 'Queued' });
const elsewhere = task(work('far'));
const openJob = job(open);
const cronJob = { apiVersion: 'batch/v1', kind: 'CronJob', name: 'nightly', uid: 'uid-nightly', controller: true };
const { namespace, serviceName } = platform().gateway;
const gatewayService = { apiVersion: 'v1', kind: 'Service', metadata: meta(serviceName, { namespace }) };
const child = <K extends ObjectKind>(kind: K, name: string) => ({ apiVersion: 'v1', kind, metadata: meta(name) });

/** One Story with two Plans and two Tasks (one finished) with a Job; a Task, a finished Story and a Council elsewhere. */
const caches = (): Caches => {
  const known = new Caches({
    ...{ client: { listPage: () => new Promise(() => undefined), watch: () => neverEnding() } },
    ...{ platform: platform(), namespace: undefined },
    clock: { nowMs: () => 0, random: () => 0, after: () => () => undefined },
    ...{ onReport: () => undefined, onBug: () => undefined },
  });
  known.cache('Story').upsert(story());
  known.cache('Story').upsert(story({}, { phase: 'Done' }, { name: 'done' }));
  known.cache('Plan').upsert(plan([work('open')]));
  known.cache('Plan').upsert(plan([work('open')], { revision: 2 }));
  known.cache('Plan').upsert(plan([work('open')], { storyRef: { name: 'other' } }));
  known.cache('Task').upsert(open);
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

const ALL_OPEN = ['Task elsewhere/login-far', 'Task shop/login-open'];

describe('what a change wakes', () => {
  const cases: readonly { readonly name: string; readonly woken: readonly string[]; readonly want: readonly string[] }[] = [
    {
      name: 'a Story wakes itself, its Plans and its Tasks',
      woken: added('Story', story()),
      want: ['Plan shop/login-1', 'Plan shop/login-2', 'Story shop/login', 'Task shop/login-closed', 'Task shop/login-open'],
    },
    {
      name: 'a Plan wakes itself, its Story, the Plans beside it and the Tasks that come from it',
      woken: added('Plan', plan([work('open')])),
      want: ['Plan shop/login-1', 'Plan shop/login-2', 'Story shop/login', 'Task shop/login-closed', 'Task shop/login-open'],
    },
    {
      name: 'a Task whose pass failed wakes its Story and all Tasks that share the capacity, but not itself',
      woken: wokenByFailure('Task shop/login-open', caches()).toSorted(),
      want: ['Story shop/login', 'Task elsewhere/login-far'],
    },
    {
      name: 'a pass that failed on what is gone wakes nobody',
      woken: wokenByFailure('Task shop/login-gone', caches()),
      want: [],
    },
    {
      name: 'a new Task wakes itself, its Story and all Tasks that share the capacity',
      woken: added('Task', task(work('fresh'))),
      want: ['Story shop/login', 'Task elsewhere/login-far', 'Task shop/login-fresh', 'Task shop/login-open'],
    },
    {
      name: 'a Council wakes itself, and what is unfinished in its namespace',
      woken: added('Council', council()),
      want: ['Council shop/dev', 'Story shop/login', 'Task shop/login-open'],
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
      want: ['Task shop/login-open'],
    },
    {
      name: 'a network policy wakes the open Tasks of its namespace',
      woken: added('NetworkPolicy', child('NetworkPolicy', 'fleet-workspace')),
      want: ['Task shop/login-open'],
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
  const moves: readonly { readonly name: string; readonly status: TaskStatus; readonly wakesOthers: boolean }[] = [
    { name: 'its phase', status: { ...before, phase: 'Succeeded' }, wakesOthers: true },
    { name: 'what it waits for', status: { ...before, waitingFor: 'y' }, wakesOthers: true },
    { name: 'a new attempt', status: { ...before, attempts: [attempt(1), attempt(2)] }, wakesOthers: true },
    { name: 'its outbox alone', status: { ...before, outbox: [] }, wakesOthers: false },
  ];
  for (const { name, status, wakesOthers } of moves)
    it(`a Task that changed ${name} ${wakesOthers ? 'wakes' : 'does not wake'} the others that share the capacity`, () => {
      const [old, object] = [task(work('mine'), before), task(work('mine'), status)];
      const woken = wokenBy('Task', { type: 'changed', old, object }, caches());
      expect(woken.includes('Task elsewhere/login-far')).toBe(wakesOthers);
      expect(woken).toEqual(expect.arrayContaining(['Task shop/login-mine', 'Story shop/login']));
    });

  it('a Task that was deleted wakes its Story and those that share the capacity', () => {
    const woken = wokenBy('Task', { type: 'deleted', old: open }, caches());
    expect(woken).toEqual(expect.arrayContaining(['Story shop/login', 'Task elsewhere/login-far']));
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
