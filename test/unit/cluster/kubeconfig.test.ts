// Kubeconfig files of an external cluster: which server, and acting as somebody else.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { impersonating, serverOf } from '../../cluster/kubeconfig.ts';

const directory = mkdtempSync(join(tmpdir(), 'swe-fleet-kubeconfig-'));

const kubeconfig = (name: string, changes: Readonly<Record<string, unknown>> = {}): string => {
  const path = join(directory, name);
  const content = {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'here',
    contexts: [
      { name: 'there', context: { cluster: 'far', user: 'guest' } },
      { name: 'here', context: { cluster: 'near', user: 'owner' } },
    ],
    clusters: [
      { name: 'far', cluster: { server: 'https://far:6443' } },
      { name: 'near', cluster: { server: 'https://near:6443', 'certificate-authority': 'ca.crt' } },
    ],
    users: [
      { name: 'guest', user: { token: 'guest' } },
      { name: 'owner', user: { 'client-certificate': 'pki/owner.crt', 'client-key': '/abs/owner.key' } },
    ],
    ...changes,
  };
  writeFileSync(path, stringify(content));
  return path;
};

describe('the server of a kubeconfig', () => {
  it('is that of the current context', () => expect(serverOf(kubeconfig('a'))).toBe('https://near:6443'));

  it.each([
    ['no current context', { 'current-context': 'gone' }, /has no current context/],
    ['a context without its cluster', { clusters: [] }, /names no server for cluster "near"/],
  ])('is missed when there is %s', (_, changes, message) => {
    expect(() => serverOf(kubeconfig('b', changes))).toThrow(message);
  });
});

describe('acting as somebody else', () => {
  it('changes the current user alone and keeps its files reachable', () => {
    const text = impersonating(kubeconfig('c'), 'alice', ['developers']);
    expect(parse(text)).toMatchObject({
      'current-context': 'here',
      clusters: [
        { cluster: { server: 'https://far:6443' } },
        { cluster: { 'certificate-authority': join(directory, 'ca.crt') } },
      ],
      users: [
        { name: 'guest', user: { token: 'guest' } },
        {
          name: 'owner',
          user: {
            'client-certificate': join(directory, 'pki/owner.crt'),
            'client-key': '/abs/owner.key',
            as: 'alice',
            'as-groups': ['developers'],
          },
        },
      ],
    });
    expect(parse(text)).not.toHaveProperty('users.0.user.as');
  });
});

afterAll(() => rmSync(directory, { recursive: true }));
