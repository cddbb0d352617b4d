// The enforcer's rules in a real kernel: what they let through and what they drop, between network namespaces that are linked as a node links its pods.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { compile, type Observed } from '../cluster/enforcer/compile.ts';
import type { Namespace, NetworkPolicy, Pod } from '../cluster/enforcer/objects.ts';
import { Network, type Peer, type Target } from './enforcer-network.ts';

const settings = { table: 'network_policy', podCidr: '10.244.0.0/24', podInterfaces: 'veth*' };
const nodeIp = '10.250.9.1';
const ips = { web: '10.244.0.2', api: '10.244.0.3', db: '10.244.0.4' } as const;
const served = [
  ['TCP', 80],
  ['TCP', 8080],
  ['TCP', 8081],
  ['UDP', 53],
] as const;

type Name = keyof typeof ips;

const namespace = (name: string): Namespace => ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels: { name } } });

const pod = (name: Name, ns: string): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace: ns, uid: name, labels: { app: name } },
  spec: { containers: [{ ports: [{ name: 'http', containerPort: 8080 }] }] },
  status: { phase: 'Running', podIP: ips[name] },
});

const policy = (spec: NonNullable<NetworkPolicy['spec']>, name = 'p', ns = 'front'): NetworkPolicy => ({
  apiVersion: 'networking.k8s.io/v1',
  kind: 'NetworkPolicy',
  metadata: { name, namespace: ns },
  spec,
});

const base: Observed = {
  policies: [],
  pods: [pod('web', 'front'), pod('api', 'front'), pod('db', 'back')],
  namespaces: [namespace('front'), namespace('back')],
  assigned: new Map(),
};

const only = (app: Name): { podSelector: { matchLabels: { app: string } } } => ({ podSelector: { matchLabels: { app } } });
const back = { namespaceSelector: { matchLabels: { name: 'back' } } };

describe('rules in the kernel', () => {
  const started = new Map<Name | 'network', Peer | Network>();
  const network = (): Network => started.get('network') as Network;
  const peer = (name: Name): Peer => started.get(name) as Peer;
  const to = (name: Name, port = 8080, protocol: 'TCP' | 'UDP' = 'TCP'): Target => ({ host: ips[name], port, protocol });

  beforeAll(async () => {
    const lab = await Network.start(settings.table, nodeIp);
    started.set('network', lab);
    for (const name of Object.keys(ips) as Name[]) {
      const started_ = await lab.pod(ips[name]);
      started.set(name, started_);
      await started_.listen(...served);
    }
    await lab.node.listen(['TCP', 6443], ['TCP', 9000], ['UDP', 53]);
    // A Service, as kube-proxy would translate it: 10.96.0.10:80 is api:8080.
    await lab.node.run('ip', 'route', 'add', '10.96.0.0/16', 'dev', 'uplink');
    const service = 'type nat hook prerouting priority dstnat; ip daddr 10.96.0.10 tcp dport 80 dnat to 10.244.0.3:8080';
    await lab.enforce(`table ip services {\n chain translate {\n ${service}\n }\n}\n`);
  }, 60_000);

  afterAll(() => (started.get('network') as Network | undefined)?.end());

  const apply = async (...policies: readonly NetworkPolicy[]): Promise<void> => {
    const { text, refused } = compile({ ...base, policies }, settings);
    expect(refused).toEqual([]);
    await network().enforce(text);
  };

  interface Path {
    readonly from: Name;
    readonly target: Target;
  }
  const path = (from: Name, target: Target): Path => ({ from, target });
  type Case = readonly [sentence: string, policies: readonly NetworkPolicy[], path: Path, want: 'open' | 'dropped'];
  const cases: readonly Case[] = [
    ['without policies pods reach each other', [], path('web', to('db')), 'open'],
    ['without policies a pod reaches its node', [], path('web', { host: nodeIp, port: 6443 }), 'open'],
    ['an isolated pod is not reached', [policy(only('api'))], path('web', to('api')), 'dropped'],
    [
      'an isolated pod is not reached through a Service',
      [policy(only('api'))],
      path('web', { host: '10.96.0.10', port: 80 }),
      'dropped',
    ],
    ['a pod beside the isolated one is reached', [policy(only('api'))], path('api', to('web')), 'open'],
    [
      'a pod isolated for egress does not reach a pod',
      [policy({ ...only('web'), policyTypes: ['Egress'] })],
      path('web', to('api')),
      'dropped',
    ],
    [
      'a pod isolated for egress does not reach its node',
      [policy({ ...only('web'), policyTypes: ['Egress'] })],
      path('web', { host: nodeIp, port: 6443 }),
      'dropped',
    ],
    [
      'a pod isolated for egress does not reach its gateway',
      [policy({ ...only('web'), policyTypes: ['Egress'] })],
      path('web', { host: '10.244.0.1', port: 9000 }),
      'dropped',
    ],
    [
      'a pod isolated for egress is still reached',
      [policy({ ...only('web'), policyTypes: ['Egress'] })],
      path('api', to('web')),
      'open',
    ],
    ['an allowed peer gets in', [policy({ ...only('api'), ingress: [{ from: [only('web')] }] })], path('web', to('api')), 'open'],
    [
      'a peer of another namespace is not meant by a pod selector',
      [policy({ ...only('api'), ingress: [{ from: [{ podSelector: {} }] }] })],
      path('db', to('api')),
      'dropped',
    ],
    [
      'a peer of a selected namespace gets in',
      [policy({ ...only('api'), ingress: [{ from: [back] }] })],
      path('db', to('api')),
      'open',
    ],
    [
      'a peer of a namespace that is not selected does not',
      [policy({ ...only('api'), ingress: [{ from: [back] }] })],
      path('web', to('api')),
      'dropped',
    ],
    [
      'both selectors must match',
      [policy({ ...only('api'), ingress: [{ from: [{ ...back, ...only('web') }] }] })],
      path('db', to('api')),
      'dropped',
    ],
    [
      'a block lets its addresses in',
      [policy({ ...only('api'), ingress: [{ from: [{ ipBlock: { cidr: '10.244.0.0/24' } }] }] })],
      path('web', to('api')),
      'open',
    ],
    [
      'an exception of a block stays out',
      [policy({ ...only('api'), ingress: [{ from: [{ ipBlock: { cidr: '10.244.0.0/24', except: ['10.244.0.2/32'] } }] }] })],
      path('web', to('api')),
      'dropped',
    ],
    [
      'what is beside the exception gets in',
      [policy({ ...only('api'), ingress: [{ from: [{ ipBlock: { cidr: '10.244.0.0/24', except: ['10.244.0.2/32'] } }] }] })],
      path('db', to('api')),
      'open',
    ],
    [
      'an allowed port is open',
      [policy({ ...only('api'), ingress: [{ ports: [{ port: 8080 }] }] })],
      path('web', to('api')),
      'open',
    ],
    [
      'another port is shut',
      [policy({ ...only('api'), ingress: [{ ports: [{ port: 8080 }] }] })],
      path('web', to('api', 8081)),
      'dropped',
    ],
    [
      'TCP 53 does not mean UDP 53',
      [policy({ ...only('api'), ingress: [{ ports: [{ port: 53 }] }] })],
      path('web', to('api', 53, 'UDP')),
      'dropped',
    ],
    [
      'UDP 53 is open when it is named',
      [policy({ ...only('api'), ingress: [{ ports: [{ port: 53, protocol: 'UDP' }] }] })],
      path('web', to('api', 53, 'UDP')),
      'open',
    ],
    [
      'a port inside a range is open',
      [policy({ ...only('api'), ingress: [{ ports: [{ port: 8080, endPort: 8081 }] }] })],
      path('web', to('api', 8081)),
      'open',
    ],
    [
      'a port outside a range is shut',
      [policy({ ...only('api'), ingress: [{ ports: [{ port: 8080, endPort: 8081 }] }] })],
      path('web', to('api', 80)),
      'dropped',
    ],
    [
      'a named port is the pod’s own number',
      [policy({ ...only('api'), ingress: [{ ports: [{ port: 'http' }] }] })],
      path('web', to('api')),
      'open',
    ],
    [
      'a named port is no other number',
      [policy({ ...only('api'), ingress: [{ ports: [{ port: 'http' }] }] })],
      path('web', to('api', 80)),
      'dropped',
    ],
    [
      'egress to a named port of a peer',
      [policy({ ...only('web'), policyTypes: ['Egress'], egress: [{ to: [only('api')], ports: [{ port: 'http' }] }] })],
      path('web', to('api')),
      'open',
    ],
    [
      'egress to another pod than the peer',
      [policy({ ...only('web'), policyTypes: ['Egress'], egress: [{ to: [only('api')] }] })],
      path('web', to('db')),
      'dropped',
    ],
    [
      'egress through a Service is matched after translation',
      [policy({ ...only('web'), policyTypes: ['Egress'], egress: [{ to: [only('api')], ports: [{ port: 8080 }] }] })],
      path('web', { host: '10.96.0.10', port: 80 }),
      'open',
    ],
    [
      'egress to the port of the Service is not egress to its pods’ port',
      [policy({ ...only('web'), policyTypes: ['Egress'], egress: [{ ports: [{ port: 80 }] }] })],
      path('web', { host: '10.96.0.10', port: 80 }),
      'dropped',
    ],
    [
      'egress to the node by its block',
      [
        policy({
          ...only('web'),
          policyTypes: ['Egress'],
          egress: [{ to: [{ ipBlock: { cidr: `${nodeIp}/32` } }], ports: [{ port: 6443 }] }],
        }),
      ],
      path('web', { host: nodeIp, port: 6443 }),
      'open',
    ],
    [
      'another port of the node stays shut',
      [
        policy({
          ...only('web'),
          policyTypes: ['Egress'],
          egress: [{ to: [{ ipBlock: { cidr: `${nodeIp}/32` } }], ports: [{ port: 6443 }] }],
        }),
      ],
      path('web', { host: nodeIp, port: 9000 }),
      'dropped',
    ],
    [
      'allowed egress does not open the far end’s ingress',
      [policy({ ...only('web'), policyTypes: ['Egress'], egress: [{}] }), policy({ podSelector: {} }, 'p', 'back')],
      path('web', to('db')),
      'dropped',
    ],
    [
      'policies add up: one that allows is enough',
      [policy(only('api')), policy({ ...only('api'), ingress: [{ ports: [{ port: 8080 }] }] }, 'q')],
      path('web', to('api')),
      'open',
    ],
  ];

  it.each(cases)('%s', async (_sentence, policies, path, want) => {
    const { from, target } = path;
    await apply(...policies);
    expect(await network().probe(peer(from), target)).toBe(want);
  });

  it('the node reaches an isolated pod, as the kubelet’s probes must', async () => {
    await apply(policy({ podSelector: {}, policyTypes: ['Ingress', 'Egress'] }));
    expect(await network().probe(network().node, to('api'))).toBe('open');
  });

  it('a refused policy shuts its pods', async () => {
    const { text, refused } = compile({ ...base, policies: [policy({ ...only('api'), ingress: [{ from: [{}] }] })] }, settings);
    expect(refused).toHaveLength(1);
    await network().enforce(text);
    expect(await network().probe(peer('web'), to('api'))).toBe('dropped');
  });

  describe('a pod that the enforcer has not seen yet', () => {
    const unseen: Observed = { ...base, pods: base.pods.filter(({ metadata }) => metadata.name !== 'web') };
    beforeEach(() => network().enforce(compile(unseen, settings).text));

    it.each<[string, Name, Target]>([
      ['reaches no pod', 'web', to('api')],
      ['reaches no Service', 'web', { host: '10.96.0.10', port: 80 }],
      ['does not reach its node', 'web', { host: nodeIp, port: 6443 }],
      ['is reached by no pod', 'api', to('web')],
    ])('%s', async (_sentence, from, target) => {
      expect(await network().probe(peer(from), target)).toBe('dropped');
    });

    it('is reached by its node', async () => {
      expect(await network().probe(network().node, to('web'))).toBe('open');
    });

    it('is open as soon as it is known', async () => {
      await apply();
      expect(await network().probe(peer('web'), to('api'))).toBe('open');
    });
  });

  describe('a pod that pretends', () => {
    it('to be another pod gets nowhere', async () => {
      await apply(policy({ ...only('web'), policyTypes: ['Egress'] }));
      await peer('web').run('ip', 'addr', 'add', `${ips.db}/32`, 'dev', 'eth0');
      await peer('web').run('ip', 'route', 'replace', `${ips.api}/32`, 'via', '10.244.0.1', 'src', ips.db);
      expect(await network().probe(peer('web'), to('api'), /fib saddr/)).toBe('dropped');
      await peer('web').run('ip', 'route', 'del', `${ips.api}/32`);
      await peer('web').run('ip', 'addr', 'del', `${ips.db}/32`, 'dev', 'eth0');
    });

    it('to speak IPv6 gets nowhere', async () => {
      await apply();
      expect(await network().probe(peer('web'), { host: 'ff02::1%eth0', port: 53, protocol: 'UDP' }, /nfproto ipv6/)).toBe(
        'dropped',
      );
    });
  });

  it('new rules replace the old ones at once', async () => {
    await apply(policy(only('api')));
    expect(await network().probe(peer('web'), to('api'))).toBe('dropped');
    await apply();
    expect(await network().probe(peer('web'), to('api'))).toBe('open');
    await apply(policy(only('api')));
    expect(await network().probe(peer('web'), to('api'))).toBe('dropped');
  });
});
