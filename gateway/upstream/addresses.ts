// Which network addresses the gateway may connect to. Pure: bytes in, an answer out; no look-up happens here.
//
// The guard is asked three times on one connection: for an address written in the upstream's host, for every address that a name
// resolves to, and for the address that the socket really reached.

import { isIP } from 'node:net';

/** `never` holds even for an upstream that may be private: link-local is where clouds keep their credentials. */
export type AddressSort = 'public' | 'private' | 'loopback' | 'cluster' | 'never';

type Bytes = readonly number[];

export interface Range {
  readonly bytes: Bytes;
  readonly bits: number;
}

const V4_MAPPED: Bytes = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff];

const bytesOfV4 = (text: string): Bytes => text.split('.').map(Number);

const groupsOf = (text: string): readonly number[] =>
  text === ''
    ? []
    : text.split(':').flatMap((group) => {
        if (!group.includes('.')) return [Number.parseInt(group, 16)];
        const [a = 0, b = 0, c = 0, d = 0] = bytesOfV4(group);
        return [a * 256 + b, c * 256 + d];
      });

const bytesOfV6 = (text: string): Bytes => {
  const bare = text.split('%')[0] ?? text;
  const [head = '', tail] = bare.split('::');
  const before = groupsOf(head);
  const after = tail === undefined ? [] : groupsOf(tail);
  const zeros = Array.from({ length: 8 - before.length - after.length }, () => 0);
  return [...before, ...(tail === undefined ? [] : zeros), ...after].flatMap((group) => [group >> 8, group & 0xff]);
};

/** The bytes of an address: 4 or 16 of them, a v4-mapped one as the 4 that it means. Undefined when it is no address. */
export const addressBytes = (address: string): Bytes | undefined => {
  switch (isIP(address)) {
    case 4:
      return bytesOfV4(address);
    case 6: {
      const bytes = bytesOfV6(address);
      return V4_MAPPED.every((byte, at) => bytes[at] === byte) ? bytes.slice(12) : bytes;
    }
    default:
      return undefined;
  }
};

/** Parses `address/bits`. Throws when it is not that. */
export const rangeOf = (cidr: string): Range => {
  const [address = '', bitsText = ''] = cidr.split('/');
  const bytes = addressBytes(address);
  const bits = Number(bitsText);
  if (bytes === undefined || !/^\d{1,3}$/.test(bitsText) || bits > bytes.length * 8)
    throw new Error(`not an address range: ${cidr}`);
  return { bytes, bits };
};

const within = (bytes: Bytes, range: Range): boolean => {
  if (bytes.length !== range.bytes.length) return false;
  return bytes.every((byte, at) => {
    const bits = Math.min(8, Math.max(0, range.bits - at * 8));
    const mask = (0xff << (8 - bits)) & 0xff;
    return (byte & mask) === ((range.bytes[at] ?? 0) & mask);
  });
};

const table = (
  sort: AddressSort,
  ...cidrs: readonly string[]
): readonly { readonly sort: AddressSort; readonly range: Range }[] => cidrs.map((cidr) => ({ sort, range: rangeOf(cidr) }));

/** IANA's special-purpose registries, in the order in which the first match wins. */
const SPECIAL = [
  ...table('loopback', '127.0.0.0/8', '::1/128'),
  ...table('private', '10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '100.64.0.0/10', 'fc00::/7'),
  ...table('never', '0.0.0.0/8', '169.254.0.0/16', '192.0.0.0/24', '192.0.2.0/24', '192.88.99.0/24', '198.18.0.0/15'),
  ...table('never', '198.51.100.0/24', '203.0.113.0/24', '224.0.0.0/4', '240.0.0.0/4'),
  // within 2000::/3 but no plain unicast: Teredo and other protocol assignments, documentation, 6to4 (carries any v4 address)
  ...table('never', '2001::/23', '2001:db8::/32', '2002::/16', '3fff::/20'),
];

const GLOBAL_UNICAST_V6 = rangeOf('2000::/3');

/** Sorts one address. `cluster` are the ranges of Pods and Services, where the platform engineer named them. */
export const sortOf = (address: string, cluster: readonly Range[] = []): AddressSort => {
  const bytes = addressBytes(address);
  if (bytes === undefined) return 'never';
  const special = SPECIAL.find(({ range }) => within(bytes, range));
  if (special?.sort === 'never') return 'never';
  if (cluster.some((range) => within(bytes, range))) return 'cluster';
  if (special !== undefined) return special.sort;
  // everything of v6 outside global unicast that has not been named above: link-local, site-local, multicast, NAT64, unspecified …
  return bytes.length === 16 && !within(bytes, GLOBAL_UNICAST_V6) ? 'never' : 'public';
};

export interface AddressGuard {
  readonly allowPrivate: boolean;
  readonly cluster: readonly Range[];
}

/** Whether a connection to this address may be used. */
export const addressAllowed = (address: string, guard: AddressGuard): boolean => {
  const sort = sortOf(address, guard.cluster);
  return sort === 'public' || (guard.allowPrivate && sort !== 'never');
};
