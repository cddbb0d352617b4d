// Compiles NetworkPolicies, Pods and Namespaces to the text of one nftables table. Pure: the same objects give the same text.
//
//   prerouting  a packet from a pod's link must carry the address of that link; no IPv6 from pods
//   egress      on forward and on input (the pod's own node, and so the API server): may this pod send this?
//   ingress     on forward: may this pod receive this? Not on output: a node may always reach its pods, as probes must
//
// `accept` ends one of these chains, not the packet's way, so both ends' policies are asked. A pod that no policy isolates in a direction may do everything there.
// An address of the pod range that is not yet known to be a pod's may do nothing: a pod that starts is never ahead of its policies.
// A policy with something in it that is not implemented allows nothing, and is named in `refused`.
import { createHash } from 'node:crypto';
import { blockText, endpointsOf, parseBlock, type Endpoint } from './addresses.ts';
import type { Namespace, NetworkPolicy, Pod } from './objects.ts';
import { ruleLines, type Direction } from './policy-rules.ts';
import { demandFields, matcher, Unsupported } from './selectors.ts';

export interface Observed {
  readonly policies: readonly NetworkPolicy[];
  readonly pods: readonly Pod[];
  readonly namespaces: readonly Namespace[];
  /** Addresses that the node gave out, by pod uid; they count before the API tells them. */
  readonly assigned: ReadonlyMap<string, string>;
}

export interface Settings {
  /** Name of the nftables table (family inet), which is the enforcer's alone. */
  readonly table: string;
  /** IPv4 CIDR of all pods. */
  readonly podCidr: string;
  /** Pattern of the node's ends of the pods' links, e.g. `veth*`. */
  readonly podInterfaces: string;
}

export interface Refusal {
  /** namespace/name */
  readonly policy: string;
  readonly field: string;
  readonly why: string;
}

export interface Compiled {
  /** Input of `nft -f -`: replaces the table as one transaction. */
  readonly text: string;
  readonly refused: readonly Refusal[];
  /** Addresses that two running pods claim, which are shut until one is gone. */
  readonly disputed: readonly string[];
}

interface CompiledPolicy {
  readonly key: string;
  readonly chain: string;
  readonly selected: ReadonlySet<Endpoint>;
  readonly rules: ReadonlyMap<Direction, readonly string[]>;
  readonly refusal: Refusal | undefined;
}

// nftables takes no longer comment.
const commentLength = 127;

const directions: readonly Direction[] = ['ingress', 'egress'];

/** Throws only when the settings make no sense. */
export const compile = (observed: Observed, settings: Settings): Compiled => {
  const podBlock = parseBlock(settings.podCidr);
  if (podBlock === undefined) throw new Error(`the pod range ${settings.podCidr} is no IPv4 block`);
  const { endpoints, disputed } = endpointsOf(observed.pods, observed.namespaces, { assigned: observed.assigned, podBlock });
  const sorted = [...observed.policies].sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
  const policies = sorted.map((policy) => compilePolicy(policy, endpoints));
  const refused = policies.flatMap(({ refusal }) => (refusal === undefined ? [] : [refusal]));
  return { text: tableText({ ...settings, podCidr: blockText(podBlock) }, endpoints, policies), refused, disputed };
};

const keyOf = ({ metadata }: NetworkPolicy): string => `${metadata.namespace}/${metadata.name}`;

const compilePolicy = (policy: NetworkPolicy, endpoints: readonly Endpoint[]): CompiledPolicy => {
  const key = keyOf(policy);
  const chain = `policy_${createHash('sha256').update(key).digest('hex').slice(0, 16)}`;
  const own = endpoints.filter((endpoint) => endpoint.namespace === policy.metadata.namespace);
  // What is known of a policy when something in it is refused: at worst that it isolates its whole namespace in both directions.
  let selected = new Set(own);
  let isolated = directions;
  const refuse = (error: unknown): Refusal => {
    if (!(error instanceof Unsupported)) throw error;
    return { policy: key, field: error.field, why: error.message };
  };
  try {
    const spec = policy.spec ?? {};
    const matches = matcher(spec.podSelector ?? {}, 'spec.podSelector');
    selected = new Set(own.filter((endpoint) => matches(endpoint.labels)));
    isolated = directionsOf(spec);
    demandFields(spec, ['podSelector', 'policyTypes', 'ingress', 'egress'], 'spec');
    const rules = isolated.map(
      (direction) => [direction, rulesOf(policy, direction, { endpoints, selected: [...selected] })] as const,
    );
    return { key, chain, selected, rules: new Map(rules), refusal: undefined };
  } catch (error) {
    return { key, chain, selected, rules: new Map(isolated.map((direction) => [direction, []])), refusal: refuse(error) };
  }
};

const directionsOf = (spec: NonNullable<NetworkPolicy['spec']>): readonly Direction[] => {
  const { policyTypes } = spec;
  if (policyTypes === undefined || policyTypes.length === 0) return (spec.egress ?? []).length > 0 ? directions : ['ingress'];
  const unknown = policyTypes.findIndex((type) => type !== 'Ingress' && type !== 'Egress');
  if (unknown >= 0) throw new Unsupported(`spec.policyTypes[${unknown}]`, `policy type ${policyTypes[unknown]} is not known`);
  return directions.filter((direction) => policyTypes.includes(direction === 'ingress' ? 'Ingress' : 'Egress'));
};

interface Scope {
  readonly endpoints: readonly Endpoint[];
  readonly selected: readonly Endpoint[];
}

const rulesOf = (policy: NetworkPolicy, direction: Direction, { endpoints, selected }: Scope): readonly string[] => {
  const scope = { direction, namespace: policy.metadata.namespace ?? '', endpoints, selected };
  if (direction === 'ingress') {
    return (policy.spec?.ingress ?? []).flatMap((rule, index) => {
      const field = `spec.ingress[${index}]`;
      demandFields(rule, ['from', 'ports'], field);
      return ruleLines(scope, { peers: rule.from, ports: rule.ports, field });
    });
  }
  return (policy.spec?.egress ?? []).flatMap((rule, index) => {
    const field = `spec.egress[${index}]`;
    demandFields(rule, ['to', 'ports'], field);
    return ruleLines(scope, { peers: rule.to, ports: rule.ports, field });
  });
};

/** Pods that the same policies isolate share a chain. */
interface Group {
  readonly chain: string;
  readonly policies: readonly CompiledPolicy[];
  readonly ips: readonly string[];
}

const groupsOf = (
  direction: Direction,
  endpoints: readonly Endpoint[],
  policies: readonly CompiledPolicy[],
): readonly Group[] => {
  const groups = new Map<string, { policies: readonly CompiledPolicy[]; ips: string[] }>();
  for (const endpoint of endpoints) {
    const isolating = policies.filter((policy) => policy.rules.has(direction) && policy.selected.has(endpoint));
    if (isolating.length === 0) continue;
    const name = isolating.map((policy) => policy.chain).join();
    const group = groups.get(name) ?? { policies: isolating, ips: [] };
    group.ips.push(endpoint.ip);
    groups.set(name, group);
  }
  return [...groups.values()].map((group, index) => ({ ...group, chain: `${direction}_${index}` }));
};

const tableText = (settings: Settings, endpoints: readonly Endpoint[], policies: readonly CompiledPolicy[]): string => {
  const { table } = settings;
  const parts = directions.map((direction) => ({ direction, groups: groupsOf(direction, endpoints, policies) }));
  const known = endpoints.map(({ ip }) => ip);
  const body = [
    set('pods', 'ipv4_addr', known),
    // A pod that reaches itself through a Service: no policy may forbid that.
    set(
      'selves',
      'ipv4_addr . ipv4_addr',
      known.map((ip) => `${ip} . ${ip}`),
    ),
    ...parts.flatMap(({ direction, groups }) => [
      ...policies.flatMap((policy) => policyChain(policy, direction)),
      ...groups.map((group) => groupChain(direction, group)),
      verdictMap(direction, groups),
    ]),
    ...baseChains(settings),
  ];
  return `add table inet ${table}\ndelete table inet ${table}\ntable inet ${table} {\n${body.join('\n')}\n}\n`;
};

const block = (head: string, lines: readonly string[]): string =>
  [`  ${head} {`, ...lines.map((line) => `    ${line}`), '  }'].join('\n');

const set = (name: string, type: string, elements: readonly string[]): string =>
  block(`set ${name}`, [`type ${type}`, ...(elements.length === 0 ? [] : [`elements = { ${elements.join(', ')} }`])]);

const policyChain = ({ key, chain, rules }: CompiledPolicy, direction: Direction): readonly string[] => {
  const lines = rules.get(direction);
  return lines === undefined
    ? []
    : [block(`chain ${chain}_${direction}`, [`comment "${key.slice(0, commentLength)}"`, ...lines])];
};

const groupChain = (direction: Direction, { chain, policies }: Group): string =>
  block(`chain ${chain}`, [...policies.map((policy) => `jump ${policy.chain}_${direction}`), 'counter drop']);

const verdictMap = (direction: Direction, groups: readonly Group[]): string => {
  const elements = groups.flatMap(({ chain, ips }) => ips.map((ip) => `${ip} : jump ${chain}`));
  const content = elements.length === 0 ? [] : [`elements = { ${elements.join(', ')} }`];
  return block(`map ${direction}_pods`, ['type ipv4_addr : verdict', ...content]);
};

const baseChains = ({ podCidr, podInterfaces }: Settings): readonly string[] => {
  const allowed = ['ct state established,related accept', 'ip saddr . ip daddr @selves accept'];
  const egress = [...allowed, `ip saddr ${podCidr} ip saddr != @pods counter drop`, 'ip saddr vmap @egress_pods'];
  const ingress = [...allowed, `ip daddr ${podCidr} ip daddr != @pods counter drop`, 'ip daddr vmap @ingress_pods'];
  const links = [
    `iifname "${podInterfaces}" meta nfproto ipv6 counter drop`,
    `iifname "${podInterfaces}" fib saddr . iif oif missing counter drop`,
  ];
  return [
    block('chain links', ['type filter hook prerouting priority filter; policy accept;', ...links]),
    block('chain forward_egress', ['type filter hook forward priority filter - 10; policy accept;', ...egress]),
    block('chain forward_ingress', ['type filter hook forward priority filter - 9; policy accept;', ...ingress]),
    block('chain input_egress', ['type filter hook input priority filter - 10; policy accept;', 'iif lo accept', ...egress]),
  ];
};
