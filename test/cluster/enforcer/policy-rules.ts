// One rule of a policy as nftables rules: peers and ports as matches, and what cannot be expressed as Unsupported. Pure.
//
// Rules are written for one direction; the *peer* is the far end: the source of ingress, the destination of egress. Named ports belong to the destination.
import { blockText, contains, parseAddress, parseBlock, type Block, type Endpoint } from './addresses.ts';
import type { ContainerPort, Peer, PolicyPort } from './objects.ts';
import { demandFields, matcher, Unsupported } from './selectors.ts';

export type Direction = 'ingress' | 'egress';

export interface RuleScope {
  readonly direction: Direction;
  /** Namespace of the policy. */
  readonly namespace: string;
  readonly endpoints: readonly Endpoint[];
  /** Pods that the policy selects. */
  readonly selected: readonly Endpoint[];
}

interface RuleInput {
  readonly peers: readonly Peer[] | undefined;
  readonly ports: readonly PolicyPort[] | undefined;
  /** Path of the rule in the spec. */
  readonly field: string;
}

/** Who the far end may be: anybody, pods, or a block without parts of it. */
type PeerMatch =
  | { readonly kind: 'any' }
  | { readonly kind: 'pods'; readonly pods: readonly Endpoint[] }
  | { readonly kind: 'block'; readonly block: Block; readonly except: readonly Block[] };

/** Each is a match that ends in `accept`. Throws Unsupported. */
export const ruleLines = (scope: RuleScope, { peers, ports, field }: RuleInput): readonly string[] => {
  const matches = peerMatches(scope, peers, `${field}.${scope.direction === 'ingress' ? 'from' : 'to'}`);
  if (ports === undefined || ports.length === 0)
    return matches.flatMap((match) => accept(peerText(scope.direction, match), ['']));
  return ports.flatMap((port, index) => {
    const place = `${field}.ports[${index}]`;
    demandFields(port, ['protocol', 'port', 'endPort'], place);
    const lines = matches.map((match) =>
      typeof port.port === 'string'
        ? namedPort(scope, match, { ...port, name: port.port, field: place })
        : accept(peerText(scope.direction, match), [portText(port, place)]),
    );
    return lines.flat();
  });
};

const accept = (peer: string | undefined, ports: readonly string[]): readonly string[] => {
  if (peer === undefined) return [];
  return ports.map((port) => [peer, port, 'accept'].filter((part) => part !== '').join(' '));
};

const peerMatches = (scope: RuleScope, peers: readonly Peer[] | undefined, field: string): readonly PeerMatch[] => {
  if (peers === undefined || peers.length === 0) return [{ kind: 'any' }];
  const pods = new Set<Endpoint>();
  const blocks: PeerMatch[] = [];
  for (const [index, peer] of peers.entries()) {
    const place = `${field}[${index}]`;
    demandFields(peer, ['podSelector', 'namespaceSelector', 'ipBlock'], place);
    const { podSelector, namespaceSelector, ipBlock } = peer;
    if (ipBlock !== undefined) {
      if (podSelector !== undefined || namespaceSelector !== undefined) throw new Unsupported(place, 'ipBlock beside a selector');
      blocks.push(...blockMatch(ipBlock, place));
    } else if (podSelector === undefined && namespaceSelector === undefined) throw new Unsupported(place, 'names nobody');
    else for (const endpoint of selectPods(scope, peer, place)) pods.add(endpoint);
  }
  return pods.size === 0 ? blocks : [{ kind: 'pods', pods: [...pods] }, ...blocks];
};

const selectPods = (
  { endpoints, namespace }: RuleScope,
  { podSelector, namespaceSelector }: Peer,
  field: string,
): readonly Endpoint[] => {
  const podMatches = matcher(podSelector ?? {}, `${field}.podSelector`);
  const namespaceMatches = namespaceSelector === undefined ? undefined : matcher(namespaceSelector, `${field}.namespaceSelector`);
  return endpoints.filter((endpoint) => {
    const inNamespace =
      namespaceMatches === undefined ? endpoint.namespace === namespace : namespaceMatches(endpoint.namespaceLabels);
    return inNamespace && podMatches(endpoint.labels);
  });
};

const blockMatch = (ipBlock: NonNullable<Peer['ipBlock']>, field: string): readonly PeerMatch[] => {
  demandFields(ipBlock, ['cidr', 'except'], `${field}.ipBlock`);
  const parse = (cidr: string, place: string): Block | undefined => {
    try {
      return parseBlock(cidr);
    } catch (error) {
      throw new Unsupported(place, String(error));
    }
  };
  const block = parse(ipBlock.cidr, `${field}.ipBlock.cidr`);
  const except = (ipBlock.except ?? []).map((cidr, index) => parse(cidr, `${field}.ipBlock.except[${index}]`));
  // An IPv6 block holds no address that a packet of these pods can have.
  return block === undefined ? [] : [{ kind: 'block', block, except: except.filter((part) => part !== undefined) }];
};

/** Match text for the far end's address; `undefined` when it can be nobody. */
const peerText = (direction: Direction, match: PeerMatch): string | undefined => {
  const side = direction === 'ingress' ? 'saddr' : 'daddr';
  switch (match.kind) {
    case 'any':
      return '';
    case 'pods':
      return match.pods.length === 0 ? undefined : `ip ${side} ${addressSet(match.pods)}`;
    case 'block': {
      const { block, except } = match;
      if (except.some((part) => part.length <= block.length && contains(part, block.base))) return undefined;
      const inside = block.length === 0 ? 'meta nfproto ipv4' : `ip ${side} ${blockText(block)}`;
      return [inside, ...except.map((part) => `ip ${side} != ${blockText(part)}`)].join(' ');
    }
  }
};

const addressSet = (pods: readonly Endpoint[]): string => `{ ${[...new Set(pods.map((pod) => pod.ip))].join(', ')} }`;

const protocols: ReadonlyMap<string, string> = new Map([
  ['TCP', 'tcp'],
  ['UDP', 'udp'],
  ['SCTP', 'sctp'],
]);

const protocolOf = (protocol: string | undefined, field: string): string => {
  const name = protocols.get(protocol ?? 'TCP');
  if (name === undefined) throw new Unsupported(`${field}.protocol`, `protocol ${protocol} is not known`);
  return name;
};

const portText = ({ protocol, port, endPort }: PolicyPort, field: string): string => {
  const name = protocolOf(protocol, field);
  if (port === undefined) {
    if (endPort !== undefined) throw new Unsupported(`${field}.endPort`, 'endPort without port');
    return `meta l4proto ${name}`;
  }
  if (endPort === undefined || endPort === port) return `${name} dport ${port}`;
  if (endPort < Number(port)) throw new Unsupported(`${field}.endPort`, `endPort ${endPort} is below port ${port}`);
  return `${name} dport ${port}-${endPort}`;
};

type NamedPort = PolicyPort & { readonly name: string; readonly field: string };

/** A named port is another number on each destination pod: one rule per number, with the pods that have it. */
const namedPort = (scope: RuleScope, match: PeerMatch, port: NamedPort): readonly string[] => {
  const protocol = protocolOf(port.protocol, port.field);
  if (port.endPort !== undefined) throw new Unsupported(`${port.field}.endPort`, 'endPort with a named port');
  const byNumber = (pods: readonly Endpoint[]): readonly (readonly [number, readonly Endpoint[]])[] => {
    const numbers = new Map<number, Endpoint[]>();
    for (const pod of pods) {
      for (const number of portNumbers(pod, port.name, port.protocol ?? 'TCP'))
        numbers.set(number, [...(numbers.get(number) ?? []), pod]);
    }
    return [...numbers].sort(([a], [b]) => a - b);
  };
  if (scope.direction === 'ingress') {
    const peer = peerText('ingress', match);
    const ports = byNumber(scope.selected).map(([number, pods]) => `ip daddr ${addressSet(pods)} ${protocol} dport ${number}`);
    return accept(peer, ports);
  }
  const pods = destinations(scope, match);
  return byNumber(pods).flatMap(([number, some]) => accept(`ip daddr ${addressSet(some)}`, [`${protocol} dport ${number}`]));
};

/** The pods among the far ends of an egress rule: only pods have port names. */
const destinations = ({ endpoints }: RuleScope, match: PeerMatch): readonly Endpoint[] => {
  if (match.kind === 'any') return endpoints;
  if (match.kind === 'pods') return match.pods;
  return endpoints.filter(({ ip }) => {
    const address = parseAddress(ip) ?? 0;
    return contains(match.block, address) && !match.except.some((part) => contains(part, address));
  });
};

const portNumbers = ({ pod }: Endpoint, name: string, protocol: string): readonly number[] => {
  const sidecars = (pod.spec?.initContainers ?? []).filter((container) => container.restartPolicy === 'Always');
  const ports: readonly ContainerPort[] = [...(pod.spec?.containers ?? []), ...sidecars].flatMap(
    (container) => container.ports ?? [],
  );
  const matching = ports.filter((port) => port.name === name && (port.protocol ?? 'TCP') === protocol);
  return [...new Set(matching.map((port) => port.containerPort))];
};
