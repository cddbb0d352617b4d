// NetworkPolicies -> nftables rules: given objects, wanted lines. That the kernel takes and obeys such rules is seen in test/box/enforcer.test.ts.
import { describe, expect, it } from 'vitest';
import { compile, type Observed } from '../../cluster/enforcer/compile.ts';
import type { Container, Namespace, NetworkPolicy, Pod } from '../../cluster/enforcer/objects.ts';

const settings = { table: 'network_policy', podCidr: '10.244.0.0/24', podInterfaces: 'veth*' };

const namespace = (name: string, labels: Record<string, string> = {}): Namespace => ({
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: { name, labels: { 'kubernetes.io/metadata.name': name, ...labels } },
});

interface PodOptions {
  readonly namespace?: string;
  readonly ip?: string;
  readonly labels?: Record<string, string>;
  readonly phase?: string;
  readonly hostNetwork?: boolean;
  readonly containers?: readonly Container[];
  readonly initContainers?: readonly Container[];
}

const pod = (name: string, { namespace: ns = 'a', ip, labels = { app: name }, phase = 'Running', ...spec }: PodOptions): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace: ns, uid: `uid-${name}`, labels },
  spec,
  status: { phase, ...(ip === undefined ? {} : { podIP: ip }) },
});

const policy = (spec: NonNullable<NetworkPolicy['spec']>, name = 'p', ns = 'a'): NetworkPolicy => ({
  apiVersion: 'networking.k8s.io/v1',
  kind: 'NetworkPolicy',
  metadata: { name, namespace: ns },
  spec,
});

const named = (name: string, containerPort: number, protocol?: string): Container => ({
  ports: [{ name, containerPort, ...(protocol === undefined ? {} : { protocol }) }],
});

const pods: readonly Pod[] = [
  pod('web', { ip: '10.244.0.2', containers: [named('http', 8080)] }),
  pod('api', { ip: '10.244.0.3', containers: [named('http', 9090), named('http', 5353, 'UDP')] }),
  pod('db', { ip: '10.244.0.4', namespace: 'b', labels: { app: 'db', tier: 'data' } }),
  pod('ops', { ip: '10.244.0.5', namespace: 'c' }),
];

const observed = (changes: Partial<Observed> = {}): Observed => ({
  policies: [],
  pods,
  namespaces: [namespace('a'), namespace('b', { team: 'blue' }), namespace('c')],
  assigned: new Map(),
  ...changes,
});

/** Lines of a chain, map or set of the table, without its type. */
const lines = (text: string, head: RegExp): readonly string[] => {
  const all = text.split('\n');
  const start = all.findIndex((line) => head.test(line));
  if (start < 0) return [];
  const end = all.indexOf('  }', start);
  return all
    .slice(start + 1, end)
    .map((line) => line.trim())
    .filter((line) => !/^(type|comment) /.test(line));
};

const rules = (spec: NonNullable<NetworkPolicy['spec']>, direction: 'ingress' | 'egress'): readonly string[] =>
  lines(compile(observed({ policies: [policy(spec)] }), settings).text, new RegExp(`chain policy_\\w+_${direction} `));

/** address -> number of policies that isolate it */
const isolated = (given: Observed, direction: 'ingress' | 'egress'): Record<string, number> => {
  const { text } = compile(given, settings);
  const [elements = ''] = lines(text, new RegExp(`map ${direction}_pods `));
  const found = [...elements.matchAll(/([\d.]+) : jump (\w+)/g)];
  return Object.fromEntries(
    found.map(([, ip = '', chain = '']) => [
      ip,
      lines(text, new RegExp(`chain ${chain} `)).filter((line) => line.startsWith('jump ')).length,
    ]),
  );
};

const everyone = { podSelector: {} };

describe('peers', () => {
  it.each<[string, NonNullable<NetworkPolicy['spec']>, readonly string[]]>([
    ['no rules allow nobody', { ...everyone, ingress: [] }, []],
    ['a rule without peers allows everybody', { ...everyone, ingress: [{}] }, ['accept']],
    ['an empty list of peers allows everybody', { ...everyone, ingress: [{ from: [] }] }, ['accept']],
    [
      'a pod selector means pods of the own namespace',
      { ...everyone, ingress: [{ from: [{ podSelector: {} }] }] },
      ['ip saddr { 10.244.0.2, 10.244.0.3 } accept'],
    ],
    [
      'a namespace selector means all pods of those namespaces',
      { ...everyone, ingress: [{ from: [{ namespaceSelector: { matchLabels: { team: 'blue' } } }] }] },
      ['ip saddr { 10.244.0.4 } accept'],
    ],
    [
      'both selectors in one peer mean both',
      { ...everyone, ingress: [{ from: [{ namespaceSelector: {}, podSelector: { matchLabels: { app: 'ops' } } }] }] },
      ['ip saddr { 10.244.0.5 } accept'],
    ],
    [
      'two peers mean either',
      {
        ...everyone,
        ingress: [
          { from: [{ namespaceSelector: { matchLabels: { team: 'blue' } } }, { podSelector: { matchLabels: { app: 'web' } } }] },
        ],
      },
      ['ip saddr { 10.244.0.4, 10.244.0.2 } accept'],
    ],
    [
      'a selector that matches nobody allows nobody',
      { ...everyone, ingress: [{ from: [{ podSelector: { matchLabels: { app: 'none' } } }] }] },
      [],
    ],
    [
      'a block is matched as it is',
      { ...everyone, ingress: [{ from: [{ ipBlock: { cidr: '192.0.2.0/24' } }] }] },
      ['ip saddr 192.0.2.0/24 accept'],
    ],
    [
      'a block is cut to its prefix',
      { ...everyone, ingress: [{ from: [{ ipBlock: { cidr: '192.0.2.77/24' } }] }] },
      ['ip saddr 192.0.2.0/24 accept'],
    ],
    [
      'a block loses its exceptions',
      { ...everyone, ingress: [{ from: [{ ipBlock: { cidr: '10.0.0.0/8', except: ['10.1.0.0/16', '10.2.3.4/32'] } }] }] },
      ['ip saddr 10.0.0.0/8 ip saddr != 10.1.0.0/16 ip saddr != 10.2.3.4/32 accept'],
    ],
    [
      'a block that is all exception allows nobody',
      { ...everyone, ingress: [{ from: [{ ipBlock: { cidr: '10.1.0.0/16', except: ['10.1.0.0/16'] } }] }] },
      [],
    ],
    [
      'the block of all addresses means all of IPv4',
      { ...everyone, ingress: [{ from: [{ ipBlock: { cidr: '0.0.0.0/0' } }] }] },
      ['meta nfproto ipv4 accept'],
    ],
    [
      'an IPv6 block holds no address of this cluster',
      { ...everyone, ingress: [{ from: [{ ipBlock: { cidr: '2001:db8::/32' } }] }] },
      [],
    ],
  ])('%s', (_name, spec, want) => {
    expect(rules(spec, 'ingress')).toEqual(want);
  });

  it('egress matches the destination', () => {
    const spec = {
      ...everyone,
      policyTypes: ['Egress'],
      egress: [{ to: [{ ipBlock: { cidr: '192.0.2.0/24', except: ['192.0.2.1/32'] } }] }],
    };
    expect(rules(spec, 'egress')).toEqual(['ip daddr 192.0.2.0/24 ip daddr != 192.0.2.1/32 accept']);
  });
});

describe('label expressions', () => {
  it.each<[string, string, readonly string[] | undefined, readonly string[]]>([
    ['In: one of the values', 'In', ['db', 'ops'], ['10.244.0.4', '10.244.0.5']],
    ['NotIn: another value, or none', 'NotIn', ['db', 'ops'], ['10.244.0.2', '10.244.0.3', '10.244.0.6']],
    ['Exists: any value', 'Exists', undefined, ['10.244.0.2', '10.244.0.3', '10.244.0.4', '10.244.0.5']],
    ['DoesNotExist: no such label', 'DoesNotExist', undefined, ['10.244.0.6']],
  ])('%s', (_name, operator, values, want) => {
    const expression = { key: 'app', operator, ...(values === undefined ? {} : { values }) };
    const spec = {
      ...everyone,
      ingress: [{ from: [{ namespaceSelector: {}, podSelector: { matchExpressions: [expression] } }] }],
    };
    const given = observed({ pods: [...pods, pod('bare', { ip: '10.244.0.6', labels: {} })], policies: [policy(spec)] });
    expect(lines(compile(given, settings).text, /chain policy_\w+_ingress /)).toEqual([`ip saddr { ${want.join(', ')} } accept`]);
  });
});

describe('ports', () => {
  it.each<[string, NonNullable<NetworkPolicy['spec']>, 'ingress' | 'egress', readonly string[]]>([
    [
      'a number is TCP unless said otherwise',
      { ...everyone, ingress: [{ ports: [{ port: 80 }] }] },
      'ingress',
      ['tcp dport 80 accept'],
    ],
    [
      'UDP and SCTP',
      {
        ...everyone,
        ingress: [
          {
            ports: [
              { protocol: 'UDP', port: 53 },
              { protocol: 'SCTP', port: 7 },
            ],
          },
        ],
      },
      'ingress',
      ['udp dport 53 accept', 'sctp dport 7 accept'],
    ],
    [
      'a protocol without port means all its ports',
      { ...everyone, ingress: [{ ports: [{ protocol: 'UDP' }] }] },
      'ingress',
      ['meta l4proto udp accept'],
    ],
    [
      'endPort makes a range',
      { ...everyone, ingress: [{ ports: [{ port: 8000, endPort: 8010 }] }] },
      'ingress',
      ['tcp dport 8000-8010 accept'],
    ],
    [
      'an empty list of ports means all',
      { ...everyone, ingress: [{ ports: [], from: [{ podSelector: { matchLabels: { app: 'web' } } }] }] },
      'ingress',
      ['ip saddr { 10.244.0.2 } accept'],
    ],
    [
      'each peer with each port',
      {
        ...everyone,
        ingress: [
          {
            ports: [{ port: 1 }, { port: 2 }],
            from: [{ podSelector: { matchLabels: { app: 'web' } } }, { ipBlock: { cidr: '192.0.2.0/24' } }],
          },
        ],
      },
      'ingress',
      [
        'ip saddr { 10.244.0.2 } tcp dport 1 accept',
        'ip saddr 192.0.2.0/24 tcp dport 1 accept',
        'ip saddr { 10.244.0.2 } tcp dport 2 accept',
        'ip saddr 192.0.2.0/24 tcp dport 2 accept',
      ],
    ],
    [
      'a named port of ingress is each selected pod’s own number',
      { ...everyone, ingress: [{ ports: [{ port: 'http' }] }] },
      'ingress',
      ['ip daddr { 10.244.0.2 } tcp dport 8080 accept', 'ip daddr { 10.244.0.3 } tcp dport 9090 accept'],
    ],
    [
      'a named port has a protocol',
      { ...everyone, ingress: [{ ports: [{ port: 'http', protocol: 'UDP' }] }] },
      'ingress',
      ['ip daddr { 10.244.0.3 } udp dport 5353 accept'],
    ],
    ['a name that no pod has allows nothing', { ...everyone, ingress: [{ ports: [{ port: 'none' }] }] }, 'ingress', []],
    [
      'a named port of egress is the peer’s number',
      {
        ...everyone,
        policyTypes: ['Egress'],
        egress: [{ to: [{ podSelector: { matchLabels: { app: 'api' } } }], ports: [{ port: 'http' }] }],
      },
      'egress',
      ['ip daddr { 10.244.0.3 } tcp dport 9090 accept'],
    ],
    [
      'a named port of egress to anybody means every pod that has it',
      { ...everyone, policyTypes: ['Egress'], egress: [{ ports: [{ port: 'http' }] }] },
      'egress',
      ['ip daddr { 10.244.0.2 } tcp dport 8080 accept', 'ip daddr { 10.244.0.3 } tcp dport 9090 accept'],
    ],
    [
      'a named port of egress to a block means the pods inside it',
      {
        ...everyone,
        policyTypes: ['Egress'],
        egress: [{ to: [{ ipBlock: { cidr: '10.244.0.0/24', except: ['10.244.0.2/32'] } }], ports: [{ port: 'http' }] }],
      },
      'egress',
      ['ip daddr { 10.244.0.3 } tcp dport 9090 accept'],
    ],
  ])('%s', (_name, spec, direction, want) => {
    expect(rules(spec, direction)).toEqual(want);
  });

  it('a sidecar’s named port counts, an init container’s does not', () => {
    const side = pod('side', {
      ip: '10.244.0.9',
      initContainers: [{ ...named('http', 1), restartPolicy: 'Always' }, named('http', 2)],
    });
    const given = observed({ pods: [side], policies: [policy({ ...everyone, ingress: [{ ports: [{ port: 'http' }] }] })] });
    expect(lines(compile(given, settings).text, /chain policy_\w+_ingress /)).toEqual([
      'ip daddr { 10.244.0.9 } tcp dport 1 accept',
    ]);
  });
});

describe('isolation', () => {
  it.each<[string, readonly NetworkPolicy[], Record<string, number>, Record<string, number>]>([
    ['no policy isolates nobody', [], {}, {}],
    ['without policyTypes and egress rules: ingress only', [policy(everyone)], { '10.244.0.2': 1, '10.244.0.3': 1 }, {}],
    [
      'without policyTypes, with an egress rule: both',
      [policy({ ...everyone, egress: [{}] })],
      { '10.244.0.2': 1, '10.244.0.3': 1 },
      { '10.244.0.2': 1, '10.244.0.3': 1 },
    ],
    [
      'policyTypes Egress alone leaves ingress open',
      [policy({ ...everyone, policyTypes: ['Egress'] })],
      {},
      { '10.244.0.2': 1, '10.244.0.3': 1 },
    ],
    [
      'only selected pods of its own namespace',
      [policy({ podSelector: { matchLabels: { app: 'web' } } }), policy(everyone, 'p', 'b')],
      { '10.244.0.2': 1, '10.244.0.4': 1 },
      {},
    ],
    [
      'policies add up',
      [policy(everyone), policy({ podSelector: { matchLabels: { app: 'web' } } }, 'q')],
      { '10.244.0.2': 2, '10.244.0.3': 1 },
      {},
    ],
  ])('%s', (_name, policies, ingress, egress) => {
    expect({ ingress: isolated(observed({ policies }), 'ingress'), egress: isolated(observed({ policies }), 'egress') }).toEqual({
      ingress,
      egress,
    });
  });
});

describe('addresses', () => {
  const known = (given: Observed): string => lines(compile(given, settings).text, /set pods /).join();
  it.each<[string, Partial<Observed>, string]>([
    ['a running pod is known', { pods: [pod('x', { ip: '10.244.0.7' })] }, 'elements = { 10.244.0.7 }'],
    ['a pod without an address is not', { pods: [pod('x', {})] }, ''],
    ['a pod in the host’s network has no address of its own', { pods: [pod('x', { ip: '10.250.0.1', hostNetwork: true })] }, ''],
    ['an ended pod’s address may be another’s by now', { pods: [pod('x', { ip: '10.244.0.7', phase: 'Succeeded' })] }, ''],
    ['a pod of a namespace not seen yet is not known', { pods: [pod('x', { ip: '10.244.0.7', namespace: 'new' })] }, ''],
    ['an address outside the pod range is not a pod’s', { pods: [pod('x', { ip: '10.245.0.7' })] }, ''],
    [
      'the node knows an address before the API tells it',
      { pods: [pod('x', {})], assigned: new Map([['uid-x', '10.244.0.8']]) },
      'elements = { 10.244.0.8 }',
    ],
  ])('%s', (_name, changes, want) => {
    expect(known(observed(changes))).toBe(want);
  });

  it('an address that two running pods claim is shut and named', () => {
    const given = observed({ pods: [pod('x', { ip: '10.244.0.7' }), pod('y', { ip: '10.244.0.7' })] });
    expect(compile(given, settings).disputed).toEqual(['10.244.0.7']);
    expect(known(given)).toBe('');
  });
});

describe('what is not implemented is refused, and allows nothing', () => {
  const fine = { from: [{ podSelector: {} }] };
  it.each<[string, unknown, string, 'both' | 'ingress']>([
    ['an unknown field of the spec', { ...everyone, ingress: [fine], action: 'Deny' }, 'spec.action', 'ingress'],
    ['an unknown field of a rule', { ...everyone, ingress: [fine, { via: [] }] }, 'spec.ingress[1].via', 'ingress'],
    [
      'an unknown field of a peer',
      { ...everyone, ingress: [{ from: [{ podSelector: {}, serviceSelector: {} }] }] },
      'spec.ingress[0].from[0].serviceSelector',
      'ingress',
    ],
    ['a peer that names nobody', { ...everyone, ingress: [{ from: [{}] }] }, 'spec.ingress[0].from[0]', 'ingress'],
    [
      'a block beside a selector',
      { ...everyone, ingress: [{ from: [{ podSelector: {}, ipBlock: { cidr: '10.0.0.0/8' } }] }] },
      'spec.ingress[0].from[0]',
      'ingress',
    ],
    [
      'a block that is none',
      { ...everyone, ingress: [{ from: [{ ipBlock: { cidr: '10.0.0.0/33' } }] }] },
      'spec.ingress[0].from[0].ipBlock.cidr',
      'ingress',
    ],
    [
      'an exception that is no block',
      { ...everyone, ingress: [{ from: [{ ipBlock: { cidr: '10.0.0.0/8', except: ['x'] } }] }] },
      'spec.ingress[0].from[0].ipBlock.except[0]',
      'ingress',
    ],
    [
      'an unknown field of a port',
      { ...everyone, ingress: [{ ports: [{ port: 80, icmp: {} }] }] },
      'spec.ingress[0].ports[0].icmp',
      'ingress',
    ],
    [
      'an unknown protocol',
      { ...everyone, ingress: [{ ports: [{ protocol: 'ICMP' }] }] },
      'spec.ingress[0].ports[0].protocol',
      'ingress',
    ],
    [
      'endPort without port',
      { ...everyone, ingress: [{ ports: [{ endPort: 80 }] }] },
      'spec.ingress[0].ports[0].endPort',
      'ingress',
    ],
    [
      'endPort with a named port',
      { ...everyone, ingress: [{ ports: [{ port: 'http', endPort: 80 }] }] },
      'spec.ingress[0].ports[0].endPort',
      'ingress',
    ],
    [
      'endPort below port',
      { ...everyone, ingress: [{ ports: [{ port: 90, endPort: 80 }] }] },
      'spec.ingress[0].ports[0].endPort',
      'ingress',
    ],
    [
      'an unknown operator of a peer',
      {
        ...everyone,
        ingress: [{ from: [{ podSelector: { matchExpressions: [{ key: 'a', operator: 'Gt', values: ['1'] }] } }] }],
      },
      'spec.ingress[0].from[0].podSelector.matchExpressions[0].operator',
      'ingress',
    ],
    [
      'an unknown operator of the pod selector',
      { podSelector: { matchExpressions: [{ key: 'a', operator: 'Gt' }] }, ingress: [fine] },
      'spec.podSelector.matchExpressions[0].operator',
      'both',
    ],
    [
      'an unknown policy type',
      { podSelector: {}, policyTypes: ['Ingress', 'Forward'], ingress: [fine] },
      'spec.policyTypes[1]',
      'both',
    ],
  ])('%s', (_name, spec, field, directions) => {
    const given = observed({ policies: [policy(spec as NonNullable<NetworkPolicy['spec']>)] });
    const { text, refused } = compile(given, settings);
    expect(refused).toEqual([{ policy: 'a/p', field, why: expect.stringContaining(field) as string }]);
    const all = { '10.244.0.2': 1, '10.244.0.3': 1 };
    expect({ ingress: isolated(given, 'ingress'), egress: isolated(given, 'egress') }).toEqual({
      ingress: all,
      egress: directions === 'both' ? all : {},
    });
    expect(lines(text, /chain policy_\w+_ingress /)).toEqual([]);
  });

  it('the other policies stay as they are', () => {
    const bad = policy({ ...everyone, ingress: [{ from: [{}] }] }, 'bad');
    const good = policy({ ...everyone, ingress: [{ ports: [{ port: 80 }] }] }, 'good');
    const { text, refused } = compile(observed({ policies: [bad, good] }), settings);
    expect(refused.map(({ policy: name }) => name)).toEqual(['a/bad']);
    expect(text).toContain('tcp dport 80 accept');
  });
});

describe('the text', () => {
  it('does not depend on the order of what was seen', () => {
    const policies = [policy(everyone, 'x'), policy({ ...everyone, egress: [{}] }, 'y')];
    const forward = compile(observed({ policies }), settings).text;
    const backward = compile(observed({ policies: [...policies].reverse(), pods: [...pods].reverse() }), settings).text;
    expect(backward).toBe(forward);
  });

  it('replaces the table in one transaction', () => {
    expect(compile(observed(), settings).text).toMatch(
      /^add table inet network_policy\ndelete table inet network_policy\ntable inet network_policy \{\n/,
    );
  });
});
