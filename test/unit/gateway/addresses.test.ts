// The guard on addresses: address -> sort, and what an upstream's own switch makes of it.

import { describe, expect, it } from 'vitest';
import { addressAllowed, rangeOf, sortOf, type AddressSort } from '../../../gateway/upstream/addresses.ts';

const cases: readonly (readonly [address: string, want: AddressSort, why: string])[] = [
  ['93.184.216.34', 'public', 'a plain address'],
  ['2606:2800:220:1:248:1893:25c8:1946', 'public', 'a plain v6 address'],
  ['127.0.0.1', 'loopback', 'loopback'],
  ['127.255.255.254', 'loopback', 'all of 127/8 is loopback'],
  ['::1', 'loopback', 'v6 loopback'],
  ['::ffff:127.0.0.1', 'loopback', 'loopback mapped into v6'],
  ['::ffff:7f00:1', 'loopback', 'the same in hexadecimal'],
  ['10.0.0.1', 'private', 'RFC 1918'],
  ['172.16.0.1', 'private', 'RFC 1918, first of 172.16/12'],
  ['172.31.255.255', 'private', 'RFC 1918, last of 172.16/12'],
  ['172.32.0.1', 'public', 'just behind 172.16/12'],
  ['172.15.255.255', 'public', 'just before 172.16/12'],
  ['192.168.1.1', 'private', 'RFC 1918'],
  ['::ffff:192.168.1.1', 'private', 'RFC 1918 mapped into v6'],
  ['100.64.0.1', 'private', 'carrier-grade NAT'],
  ['100.127.255.255', 'private', 'carrier-grade NAT, last'],
  ['100.128.0.1', 'public', 'just behind carrier-grade NAT'],
  ['fd00::1', 'private', 'unique local'],
  ['fc00::1', 'private', 'unique local'],
  ['169.254.169.254', 'never', 'link-local, where clouds keep credentials'],
  ['::ffff:169.254.169.254', 'never', 'the same mapped into v6'],
  ['fe80::1', 'never', 'v6 link-local'],
  ['fe80::1%eth0', 'never', 'v6 link-local with a zone'],
  ['fec0::1', 'never', 'old site-local'],
  ['0.0.0.0', 'never', 'this host'],
  ['::', 'never', 'unspecified'],
  ['224.0.0.1', 'never', 'multicast'],
  ['ff02::1', 'never', 'v6 multicast'],
  ['255.255.255.255', 'never', 'broadcast'],
  ['240.0.0.1', 'never', 'reserved'],
  ['198.18.0.1', 'never', 'benchmarking'],
  ['192.0.2.1', 'never', 'documentation'],
  ['2001:db8::1', 'never', 'v6 documentation'],
  ['64:ff9b::7f00:1', 'never', 'NAT64 of loopback'],
  ['2002:7f00:1::', 'never', '6to4 of loopback'],
  ['2001::1', 'never', 'Teredo'],
  ['::127.0.0.1', 'never', 'v4-compatible, long out of use'],
  ['not an address', 'never', 'no address at all'],
  ['127.1', 'never', 'a short form that some resolvers take'],
  ['0177.0.0.1', 'never', 'an octal form that some resolvers take'],
  ['', 'never', 'nothing'],
];

describe('the sort of an address', () => {
  it.each(cases)('%s is %s: %s', (address, want) => {
    expect(sortOf(address)).toBe(want);
  });

  it('is cluster within a named range, public as it may look', () => {
    const cluster = [rangeOf('34.118.224.0/20'), rangeOf('2606:4700::/32')];
    expect(sortOf('34.118.225.1', cluster)).toBe('cluster');
    expect(sortOf('::ffff:34.118.225.1', cluster)).toBe('cluster');
    expect(sortOf('2606:4700::1', cluster)).toBe('cluster');
    expect(sortOf('34.118.240.1', cluster)).toBe('public');
  });
});

describe('whether an address may be used', () => {
  const cluster = [rangeOf('34.118.224.0/20')];
  it.each([
    ['93.184.216.34', true, true],
    ['10.0.0.1', false, true],
    ['127.0.0.1', false, true],
    ['34.118.225.1', false, true],
    ['169.254.169.254', false, false],
    ['::ffff:169.254.169.254', false, false],
    ['224.0.0.1', false, false],
  ])('%s: %s in general, %s where the upstream may be private', (address, want, wantPrivate) => {
    expect(addressAllowed(address, { allowPrivate: false, cluster })).toBe(want);
    expect(addressAllowed(address, { allowPrivate: true, cluster })).toBe(wantPrivate);
  });
});

describe('a range', () => {
  it.each(['10.0.0.0', '10.0.0.0/33', '10.0.0/8', '::/129', 'x/8', '10.0.0.0/', '10.0.0.0/-1'])('%s is refused', (text) => {
    expect(() => rangeOf(text)).toThrow(/not an address range/);
  });
});
