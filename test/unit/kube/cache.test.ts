import { describe, expect, it } from 'vitest';
import { Cache, type Change } from '../../../kube/cache.ts';
import {
  compareResourceVersions,
  ingest,
  keyOf,
  MalformedObject,
  refOf,
  type KubeObject,
  type Stored,
} from '../../../kube/object.ts';
import { pods } from '../../../kube/resources.ts';

interface Thing extends KubeObject {
  readonly colours?: readonly string[];
}

const thing = (
  name: string,
  version: number,
  more: { readonly uid?: string; readonly owner?: string; readonly colours?: readonly string[] } = {},
): Stored<Thing> => ({
  ...{ apiVersion: 'v1', kind: 'Thing' },
  metadata: {
    ...{ namespace: 'ns', name, uid: more.uid ?? `uid-${name}`, resourceVersion: String(version) },
    ...(more.owner !== undefined && { ownerReferences: [{ apiVersion: 'v1', kind: 'O', name: 'o', uid: more.owner }] }),
  },
  ...(more.colours !== undefined && { colours: more.colours }),
});

const rigged = (...objects: readonly Stored<Thing>[]) => {
  const problems: unknown[] = [];
  const cache = new Cache<Thing>({
    indexes: { colour: (object) => object.colours ?? [], brittle: (object) => [(object.colours as readonly string[]).join()] },
    onListenerError: (error) => problems.push(error),
  });
  for (const object of objects) cache.upsert(object);
  const log: string[] = [];
  const text = (change: Change<Thing>): string => {
    const old = change.type === 'added' ? '' : ` was ${change.old.metadata.resourceVersion}`;
    return change.type === 'deleted'
      ? `deleted ${change.old.metadata.uid}`
      : `${change.type} ${change.object.metadata.uid}${old}`;
  };
  cache.onChange((change) => log.push(text(change)));
  return { cache, log, problems };
};

const names = (objects: Iterable<KubeObject>): readonly string[] => [...objects].map((object) => object.metadata.name).sort();

describe('the cache', () => {
  it('finds an object by key, uid, owner and index', () => {
    const { cache } = rigged(
      thing('a', 1, { owner: 'o1', colours: ['red', 'blue'] }),
      thing('b', 2, { owner: 'o1', colours: ['red'] }),
    );
    expect(cache.get('ns/a')?.metadata.name).toBe('a');
    expect(cache.byUid('uid-b')?.metadata.name).toBe('b');
    expect([names(cache.ownedBy('o1')), names(cache.by('colour', 'red')), names(cache.by('colour', 'blue'))]).toEqual([
      ['a', 'b'],
      ['a', 'b'],
      ['a'],
    ]);
    expect([cache.get('ns/c'), cache.byUid('x'), cache.ownedBy('x'), cache.by('colour', 'green')]).toEqual([
      undefined,
      undefined,
      [],
      [],
    ]);
  });

  it('moves an object in its indexes when it changes, and out of them when it goes', () => {
    const { cache } = rigged(thing('a', 1, { owner: 'o1', colours: ['red'] }));
    cache.upsert(thing('a', 2, { owner: 'o2', colours: ['blue'] }));
    expect([names(cache.ownedBy('o1')), names(cache.ownedBy('o2')), names(cache.by('colour', 'red'))]).toEqual([[], ['a'], []]);
    cache.remove('ns/a');
    expect([cache.size, names(cache.ownedBy('o2')), cache.byUid('uid-a'), names(cache.by('colour', 'blue'))]).toEqual([
      0,
      [],
      undefined,
      [],
    ]);
  });

  it('tells of additions, changes and deletions with what was before', () => {
    const { cache, log } = rigged();
    cache.upsert(thing('a', 1));
    cache.upsert(thing('a', 2));
    cache.remove('ns/a');
    cache.remove('ns/a');
    expect(log).toEqual(['added uid-a', 'changed uid-a was 1', 'deleted uid-a']);
  });

  it('ignores what is older than what it has, or the same', () => {
    const { cache, log } = rigged(thing('a', 10));
    cache.upsert(thing('a', 9));
    cache.upsert(thing('a', 10));
    expect([log, cache.get('ns/a')?.metadata.resourceVersion]).toEqual([[], '10']);
  });

  it('tells of a successor of the same name as a deletion and an addition', () => {
    const { cache, log } = rigged(thing('a', 10));
    cache.upsert(thing('a', 11, { uid: 'other' }));
    expect(log).toEqual(['deleted uid-a', 'added other']);
    expect([cache.byUid('uid-a'), cache.byUid('other')?.metadata.name]).toEqual([undefined, 'a']);
  });

  it('does not drop a successor for the deletion of its predecessor', () => {
    const { cache } = rigged(thing('a', 11, { uid: 'other' }));
    cache.remove('ns/a', 'uid-a');
    expect(cache.size).toBe(1);
  });

  it('becomes what a list says, telling only of what differs', () => {
    const { cache, log } = rigged(thing('same', 1), thing('older', 5), thing('gone', 3), thing('replaced', 4));
    cache.replace([thing('same', 1), thing('older', 6), thing('replaced', 9, { uid: 'new' }), thing('fresh', 7)]);
    expect(log.toSorted()).toEqual([
      'added new',
      'added uid-fresh',
      'changed uid-older was 5',
      'deleted uid-gone',
      'deleted uid-replaced',
    ]);
    expect(names(cache.values())).toEqual(['fresh', 'older', 'replaced', 'same']);
  });

  it('takes an older version from a list: the server was restored', () => {
    const { cache, log } = rigged(thing('a', 10));
    cache.replace([thing('a', 3)]);
    expect([log, cache.get('ns/a')?.metadata.resourceVersion]).toEqual([['changed uid-a was 10'], '3']);
  });

  it('goes on when a listener or an index throws', () => {
    const { cache, log, problems } = rigged();
    cache.onChange(() => {
      throw new Error('a bug');
    });
    cache.upsert(thing('plain', 1)); // the index `brittle` cannot read it
    cache.upsert(thing('coloured', 2, { colours: ['red'] }));
    expect(log).toEqual(['added uid-plain', 'added uid-coloured']);
    expect([names(cache.values()), names(cache.by('brittle', 'red')), problems.length > 0]).toEqual([
      ['coloured', 'plain'],
      ['coloured'],
      true,
    ]);
  });

  it('stops telling who no longer listens', () => {
    const { cache, log } = rigged();
    const told: string[] = [];
    const off = cache.onChange(() => told.push('told'));
    cache.upsert(thing('a', 1));
    off();
    cache.upsert(thing('b', 2));
    expect([told.length, log.length]).toEqual([1, 2]);
  });

  it('refuses an index that nobody declared', () => {
    expect(() => rigged().cache.by('flavour', 'sweet')).toThrow('no index flavour');
  });
});

describe('what enters a cache', () => {
  const pod = (meta: object = {}) => ({
    metadata: { namespace: 'ns', name: 'p', uid: 'u', resourceVersion: '1', ...meta },
    spec: { deep: [{ x: 1 }] },
  });

  it('is frozen whole, named by its kind, and without what no reader needs', () => {
    const annotations = { 'kubectl.kubernetes.io/last-applied-configuration': 'long', keep: 'me' };
    const taken = ingest(pod({ managedFields: [{}], annotations }), pods);
    expect(taken).toEqual({ apiVersion: 'v1', kind: 'Pod', ...pod({ annotations: { keep: 'me' } }) });
    const { deep } = (taken as unknown as { readonly spec: { readonly deep: readonly object[] } }).spec;
    expect([Object.isFrozen(taken), Object.isFrozen(deep), Object.isFrozen(deep[0])]).toEqual([true, true, true]);
  });

  const nested = (levels: number): unknown => JSON.parse('['.repeat(levels) + ']'.repeat(levels));
  const malformed: readonly (readonly [string, unknown])[] = [
    ['nothing', undefined],
    ['a text', 'pod'],
    ['a list', []],
    ['no metadata', {}],
    ['no name', pod({ name: undefined })],
    ['an empty uid', pod({ uid: '' })],
    ['no resourceVersion', pod({ resourceVersion: 3 })],
    ['no namespace', pod({ namespace: undefined })],
    ['nesting without measure', { ...pod(), spec: nested(100_000) }],
  ];
  for (const [name, given] of malformed)
    it(`is refused: ${name}`, () => {
      expect(() => ingest(given, pods)).toThrow(MalformedObject);
    });

  it('has a key that leads back to it', () => {
    for (const ref of [{ namespace: 'ns', name: 'a' }, { name: 'a' }]) expect(refOf(keyOf(ref))).toEqual(ref);
  });

  it('has versions that are ordered as numbers of any length', () => {
    const ordered = ['1', '9', '10', '99', '100', '18446744073709551616'];
    expect([...ordered].reverse().sort(compareResourceVersions)).toEqual(ordered);
    expect(compareResourceVersions('7', '7')).toBe(0);
  });
});
