// Whole Stories to run: what there is at first, what happens in the workspaces, and what people do meanwhile.

import type { Plan } from '../../crds/kinds/plan.ts';
import type { PlanTask } from '../../crds/kinds/plan-task.ts';
import type { Story } from '../../crds/kinds/story.ts';
import type { Task } from '../../crds/kinds/task.ts';
import type { KubeObject } from '../../kube/object.ts';
import { council, plan, platform, story, unstored, work } from '../builders/objects.ts';
import type { ApiServer, SimObject } from './api-server.ts';
import type { Plot } from './kubelet.ts';
import type { Deed, Scenario } from './scenario.ts';

const STORY = 'shop/login';

const storyOn = (server: ApiServer): Story => server.get('Story', STORY) as unknown as Story;
const planOn = (server: ApiServer, revision: number): Plan | undefined =>
  server.get('Plan', `shop/login-${revision}`) as unknown as Plan | undefined;
export const taskOn = (server: ApiServer, id: string): Task | undefined =>
  (server.list('Task') as unknown as readonly Task[]).find(({ spec }) => spec.task.id === id);

const isOver = (server: ApiServer): boolean => ['Done', 'Failed', 'Cancelled'].includes(storyOn(server).status?.phase ?? '');

const edit =
  (kind: string, key: string, spec: Record<string, unknown>) =>
  (server: ApiServer): void => {
    server.update('person', kind, key, (draft): SimObject => ({ ...draft, spec: { ...draft.spec, ...spec } }));
  };

export const approves = (revision: number): Deed => ({
  what: `grace approves plan login-${revision}`,
  when: (server) => planOn(server, revision)?.status?.digest !== undefined,
  then: (server) => {
    const digest = planOn(server, revision)?.status?.digest;
    edit('Plan', `shop/login-${revision}`, { approval: { verdict: 'Approved', by: 'grace', digest } })(server);
  },
});

const inOrder: readonly PlanTask[] = [
  work('form', { fileScope: ['src/form/**'] }),
  work('session', { fileScope: ['src/session/**'] }),
  work('proof', { phase: 'TEST', dependsOn: ['form', 'session'], fileScope: ['test/**'] }),
];

const given = (tasks: readonly PlanTask[]): readonly KubeObject[] => [
  unstored(council({}, false)),
  unstored(story()),
  unstored(plan(tasks)),
];

const allWell: Plot = () => ({ how: 'ok' });

export const happy: Scenario = { objects: given(inOrder), plot: allWell, deeds: [approves(1)], isOver };

/** All goes well, and a Story has so many places. */
export const ofTasks = (tasks: readonly PlanTask[], places: number): Scenario => ({
  ...happy,
  objects: given(tasks),
  platform: platform({ capacity: { workspaces: places, perNamespace: places, perStory: places } }),
});

export const secondAttempt: Scenario = {
  objects: given([work('form')]),
  plot: ({ kind, attempt }) =>
    kind === 'attempt' && attempt === 1 ? { how: 'finding', step: 'verify', reason: 'VerifyFailed' } : { how: 'ok' },
  deeds: [approves(1)],
  isOver,
};

export const cancelledStory: Scenario = {
  objects: given(inOrder),
  plot: () => ({ how: 'hang' }),
  deeds: [
    approves(1),
    {
      what: 'ada cancels the Story while a task is at work',
      when: (server) => taskOn(server, 'form')?.status?.phase === 'Running',
      then: edit('Story', STORY, { cancel: true }),
    },
  ],
  isOver,
};

const isStalled = (task: Task | undefined): boolean =>
  task?.status?.conditions?.some(({ type, status }) => type === 'Stalled' && status === 'True') === true;

/** Six faults use the infrastructure's retries up; then a person grants one more attempt, which goes well. */
export const infrastructureDown: Scenario = {
  objects: given([work('form')]),
  plot: ({ attempt }) => (attempt <= 6 ? { how: 'killed', step: 'checkout', reason: 'Error', exitCode: 1 } : { how: 'ok' }),
  deeds: [
    approves(1),
    {
      what: 'ada grants one more attempt',
      when: (server) => isStalled(taskOn(server, 'form')),
      then: (server) => {
        edit('Task', `shop/${taskOn(server, 'form')?.metadata.name ?? ''}`, { extraAttempts: 1 })(server);
      },
    },
  ],
  isOver,
};

const revised: readonly PlanTask[] = [
  work('form', { fileScope: ['src/form/**'] }),
  work('session', { fileScope: ['src/session/**'], description: 'With a cookie that ends with the browser.' }),
];

export const superseded: Scenario = {
  objects: given([
    work('form', { fileScope: ['src/form/**'] }),
    work('session', { dependsOn: ['form'], fileScope: ['src/session/**'] }),
  ]),
  plot: ({ taskId, revision }) => (taskId === 'session' && revision === 1 ? { how: 'hang' } : { how: 'ok' }),
  deeds: [
    approves(1),
    {
      what: 'ada writes a second revision while a task of the first is at work',
      when: (server) =>
        taskOn(server, 'form')?.status?.phase === 'Succeeded' && taskOn(server, 'session')?.status?.phase === 'Running',
      then: (server) => void server.create('person', unstored(plan(revised, { revision: 2 }))),
    },
    approves(2),
  ],
  isOver,
};

const rewritten: readonly PlanTask[] = [
  work('form', { fileScope: ['src/form/**'], description: 'With a field for a second factor.' }),
  work('session', { fileScope: ['src/session/**'] }),
];

/** A task that landed keeps its id in the next revision and says something else: it is done again, and lands once more. */
export const rewrittenTask: Scenario = {
  ...superseded,
  deeds: [
    approves(1),
    {
      what: 'ada rewrites a task that has landed in a second revision',
      when: (server) =>
        taskOn(server, 'form')?.status?.phase === 'Succeeded' && taskOn(server, 'session')?.status?.phase === 'Running',
      then: (server) => void server.create('person', unstored(plan(rewritten, { revision: 2 }))),
    },
    approves(2),
  ],
};

/** Everything that a workspace can do wrong, once, and couriers that fail, conflict and are lost. */
export const rough: Scenario = {
  objects: given([
    ...inOrder,
    work('words', { fileScope: ['src/form/words.ts'] }),
    work('notes', { phase: 'DOCS', fileScope: ['docs/**'] }),
  ]),
  plot: ({ taskId, kind, attempt, courierTry }) => {
    const once = `${taskId} ${kind} ${attempt} ${courierTry}`;
    switch (once) {
      case 'form attempt 1 1':
        return { how: 'killed', step: 'work', reason: 'OOMKilled', exitCode: 137 };
      case 'form attempt 2 1':
        return { how: 'lost' };
      case 'session attempt 1 1':
        return { how: 'deadline', step: 'work' };
      case 'session courier 2 1':
        return { how: 'finding', step: 'merge', reason: 'Conflict' };
      case 'proof courier 1 1':
        return { how: 'lost' };
      case 'proof courier 1 2':
        return { how: 'forgotten' };
      case 'words attempt 1 1':
        return { how: 'forgotten' };
      case 'words courier 2 1':
        return { how: 'finding', step: 'push', reason: 'PushRejected' };
      case 'notes attempt 1 1':
        return { how: 'finding', step: 'verify', reason: 'VerifyFailed' };
      default:
        return { how: 'ok' };
    }
  },
  deeds: [approves(1)],
  isOver,
};

/** A quota keeps the operator from creating Jobs. The Story tells whom it waits for, a person lifts the quota, and it goes on. */
export const overQuota: Scenario = {
  objects: [...given(inOrder), { apiVersion: 'v1', kind: 'ResourceQuota', metadata: { name: 'no-jobs', namespace: 'shop' } }],
  plot: allWell,
  deeds: [
    approves(1),
    {
      what: 'an administrator lifts the quota when the Story says what it waits for',
      when: (server) => /needs a person: .*exceeded quota/.test(storyOn(server).status?.waitingFor ?? ''),
      then: (server) => void server.delete('person', 'ResourceQuota', 'shop/no-jobs'),
    },
  ],
  isOver,
};

/** A node is lost under an attempt and another one under a courier; nobody says that they ended. */
export const lostNodes: Scenario = {
  objects: given(inOrder),
  plot: ({ taskId, kind, attempt, courierTry }) =>
    ['form attempt 1 1', 'session courier 1 1'].includes(`${taskId} ${kind} ${attempt} ${courierTry}`)
      ? { how: 'nodeLost' }
      : { how: 'ok' },
  deeds: [approves(1)],
  isOver,
};

/** The gateway is away for longer than the infrastructure's tries would last, if that used them up. */
export const gatewayAway: Scenario = {
  objects: given([work('form')]),
  plot: ({ kind, attempt, courierTry }) => {
    if (kind === 'attempt' && attempt === 1) return { how: 'finding', step: 'checkout', reason: 'GatewayUnavailable' };
    const isAway = kind === 'courier' && courierTry <= 6;
    return isAway ? { how: 'finding', step: 'merge', reason: 'GatewayUnavailable' } : { how: 'ok' };
  },
  deeds: [approves(1)],
  isOver,
};

const inOffice = <T extends { readonly metadata: object }>(object: T): T => ({
  ...object,
  metadata: { ...object.metadata, namespace: 'office' },
});

const deskOn = (server: ApiServer): Story => server.get('Story', 'office/login') as unknown as Story;
const approvesInOffice: Deed = {
  what: 'grace approves plan login-1 of the office',
  when: (server) => (server.get('Plan', 'office/login-1') as unknown as Plan | undefined)?.status?.digest !== undefined,
  then: (server) => {
    const { digest } = (server.get('Plan', 'office/login-1') as unknown as Plan).status ?? {};
    edit('Plan', 'office/login-1', { approval: { verdict: 'Approved', by: 'grace', digest } })(server);
  },
};

/** The one workspace of the cluster: a Story first in line whose namespace takes no Jobs keeps it from nobody, before and after its couriers. */
export const refusedElsewhere: Scenario = {
  objects: [
    ...[council({}, false), story(), plan([work('desk'), work('lamp')])].map((object) => inOffice(unstored(object))),
    ...[council({}, false), story({ priority: 9 }), plan(inOrder)].map(unstored),
    { apiVersion: 'v1', kind: 'ResourceQuota', metadata: { name: 'no-jobs', namespace: 'shop' } },
  ],
  plot: allWell,
  platform: platform({ capacity: { workspaces: 1, perNamespace: 1, perStory: 1 } }),
  deeds: [
    approves(1),
    approvesInOffice,
    {
      what: 'an administrator lifts the quota when the Story of the other namespace is done',
      when: (server) => deskOn(server).status?.phase === 'Done',
      then: (server) => void server.delete('person', 'ResourceQuota', 'shop/no-jobs'),
    },
  ],
  isOver,
};

export const scenarios = {
  happy,
  secondAttempt,
  cancelledStory,
  infrastructureDown,
  superseded,
  rewrittenTask,
  rough,
  overQuota,
  lostNodes,
  gatewayAway,
  refusedElsewhere,
} as const;
