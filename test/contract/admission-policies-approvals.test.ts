// Who may say yes: approvals of Stories and Plans, gates that open by themselves, Tasks; tried by persons with real roles.

import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { ApiClient } from '../../kube/client.ts';
import type { Connection } from '../../kube/connection.ts';
import { namespaces } from '../../kube/resources.ts';
import { bindRole, installAdmission, installCrds, answerTo, type Admission } from './admission.ts';
import { clientAs } from './chart.ts';
import { clientOf, connectToCluster, makeNamespace } from './cluster.ts';

const place = {} as { connection: Connection; admin: ApiClient; namespace: string; admission: Admission };

/** alice writes, bob decides, carol writes and decides, gwen writes and may set gates to Auto, root may everything. */
const PERSONS = { alice: ['author'], bob: ['approver'], carol: ['author', 'approver'], gwen: ['author', 'gatekeeper'] } as const;
type Who = keyof typeof PERSONS | 'root' | 'the operator';

const userOf = (who: Who): string => (who === 'the operator' ? place.admission.operator : who);
const as = (who: Who): ApiClient =>
  clientAs(place.connection, userOf(who), who === 'root' || who === 'the operator' ? 'system:masters' : 'system:authenticated');

const path = (plural: string, name?: string): string =>
  `/apis/swefleet.io/v1alpha1/namespaces/${place.namespace}/${plural}${name === undefined ? '' : `/${name}`}`;

const SHA = (letter: string): string => `sha256:${letter.repeat(64)}`;
const COMMIT = 'c'.repeat(40);

const object = (kind: string, name: string, spec: object): object => ({
  apiVersion: 'swefleet.io/v1alpha1',
  kind,
  metadata: { name },
  spec,
});
const story = (name: string, spec: object = {}): object =>
  object('Story', name, { title: 'Add a cart', repository: { url: 'https://git.example.com/shop.git' }, ...spec });
const planSpec = (author: string): object => ({
  storyRef: { name: 'cart' },
  author,
  tasks: [{ id: 'one', title: 'One', role: 'DEV' }],
});
const plan = (name: string, author: string, spec: object = {}): object => object('Plan', name, { ...planSpec(author), ...spec });

const approvalOf = (gate: string, by: string, more: object = {}): object => ({
  ...{ gate, by, verdict: 'Approved', digest: gate === 'scope' ? SHA('a') : COMMIT },
  ...more,
});
const designApproval = (by: string): object => ({ verdict: 'Approved', by, digest: SHA('a') });

interface Case {
  readonly who: Who;
  readonly does: string;
  readonly request: () => { readonly method: 'POST' | 'PATCH' | 'DELETE'; readonly path: string; readonly body?: object };
  readonly want: 'allowed' | RegExp;
}

const make =
  (plural: string, body: () => object): Case['request'] =>
  () => ({ method: 'POST', path: path(plural), body: body() });
const patch =
  (plural: string, name: string, spec: () => object): Case['request'] =>
  () => ({
    ...{ method: 'PATCH', path: path(plural, name) },
    body: { spec: spec() },
  });

const ownName = (who: string): RegExp => new RegExp(`must be your own user name, ${who}`);
const needsApprove = (gate: string): RegExp =>
  new RegExp(`deciding the ${gate} gate needs the verb approve on stories/${gate} in this namespace`);
const needsAuto = (gate: string): RegExp =>
  new RegExp(`spec.gates.${gate}: Auto needs the verb auto on stories/${gate} in this namespace`);

const stories: readonly Case[] = [
  { who: 'alice', does: 'creates a Story', request: make('stories', () => story('new')), want: 'allowed' },
  {
    who: 'bob',
    does: 'creates a Story without being an author',
    request: make('stories', () => story('new')),
    want: /cannot create resource "stories"/,
  },
  {
    who: 'alice',
    does: 'creates a Story with Human gates',
    request: make('stories', () => story('new', { gates: { scope: 'Human', docs: 'Human' } })),
    want: 'allowed',
  },
  ...(['scope', 'design', 'test', 'docs'] as const).flatMap((gate): readonly Case[] => [
    {
      who: 'alice',
      does: `creates a Story whose gate ${gate} is Auto`,
      request: make('stories', () => story('new', { gates: { [gate]: 'Auto' } })),
      want: needsAuto(gate),
    },
    {
      who: 'gwen',
      does: `creates a Story whose gate ${gate} is Auto`,
      request: make('stories', () => story('new', { gates: { [gate]: 'Auto' } })),
      want: 'allowed',
    },
    {
      who: 'alice',
      does: `makes the gate ${gate} of a Story Auto`,
      request: patch('stories', 'cart', () => ({ gates: { [gate]: 'Auto' } })),
      want: needsAuto(gate),
    },
    {
      who: 'gwen',
      does: `makes the gate ${gate} of a Story Auto`,
      request: patch('stories', 'cart', () => ({ gates: { [gate]: 'Auto' } })),
      want: 'allowed',
    },
  ]),
  {
    who: 'alice',
    does: 'changes the title of a Story whose gates another person made Auto',
    request: patch('stories', 'auto', () => ({ title: 'Another' })),
    want: 'allowed',
  },
  {
    who: 'alice',
    does: 'lets a Story take over a branch',
    request: patch('stories', 'cart', () => ({ adoptBranch: COMMIT })),
    want: /spec\.adoptBranch needs the verb approve on stories\/scope in this namespace/,
  },
  {
    who: 'alice',
    does: 'creates a Story that takes over a branch',
    request: make('stories', () => story('new', { adoptBranch: COMMIT })),
    want: /spec\.adoptBranch needs the verb approve on stories\/scope in this namespace/,
  },
  {
    who: 'bob',
    does: 'lets a Story take over a branch',
    request: patch('stories', 'cart', () => ({ adoptBranch: COMMIT })),
    want: 'allowed',
  },
  {
    who: 'alice',
    does: 'makes an Auto gate Human',
    request: patch('stories', 'auto', () => ({ gates: { scope: 'Human' } })),
    want: 'allowed',
  },
  ...(['scope', 'test', 'docs'] as const).flatMap((gate): readonly Case[] => [
    {
      who: 'bob',
      does: `approves the gate ${gate}`,
      request: patch('stories', 'cart', () => ({ approvals: [approvalOf(gate, 'bob')] })),
      want: 'allowed',
    },
    {
      who: 'bob',
      does: `rejects at the gate ${gate}`,
      request: patch('stories', 'cart', () => ({ approvals: [approvalOf(gate, 'bob', { verdict: 'Rejected', reason: 'no' })] })),
      want: 'allowed',
    },
    {
      who: 'bob',
      does: `approves the gate ${gate} in another name`,
      request: patch('stories', 'cart', () => ({ approvals: [approvalOf(gate, 'carol')] })),
      want: ownName('bob'),
    },
    {
      who: 'alice',
      does: `approves the gate ${gate} without the right`,
      request: patch('stories', 'cart', () => ({ approvals: [approvalOf(gate, 'alice')] })),
      want: needsApprove(gate),
    },
  ]),
  {
    who: 'bob',
    does: 'approves all three gates at once',
    request: patch('stories', 'cart', () => ({
      approvals: [approvalOf('scope', 'bob'), approvalOf('test', 'bob'), approvalOf('docs', 'bob')],
    })),
    want: 'allowed',
  },
  {
    who: 'root',
    does: 'approves in another name',
    request: patch('stories', 'cart', () => ({ approvals: [approvalOf('scope', 'bob')] })),
    want: ownName('root'),
  },
  {
    who: 'alice',
    does: 'creates a Story that is approved already',
    request: make('stories', () => story('new', { approvals: [approvalOf('scope', 'alice')] })),
    want: needsApprove('scope'),
  },
  {
    who: 'carol',
    does: "adds an approval beside bob's",
    request: patch('stories', 'approved', () => ({ approvals: [approvalOf('scope', 'bob'), approvalOf('test', 'carol')] })),
    want: 'allowed',
  },
  {
    who: 'alice',
    does: 'changes the priority of a Story that bob approved',
    request: patch('stories', 'approved', () => ({ priority: 7 })),
    want: 'allowed',
  },
  {
    who: 'carol',
    does: "takes bob's approval away",
    request: patch('stories', 'approved', () => ({ approvals: null })),
    want: /approvals can only be added/,
  },
  {
    who: 'carol',
    does: "turns bob's approval into her own",
    request: patch('stories', 'approved', () => ({ approvals: [approvalOf('scope', 'carol')] })),
    want: /approvals can only be added/,
  },
];

const plans: readonly Case[] = [
  { who: 'alice', does: 'writes a Plan in her own name', request: make('plans', () => plan('new', 'alice')), want: 'allowed' },
  {
    who: 'alice',
    does: 'writes a Plan in another name',
    request: make('plans', () => plan('new', 'mallory')),
    want: ownName('alice'),
  },
  {
    who: 'alice',
    does: "writes a Plan in a Council's name",
    request: make('plans', () => plan('new', 'council/architect')),
    want: /only the operator may write a Plan in the name of council/,
  },
  {
    who: 'root',
    does: "writes a Plan in a Council's name",
    request: make('plans', () => plan('new', 'council/architect')),
    want: /only the operator may write a Plan in the name of council/,
  },
  {
    who: 'the operator',
    does: "writes a Plan in a Council's name",
    request: make('plans', () => plan('new', 'council/architect')),
    want: 'allowed',
  },
  {
    who: 'carol',
    does: 'writes a Plan that she approved already',
    request: make('plans', () => plan('new', 'carol', { approval: designApproval('carol') })),
    want: /the author of a Plan cannot decide on it/,
  },
  {
    who: 'carol',
    does: 'writes a Plan that bob is said to have approved',
    request: make('plans', () => plan('new', 'carol', { approval: designApproval('bob') })),
    want: ownName('carol'),
  },
  {
    who: 'bob',
    does: "approves alice's Plan",
    request: patch('plans', 'by-alice', () => ({ approval: designApproval('bob') })),
    want: 'allowed',
  },
  {
    who: 'bob',
    does: "rejects alice's Plan",
    request: patch('plans', 'by-alice', () => ({ approval: { ...designApproval('bob'), verdict: 'Rejected', reason: 'no' } })),
    want: 'allowed',
  },
  {
    who: 'bob',
    does: "approves alice's Plan in another name",
    request: patch('plans', 'by-alice', () => ({ approval: designApproval('carol') })),
    want: ownName('bob'),
  },
  {
    who: 'alice',
    does: 'approves her own Plan',
    request: patch('plans', 'by-alice', () => ({ approval: designApproval('alice') })),
    want: /the author of a Plan cannot decide on it/,
  },
  {
    who: 'carol',
    does: 'approves her own Plan although she has the right',
    request: patch('plans', 'by-carol', () => ({ approval: designApproval('carol') })),
    want: /the author of a Plan cannot decide on it/,
  },
  {
    who: 'carol',
    does: 'approves her own Plan in another name',
    request: patch('plans', 'by-carol', () => ({ approval: designApproval('bob') })),
    want: ownName('carol'),
  },
  {
    who: 'gwen',
    does: "approves alice's Plan without the right",
    request: patch('plans', 'by-alice', () => ({ approval: designApproval('gwen') })),
    want: /deciding on a Plan needs the verb approve on plans\/design/,
  },
  {
    who: 'carol',
    does: "changes bob's decision",
    request: patch('plans', 'decided', () => ({ approval: { ...designApproval('carol'), verdict: 'Rejected' } })),
    want: /approval cannot be changed once it is set/,
  },
];

const task = (): object =>
  object('Task', 'mine', {
    storyRef: { name: 'cart', uid: 'u' },
    planRef: { name: 'by-alice', uid: 'u', revision: 1, digest: SHA('a') },
    task: { id: 'one', title: 'One', role: 'DEV' },
    taskDigest: SHA('b'),
  });

const tasks: readonly Case[] = [
  { who: 'alice', does: 'creates a Task', request: make('tasks', task), want: /cannot create resource "tasks"/ },
  {
    who: 'root',
    does: 'creates a Task',
    request: make('tasks', task),
    want: /Tasks are created by the operator from an approved Plan/,
  },
  { who: 'the operator', does: 'creates a Task', request: make('tasks', task), want: 'allowed' },
];

const ask = (the: Case): Promise<string> => {
  const request = the.request();
  const contentType = request.method === 'PATCH' ? 'application/merge-patch+json' : 'application/json';
  return answerTo(as(the.who).raw({ ...request, query: { dryRun: 'All' }, contentType }));
};

const expectVerdict = async (the: Case): Promise<void> => {
  const answer = await ask(the);
  if (the.want === 'allowed') expect(answer).toBe('allowed');
  else expect(answer).toMatch(the.want);
};

const may = async (who: Who, attributes: object): Promise<boolean> => {
  const spec = { resourceAttributes: { group: 'swefleet.io', namespace: place.namespace, ...attributes } };
  const review = await as(who).raw({
    method: 'POST',
    path: '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews',
    body: { spec },
  });
  return (review as { readonly status: { readonly allowed: boolean } }).status.allowed;
};

const put = (who: Who, plural: string, body: object): Promise<unknown> =>
  as(who).raw({ method: 'POST', path: path(plural), body });

beforeAll(async () => {
  place.connection = await connectToCluster();
  place.admin = clientOf(place.connection);
  place.namespace = await makeNamespace(place.admin);
  await installCrds(place.admin);
  place.admission = await installAdmission(place.admin, `adm-${randomBytes(3).toString('hex')}`, place.namespace);
  for (const [user, roles] of Object.entries(PERSONS))
    for (const role of roles) await bindRole(place.admin, place.namespace, `${place.admission.release}-${role}`, user);
  // rights take a moment to be seen by the authorizer
  const rights = [
    ['alice', 'create', 'stories', undefined],
    ['gwen', 'auto', 'stories', 'docs'],
    ['carol', 'create', 'plans', undefined],
    ['bob', 'approve', 'plans', 'design'],
  ] as const;
  for (const [who, verb, resource, subresource] of rights)
    await vi.waitFor(async () => expect(await may(who, { verb, resource, subresource })).toBe(true), 10_000);
  await put('alice', 'stories', story('cart'));
  await put('gwen', 'stories', story('auto', { gates: { scope: 'Auto', docs: 'Auto' } }));
  await put('alice', 'stories', story('approved'));
  await as('bob').raw({
    method: 'PATCH',
    path: path('stories', 'approved'),
    body: { spec: { approvals: [approvalOf('scope', 'bob')] } },
    contentType: 'application/merge-patch+json',
  });
  for (const who of ['alice', 'carol'] as const) await put(who, 'plans', plan(`by-${who}`, who));
  await put('alice', 'plans', plan('decided', 'alice'));
  await as('bob').raw({
    method: 'PATCH',
    path: path('plans', 'decided'),
    body: { spec: { approval: designApproval('bob') } },
    contentType: 'application/merge-patch+json',
  });
});

afterAll(async () => {
  await place.admission.remove();
  await place.admin.delete(namespaces, { name: place.namespace });
  await place.admin.close();
});

describe('gates and approvals of a Story', () => {
  it.each(stories)('$who $does: $want', expectVerdict);
});

describe('author and approval of a Plan', () => {
  it.each(plans)('$who $does: $want', expectVerdict);
});

describe('Tasks', () => {
  it.each(tasks)('$who $does: $want', expectVerdict);
});

describe('the policies themselves', () => {
  it('are well typed against the kinds they judge: the server has no warning about any of their expressions', async () => {
    interface Policies {
      readonly items: readonly {
        readonly metadata: { readonly name: string };
        readonly status?: { readonly typeChecking?: { readonly expressionWarnings?: readonly object[] } };
      }[];
    }
    const read = async (): Promise<Policies['items']> => {
      const list = (await place.admin.raw({
        method: 'GET',
        path: '/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies',
      })) as Policies;
      return list.items.filter(({ metadata }) => metadata.name.startsWith(`${place.admission.release}-`));
    };
    await expect
      .poll(async () => (await read()).every(({ status }) => status?.typeChecking !== undefined), { timeout: 60_000 })
      .toBe(true);
    expect(
      (await read()).flatMap(({ metadata, status }) =>
        (status?.typeChecking?.expressionWarnings ?? []).map((warning) => ({ policy: metadata.name, warning })),
      ),
    ).toEqual([]);
  });
});
