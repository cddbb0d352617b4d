// What a tenant may try to be believed: pods, Jobs and Tasks that look like ours, made so at once or step by step. Tried by a person with
// the built-in role edit, by an author, and by one who may do everything: then admission alone stands in the way.

import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { taskJob } from '../../controllers/task/children.ts';
import { API_VERSION } from '../../crds/kinds/meta.ts';
import type { ApiClient } from '../../kube/client.ts';
import type { Connection } from '../../kube/connection.ts';
import { namespaces } from '../../kube/resources.ts';
import { task, work } from '../builders/objects.ts';
import { jobInput } from '../builders/workspaces.ts';
import { answerTo, bindRole, installAdmission, installCrds, type Admission } from './admission.ts';
import { clientAs } from './chart.ts';
import { clientOf, connectToCluster, makeNamespace } from './cluster.ts';

const JOB_CONTROLLER = 'system:serviceaccount:kube-system:job-controller';
const GARBAGE_COLLECTOR = 'system:serviceaccount:kube-system:generic-garbage-collector';

const place = {} as {
  connection: Connection;
  admin: ApiClient;
  namespace: string;
  admission: Admission;
  /** The name of the pod of our Job. */
  pod: string;
};

/** tina has the built-in role edit, ada is an author, root and the cluster's controllers may everything. */
type Who = 'tina' | 'ada' | 'root' | 'the operator' | 'the Job controller' | 'the garbage collector';
const users: Readonly<Partial<Record<Who, string>>> = {
  'the Job controller': JOB_CONTROLLER,
  'the garbage collector': GARBAGE_COLLECTOR,
};
const as = (who: Who): ApiClient =>
  clientAs(
    place.connection,
    who === 'the operator' ? place.admission.operator : (users[who] ?? who),
    who === 'tina' || who === 'ada' ? 'system:authenticated' : 'system:masters',
  );

const core = (rest: string): string => `/api/v1/namespaces/${place.namespace}/${rest}`;
const batch = (rest: string): string => `/apis/batch/v1/namespaces/${place.namespace}/${rest}`;
const ours = (rest: string): string => `/apis/swefleet.io/v1alpha1/namespaces/${place.namespace}/${rest}`;

/** The Job as the operator makes it. */
const built = taskJob(jobInput({ task: task(work('form')) }), { kind: 'courier', n: 1, candidate: 1, courierTry: 1 });
const NAME = built.metadata.name;
const { labels = {} } = built.metadata;
const podSpec = (account: string): object => ({
  ...{ serviceAccountName: account, automountServiceAccountToken: false, schedulerName: 'nobody', restartPolicy: 'Never' },
  containers: [{ name: 'push', image: 'localhost/none', imagePullPolicy: 'Never' }],
});
const jobSpec = (more: object = {}, template: object = {}, account = 'default'): object => ({
  ...{ suspend: true, template: { metadata: template, spec: podSpec(account) } },
  ...more,
});
const owner = { apiVersion: 'batch/v1', kind: 'Job', name: NAME, uid: 'uid-of-the-job', controller: true };
const taskOwner = { apiVersion: API_VERSION, kind: 'Task', name: 'login-form', uid: 'uid-of-the-task', controller: true };
const one = (label: string): object => ({ [label]: labels[label] });

const pod = (metadata: object, account = 'default'): object => ({
  metadata: { name: 'forged', ...metadata },
  spec: podSpec(account),
});
const job = (metadata: object, spec: object = jobSpec()): object => ({ metadata: { name: 'forged', ...metadata }, spec });

interface Attack {
  readonly does: string;
  readonly method?: 'POST' | 'PATCH';
  readonly path: () => string;
  readonly body: object;
  /** Who tries; both of them where nothing is said. */
  readonly who?: readonly Who[];
}

const makes = (plural: 'pods' | 'jobs', does: string, body: object): Attack => ({
  does,
  path: () => (plural === 'pods' ? core(plural) : batch(plural)),
  body,
});
const changes = (path: () => string, does: string, body: object, who?: readonly Who[]): Attack => ({
  ...{ does, method: 'PATCH', path, body },
  ...(who !== undefined && { who }),
});

const innocentPod = (): string => core('pods/innocent');
const innocentJob = (): string => batch('jobs/innocent');
const ourPod = (): string => core(`pods/${place.pod}`);
const ourJob = (): string => batch(`jobs/${NAME}`);

const attacks: readonly Attack[] = [
  makes('pods', 'makes a pod that names our Job as its controller', pod({ ownerReferences: [owner] })),
  makes('pods', 'makes a pod that names our Job as an owner', pod({ ownerReferences: [{ ...owner, controller: false }] })),
  makes('pods', 'makes a pod with our labels', pod({ labels })),
  makes('pods', 'makes a pod with the label that our Job selects by, to be adopted', pod({ labels: one('swefleet.io/job') })),
  makes('pods', 'makes a pod with the label that we watch', pod({ labels: one('swefleet.io/workspace') })),
  makes('pods', 'makes a pod of our name, account, labels and owner', {
    ...pod({ name: `${NAME}-bbbbb`, labels, ownerReferences: [owner] }, 'fleet-workspace'),
  }),
  makes('pods', 'makes a pod whose name the server makes from ours', {
    metadata: { generateName: `${NAME}-` },
    spec: podSpec('default'),
  }),
  changes(innocentPod, 'labels an innocent pod like ours', { metadata: { labels } }),
  changes(innocentPod, 'makes our Job the controller of an innocent pod', { metadata: { ownerReferences: [owner] } }),
  changes(() => `${innocentPod()}/status`, 'labels an innocent pod by its status', { metadata: { labels } }, ['root']),
  changes(ourPod, 'takes our labels off a pod of ours', {
    metadata: { labels: Object.fromEntries(Object.keys(labels).map((label) => [label, null])) },
  }),
  changes(ourPod, 'frees a pod of ours from its Job', { metadata: { ownerReferences: null } }),

  makes('jobs', 'makes a Job of our name', job({ name: `${NAME}-2` }, jobSpec({}, {}, 'fleet-workspace'))),
  makes('jobs', 'makes a Job with our labels', job({ labels })),
  makes('jobs', 'makes a Job that gives its pods our labels', job({}, jobSpec({}, { labels }))),
  makes(
    'jobs',
    'makes a Job that selects our pods',
    job(
      {},
      jobSpec({ manualSelector: true, selector: { matchLabels: one('swefleet.io/job') } }, { labels: one('swefleet.io/job') }),
    ),
  ),
  makes(
    'jobs',
    'makes a Job that selects our pods by an expression',
    job(
      {},
      jobSpec(
        { manualSelector: true, selector: { matchExpressions: [{ key: 'swefleet.io/job', operator: 'Exists' }] } },
        { labels: one('swefleet.io/job') },
      ),
    ),
  ),
  makes('jobs', 'makes a Job that a Task of ours owns', job({ ownerReferences: [taskOwner] })),
  changes(innocentJob, 'labels an innocent Job like ours', { metadata: { labels } }),
  changes(innocentJob, 'gives an innocent Job to a Task of ours', { metadata: { ownerReferences: [taskOwner] } }),
  changes(() => `${innocentJob()}/status`, 'labels an innocent Job by its status', { metadata: { labels } }, ['root']),
  changes(ourJob, 'says that a Job of ours is of another attempt', { metadata: { labels: { 'swefleet.io/attempt': '7' } } }),
  changes(ourJob, 'takes a label of ours off a Job of ours', { metadata: { labels: { 'swefleet.io/workspace': null } } }),
  changes(ourJob, 'frees a Job of ours from its Task', { metadata: { ownerReferences: null } }),
];

/** With the rights of the Job controller, as a workload of the tenant would have them through other controllers of the cluster. */
const byControllers: readonly Attack[] = [
  makes('pods', 'makes a workspace pod for a ReplicaSet', {
    ...pod(
      { name: `${NAME}-ccccc`, labels, ownerReferences: [{ ...owner, apiVersion: 'apps/v1', kind: 'ReplicaSet' }] },
      'fleet-workspace',
    ),
  }),
  makes('pods', 'makes a workspace pod for a Job of another name', {
    ...pod({ name: `${NAME}-ddddd`, labels, ownerReferences: [{ ...owner, name: 'innocent' }] }, 'fleet-workspace'),
  }),
  makes('pods', 'makes a workspace pod without an owner', pod({ name: `${NAME}-eeeee`, labels }, 'fleet-workspace')),
  makes(
    'pods',
    'makes a pod with our labels for a Job of the tenant',
    pod({ labels, ownerReferences: [{ ...owner, name: 'innocent' }] }),
  ),
  changes(innocentPod, 'adopts an innocent pod for a Job of ours', { metadata: { ownerReferences: [owner] } }),
  makes('jobs', 'makes a workspace Job for a CronJob', job({ labels }, jobSpec({}, { labels }, 'fleet-workspace'))),
].map((attack) => ({ ...attack, who: ['the Job controller'] as const }));

const refusal = /ValidatingAdmissionPolicy .* denied request/;

const strike = (who: Who, { method = 'POST', path, body }: Attack): Promise<string> =>
  answerTo(
    as(who).raw({
      ...{ method, path: path(), body, query: { dryRun: 'All' } },
      ...(method === 'PATCH' && { contentType: 'application/merge-patch+json' }),
    }),
  );

const taskObject = (name: string, storyName: string, storyUid: string): object => ({
  apiVersion: API_VERSION,
  kind: 'Task',
  metadata: {
    name,
    labels: { 'swefleet.io/story': 'login', 'app.kubernetes.io/managed-by': 'swe-fleet' },
    ownerReferences: [
      { apiVersion: API_VERSION, kind: 'Story', name: storyName, uid: storyUid, controller: true, blockOwnerDeletion: false },
    ],
  },
  spec: task(work('form'), undefined, { storyRef: { name: 'login', uid: storyUid } }).spec,
});
const story = (name: string): object => ({
  apiVersion: API_VERSION,
  kind: 'Story',
  metadata: { name },
  spec: { title: 'Visitors can log in', repository: { url: 'https://git.example.com/shop.git' } },
});
interface Named {
  readonly metadata: { readonly name: string };
}
interface Made {
  readonly metadata: { readonly uid: string };
}

/** Makes a Story and its Task, whose uid it gives. */
const makeStory = async (name: string): Promise<string> => {
  const made = (await place.admin.raw({ method: 'POST', path: ours('stories'), body: story(name) })) as Made;
  const body = taskObject(`${name}-form`, name, made.metadata.uid);
  return ((await as('the operator').raw({ method: 'POST', path: ours('tasks'), body })) as Made).metadata.uid;
};

/** The Job of a Task of ours, and the pod that the cluster's own Job controller makes for it; its image is nowhere, so that it stays. */
const makeWorkspace = async (taskUid: string): Promise<void> => {
  const ownerReferences = [{ ...taskOwner, uid: taskUid }];
  const body = { ...built, metadata: { ...built.metadata, namespace: place.namespace, ownerReferences } };
  await as('the operator').raw({ method: 'POST', path: batch('jobs'), body });
  const query = { labelSelector: `swefleet.io/job=${NAME}` };
  await vi.waitFor(
    async () => {
      const { items } = (await place.admin.raw({ method: 'GET', path: core('pods'), query })) as {
        readonly items: readonly Named[];
      };
      expect(items).toHaveLength(1);
      place.pod = items[0]?.metadata.name ?? '';
    },
    { timeout: 60_000 },
  );
  expect(place.pod.startsWith(`${NAME}-`)).toBe(true);
};

const otherStory = { apiVersion: API_VERSION, kind: 'Story', name: 'other', uid: 'uid-other', controller: true };

beforeAll(async () => {
  place.connection = await connectToCluster();
  place.admin = clientOf(place.connection);
  place.namespace = await makeNamespace(place.admin);
  await installCrds(place.admin);
  place.admission = await installAdmission(place.admin, `forge-${randomBytes(3).toString('hex')}`, place.namespace);
  await bindRole(place.admin, place.namespace, 'edit', 'tina');
  await bindRole(place.admin, place.namespace, `${place.admission.release}-author`, 'ada');
  for (const name of ['fleet-workspace', 'default'])
    await answerTo(place.admin.raw({ method: 'POST', path: core('serviceaccounts'), body: { metadata: { name } } }));
  await place.admin.raw({ method: 'POST', path: core('pods'), body: pod({ name: 'innocent' }) });
  await place.admin.raw({ method: 'POST', path: batch('jobs'), body: job({ name: 'innocent' }) });
  await makeWorkspace(await makeStory('login'));
  await place.admin.raw({
    ...{ method: 'POST', path: ours('deliberations') },
    body: {
      ...{ apiVersion: API_VERSION, kind: 'Deliberation', metadata: { name: 'which-way' } },
      spec: { councilRef: { name: 'dev' }, subject: 'Which way?' },
    },
  });
  // RBAC takes a moment
  await vi.waitFor(async () => expect(await answerTo(as('tina').raw({ method: 'GET', path: core('pods') }))).toBe('allowed'), {
    timeout: 30_000,
  });
  await vi.waitFor(async () => expect(await answerTo(as('ada').raw({ method: 'GET', path: ours('tasks') }))).toBe('allowed'), {
    timeout: 30_000,
  });
});

afterAll(async () => {
  await place.admission.remove();
  await place.admin.delete(namespaces, { name: place.namespace });
  await place.admin.close();
});

describe('a forged workspace', () => {
  for (const attack of attacks)
    it.each(attack.who ?? (['tina', 'root'] as const))(`%s never ${attack.does}`, async (who) => {
      expect(await strike(who, attack)).toMatch(refusal);
    });

  for (const attack of byControllers)
    it(`no controller of the cluster ${attack.does}`, async () => {
      expect(await strike('the Job controller', attack)).toMatch(refusal);
    });
});

describe('what has to go on', () => {
  const labelled = { metadata: { labels: { 'example.com/team': 'red' }, annotations: { 'example.com/seen': 'yes' } } };
  const allowed: readonly (readonly [Who, Attack])[] = [
    ['tina', makes('pods', 'makes an ordinary pod', pod({ labels: { app: 'shop' } }))],
    ['tina', makes('jobs', 'makes an ordinary Job', job({ labels: { app: 'shop' } }))],
    ['tina', changes(innocentPod, 'labels an ordinary pod', labelled)],
    ['tina', changes(innocentJob, 'labels an ordinary Job', labelled)],
    ['tina', changes(ourJob, 'puts a label of her own on a Job of ours', labelled)],
    ['the Job controller', changes(ourPod, 'takes its finalizer off', { metadata: { finalizers: null } })],
    ['the garbage collector', changes(ourPod, 'takes owners off a pod of ours', { metadata: { ownerReferences: null } })],
    ['the garbage collector', changes(ourJob, 'takes owners off a Job of ours', { metadata: { ownerReferences: null } })],
  ];
  for (const [who, attack] of allowed)
    it(`${who} ${attack.does}`, async () => {
      expect(await strike(who, attack)).toBe('allowed');
    });

  it('the garbage collector gives a pod of ours to nobody else', async () => {
    const given = changes(ourPod, '', { metadata: { ownerReferences: [{ ...owner, name: `${NAME}-2`, uid: 'uid-2' }] } });
    expect(await strike('the garbage collector', given)).toMatch(refusal);
  });
});

describe('a Task', () => {
  const path = (): string => ours('tasks/login-form');
  const refused: readonly Attack[] = [
    changes(path, 'gives it to another Story', { metadata: { ownerReferences: [otherStory] } }),
    changes(path, 'takes its owner off', { metadata: { ownerReferences: null } }),
    changes(path, 'says that it is of another Story', { metadata: { labels: { 'swefleet.io/story': 'other' } } }),
    changes(path, 'takes a label of ours off', { metadata: { labels: { 'swefleet.io/story': null } } }),
    changes(path, 'says that somebody else manages it', { metadata: { labels: { 'app.kubernetes.io/managed-by': 'me' } } }),
    changes(path, 'writes an annotation of ours', { metadata: { annotations: { 'swefleet.io/wire-metadata': '{}' } } }),
    changes(path, 'adds a finalizer, so that it never goes', { metadata: { finalizers: ['example.com/never'] } }),
  ];
  for (const attack of refused)
    it.each(['ada', 'root'] as const)(`%s never ${attack.does}`, async (who) => {
      expect(await strike(who, attack)).toMatch(refusal);
    });

  const allowed: readonly (readonly [Who, Attack])[] = [
    ['ada', changes(path, 'suspends it', { spec: { suspend: true } })],
    [
      'ada',
      changes(path, 'puts labels and annotations of her own on it', {
        metadata: { labels: { team: 'red' }, annotations: { note: 'x' } },
      }),
    ],
    [
      'the operator',
      changes(path, 'cancels it', { spec: { cancel: true }, metadata: { labels: { 'swefleet.io/story': 'login' } } }),
    ],
    ['the garbage collector', changes(path, 'takes its owner off', { metadata: { ownerReferences: null } })],
  ];
  for (const [who, attack] of allowed)
    it(`${who} ${attack.does}`, async () => {
      expect(await strike(who, attack)).toBe('allowed');
    });

  it('the garbage collector gives it to nobody else', async () => {
    const given = changes(path, '', { metadata: { ownerReferences: [otherStory] } });
    expect(await strike('the garbage collector', given)).toMatch(refusal);
  });

  it.each(['Background', 'Foreground'] as const)('goes with its Story, deleted in the %s', async (propagationPolicy) => {
    const name = propagationPolicy.toLowerCase();
    await makeStory(name);
    await as('ada').raw({ method: 'DELETE', path: ours(`stories/${name}`), body: { propagationPolicy } });
    await expect
      .poll(() => answerTo(place.admin.raw({ method: 'GET', path: ours(`tasks/${name}-form`) })), { timeout: 60_000 })
      .toContain('404');
  });

  it('stays without its Story when the Story is deleted as an orphan', async () => {
    await makeStory('orphaned');
    await as('ada').raw({ method: 'DELETE', path: ours('stories/orphaned'), body: { propagationPolicy: 'Orphan' } });
    await expect
      .poll(
        async () =>
          ((await place.admin.raw({ method: 'GET', path: ours('tasks/orphaned-form') })) as { metadata: object }).metadata,
        { timeout: 60_000 },
      )
      .not.toHaveProperty('ownerReferences');
  });
});

describe('a Deliberation', () => {
  const question = (metadata: object, spec: object = {}): object => ({
    ...{ apiVersion: API_VERSION, kind: 'Deliberation', metadata: { name: 'asked', ...metadata } },
    spec: { councilRef: { name: 'dev' }, subject: 'Which way?', ...spec },
  });
  const asks = (does: string, body: object): Attack => ({ does, path: () => ours('deliberations'), body });
  const storyOwner = { apiVersion: API_VERSION, kind: 'Story', name: 'login', uid: 'uid-of-the-story', controller: true };
  const refused: readonly Attack[] = [
    asks('makes one that a Story pays for', question({ ownerReferences: [storyOwner] })),
    asks('makes one that a Task pays for', question({ ownerReferences: [taskOwner] })),
    asks('makes one that a Story owns beside others', question({ ownerReferences: [{ ...storyOwner, controller: false }] })),
    asks('makes one for a Task', question({}, { taskRef: { name: 'login-form' } })),
    changes(() => ours('deliberations/which-way'), 'has a Story pay for one later', {
      metadata: { ownerReferences: [storyOwner] },
    }),
  ];
  for (const attack of refused)
    it.each(['ada', 'root'] as const)(`%s never ${attack.does}`, async (who) => {
      expect(await strike(who, attack)).toMatch(refusal);
    });

  const allowed: readonly (readonly [Who, Attack])[] = [
    ['ada', asks('asks a question about a Story', question({}, { storyRef: { name: 'login' } }))],
    ['ada', changes(() => ours('deliberations/which-way'), 'cancels her own', { spec: { cancel: true } })],
    ['the operator', asks('asks for a Task', question({ ownerReferences: [taskOwner] }, { taskRef: { name: 'login-form' } }))],
  ];
  for (const [who, attack] of allowed)
    it(`${who} ${attack.does}`, async () => {
      expect(await strike(who, attack)).toBe('allowed');
    });

  it('tina, who has the role edit, makes none', async () => {
    expect(await strike('tina', asks('', question({})))).toMatch(/cannot create resource "deliberations"/);
  });
});
