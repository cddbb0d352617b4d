// What the chart renders: read by the processes' own schema, by the API server in a strict dry run, and by rules that hold for every pod and right in it.

import { describe, expect, it } from 'vitest';
import { consumerName } from '../../agent-pool/puller.ts';
import { platformConfig } from '../../crds/contracts/platform.ts';
import { TURN_PRIORITIES } from '../../crds/contracts/turns.ts';
import type { KubeObject } from '../../kube/object.ts';
import { namespaces } from '../../kube/resources.ts';
import { installCrds, answerTo } from './admission.ts';
import { chartDir, helm, render } from './chart.ts';
import { clientOf, connectToCluster, makeNamespace } from './cluster.ts';

const RELEASE = { name: 'fleet', namespace: 'swe-fleet' };

const upstream = (more: object): object => ({
  name: 'one',
  kind: 'model',
  host: 'model.example.com',
  namespaces: ['*'],
  ...more,
});

/** Everything switched on. */
const FULL = {
  image: { digest: `sha256:${'a'.repeat(64)}` },
  imagePullSecrets: [{ name: 'pull' }],
  upstreams: [
    upstream({ name: 'vllm', models: ['m'], concurrency: 4, credentials: { secretName: 'vllm-key' } }),
    upstream({ name: 'local', scheme: 'http', host: 'vllm.models.svc:8000', prefix: '/v1', allowPrivate: true }),
    upstream({
      name: 'git',
      kind: 'git',
      host: 'git.example.com',
      credentials: { secretName: 'bot' },
      ca: { secretName: 'git-ca' },
      namespaces: ['shop'],
    }),
    upstream({ name: 'npm', kind: 'egress', host: 'registry.example.com:443' }),
  ],
  imageProfiles: [{ name: 'node', image: 'example.com/node:24', setup: ['npm ci'], namespaces: ['*'] }],
  councils: { namespaces: ['shop', 'team-a'], model: { endpoint: 'vllm', name: 'm' }, imageProfile: 'node' },
  operator: { replicas: 2, priorityClassName: 'high', nodeSelector: { a: 'b' } },
  gateway: { replicas: 2, clusterCidrs: ['10.96.0.0/16'] },
  agentPool: { replicas: 3, turnsPerEndpoint: 8, tolerations: [{ key: 'gpu', operator: 'Exists' }] },
  networkPolicies: { metricsFrom: [{ namespaceSelector: { matchLabels: { name: 'monitoring' } } }] },
  podDisruptionBudgets: { enabled: true },
};
const OWN_NATS = { nats: { enabled: false, url: 'tls://nats.example.com:4333', usersSecretName: 'nats-users' } };
const VARIANTS = {
  defaults: {},
  full: FULL,
  'own NATS': OWN_NATS,
  'no walls': { admission: { enabled: false }, networkPolicies: { enabled: false } },
} as const;
type Variant = keyof typeof VARIANTS;
const variants = Object.keys(VARIANTS) as Variant[];

const renderedAs = (variant: Variant): Promise<readonly KubeObject[]> => render({ ...RELEASE, values: VARIANTS[variant] });

const platformOf = (objects: readonly KubeObject[]): unknown => {
  const map = objects.find(({ kind, metadata }) => kind === 'ConfigMap' && metadata.name === 'fleet-platform') as
    { readonly data?: Readonly<Record<string, string>> } | undefined;
  return JSON.parse(map?.data?.['platform.json'] ?? 'null');
};

interface Container {
  readonly name: string;
  readonly securityContext?: object;
  readonly resources?: { readonly requests?: object; readonly limits?: object };
  readonly volumeMounts?: readonly { readonly mountPath: string }[];
}
interface PodSpec {
  readonly serviceAccountName?: string;
  readonly securityContext?: object;
  readonly containers: readonly Container[];
  readonly volumes?: readonly { readonly secret?: { readonly secretName: string } }[];
}
const podsOf = (objects: readonly KubeObject[]): readonly { readonly name: string; readonly spec: PodSpec }[] =>
  objects.flatMap((object) => {
    const spec = (object as { readonly spec?: { readonly template?: { readonly spec?: PodSpec } } }).spec?.template?.spec;
    return spec?.containers === undefined ? [] : [{ name: `${object.kind}/${object.metadata.name}`, spec }];
  });

interface Reach {
  readonly to?: readonly { readonly podSelector: { readonly matchLabels: Readonly<Record<string, string>> } }[];
  readonly ports: readonly { readonly port: number }[];
}
interface Policy extends KubeObject {
  readonly spec: { readonly failurePolicy: string };
}
interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
}
const rulesOf = (objects: readonly KubeObject[]): readonly { readonly role: string; readonly rule: Rule }[] =>
  objects.flatMap((object) =>
    ((object as { readonly rules?: readonly Rule[] }).rules ?? []).map((rule) => ({
      role: `${object.kind}/${object.metadata.name}`,
      rule,
    })),
  );

describe('what the chart renders', () => {
  it.each(variants)('is a platform that the processes understand: %s', async (variant) => {
    expect(platformConfig.safeParse(platformOf(await renderedAs(variant))).error).toBeUndefined();
  });

  it('keeps names of Secrets out of the platform and says only that there are some', async () => {
    const platform = platformConfig.parse(platformOf(await renderedAs('full')));
    expect(platform.upstreams.map(({ name, credentials, ca }) => ({ name, credentials, ca }))).toEqual([
      { name: 'vllm', credentials: true, ca: false },
      { name: 'local', credentials: false, ca: false },
      { name: 'git', credentials: true, ca: true },
      { name: 'npm', credentials: false, ca: false },
    ]);
    expect(JSON.stringify(platform)).not.toContain('bot');
  });

  it('mounts Secrets of upstreams into the gateway alone', async () => {
    const secrets = podsOf(await renderedAs('full')).map(({ name, spec }) => [
      name,
      (spec.volumes ?? []).flatMap(({ secret }) => secret?.secretName ?? []),
    ]);
    expect(Object.fromEntries(secrets)).toEqual({
      'Deployment/fleet-operator': [],
      'Deployment/fleet-gateway': ['fleet-gateway-tls', 'vllm-key', 'bot', 'git-ca'],
      'Deployment/fleet-agent-pool': [],
      'StatefulSet/fleet-nats': ['fleet-nats-tls'],
      'Job/fleet-install': [],
    });
  });

  it.each(variants)('runs every pod restricted, with a read-only root and limits: %s', async (variant) => {
    for (const { spec } of podsOf(await renderedAs(variant))) {
      expect(spec.securityContext).toMatchObject({
        runAsNonRoot: true,
        runAsUser: 1000,
        seccompProfile: { type: 'RuntimeDefault' },
      });
      for (const { securityContext, resources } of spec.containers) {
        expect(securityContext).toMatchObject({
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ['ALL'] },
        });
        expect(resources).toMatchObject({
          requests: { memory: expect.any(String) as string },
          limits: { memory: expect.any(String) as string },
        });
      }
    }
  });

  it('gives no wildcard, no exec and no list of Secrets to anyone', async () => {
    const rules = rulesOf(await renderedAs('full'));
    expect(rules.length).toBeGreaterThan(10);
    for (const { role, rule } of rules) {
      expect([role, ...rule.apiGroups, ...rule.resources, ...rule.verbs]).not.toContain('*');
      expect([role, ...rule.resources]).not.toContain('pods/exec');
      if (rule.resources.includes('secrets'))
        expect({ role, verbs: rule.verbs.filter((verb) => !['create', 'get', 'patch'].includes(verb)) }).toEqual({
          role: 'Role/fleet-install',
          verbs: [],
        });
    }
  });

  it('gives the operator exactly this', async () => {
    const rules = rulesOf(await renderedAs('full')).filter(({ role }) => role.endsWith('/fleet-operator'));
    expect(rules.map(({ rule }) => `${rule.resources.join(' ')}: ${rule.verbs.join(' ')}`)).toEqual([
      'stories plans tasks councils deliberations: get list watch',
      'stories/status plans/status tasks/status councils/status deliberations/status: patch',
      'tasks: create patch',
      'jobs: get list watch create delete',
      'pods: get list watch',
      'serviceaccounts: get list watch create',
      'networkpolicies: get list watch create',
      'events: create patch',
      'leases: create',
      'leases: get list watch update patch',
      'services: get list watch',
    ]);
  });

  it('gives the gateway exactly this', async () => {
    const rules = rulesOf(await renderedAs('full')).filter(({ role }) => role === 'ClusterRole/fleet-gateway');
    expect(rules.map(({ rule }) => `${rule.resources.join(' ')}: ${rule.verbs.join(' ')}`)).toEqual([
      'tokenreviews: create',
      'stories plans tasks councils deliberations: get list watch',
      'pods: get list watch',
      'jobs: get list watch',
    ]);
  });

  it('gives the agent pool nothing in Kubernetes, and a token for the gateway alone', async () => {
    const objects = await renderedAs('full');
    expect(rulesOf(objects).filter(({ role }) => role.includes('agent-pool'))).toEqual([]);
    const bound = objects.filter(({ kind }) => kind.endsWith('RoleBinding')).map((binding) => JSON.stringify(binding));
    expect(bound.filter((binding) => binding.includes('fleet-agent-pool'))).toEqual([]);
    const pod = podsOf(objects).find(({ name }) => name === 'Deployment/fleet-agent-pool')?.spec;
    expect(pod).toMatchObject({ serviceAccountName: 'fleet-agent-pool', automountServiceAccountToken: false });
    const projected = (pod?.volumes ?? []).filter((volume) => 'projected' in volume);
    const sources = [{ serviceAccountToken: { audience: 'swefleet.io/agent-pool', expirationSeconds: 3600, path: 'token' } }];
    expect(projected).toMatchObject([{ name: 'token', projected: { sources } }]);
  });

  it('lets the agent pool reach gateway, NATS and DNS, and nobody reach it', async () => {
    const policy = (await renderedAs('defaults')).find(
      ({ kind, metadata }) => kind === 'NetworkPolicy' && metadata.name === 'fleet-agent-pool',
    ) as unknown as { readonly spec: { readonly ingress: unknown; readonly egress: readonly Reach[] } };
    expect(policy.spec.ingress).toEqual([]);
    const reached = policy.spec.egress.map(({ to = [], ports }) => [
      to.map(({ podSelector }) => podSelector.matchLabels['app.kubernetes.io/component']).join(),
      ports.map(({ port }) => port).join(),
    ]);
    expect(reached).toEqual([
      ['', '53,53'],
      ['gateway', '8443'],
      ['nats', '4222'],
    ]);
  });

  it('scales the agent pool by what waits for each endpoint, by switch', async () => {
    const scaledBy = async (values: object): Promise<KubeObject | undefined> =>
      (await render({ ...RELEASE, values })).find(({ kind }) => kind === 'ScaledObject');
    expect(await scaledBy(FULL)).toBeUndefined();
    const keda = { agentPool: { keda: { enabled: true, maxReplicas: 4, lagThreshold: 5 } } };
    const scaled = await scaledBy({ ...FULL, ...keda });
    const trigger = (consumer: string, natsServerMonitoringEndpoint = 'fleet-nats.swe-fleet.svc:8222'): object => ({
      type: 'nats-jetstream',
      metadata: { natsServerMonitoringEndpoint, account: '$G', stream: 'FLEET_COMMANDS', consumer, lagThreshold: '5' },
    });
    const consumers = ['vllm', 'local'].flatMap((endpoint) =>
      TURN_PRIORITIES.map((priority) => consumerName(endpoint, priority)),
    );
    expect(scaled).toMatchObject({
      spec: {
        scaleTargetRef: { name: 'fleet-agent-pool' },
        ...{ minReplicaCount: 1, maxReplicaCount: 4 },
        triggers: consumers.map((consumer) => trigger(consumer)),
      },
    });
    const elsewhere = { agentPool: { keda: { ...keda.agentPool.keda, monitoringEndpoint: 'nats.example.com:8222' } } };
    expect(JSON.stringify(await scaledBy({ ...FULL, ...OWN_NATS, ...elsewhere }))).toContain('"nats.example.com:8222"');
  });

  it('leaves the number of replicas to KEDA where it scales', async () => {
    const deployment = async (keda: object): Promise<KubeObject | undefined> =>
      (await render({ ...RELEASE, values: { ...FULL, agentPool: { replicas: 3, keda } } })).find(
        ({ kind, metadata }) => kind === 'Deployment' && metadata.name === 'fleet-agent-pool',
      );
    expect(await deployment({})).toHaveProperty('spec.replicas', 3);
    expect(await deployment({ enabled: true })).not.toHaveProperty('spec.replicas');
  });

  it('makes five Councils in each namespace that is named', async () => {
    const councils = (await renderedAs('full')).filter(({ kind }) => kind === 'Council');
    expect(councils.map(({ metadata }) => `${metadata.namespace}/${metadata.name}`).sort()).toEqual(
      ['shop', 'team-a'].flatMap((namespace) =>
        ['architect', 'data', 'dev', 'devops', 'qa'].map((name) => `${namespace}/${name}`),
      ),
    );
  });

  it('refuses with Fail wherever a policy cannot be evaluated, and binds each policy', async () => {
    const objects = await renderedAs('full');
    const policies = objects.filter(({ kind }) => kind === 'ValidatingAdmissionPolicy') as unknown as readonly Policy[];
    expect(policies.map(({ spec }) => spec.failurePolicy)).toEqual(policies.map(() => 'Fail'));
    expect(
      objects.filter(({ kind }) => kind === 'ValidatingAdmissionPolicyBinding').map(({ metadata }) => metadata.name),
    ).toEqual(policies.map(({ metadata }) => metadata.name));
    expect(policies).toHaveLength(11);
  });

  it('starts pods anew when what they read changes, and only then', async () => {
    const sums = async (values: object): Promise<string> =>
      JSON.stringify(
        (await render({ ...RELEASE, values })).flatMap(
          (object) =>
            (object as { readonly spec?: { readonly template?: { readonly metadata?: { readonly annotations?: object } } } }).spec
              ?.template?.metadata?.annotations ?? [],
        ),
      );
    expect(await sums({ capacity: { workspaces: 3 } })).not.toBe(await sums({}));
    expect(await sums({ councils: { size: 5 } })).toBe(await sums({}));
  });
});

describe('what the API server says to it', () => {
  interface Served {
    readonly resources: readonly { readonly kind: string; readonly name: string; readonly namespaced: boolean }[];
  }

  it.each(variants)('is nothing but yes, field by field: %s', async (variant) => {
    const client = clientOf(await connectToCluster());
    const namespace = await makeNamespace(client);
    try {
      await installCrds(client);
      const councils = variant === 'full' ? { councils: { ...FULL.councils, namespaces: [namespace] } } : {};
      for (const object of await render({ name: namespace, namespace, values: { ...VARIANTS[variant], ...councils } })) {
        const root = object.apiVersion.includes('/') ? `/apis/${object.apiVersion}` : `/api/${object.apiVersion}`;
        const served = ((await client.raw({ method: 'GET', path: root })) as Served).resources.find(
          ({ kind, name }) => kind === object.kind && !name.includes('/'),
        );
        const scope = served?.namespaced === true ? `/namespaces/${namespace}` : '';
        const path = `${root}${scope}/${served?.name}/${object.metadata.name}`;
        const query = { dryRun: 'All', fieldValidation: 'Strict', fieldManager: 'contract-tests' };
        const answer = await answerTo(
          client.raw({ method: 'PATCH', path, query, body: object, contentType: 'application/apply-patch+yaml' }),
        );
        expect(`${object.kind} ${object.metadata.name}: ${answer}`).toBe(`${object.kind} ${object.metadata.name}: allowed`);
      }
    } finally {
      await client.delete(namespaces, { name: namespace });
      await client.close();
    }
  });
});

describe('values that make no sense', () => {
  it.each([
    { values: { upstream: [] }, want: /additional properties 'upstream' not allowed/ },
    { values: { operator: { replica: 2 } }, want: /additional properties 'replica' not allowed/ },
    { values: { upstreams: [upstream({ scheme: 'http' })] }, want: /allowPrivate/ },
    { values: { upstreams: [upstream({ kind: 'egress', credentials: { secretName: 's' } })] }, want: /credentials/ },
    { values: { upstreams: [upstream({ host: 'https://x' })] }, want: /host/ },
    { values: { upstreams: [upstream({ namespaces: [] })] }, want: /namespaces/ },
    { values: { upstreams: [upstream({ password: 'p' })] }, want: /additional properties 'password' not allowed/ },
    { values: { gates: { scope: 'auto' } }, want: /gates.scope|\/gates\/scope/ },
    { values: { capacity: { workspaces: 0 } }, want: /workspaces/ },
    { values: { workspace: { resources: { limits: { cpu: 1 } } } }, want: /cpu/ },
    { values: { councils: { namespaces: ['shop'] } }, want: /councils.model.endpoint is needed/ },
    { values: { agentPool: { keda: { enabled: true } } }, want: /needs an upstream of kind model/ },
    { values: { agentPool: { keda: { on: true } } }, want: /additional properties 'on' not allowed/ },
    {
      values: { ...OWN_NATS, upstreams: [upstream({})], agentPool: { keda: { enabled: true } } },
      want: /monitoringEndpoint is needed/,
    },
    { values: { nats: { enabled: false } }, want: /nats.(url|usersSecretName) is needed/ },
    { values: { nats: { enabled: false, url: 'tls://user:secret@nats:4222', usersSecretName: 's' } }, want: /url/ },
  ])('$values are refused', async ({ values, want }) => {
    const end = await helm(['template', RELEASE.name, chartDir], { ...RELEASE, values });
    expect(end.status).not.toBe(0);
    expect(end.stderr).toMatch(want);
  });
});

describe('the notes', () => {
  const notes = async (values: object): Promise<string> => {
    const end = await helm(['install', RELEASE.name, chartDir, '--dry-run=client'], {
      ...RELEASE,
      values,
    });
    if (end.status !== 0) throw new Error(end.stderr);
    return end.stdout.slice(end.stdout.indexOf('NOTES:'));
  };

  it('say what to do next, without a warning where there is none to give', async () => {
    const text = await notes({});
    expect(text).toContain('upstreams is empty');
    expect(text).toContain('kubectl fleet approve plan NAME');
    expect(text).not.toContain('WARNING');
  });

  it.each([
    { values: { admission: { enabled: false } }, want: /admission.enabled is false/ },
    { values: { networkPolicies: { enabled: false } }, want: /networkPolicies.enabled is false/ },
    { values: { nats: { storage: { persistent: false } } }, want: /a restart of NATS loses/ },
    { values: { gates: { scope: 'Auto' } }, want: /gates.scope is Auto/ },
    { values: { workspace: { egressOwnNode: true } }, want: /egressOwnNode is true/ },
    { values: { limits: { protectedPathsAllowedFor: ['shop'] } }, want: /CI configuration in shop/ },
    { values: { upstreams: [upstream({ scheme: 'http', allowPrivate: true })] }, want: /upstream one is plain http/ },
  ])('warn of $values', async ({ values, want }) => {
    const text = await notes(values);
    expect(text).toContain('WARNING');
    expect(text).toMatch(want);
  });
});
