// IPv4 blocks and which address is whose. Pure. The box's pods have IPv4 addresses only.
import type { Namespace, Pod } from './objects.ts';

export interface Block {
  /** Network address as an unsigned number. */
  readonly base: number;
  /** Prefix length, 0 to 32. */
  readonly length: number;
}

/** `undefined` for an IPv6 block, which no address here lies in. Throws for anything else that is no CIDR. */
export const parseBlock = (cidr: string): Block | undefined => {
  const [address = '', prefix = ''] = cidr.split('/');
  if (/^[0-9a-f:.]+$/i.test(address) && address.includes(':') && /^\d{1,3}$/.test(prefix) && Number(prefix) <= 128)
    return undefined;
  const number = parseAddress(address);
  const length = Number(prefix);
  if (number === undefined || !/^\d{1,2}$/.test(prefix) || length > 32) throw new Error(`${cidr} is no CIDR`);
  return { base: (number & mask(length)) >>> 0, length };
};

/** `undefined` when it is no IPv4 address. */
export const parseAddress = (text: string): number | undefined => {
  const parts = text.split('.');
  if (parts.length !== 4 || !parts.every((part) => /^\d{1,3}$/.test(part) && Number(part) < 256)) return undefined;
  return parts.reduce((sum, part) => sum * 256 + Number(part), 0);
};

export const contains = (block: Block, address: number): boolean => (address & mask(block.length)) >>> 0 === block.base;

export const blockText = ({ base, length }: Block): string =>
  `${[24, 16, 8, 0].map((shift) => (base >>> shift) & 255).join('.')}/${length}`;

const mask = (length: number): number => (length === 0 ? 0 : (0xffffffff << (32 - length)) >>> 0);

/** A running pod with an address of its own. */
export interface Endpoint {
  readonly key: string;
  readonly namespace: string;
  readonly ip: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly namespaceLabels: Readonly<Record<string, string>>;
  readonly pod: Pod;
}

export interface Endpoints {
  readonly endpoints: readonly Endpoint[];
  /** Addresses that two running pods claim: nobody's, until one of them is gone. */
  readonly disputed: readonly string[];
}

/**
 * `assigned` are addresses that the node gave out and the API does not tell yet: pod uid -> IP. Pods that ended do not count, as their address may be
 * another's by now; pods in the host's network have no address of their own.
 */
export const endpointsOf = (
  pods: readonly Pod[],
  namespaces: readonly Namespace[],
  { assigned, podBlock }: { readonly assigned: ReadonlyMap<string, string>; readonly podBlock: Block },
): Endpoints => {
  const labels = new Map(namespaces.map((namespace) => [namespace.metadata.name, namespace.metadata.labels ?? {}]));
  const byIp = new Map<string, Endpoint[]>();
  for (const pod of pods) {
    const ip = addressOf(pod, assigned);
    const number = ip === undefined ? undefined : parseAddress(ip);
    const { name, namespace = '' } = pod.metadata;
    const namespaceLabels = labels.get(namespace);
    // Without its namespace's labels nothing can be said about it yet.
    if (ip === undefined || number === undefined || !contains(podBlock, number) || namespaceLabels === undefined) continue;
    const endpoint = { key: `${namespace}/${name}`, namespace, ip, labels: pod.metadata.labels ?? {}, namespaceLabels, pod };
    byIp.set(ip, [...(byIp.get(ip) ?? []), endpoint]);
  }
  const sorted = [...byIp].sort(([a], [b]) => (parseAddress(a) ?? 0) - (parseAddress(b) ?? 0));
  return {
    endpoints: sorted.flatMap(([, claims]) => (claims.length === 1 ? claims : [])),
    disputed: sorted.flatMap(([ip, claims]) => (claims.length > 1 ? [ip] : [])),
  };
};

const addressOf = ({ metadata, spec, status }: Pod, assigned: ReadonlyMap<string, string>): string | undefined => {
  if (spec?.hostNetwork === true || status?.phase === 'Succeeded' || status?.phase === 'Failed') return undefined;
  return assigned.get(metadata.uid ?? '') ?? status?.podIP;
};
