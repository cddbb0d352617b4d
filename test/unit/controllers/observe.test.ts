// What each kind asks of the snapshot: the right objects, and none that is not its business.

import { describe, expect, it } from 'vitest';
import { controllers } from '../../../controllers/registry.ts';
import type { Snapshot } from '../../../controllers/snapshot.ts';
import { observeCouncil } from '../../../controllers/council/observe.ts';
import { observeStory, resolveIdOf } from '../../../controllers/story/observe.ts';
import { observeTask } from '../../../controllers/task/observe.ts';
import type { CommandAnswer, ProbeAnswer } from '../../../crds/contracts/commands.ts';
import type { Council } from '../../../crds/kinds/council.ts';
import type { Plan } from '../../../crds/kinds/plan.ts';
import type { Story } from '../../../crds/kinds/story.ts';
import type { Task } from '../../../crds/kinds/task.ts';
import type { Job } from '../../../controllers/kubernetes.ts';
import { at, attempt, COMMIT, council, DIGEST, plan, platform, story, storyStatus, task, work } from '../../builders/objects.ts';
import { FREE } from '../../builders/seen.ts';
import { job, pod } from '../../builders/workspaces.ts';

interface Holding {
  readonly stories?: readonly Story[];
  readonly plans?: readonly Plan[];
  readonly tasks?: readonly Task[];
  readonly councils?: readonly Council[];
  readonly jobs?: readonly Job[];
  readonly answers?: Readonly<Record<string, CommandAnswer>>;
  /** By `<endpoint>/<model>`. */
  readonly probes?: Readonly<Record<string, readonly ProbeAnswer[]>>;
}

const keyed =
  <T extends { readonly metadata: { readonly namespace: string; readonly name: string } }>(all: readonly T[] = []) =>
  (key: string): T | undefined =>
    all.find(({ metadata }) => `${metadata.namespace}/${metadata.name}` === key);

const snapshot = (held: Holding): Snapshot => ({
  story: keyed(held.stories),
  plan: keyed(held.plans),
  task: keyed(held.tasks),
  council: keyed(held.councils),
  deliberation: () => undefined,
  storyByUid: (uid) => held.stories?.find(({ metadata }) => metadata.uid === uid),
  plansOf: () => held.plans ?? [],
  tasksOf: (uid) => (held.tasks ?? []).filter(({ spec }) => spec.storyRef.uid === uid),
  place: ({ task: { metadata } }) => ({ ...FREE, overlaps: metadata.name === 'login-session' }),
  councilsIn: (namespace) => (held.councils ?? []).filter(({ metadata }) => metadata.namespace === namespace),
  jobsOf: (uid) => (held.jobs ?? []).filter(({ metadata }) => metadata.ownerReferences?.[0]?.uid === uid),
  podsOf: (uid) => (held.jobs ?? []).filter(({ metadata }) => metadata.uid === uid).map((each) => pod(each)),
  serviceAccount: () => undefined,
  networkPolicy: () => undefined,
  answer: (id) => held.answers?.[id],
  probeAnswers: (endpoint, model) => held.probes?.[`${endpoint}/${model}`] ?? [],
  turnAnswer: () => undefined,
  line: () => ({ isNext: true }),
  today: '2026-11-21',
  eventCursor: () => undefined,
  receipt: () => undefined,
  usage: () => undefined,
  storeAvailable: true,
  platform: platform(),
  gateway: undefined,
});

const form = task(work('form'));
const renamed = (given: Council, name: string): Council => ({ ...given, metadata: { ...given.metadata, name } });

describe('what is observed', () => {
  it.each(controllers)('$kind: nothing of what is gone', (controller) => {
    expect(controller.observe('shop/nobody', snapshot({}))).toBeUndefined();
  });

  it('a Task: its Jobs with their pods, also one that is being deleted and held', () => {
    const living = job(form);
    const held = job(form, { n: 2 }, { deletionTimestamp: at() });
    const seen = observeTask('shop/login-form', snapshot({ tasks: [form], jobs: [living, held] }));
    expect(seen?.jobs).toEqual([living, held]);
    expect(seen?.pods.map(({ metadata }) => metadata.name)).toEqual([living, held].map(({ metadata }) => `${metadata.name}-pod`));
  });

  it('a Task: nothing while a Job of its own is only asked for, which has no uid that could be listed', () => {
    const asked = job(form, { n: 2 }, { uid: '' });
    expect(observeTask('shop/login-form', snapshot({ tasks: [form], jobs: [job(form), asked] }))).toBeUndefined();
  });

  it('a Task: the Plan that its Story has in force, by uid, not one of the same name', () => {
    const other = plan([work('form')]);
    const again = { ...other, metadata: { ...other.metadata, uid: 'uid-made-again' } };
    const planOf = (plans: readonly Plan[], uid: string) => {
      const stories = [story({}, storyStatus({ plan: { name: 'login-1', uid, revision: 1, digest: DIGEST } }))];
      return observeTask('shop/login-form', snapshot({ tasks: [form], stories, plans }))?.plan;
    };
    expect(planOf([other], 'uid-login-1')).toBe(other);
    expect(planOf([again], 'uid-login-1')).toBeUndefined();
    expect(planOf([again], 'uid-made-again')).toBe(again);
  });

  const choices: readonly (readonly [string, Story, readonly Council[], string | undefined])[] = [
    [
      'the one that the Story names',
      story({ councils: [{ role: 'DEV', name: 'mine' }] }),
      [council(), renamed(council(), 'mine')],
      'mine',
    ],
    [
      'none, where the one that the Story names is not there',
      story({ councils: [{ role: 'DEV', name: 'mine' }] }),
      [council()],
      undefined,
    ],
    ['the default one of the role', story(), [renamed(council({ default: false }), 'aside'), council()], 'dev'],
    ['the first by name of two defaults', story(), [renamed(council(), 'zed'), council()], 'dev'],
    ['none of another role', story(), [council({ role: 'QA' })], undefined],
  ];
  it.each(choices)('a Task: its Council is %s', (_, of, councils, want) => {
    expect(observeTask('shop/login-form', snapshot({ tasks: [form], stories: [of], councils }))?.council?.metadata.name).toBe(
      want,
    );
  });

  it('a Task: its own place', () => {
    const tasks = [form, task(work('session'))];
    const overlaps = ['shop/login-form', 'shop/login-session'].map(
      (key) => observeTask(key, snapshot({ tasks }))?.place.overlaps,
    );
    expect(overlaps).toEqual([false, true]);
  });

  const family = (of: Task): unknown => {
    const relative = task(work('session'), { phase: 'Running' });
    const over = task(work('notes'), { phase: 'Succeeded' });
    const tasks = [of, relative, over];
    return observeTask('shop/login-form', snapshot({ tasks, jobs: [job(relative), job(over)] }))?.family.map(
      (each) => `${each.task.metadata.name} ${each.jobs.length}`,
    );
  };
  it('a Task that has begun: the Jobs of its relatives, but of none that is finished', () => {
    const begun = task(work('form'), { phase: 'Running', attempts: [attempt(1)] });
    expect(family(begun)).toEqual(['login-form 0', 'login-session 1', 'login-notes 0']);
  });
  it('a Task that has begun nothing: its relatives without their Jobs', () => {
    expect(family(form)).toEqual(['login-form 0', 'login-session 0', 'login-notes 0']);
  });

  it('a Story: answers in the order of their questions, and only those about its scope as it is', () => {
    const of = story();
    const answer = (commit: string): CommandAnswer => ({ id: 'x', kind: 'resolve', at: at(), ok: true, commit });
    const elsewhere = story({ repository: { url: 'https://git.example/other.git' } });
    const answers = { [resolveIdOf(of, 0)]: answer(COMMIT), [resolveIdOf(elsewhere, 0)]: answer('f'.repeat(40)) };
    expect(observeStory('shop/login', snapshot({ stories: [of], answers }))?.answers).toEqual([answer(COMMIT)]);
  });

  it('a Council: the answers about its endpoint and model', () => {
    const answer: ProbeAnswer = { id: 'probe-1', kind: 'probe', at: at(), ok: false, reason: 'x', message: 'x', retryable: true };
    const other = { ...answer, id: 'probe-2' };
    const probes = { 'gpu/qwen': [answer], 'gpu/other': [other] };
    expect(observeCouncil('shop/dev', snapshot({ councils: [council()], probes }))?.answers).toEqual([answer]);
  });

  it('a Story: its Plans, lowest revision first', () => {
    const plans = [plan([work('form')], { revision: 2 }), plan([work('form')])];
    expect(observeStory('shop/login', snapshot({ stories: [story()], plans }))?.plans.map(({ spec }) => spec.revision)).toEqual([
      1, 2,
    ]);
  });
});
