// The walls around workspaces, tried from outside: who may do what to Jobs, pods, tokens and policies of theirs.

import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ApiClient } from '../../kube/client.ts';
import type { Connection } from '../../kube/connection.ts';
import { namespaces } from '../../kube/resources.ts';
import { installAdmission, answerTo, type Admission } from './admission.ts';
import { clientAs } from './chart.ts';
import { clientOf, connectToCluster, makeNamespace } from './cluster.ts';

const JOB_CONTROLLER = 'system:serviceaccount:kube-system:job-controller';
const REPLICA_CONTROLLER = 'system:serviceaccount:kube-system:replicaset-controller';
const GARBAGE_COLLECTOR = 'system:serviceaccount:kube-system:generic-garbage-collector';
const PERSON = 'root@example.com';

interface Place {
  readonly connection: Connection;
  readonly admin: ApiClient;
  readonly namespace: string;
  readonly admission: Admission;
}

const place = {} as { -readonly [K in keyof Place]: Place[K] };

/** Everybody here has every right there is: what is refused is refused by admission alone. */
const as = (user: string, group = 'system:masters'): ApiClient =>
  clientAs(place.connection, user === 'the operator' ? place.admission.operator : user, group);

const core = (rest: string): string => `/api/v1/namespaces/${place.namespace}/${rest}`;
const batch = (rest: string): string => `/apis/batch/v1/namespaces/${place.namespace}/${rest}`;
const networking = (rest: string): string => `/apis/networking.k8s.io/v1/namespaces/${place.namespace}/${rest}`;

// no scheduler of that name: nothing in here ever runs
const podSpec = (account?: string, more: object = {}): object => ({
  ...(account !== undefined && { serviceAccountName: account }),
  schedulerName: 'nobody',
  automountServiceAccountToken: false,
  containers: [{ name: 'work', image: 'localhost/none', imagePullPolicy: 'Never', resources: { requests: { cpu: '1m' } } }],
  ...more,
});

const pod = (name: string, account?: string, more: object = {}): object => ({
  metadata: { name, ...more },
  spec: podSpec(account),
});
/** As the Job controller makes it: for a Job, and named after it. */
const made = (of: string, uid = 'uid-of-the-job'): object => ({
  metadata: { name: `${of}-aaaaa`, ownerReferences: [{ apiVersion: 'batch/v1', kind: 'Job', name: of, uid, controller: true }] },
  spec: podSpec('fleet-workspace'),
});
const job = (name: string, account?: string): object => ({
  metadata: { name },
  spec: { suspend: true, template: { spec: podSpec(account, { restartPolicy: 'Never' }) } },
});

const WORKSPACE = 'fleet-ws-story-a1-00000001';
const WORKSPACE_POD = `${WORKSPACE}-aaaaa`;
const PLAIN = 'plain';

type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

interface Case {
  readonly who: string;
  readonly group?: string;
  readonly does: string;
  readonly request: () => { readonly method: Method; readonly path: string; readonly body?: object };
  readonly want: 'allowed' | RegExp;
}

const post =
  (path: () => string, body: object): Case['request'] =>
  () => ({ method: 'POST', path: path(), body });
const patch =
  (path: () => string, body: object): Case['request'] =>
  () => ({ method: 'PATCH', path: path(), body });

const onlyOperator = /only the swe-fleet operator creates workspace Jobs/;
const onlyJobController = /only the Job controller creates workspace pods/;
const onlyJobControllerChanges = /only the Job controller changes workspace pods/;
const together = /go together, and nothing runs as fleet-reader/;
const sealed = /workspace pods are sealed/;
const statusByCluster = /written by its node and the cluster's own controllers alone/;

const creation: readonly Case[] = [
  {
    who: 'the operator',
    does: 'creates a workspace Job',
    request: post(() => batch('jobs'), job('fleet-ws-a', 'fleet-workspace')),
    want: 'allowed',
  },
  {
    who: PERSON,
    does: 'creates a workspace Job',
    request: post(() => batch('jobs'), job('fleet-ws-a', 'fleet-workspace')),
    want: onlyOperator,
  },
  {
    who: PERSON,
    does: 'creates a Job of another name with the workspace account',
    request: post(() => batch('jobs'), job('innocent', 'fleet-workspace')),
    want: together,
  },
  {
    who: PERSON,
    does: 'creates a Job with the prefix and another account',
    request: post(() => batch('jobs'), job('fleet-ws-a', 'default')),
    want: together,
  },
  {
    who: 'the operator',
    does: 'creates a Job with the prefix and another account',
    request: post(() => batch('jobs'), job('fleet-ws-a', 'default')),
    want: together,
  },
  {
    who: PERSON,
    does: 'creates a Job as fleet-reader',
    request: post(() => batch('jobs'), job('innocent', 'fleet-reader')),
    want: together,
  },
  {
    who: PERSON,
    does: 'creates an ordinary Job',
    request: post(() => batch('jobs'), job('innocent', 'default')),
    want: 'allowed',
  },
  {
    who: PERSON,
    does: 'creates a Job with the workspace account under its old field name',
    request: post(() => batch('jobs'), {
      metadata: { name: 'innocent' },
      spec: { template: { spec: podSpec(undefined, { serviceAccount: 'fleet-workspace', restartPolicy: 'Never' }) } },
    }),
    want: together,
  },
  {
    who: JOB_CONTROLLER,
    does: 'creates a workspace pod',
    request: post(() => core('pods'), made('fleet-ws-a')),
    want: 'allowed',
  },
  {
    who: JOB_CONTROLLER,
    does: 'creates a workspace pod with a generated name',
    request: post(() => core('pods'), {
      metadata: {
        generateName: 'fleet-ws-a-',
        ownerReferences: [{ apiVersion: 'batch/v1', kind: 'Job', name: 'fleet-ws-a', uid: 'uid-of-the-job', controller: true }],
      },
      spec: podSpec('fleet-workspace'),
    }),
    want: 'allowed',
  },
  {
    who: JOB_CONTROLLER,
    does: 'creates a pod with a generated name of another prefix and the workspace account',
    request: post(() => core('pods'), { metadata: { generateName: 'innocent-' }, spec: podSpec('fleet-workspace') }),
    want: together,
  },
  {
    who: 'the operator',
    does: 'creates a workspace pod itself',
    request: post(() => core('pods'), pod('fleet-ws-a', 'fleet-workspace')),
    want: onlyJobController,
  },
  {
    who: PERSON,
    does: 'creates a workspace pod',
    request: post(() => core('pods'), pod('fleet-ws-a', 'fleet-workspace')),
    want: onlyJobController,
  },
  {
    who: PERSON,
    does: 'creates a pod of another name with the workspace account',
    request: post(() => core('pods'), pod('innocent', 'fleet-workspace')),
    want: together,
  },
  {
    who: PERSON,
    does: 'creates a pod as fleet-reader',
    request: post(() => core('pods'), pod('innocent', 'fleet-reader')),
    want: together,
  },
  {
    who: PERSON,
    does: 'creates a pod with the reserved prefix',
    request: post(() => core('pods'), pod('fleet-ws-mine', 'default')),
    want: together,
  },
  {
    who: REPLICA_CONTROLLER,
    does: 'creates a workspace pod for a Deployment',
    request: post(() => core('pods'), pod('innocent', 'fleet-workspace')),
    want: together,
  },
  {
    who: PERSON,
    does: 'creates an ordinary pod',
    request: post(() => core('pods'), pod('innocent', 'default')),
    want: 'allowed',
  },
];

const change: readonly Case[] = [
  {
    who: PERSON,
    does: "patches a workspace pod's image",
    request: patch(() => core(`pods/${WORKSPACE_POD}`), { spec: { containers: [{ name: 'work', image: 'evil' }] } }),
    want: onlyJobControllerChanges,
  },
  {
    who: PERSON,
    does: "changes a workspace pod's labels",
    request: patch(() => core(`pods/${WORKSPACE_POD}`), { metadata: { labels: { 'swefleet.io/network': 'none' } } }),
    want: onlyJobControllerChanges,
  },
  {
    who: 'system:node:box',
    group: 'system:nodes',
    does: "does not reach a workspace pod's spec",
    request: patch(() => core(`pods/${WORKSPACE_POD}`), { metadata: { labels: { a: 'b' } } }),
    want: /forbidden/i,
  },
  {
    who: JOB_CONTROLLER,
    does: 'takes its finalizer off a workspace pod',
    request: patch(() => core(`pods/${WORKSPACE_POD}`), { metadata: { finalizers: null } }),
    want: 'allowed',
  },
  {
    who: GARBAGE_COLLECTOR,
    does: 'takes owners off a workspace pod',
    request: patch(() => core(`pods/${WORKSPACE_POD}`), { metadata: { ownerReferences: null } }),
    want: 'allowed',
  },
  {
    who: GARBAGE_COLLECTOR,
    does: "changes a workspace pod's image",
    request: patch(() => core(`pods/${WORKSPACE_POD}`), { spec: { containers: [{ name: 'work', image: 'evil' }] } }),
    want: onlyJobControllerChanges,
  },
  {
    who: PERSON,
    does: 'adds an ephemeral container to a workspace pod',
    request: patch(() => core(`pods/${WORKSPACE_POD}/ephemeralcontainers`), {
      spec: { ephemeralContainers: [{ name: 'spy', image: 'evil' }] },
    }),
    want: sealed,
  },
  {
    who: 'the operator',
    does: 'adds an ephemeral container to a workspace pod',
    request: patch(() => core(`pods/${WORKSPACE_POD}/ephemeralcontainers`), {
      spec: { ephemeralContainers: [{ name: 'spy', image: 'evil' }] },
    }),
    want: sealed,
  },
  {
    who: PERSON,
    does: 'adds an ephemeral container to an ordinary pod',
    request: patch(() => core(`pods/${PLAIN}/ephemeralcontainers`), {
      spec: { ephemeralContainers: [{ name: 'see', image: 'busybox' }] },
    }),
    want: 'allowed',
  },
  {
    who: PERSON,
    does: 'resizes a workspace pod',
    request: patch(() => core(`pods/${WORKSPACE_POD}/resize`), {
      spec: { containers: [{ name: 'work', resources: { requests: { cpu: '2m' } } }] },
    }),
    want: sealed,
  },
  {
    who: PERSON,
    does: "writes a workspace pod's status",
    request: patch(() => core(`pods/${WORKSPACE_POD}/status`), { status: { message: 'believe me' } }),
    want: statusByCluster,
  },
  {
    who: 'the operator',
    does: "writes a workspace pod's status",
    request: patch(() => core(`pods/${WORKSPACE_POD}/status`), { status: { message: 'believe me' } }),
    want: statusByCluster,
  },
  {
    who: 'system:kube-scheduler',
    does: "writes a workspace pod's status",
    request: patch(() => core(`pods/${WORKSPACE_POD}/status`), { status: { message: 'no node fits' } }),
    want: 'allowed',
  },
  {
    who: PERSON,
    does: "writes a workspace Job's status",
    request: patch(() => batch(`jobs/${WORKSPACE}/status`), { status: { ready: 0 } }),
    want: statusByCluster,
  },
  {
    who: PERSON,
    does: 'unsuspends a workspace Job',
    request: patch(() => batch(`jobs/${WORKSPACE}`), { spec: { suspend: false } }),
    want: /spec and owners of a workspace Job are not for changing/,
  },
  {
    who: PERSON,
    does: 'gives a workspace Job another owner',
    request: patch(() => batch(`jobs/${WORKSPACE}`), {
      metadata: { ownerReferences: [{ apiVersion: 'v1', kind: 'Pod', name: 'x', uid: 'x' }] },
    }),
    want: /spec and owners of a workspace Job are not for changing/,
  },
  {
    who: PERSON,
    does: 'labels a workspace Job',
    request: patch(() => batch(`jobs/${WORKSPACE}`), { metadata: { labels: { seen: 'yes' } } }),
    want: 'allowed',
  },
  {
    who: PERSON,
    does: 'deletes a workspace Job',
    request: () => ({ method: 'DELETE', path: batch(`jobs/${WORKSPACE}`) }),
    want: 'allowed',
  },
  {
    who: PERSON,
    does: 'deletes a workspace pod',
    request: () => ({ method: 'DELETE', path: core(`pods/${WORKSPACE_POD}`) }),
    want: 'allowed',
  },
  {
    who: PERSON,
    does: 'evicts a workspace pod',
    request: post(() => core(`pods/${WORKSPACE_POD}/eviction`), {
      apiVersion: 'policy/v1',
      kind: 'Eviction',
      metadata: { name: WORKSPACE_POD },
    }),
    want: 'allowed',
  },
];

const token = (audience: string): object => ({
  apiVersion: 'authentication.k8s.io/v1',
  kind: 'TokenRequest',
  spec: { audiences: [audience] },
});
const legacy = (account: string): object => ({
  type: 'kubernetes.io/service-account-token',
  metadata: { name: 'legacy', annotations: { 'kubernetes.io/service-account.name': account } },
});
const open = (name: string): object => ({ metadata: { name }, spec: { podSelector: {}, policyTypes: ['Egress'], egress: [{}] } });

const credentials: readonly Case[] = [
  {
    who: PERSON,
    does: 'asks for a token of fleet-workspace',
    request: post(() => core('serviceaccounts/fleet-workspace/token'), token('swefleet.io/push')),
    want: /only nodes request tokens/,
  },
  {
    who: 'the operator',
    does: 'asks for a token of fleet-workspace',
    request: post(() => core('serviceaccounts/fleet-workspace/token'), token('swefleet.io/push')),
    want: /only nodes request tokens/,
  },
  {
    who: PERSON,
    does: 'asks for a token of fleet-reader',
    request: post(() => core('serviceaccounts/fleet-reader/token'), token('swefleet.io/artifacts-read')),
    want: 'allowed',
  },
  {
    who: PERSON,
    does: 'makes a long-lived token of fleet-workspace',
    request: post(() => core('secrets'), legacy('fleet-workspace')),
    want: /no long-lived tokens/,
  },
  {
    who: PERSON,
    does: 'makes a long-lived token of fleet-reader',
    request: post(() => core('secrets'), legacy('fleet-reader')),
    want: /no long-lived tokens/,
  },
  {
    who: PERSON,
    does: 'makes a long-lived token of another account',
    request: post(() => core('secrets'), legacy('default')),
    want: 'allowed',
  },
  {
    who: PERSON,
    does: 'makes an ordinary Secret',
    request: post(() => core('secrets'), { metadata: { name: 'plain' } }),
    want: 'allowed',
  },
  {
    who: 'the operator',
    does: "writes a workspace's NetworkPolicy",
    request: post(() => networking('networkpolicies'), open('fleet-workspace-1234')),
    want: 'allowed',
  },
  {
    who: PERSON,
    does: "writes a workspace's NetworkPolicy",
    request: post(() => networking('networkpolicies'), open('fleet-workspace-1234')),
    want: /written by the operator alone/,
  },
  {
    who: PERSON,
    does: 'writes another NetworkPolicy',
    request: post(() => networking('networkpolicies'), open('other')),
    want: 'allowed',
  },
];

const ask = (the: Case): Promise<string> =>
  answerTo(
    as(the.who, the.group).raw({
      ...the.request(),
      query: { dryRun: 'All' },
      ...(the.request().method === 'PATCH' && { contentType: 'application/strategic-merge-patch+json' }),
    }),
  );

const expectAnswer = (answer: string, want: Case['want']): void => {
  if (want === 'allowed') expect(answer).toBe('allowed');
  else expect(answer).toMatch(want);
};

beforeAll(async () => {
  place.connection = await connectToCluster();
  place.admin = clientOf(place.connection);
  place.namespace = await makeNamespace(place.admin);
  place.admission = await installAdmission(place.admin, `adm-${randomBytes(3).toString('hex')}`, place.namespace);
  for (const name of ['fleet-workspace', 'fleet-reader', 'default'])
    await answerTo(place.admin.raw({ method: 'POST', path: core('serviceaccounts'), body: { metadata: { name } } }));
  const body = job(WORKSPACE, 'fleet-workspace');
  const stored = (await as('the operator').raw({ method: 'POST', path: batch('jobs'), body })) as {
    readonly metadata: { readonly uid: string };
  };
  await as(JOB_CONTROLLER).raw({ method: 'POST', path: core('pods'), body: made(WORKSPACE, stored.metadata.uid) });
  await as(PERSON).raw({ method: 'POST', path: core('pods'), body: pod(PLAIN, 'default') });
});

afterAll(async () => {
  await place.admission.remove();
  await place.admin.delete(namespaces, { name: place.namespace });
  await place.admin.close();
});

describe('creating Jobs and pods of a workspace', () => {
  it.each(creation)('$who $does: $want', async (the) => expectAnswer(await ask(the), the.want));
});

describe('changing Jobs and pods of a workspace', () => {
  it.each(change)('$who $does: $want', async (the) => expectAnswer(await ask(the), the.want));
});

describe('tokens and policies of a workspace', () => {
  it.each(credentials)('$who $does: $want', async (the) => expectAnswer(await ask(the), the.want));
});

describe('stepping into a pod', () => {
  const ways = [
    {
      way: 'exec',
      method: 'POST',
      path: (name: string) => `pods/${name}/exec`,
      query: { command: 'id', container: 'work', stdout: true },
    },
    {
      way: 'exec by GET',
      method: 'GET',
      path: (name: string) => `pods/${name}/exec`,
      query: { command: 'id', container: 'work', stdout: true },
    },
    { way: 'attach', method: 'POST', path: (name: string) => `pods/${name}/attach`, query: { container: 'work', stdout: true } },
    { way: 'port-forward', method: 'POST', path: (name: string) => `pods/${name}/portforward`, query: { ports: 8080 } },
    { way: 'proxy', method: 'GET', path: (name: string) => `pods/${name}/proxy/`, query: {} },
    { way: 'proxy with a port', method: 'GET', path: (name: string) => `pods/${name}:8080/proxy/`, query: {} },
    { way: 'proxy with a scheme', method: 'GET', path: (name: string) => `pods/HTTPS:${name}:8080/proxy/x`, query: {} },
  ] as const;
  for (const user of [PERSON, 'the operator', JOB_CONTROLLER])
    it.each(ways)(`${user} is refused $way on a workspace pod`, async ({ method, path, query }) => {
      expect(await answerTo(as(user).raw({ method, path: core(path(WORKSPACE_POD)), query }))).toMatch(sealed);
    });

  // the pod runs nowhere, so the way in ends behind admission: with any other complaint
  it.each(ways)('$way on an ordinary pod passes admission', async ({ method, path, query }) => {
    const answer = await answerTo(as(PERSON).raw({ method, path: core(path(PLAIN)), query }));
    expect(answer).not.toMatch(/sealed|ValidatingAdmissionPolicy/);
  });
});

describe("the cluster's own controllers", () => {
  it('make the pod of a workspace Job, report on it and clear it away, whatever the walls', async () => {
    const running = 'fleet-ws-running-a1-00000001';
    const body = {
      metadata: { name: running },
      spec: { template: { spec: podSpec('fleet-workspace', { restartPolicy: 'Never', schedulerName: 'default-scheduler' }) } },
    };
    await as('the operator').raw({ method: 'POST', path: batch('jobs'), body });
    interface Pods {
      readonly items: readonly {
        readonly metadata: { readonly name: string };
        readonly status: { readonly containerStatuses?: readonly { readonly state: object }[] };
      }[];
    }
    const podsOf = async (): Promise<Pods['items']> =>
      (
        (await place.admin.raw({
          method: 'GET',
          path: core('pods'),
          query: { labelSelector: `batch.kubernetes.io/job-name=${running}` },
        })) as Pods
      ).items;
    // the node cannot have that image and says so in the pod's status
    await expect
      .poll(async () => JSON.stringify((await podsOf())[0]?.status.containerStatuses?.[0]?.state), { timeout: 60_000 })
      .toContain('ErrImageNeverPull');
    const [made] = await podsOf();
    expect(made?.metadata.name.startsWith(running)).toBe(true);
    await place.admin.raw({ method: 'DELETE', path: batch(`jobs/${running}`), body: { propagationPolicy: 'Foreground' } });
    await expect.poll(async () => (await podsOf()).length, { timeout: 60_000 }).toBe(0);
    await expect
      .poll(() => answerTo(place.admin.raw({ method: 'GET', path: batch(`jobs/${running}`) })), { timeout: 60_000 })
      .toContain('404');
  });
});
