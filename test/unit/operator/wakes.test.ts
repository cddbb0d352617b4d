import { describe, expect, it } from 'vitest';
import type { PlatformConfig } from '../../../crds/contracts/platform.ts';
import type { KubeObject, Stored } from '../../../kube/object.ts';
import type { ObjectKind, Objects } from '../../../operator/state/watched-kinds.ts';
import {
  splitWorkKey,
  wokenBy,
  wokenByAnswer,
  wokenByCursor,
  wokenByFailure,
  wokenByStore,
  wokenByUsage,
} from '../../../operator/reconcile/wakes.ts';
import { Caches } from '../../../operator/state/caches.ts';

type Of<K extends ObjectKind> = Stored<Objects[K]>;

interface Shape {
  readonly namespace?: string;
  readonly uid?: string;
  readonly version?: number;
  readonly owner?: { readonly kind: string; readonly name: string };
  readonly spec?: object;
  readonly status?: object;
}

const made = <K extends ObjectKind>(kind: K, name: string, shape: Shape = {}): Of<K> => {
  const { namespace = 'ns', uid = `uid-${name}`, version = 1, owner, spec, status } = shape;
  const controller = { apiVersion: 'x/v1', controller: true, ...owner, uid: `uid-${owner?.name}` };
  return {
    ...{ apiVersion: 'x/v1', kind, spec, status },
    metadata: {
      ...{ namespace, name, uid, resourceVersion: String(version), generation: 1 },
      ...(owner !== undefined && { ownerReferences: [controller] }),
    },
  } as unknown as Of<K>;
};

const ofStory = { kind: 'Story', name: 'story' };
const storyRef = { storyRef: { name: 'story' } };

/** One Story with a Plan and two Tasks (one finished) with a Job and a pod; a Task, a finished Story and a Council elsewhere. */
const world = (): Caches => {
  const known = new Caches({
    ...{ client: { listPage: () => new Promise(() => undefined), watch: () => neverEnding() } },
    ...{
      platform: { gateway: { namespace: 'fleet', serviceName: 'gw' } } as PlatformConfig,
      namespace: undefined,
      nowMs: () => 0,
    },
    ...{ onReport: () => undefined, onBug: () => undefined },
  });
  known.cache('Story').upsert(made('Story', 'story'));
  known.cache('Story').upsert(made('Story', 'done', { status: { phase: 'Done' } }));
  known.cache('Plan').upsert(made('Plan', 'plan-1', { spec: storyRef }));
  known.cache('Plan').upsert(made('Plan', 'plan-2', { spec: storyRef }));
  known.cache('Plan').upsert(made('Plan', 'foreign', { spec: { storyRef: { name: 'other' } } }));
  known.cache('Task').upsert(made('Task', 'open', { owner: ofStory, status: { phase: 'Queued' } }));
  known.cache('Task').upsert(made('Task', 'closed', { owner: ofStory, status: { phase: 'Succeeded' } }));
  known.cache('Task').upsert(made('Task', 'far', { namespace: 'elsewhere' }));
  known.cache('Council').upsert(made('Council', 'dev'));
  known.cache('Job').upsert(made('Job', 'job', { owner: { kind: 'Task', name: 'open' } }));
  return known;
};

async function* neverEnding(): AsyncGenerator<never> {
  await new Promise(() => undefined);
}

const added = <K extends ObjectKind>(kind: K, object: KubeObject): readonly string[] =>
  wokenBy(kind, { type: 'added', object: object as Of<K> }, world()).toSorted();

const ALL_OPEN = ['Task elsewhere/far', 'Task ns/open'];

describe('what a change wakes', () => {
  const cases: readonly { readonly name: string; readonly woken: readonly string[]; readonly want: readonly string[] }[] = [
    {
      name: 'a Story wakes itself, its Plans and its Tasks',
      woken: added('Story', made('Story', 'story')),
      want: ['Plan ns/plan-1', 'Plan ns/plan-2', 'Story ns/story', 'Task ns/closed', 'Task ns/open'],
    },
    {
      name: 'a Plan wakes itself, its Story, the Plans beside it and the Tasks that come from it',
      woken: added('Plan', made('Plan', 'plan-1', { spec: storyRef })),
      want: ['Plan ns/plan-1', 'Plan ns/plan-2', 'Story ns/story', 'Task ns/closed', 'Task ns/open'],
    },
    {
      name: 'a Task whose pass failed wakes its Story and all Tasks that share the capacity, but not itself',
      woken: wokenByFailure('Task ns/open', world()).toSorted(),
      want: ['Story ns/story', 'Task elsewhere/far'],
    },
    { name: 'a pass that failed on what is gone wakes nobody', woken: wokenByFailure('Task ns/gone', world()), want: [] },
    {
      name: 'a new Task wakes itself, its Story and all Tasks that share the capacity',
      woken: added('Task', made('Task', 'fresh', { owner: ofStory })),
      want: ['Story ns/story', 'Task elsewhere/far', 'Task ns/fresh', 'Task ns/open'],
    },
    {
      name: 'a Council wakes itself, and what is unfinished in its namespace',
      woken: added('Council', made('Council', 'dev')),
      want: ['Council ns/dev', 'Story ns/story', 'Task ns/open'],
    },
    {
      name: 'a Job wakes the Task that owns it',
      woken: added('Job', made('Job', 'j', { owner: { kind: 'Task', name: 'open' } })),
      want: ['Task ns/open'],
    },
    {
      name: 'a Job of somebody else wakes nobody',
      woken: added('Job', made('Job', 'j', { owner: { kind: 'CronJob', name: 'x' } })),
      want: [],
    },
    {
      name: 'a pod wakes the Task that owns its Job',
      woken: added('Pod', made('Pod', 'p', { owner: { kind: 'Job', name: 'job' } })),
      want: ['Task ns/open'],
    },
    { name: 'a pod without a Job that we know wakes nobody', woken: added('Pod', made('Pod', 'p')), want: [] },
    {
      name: 'a service account wakes the open Tasks of its namespace',
      woken: added('ServiceAccount', made('ServiceAccount', 'sa')),
      want: ['Task ns/open'],
    },
    {
      name: 'a network policy wakes the open Tasks of its namespace',
      woken: added('NetworkPolicy', made('NetworkPolicy', 'np')),
      want: ['Task ns/open'],
    },
    { name: 'the gateway’s Service wakes all open Tasks', woken: added('Service', made('Service', 'gw')), want: ALL_OPEN },
    {
      name: 'a Deliberation wakes itself and its Story',
      woken: added('Deliberation', made('Deliberation', 'd', { owner: ofStory })),
      want: ['Deliberation ns/d', 'Story ns/story'],
    },
    {
      name: 'the answer to a resolve wakes its Story',
      woken: wokenByAnswer('resolve-uid-story-0', world()),
      want: ['Story ns/story'],
    },
    {
      name: 'the answer to a probe wakes the Councils',
      woken: wokenByAnswer('probe-0a1b2c3d-99', world()),
      want: ['Council ns/dev'],
    },
    { name: 'an answer that nobody asked for wakes nobody', woken: wokenByAnswer('rubbish', world()), want: [] },
    {
      name: 'usage of a Story’s account wakes the Story',
      woken: wokenByUsage('story.uid-story', world()),
      want: ['Story ns/story'],
    },
    { name: 'usage of any other account wakes nobody', woken: wokenByUsage('endpoint.vllm', world()), want: [] },
    {
      name: 'a store that comes or goes wakes all that is unfinished',
      woken: wokenByStore(world()),
      want: [...ALL_OPEN, 'Story ns/story', 'Council ns/dev'],
    },
    { name: 'a cursor wakes nobody whose outbox has room', woken: wokenByCursor('uid-story', world()), want: [] },
  ];
  for (const { name, woken, want } of cases)
    it(name, () => {
      expect(woken.toSorted()).toEqual([...want].toSorted());
    });

  const before = { owner: ofStory, status: { phase: 'Running', waitingFor: 'x', attempts: [{}] } };
  const moves: readonly { readonly name: string; readonly status: object; readonly wakesOthers: boolean }[] = [
    { name: 'its phase', status: { ...before.status, phase: 'Succeeded' }, wakesOthers: true },
    { name: 'what it waits for', status: { ...before.status, waitingFor: 'y' }, wakesOthers: true },
    { name: 'a new attempt', status: { ...before.status, attempts: [{}, {}] }, wakesOthers: true },
    { name: 'its outbox alone', status: { ...before.status, outbox: [] }, wakesOthers: false },
  ];
  for (const { name, status, wakesOthers } of moves)
    it(`a Task that changed ${name} ${wakesOthers ? 'wakes' : 'does not wake'} the others that share the capacity`, () => {
      const [old, object] = [made('Task', 'mine', before), made('Task', 'mine', { ...before, status, version: 2 })];
      const woken = wokenBy('Task', { type: 'changed', old, object }, world());
      expect(woken.includes('Task elsewhere/far')).toBe(wakesOthers);
      expect(woken).toEqual(expect.arrayContaining(['Task ns/mine', 'Story ns/story']));
    });

  it('a Task that was deleted wakes its Story and those that share the capacity', () => {
    const woken = wokenBy('Task', { type: 'deleted', old: made('Task', 'open', { owner: ofStory }) }, world());
    expect(woken).toEqual(expect.arrayContaining(['Story ns/story', 'Task elsewhere/far']));
  });

  it('a cursor that moved makes room in an outbox that was full, and wakes its object', () => {
    const known = world();
    const outbox = Array.from({ length: 64 }, (_, index) => ({ seq: index + 1, type: 'planning.x', at: '', data: '{}' }));
    known.cache('Story').upsert(made('Story', 'story', { version: 2, status: { outbox } }));
    expect(wokenByCursor('uid-story', known)).toEqual(['Story ns/story']);
  });

  it('keys say their kind', () => {
    expect(splitWorkKey('Story ns/a')).toEqual({ kind: 'Story', key: 'ns/a' });
  });
});
