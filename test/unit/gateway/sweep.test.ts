import { describe, expect, it } from 'vitest';
import { LEAVINGS } from '../../../crds/contracts/leavings.ts';
import { artifactSubject, attemptAccount, endpointAccount, storyAccount } from '../../../crds/contracts/commands.ts';
import { sweptCluster } from '../../../gateway/sweep/cluster-sight.ts';
import { Sweep, type Sight } from '../../../gateway/sweep/sweep.ts';
import { StoreUnavailable } from '../../../runtime/bus/errors.ts';
import { handClock } from '../runtime/hand-clock.ts';
import { recordedLog } from '../runtime/recorded-log.ts';

const HOUR_MS = 3_600_000;

const rigged = (kept: readonly string[], living: readonly string[]) => {
  const state = { kept: new Set(kept), living: new Set(living), sight: 'certain' as Sight, down: false };
  const clock = handClock();
  const log = recordedLog();
  const purged: string[] = [];
  const sweep = new Sweep({
    ...{ clock, log },
    store: {
      uids: async () => {
        if (state.down) throw new StoreUnavailable('down');
        return new Set(state.kept);
      },
      purge: async (uid) => {
        purged.push(uid);
        state.kept.delete(uid);
      },
    },
    cluster: { exists: (uid) => state.living.has(uid), sight: () => state.sight },
  });
  const stop = new AbortController();
  const running = sweep.run(stop.signal);
  return {
    ...{ state, purged, log },
    hours: (n: number) => clock.advance(n * HOUR_MS),
    end: async () => {
      stop.abort();
      await running;
    },
  };
};

describe('what is kept for an object that is gone', () => {
  it('goes after the object was missing for hours, and nothing else does', async () => {
    const { hours, purged, end } = rigged(['gone', 'here'], ['here']);
    await hours(6);
    expect(purged).toEqual([]);
    await hours(2);
    expect(purged).toEqual(['gone']);
    await hours(48);
    expect(purged).toEqual(['gone']);
    await end();
  });

  it('stays when the object is seen again, and its hours begin anew', async () => {
    const { state, hours, purged, end } = rigged(['back'], ['other']);
    await hours(5);
    state.living.add('back');
    await hours(1);
    state.living.delete('back');
    await hours(5);
    expect(purged).toEqual([]);
    await hours(3);
    expect(purged).toEqual(['back']);
    await end();
  });

  it('stays while the cluster is not seen well, however long that lasts', async () => {
    const { state, hours, purged, end } = rigged(['one'], []);
    state.sight = 'blind';
    await hours(100);
    expect(purged).toEqual([]);
    state.sight = 'certain';
    await hours(6);
    expect(purged).toEqual([]);
    await hours(2);
    expect(purged).toEqual(['one']);
    await end();
  });

  it('stays when the API server comes back empty or restored, and what was missing before counts no more', async () => {
    const { state, hours, purged, end } = rigged(['one'], []);
    await hours(5);
    state.sight = 'another';
    await hours(1);
    state.sight = 'certain';
    await hours(5);
    expect(purged).toEqual([]);
    await end();
  });

  it('is looked for again after a store that was away', async () => {
    const { state, hours, purged, log, end } = rigged(['gone'], []);
    state.down = true;
    await hours(3);
    state.down = false;
    await hours(8);
    expect(purged).toEqual(['gone']);
    expect(log.lines.filter(({ level }) => level === 'warn').length).toBeGreaterThan(0);
    await end();
  });
});

describe('whose a subject is', () => {
  const uidOf = (subject: string): readonly (string | undefined)[] => LEAVINGS.map((each) => each.uidOf(subject));
  const cases: readonly (readonly [string, string | undefined])[] = [
    [artifactSubject('uid-1', `sha256:${'a'.repeat(64)}`), 'uid-1'],
    [`$KV.fleet-ledger.${storyAccount('uid-2')}`, 'uid-2'],
    [`$KV.fleet-ledger.${attemptAccount('uid-3', 4)}`, 'uid-3'],
    [`$KV.fleet-ledger.${endpointAccount('vllm', 'uid-5')}`, 'uid-5'],
    [`$KV.fleet-ledger.${endpointAccount('vllm')}`, undefined],
    ['$KV.fleet-cursor.uid-6', 'uid-6'],
    ['fleet.artifact.*.x', undefined],
  ];
  for (const [subject, want] of cases)
    it(`${subject} is ${want === undefined ? 'nobody’s' : `that of ${want}`}`, () => {
      expect(uidOf(subject).find((uid) => uid !== undefined)).toBe(want);
      for (const { subjectsOf } of LEAVINGS) for (const each of subjectsOf(want ?? 'x')) expect(each).not.toContain('>');
    });
});

describe('what is seen', () => {
  const rig = () => {
    const state = { versions: ['100', '90'], stories: 1, unsynced: [] as string[], broken: [] as string[] };
    const view = {
      exists: () => false,
      versions: () => state.versions,
      stories: {
        get size() {
          return state.stories;
        },
      },
    };
    const cluster = sweptCluster(view, { notSynced: () => state.unsynced, broken: () => state.broken });
    return { state, sight: () => cluster.sight() };
  };

  it('is certain while all lists and watches stand, whatever goes on', () => {
    const { state, sight } = rig();
    expect(sight()).toBe('certain');
    state.versions = ['1000', '90'];
    expect(sight()).toBe('certain');
  });

  it('proves nothing before the first lists, nor while one of them is broken', () => {
    const { state, sight } = rig();
    state.unsynced = ['tasks'];
    expect(sight()).toBe('blind');
    Object.assign(state, { unsynced: [], broken: ['stories'] });
    expect(sight()).toBe('blind');
  });

  it('is another cluster when there is no Story, and when the server is older than it was', () => {
    const { state, sight } = rig();
    state.stories = 0;
    expect(sight()).toBe('another');
    state.stories = 1;
    expect(sight()).toBe('certain');
    state.versions = ['99', '90'];
    expect(sight()).toBe('another');
    expect(sight()).toBe('certain');
  });
});
