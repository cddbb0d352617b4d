// The node's own record of addresses: real files in a directory of the test's own.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AssignedAddresses, parseAssignment } from '../../cluster/enforcer/assigned-addresses.ts';

const result = (uid: string, ip: string, ifName = 'eth0'): string =>
  JSON.stringify({
    kind: 'cniCacheV1',
    ifName,
    cniArgs: [
      ['K8S_POD_NAME', 'x'],
      ['K8S_POD_UID', uid],
    ],
    result: { ips: [{ address: `${ip}/24` }] },
  });

describe('a CNI result', () => {
  it.each<[string, string, unknown]>([
    ['names a pod and its address', result('u', '10.244.0.5'), { uid: 'u', ip: '10.244.0.5' }],
    ['of the loopback link is nobody’s address', result('u', '127.0.0.1', 'lo'), undefined],
    ['half written says nothing yet', result('u', '10.244.0.5').slice(0, 40), undefined],
    ['without a pod is none', JSON.stringify({ ifName: 'eth0', result: { ips: [{ address: '10.244.0.5/24' }] } }), undefined],
    ['with IPv6 alone is none', result('u', 'fd00::5'), undefined],
  ])('%s', (_sentence, text, want) => {
    expect(parseAssignment(text)).toEqual(want);
  });
});

describe('the directory of results', () => {
  const place = { path: '' };
  beforeEach(() => {
    place.path = mkdtempSync(join(tmpdir(), 'cni-results-'));
  });
  afterEach(() => rmSync(place.path, { recursive: true }));

  it('is read at the start, and at each change', async () => {
    writeFileSync(join(place.path, 'box-1-eth0'), result('one', '10.244.0.2'));
    const seen: (readonly (readonly [string, string])[])[] = [];
    const step = { resolve: (): void => undefined };
    const addresses: AssignedAddresses = new AssignedAddresses(place.path, () => step.resolve());
    const change = (act: () => void): Promise<void> =>
      new Promise((resolve) => {
        step.resolve = resolve;
        act();
      });
    seen.push([...addresses.current]);
    await change(() => writeFileSync(join(place.path, 'box-2-eth0'), result('two', '10.244.0.3')));
    seen.push([...addresses.current]);
    await change(() => rmSync(join(place.path, 'box-1-eth0')));
    seen.push([...addresses.current]);
    addresses.close();
    expect(seen).toEqual([
      [['one', '10.244.0.2']],
      [
        ['one', '10.244.0.2'],
        ['two', '10.244.0.3'],
      ],
      [['two', '10.244.0.3']],
    ]);
  });
});
