// Which row of the platform's tables applies: what an object names, and the namespace it lives in -> a row, or why there is none.
import { describe, expect, it } from 'vitest';
import type { Upstream } from '../../../../crds/contracts/platform.ts';
import {
  egressUpstream,
  gitUpstream,
  imageProfileOf,
  modelUpstream,
  offersModel,
  type RowLookup,
} from '../../../../crds/rules/platform-rows.ts';
import { council, platform } from '../../../builders/objects.ts';

const row = (name: string, more: Partial<Upstream> = {}): Upstream => ({
  ...{ name, kind: 'model', scheme: 'https', host: `${name}.example`, prefix: '/', namespaces: ['*'] },
  ...{ credentials: false, ca: false, allowPrivate: false },
  ...more,
});

const said = (lookup: RowLookup<{ readonly name: string }>): string =>
  lookup.kind === 'unknown' ? 'unknown' : `${lookup.kind} ${lookup.row.name}`;

describe('the upstream of a model endpoint', () => {
  const table = [row('gpu', { namespaces: ['shop'] }), row('all'), row('git', { kind: 'git' })];
  it.each([
    { given: 'a row for every namespace', endpoint: 'all', namespace: 'any', want: 'found all' },
    { given: 'a row for this namespace', endpoint: 'gpu', namespace: 'shop', want: 'found gpu' },
    { given: 'a row for others', endpoint: 'gpu', namespace: 'shopping', want: 'notForNamespace gpu' },
    { given: 'a row of another kind', endpoint: 'git', namespace: 'shop', want: 'unknown' },
    { given: 'no row', endpoint: 'tpu', namespace: 'shop', want: 'unknown' },
  ])('$given: $want', ({ endpoint, namespace, want }) => expect(said(modelUpstream(endpoint, namespace, table))).toBe(want));

  it.each([
    { given: 'no list', models: undefined, want: true },
    { given: 'a list with it', models: ['a', 'b'], want: true },
    { given: 'a list without it', models: ['a'], want: false },
  ])('with $given the platform offers model b: $want', ({ models, want }) => {
    expect(offersModel(row('gpu', models === undefined ? {} : { models }), 'b')).toBe(want);
  });
});

describe('the upstream of a repository', () => {
  const git = (name: string, prefix: string, namespaces: readonly string[]): Upstream =>
    row(name, { kind: 'git', host: 'Git.example', prefix, namespaces });
  const table = [git('all', '/', ['*']), git('shop', '/shop', ['shop']), git('deep', '/shop/deep/', ['ops'])];
  it.each([
    { given: 'the longest prefix', path: 'shop/app', namespace: 'shop', want: 'found shop' },
    { given: 'a longer prefix for others', path: 'shop/deep/app', namespace: 'shop', want: 'found shop' },
    { given: 'its own longer prefix', path: 'shop/deep/app', namespace: 'ops', want: 'found deep' },
    { given: 'half of a segment', path: 'shopping/app', namespace: 'shop', want: 'found all' },
  ])('with $given: $want', ({ path, namespace, want }) => {
    const place = { scheme: 'https', host: 'git.example:443', segments: path.split('/') } as const;
    expect(said(gitUpstream(place, namespace, table))).toBe(want);
  });

  it('is unknown by another scheme or port, and not for a namespace that no row serves', () => {
    const place = { scheme: 'https', host: 'git.example', segments: ['shop', 'app'] } as const;
    expect(said(gitUpstream({ ...place, scheme: 'http' }, 'shop', table))).toBe('unknown');
    expect(said(gitUpstream({ ...place, host: 'git.example:80' }, 'shop', table))).toBe('unknown');
    expect(said(gitUpstream(place, 'ops', table.slice(1)))).toBe('notForNamespace shop');
  });
});

describe('the upstream of an egress target', () => {
  const table = [
    row('npm', { kind: 'egress', host: 'NPM.example' }),
    row('odd', { kind: 'egress', host: 'odd.example:8443', namespaces: ['shop'] }),
    row('plain', { kind: 'egress', scheme: 'http', host: 'plain.example', allowPrivate: true }),
  ];
  it.each([
    { host: 'npm.example', port: 443, want: 'found npm' },
    { host: 'npm.example', port: 80, want: 'unknown' },
    { host: 'odd.example', port: 8443, want: 'notForNamespace odd' },
    { host: 'odd.example', port: 443, want: 'unknown' },
    { host: 'plain.example', port: 80, want: 'found plain' },
    { host: 'x.npm.example', port: 443, want: 'unknown' },
  ])('$host:$port: $want', ({ host, port, want }) => {
    expect(said(egressUpstream({ host, port }, 'ops', table))).toBe(want);
  });
});

describe("the image profile of a Council's workspaces", () => {
  const profiles = (namespaces: readonly string[]) =>
    platform({ imageProfiles: [{ name: 'node', image: 'node:1', namespaces }] });
  it.each([
    { given: 'serves its namespace', config: profiles(['shop']), want: 'found node' },
    { given: 'serves others', config: profiles(['ops']), want: 'notForNamespace node' },
    { given: 'is not there', config: platform({ imageProfiles: [] }), want: 'unknown' },
  ])('$given: $want', ({ config, want }) => expect(said(imageProfileOf(council(), config))).toBe(want));
});
