import { describe, expect, it } from 'vitest';
import { Cache } from '../../../kube/cache.ts';
import type { KubeObject, Stored } from '../../../kube/object.ts';
import { Overlay } from '../../../operator/state/overlay.ts';

interface Thing extends KubeObject {
  readonly phase?: string;
}

const OWNER = { apiVersion: 'v1', kind: 'Owner', name: 'o', uid: 'owner-1', controller: true };

const thing = (name: string, phase: string): Thing => ({
  apiVersion: 'v1',
  kind: 'Thing',
  metadata: { namespace: 'ns', name, ownerReferences: [OWNER] },
  phase,
});

const stored = (name: string, phase: string, version: number, uid = `uid-${name}`): Stored<Thing> => {
  const object = thing(name, phase);
  return { ...object, metadata: { ...object.metadata, uid, resourceVersion: String(version) } };
};

const byPhase = { phase: (object: Thing): readonly string[] => (object.phase === undefined ? [] : [object.phase]) };

const rigged = (...objects: Stored<Thing>[]) => {
  const time = { nowMs: 0 };
  const cache = new Cache<Thing>({ indexes: byPhase });
  cache.advance('10');
  cache.replace(objects);
  const overlay = new Overlay(cache, () => time.nowMs, byPhase);
  /** What the watch would do. */
  const show = (object: Stored<Thing>): void => {
    cache.advance(object.metadata.resourceVersion);
    cache.upsert(object);
  };
  return { time, cache, overlay, show };
};

const phases = (objects: Iterable<Thing>): readonly string[] =>
  [...objects].map((object) => `${object.metadata.name} ${object.phase}`).sort();

describe('the overlay of own writes', () => {
  it('shows a created object by key, owner and index at once, before the server knows it', () => {
    const { overlay } = rigged(stored('old', 'Running', 1));
    overlay.assume(thing('new', 'Queued'));
    expect(overlay.get('ns/new')).toMatchObject({ phase: 'Queued', metadata: { uid: '' } });
    expect(phases(overlay.ownedBy('owner-1'))).toEqual(['new Queued', 'old Running']);
    expect(phases(overlay.by('phase', 'Queued'))).toEqual(['new Queued']);
    expect(phases(overlay.values())).toEqual(['new Queued', 'old Running']);
  });

  it('shows a changed object in place of the cached one, in its new index entry only', () => {
    const { overlay } = rigged(stored('one', 'Queued', 1));
    overlay.assume(thing('one', 'Running'));
    expect(phases(overlay.by('phase', 'Queued'))).toEqual([]);
    expect(phases(overlay.by('phase', 'Running'))).toEqual(['one Running']);
    expect(overlay.byUid('uid-one')).toMatchObject({ phase: 'Running' });
  });

  it('hides a deleted object everywhere', () => {
    const { overlay } = rigged(stored('one', 'Running', 1));
    overlay.assumeDeleted('ns/one');
    expect([overlay.get('ns/one'), overlay.byUid('uid-one'), overlay.ownedBy('owner-1'), overlay.by('phase', 'Running')]).toEqual(
      [undefined, undefined, [], []],
    );
  });

  it('shows the cache again when the write failed', () => {
    const { overlay } = rigged(stored('one', 'Queued', 1));
    overlay.assume(thing('one', 'Running')).fail();
    overlay.assume(thing('two', 'Queued')).fail();
    overlay.assumeDeleted('ns/one').fail();
    expect(phases(overlay.values())).toEqual(['one Queued']);
    expect(overlay.size).toBe(0);
  });

  it('shows what somebody else wrote meanwhile: our write will be refused', () => {
    const { overlay, show } = rigged(stored('one', 'Queued', 1));
    overlay.assume(thing('one', 'Running'));
    show(stored('one', 'Succeeded', 7));
    expect(phases(overlay.values())).toEqual(['one Succeeded']);
  });

  it('keeps a confirmed write until the watch reaches its version, not a moment less', () => {
    const { overlay, show } = rigged(stored('one', 'Queued', 1));
    overlay.assume(thing('one', 'Running')).confirm(stored('one', 'Running', 20));
    show(stored('other', 'Queued', 15));
    expect(overlay.get('ns/one')).toMatchObject({ phase: 'Running' });
    show(stored('one', 'Running', 20));
    expect(overlay.size).toBe(0);
    expect(overlay.get('ns/one')).toMatchObject({ phase: 'Running' });
  });

  it('is cleared by a later version of anything: then the cache knows better, even that the object is gone', () => {
    const { overlay, show } = rigged();
    overlay.assume(thing('one', 'Running')).confirm(stored('one', 'Running', 20));
    expect(overlay.get('ns/one')).toBeDefined();
    show(stored('other', 'Queued', 21));
    expect(overlay.get('ns/one')).toBeUndefined();
  });

  it.each(['before', 'after'])(
    'tells of an object that came and went unseen, whose answer came %s the list without it',
    (when) => {
      const { cache, overlay } = rigged();
      const gone: string[] = [];
      overlay.onVanished(({ metadata }) => gone.push(metadata.name));
      const assumed = overlay.assume(thing('new', 'Queued'));
      if (when === 'before') assumed.confirm(stored('new', 'Queued', 20));
      cache.advance('30');
      cache.replace([]);
      if (when === 'after') assumed.confirm(stored('new', 'Queued', 20));
      expect(gone).toEqual(['new']);
      expect(overlay.get('ns/new')).toBeUndefined();
    },
  );

  it('tells of an object that was to be created and was not, but of no other that failed', () => {
    const { overlay } = rigged(stored('old', 'Running', 1));
    const fallen: string[] = [];
    overlay.onFallen(({ metadata }) => fallen.push(metadata.name));
    overlay.assume(thing('new', 'Queued')).fail();
    overlay.assume(thing('old', 'Done')).fail();
    overlay.assumeDeleted('ns/old').fail();
    expect(fallen).toEqual(['new']);
  });

  it('tells nothing of an object that the list or the watch shows', () => {
    const { cache, overlay, show } = rigged();
    const gone: string[] = [];
    overlay.onVanished(({ metadata }) => gone.push(metadata.name));
    overlay.assume(thing('listed', 'Queued')).confirm(stored('listed', 'Queued', 20));
    overlay.assume(thing('late', 'Queued')).confirm(stored('late', 'Queued', 40));
    cache.advance('30');
    cache.replace([stored('listed', 'Queued', 20)]);
    show(stored('late', 'Queued', 40));
    expect(gone).toEqual([]);
  });

  it('yields to a cache that has passed the state a write was made on and has no such object: it is gone', () => {
    const { cache, overlay, show } = rigged();
    overlay.assume(thing('one', 'Queued')).confirm(stored('one', 'Queued', 20));
    const assumed = overlay.assume(thing('one', 'Running'));
    show(stored('one', 'Queued', 20));
    cache.remove('ns/one');
    cache.advance('30');
    expect(overlay.get('ns/one')).toBeUndefined();
    assumed.fail();
    expect(overlay.get('ns/one')).toBeUndefined();
  });

  it('tells of an object that is gone when the write of it fails: others may have decided by it', () => {
    const { overlay } = rigged();
    const gone: string[] = [];
    overlay.onVanished(({ metadata }) => gone.push(metadata.name));
    overlay.assume(thing('one', 'Queued')).confirm(stored('one', 'Queued', 20));
    overlay.assume(thing('one', 'Running')).fail();
    expect(gone).toEqual(['one']);
  });

  it('tells of what was written and what is shown instead, when the watch was cut between: others decided by it', () => {
    const { overlay, show } = rigged(stored('one', 'Ready', 1));
    const skipped: string[] = [];
    overlay.onSkipped((written, shown) => skipped.push(`${written.phase} ${shown.phase}`));
    overlay.assume(thing('one', 'Unknown')).confirm(stored('one', 'Unknown', 20));
    overlay.assume(thing('one', 'Ready')).confirm(stored('one', 'Ready', 30));
    overlay.assume(thing('one', 'Done')).confirm(stored('one', 'Done', 40));
    show(stored('one', 'Ready', 30));
    expect(skipped).toEqual(['Unknown Ready']);
    show(stored('one', 'Done', 40));
    expect(skipped).toEqual(['Unknown Ready']);
  });

  it('tells nothing of writes that the watch shows one by one, before their answer or after it', () => {
    const { overlay, show } = rigged(stored('one', 'Ready', 1));
    const skipped: string[] = [];
    overlay.onSkipped(({ phase }) => skipped.push(phase ?? ''));
    overlay.assume(thing('one', 'Unknown')).confirm(stored('one', 'Unknown', 20));
    show(stored('one', 'Unknown', 20));
    const assumed = overlay.assume(thing('one', 'Ready'));
    show(stored('one', 'Ready', 30));
    assumed.confirm(stored('one', 'Ready', 30));
    show(stored('one', 'Done', 40));
    expect(skipped).toEqual([]);
  });

  it('yields to the watch that was faster than the answer to a create', () => {
    const { overlay, show } = rigged();
    const assumed = overlay.assume(thing('one', 'Queued'));
    show(stored('one', 'Running', 20));
    expect(overlay.get('ns/one')).toMatchObject({ phase: 'Running' });
    assumed.confirm(stored('one', 'Queued', 20));
    expect(overlay.get('ns/one')).toMatchObject({ phase: 'Running' });
  });

  it('yields when the object went, or came back as another one, while the write was under way', () => {
    const { overlay, cache, show } = rigged(stored('one', 'Queued', 1), stored('two', 'Queued', 2));
    overlay.assume(thing('one', 'Running'));
    overlay.assume(thing('two', 'Running'));
    cache.remove('ns/one');
    show(stored('two', 'Queued', 30, 'uid-two-again'));
    expect(phases(overlay.values())).toEqual(['two Queued']);
  });

  it('takes a change of an object that was created a moment ago and not shown yet', () => {
    const { overlay, show } = rigged();
    overlay.assume(thing('one', 'Queued')).confirm(stored('one', 'Queued', 20));
    const change = overlay.assume(thing('one', 'Running'));
    expect(overlay.get('ns/one')).toMatchObject({ phase: 'Running', metadata: { uid: 'uid-one' } });
    show(stored('one', 'Queued', 20));
    expect(overlay.get('ns/one')).toMatchObject({ phase: 'Running' });
    change.confirm(stored('one', 'Running', 25));
    show(stored('one', 'Running', 25));
    expect([overlay.size, overlay.get('ns/one')]).toEqual([0, expect.objectContaining({ phase: 'Running' })]);
  });

  it('lets a newer assumption stand when an older one ends', () => {
    const { overlay } = rigged(stored('one', 'Queued', 1));
    const older = overlay.assume(thing('one', 'Running'));
    overlay.assume(thing('one', 'Succeeded'));
    older.fail();
    expect(overlay.get('ns/one')).toMatchObject({ phase: 'Succeeded' });
    older.confirm(stored('one', 'Running', 12));
    expect(overlay.get('ns/one')).toMatchObject({ phase: 'Succeeded' });
  });

  it('forgets a deletion once the watch shows it, or shows a successor of the same name', () => {
    const { overlay, cache, show } = rigged(stored('one', 'Running', 1), stored('two', 'Running', 2));
    overlay.assumeDeleted('ns/one').confirm(undefined);
    overlay.assumeDeleted('ns/two').confirm(undefined);
    expect(phases(overlay.values())).toEqual([]);
    cache.remove('ns/one');
    show(stored('two', 'Queued', 30, 'uid-two-again'));
    expect(overlay.size).toBe(0);
    expect(phases(overlay.values())).toEqual(['two Queued']);
  });

  it('does not outlive a server that went back in time', () => {
    const { overlay, time } = rigged();
    overlay.assume(thing('one', 'Running')).confirm(stored('one', 'Running', 9_999));
    time.nowMs = 60_000;
    expect(overlay.size).toBe(1);
    time.nowMs = 60_001;
    expect(overlay.size).toBe(0);
  });
});
