// The index of places against the plain way to find them out: forming the one line of all Tasks anew for each question.

import { describe, expect, it } from 'vitest';
import { byPrecedence, claimOf, withoutPlace, type Claim, type Standing } from '../../../controllers/task/capacity.ts';
import { scopesOverlap } from '../../../controllers/task/file-scope.ts';
import type { PlatformConfig } from '../../../crds/contracts/platform.ts';
import type { TaskCore } from '../../../controllers/task/seen.ts';
import { Places } from '../../../operator/state/places.ts';
import { at, attempt, DIGEST, NOW, platform, story, storyStatus, task, work } from '../../builders/objects.ts';
import { taskSeen } from '../../builders/seen.ts';
import { job, workspaces } from '../../builders/workspaces.ts';
import { Random } from '../../simulation/random.ts';

const form = task(work('form'));

interface Capacity {
  readonly workspaces: number;
  readonly perNamespace: number;
  readonly perStory: number;
}

const ONE = platform({ capacity: { workspaces: 1, perNamespace: 9, perStory: 9 } });

const isHolding = ({ standing }: Claim): boolean => standing === 'placed' || standing === 'parked';
const isOfStory = (a: Claim, b: Claim): boolean => a.storyUid === b.storyUid;
const collide = (a: Claim, b: Claim): boolean => isOfStory(a, b) && scopesOverlap(a.fileScope, b.fileScope);

/**
 * Whether `me` may start, or what keeps it: one place after the other is given to whoever comes first, by priority, then to the Story that
 * has the fewest, until it is its own turn.
 */
const naively = (me: Claim, others: readonly Claim[], { workspaces: all, perNamespace, perStory }: Capacity): string => {
  const holding = others.filter(isHolding);
  const placed = others.filter(({ standing }) => standing === 'placed');
  const ofStory = (claim: Claim): number => placed.filter((other) => isOfStory(claim, other)).length;
  const why = (claim: Claim): string => {
    if (holding.some((other) => collide(claim, other))) return 'ScopeOverlap';
    if (placed.length >= all) return 'ClusterFull';
    if (placed.filter(({ namespace }) => namespace === claim.namespace).length >= perNamespace) return 'NamespaceFull';
    return ofStory(claim) >= perStory ? 'StoryFull' : 'free';
  };
  const isBefore = (a: Claim, b: Claim): boolean =>
    (b.storyPriority - a.storyPriority || b.priority - a.priority || ofStory(a) - ofStory(b) || byPrecedence(a, b)) < 0;
  for (;;) {
    const free = others.filter((other) => other.standing === 'ready' && !placed.includes(other) && why(other) === 'free');
    // of each Story its first, whatever its turn
    const firsts = free.filter((one) => !free.some((other) => isOfStory(one, other) && byPrecedence(other, one) < 0));
    const [best] = firsts.sort((a, b) => (isBefore(a, b) ? -1 : 1));
    if (best === undefined || isBefore(me, best)) return why(me);
    placed.push(best);
    holding.push(best);
  }
};

const FOLDERS = ['docs', 'test', 'lib', 'web', 'api', 'ui', 'db'].map((folder) => [`${folder}/**`]);
const SCOPES: readonly (readonly string[])[] = [[], ['src/**'], ['src/form/**'], ['src/form/x.ts'], ...FOLDERS, ...FOLDERS];
const STANDINGS: readonly Standing[] = ['placed', 'parked', 'ready', 'ready', 'ready', 'waiting'];

const randomClaim = (random: Random, n: number): Claim => {
  const storyN = random.below(5);
  return {
    namespace: `ns-${storyN % 2}`,
    name: `task-${n}`,
    storyUid: `story-${storyN}`,
    standing: random.pick(STANDINGS),
    storyPriority: storyN % 2,
    priority: random.chance(0.2) ? 1 : 0,
    born: at(random.below(4)),
    fileScope: random.pick(SCOPES),
  };
};

const keyOf = ({ namespace, name }: Claim): string => `${namespace}/${name}`;

const kept = (capacity: Capacity) => {
  const claims = new Map<string, Claim>();
  const at = (key: string): Claim | undefined => claims.get(key);
  const of = ({ task: { metadata } }: Pick<TaskCore, 'task'>): Claim | undefined => at(`${metadata.namespace}/${metadata.name}`);
  let asked = 0;
  const places = new Places({ capacity, makeClaims: () => ({ at, of }), onTouched: () => (asked += 1) });
  /** As a Task of that key sees it. */
  const place = (key: string) => {
    const [namespace = '', name = ''] = key.split('/');
    return places.place({ ...taskSeen(form), task: { ...form, metadata: { ...form.metadata, namespace, name } } });
  };
  const put = (claim: Claim): void => {
    claims.set(keyOf(claim), claim);
    places.touch(keyOf(claim));
  };
  const drop = (key: string): void => {
    claims.delete(key);
    places.touch(key);
  };
  return { claims, places, place, put, drop, asked: () => asked };
};

/** What the index says of the Task of that key, where it is not what the plain way finds. */
const differing = (
  key: string,
  me: Claim,
  { claims, place, of }: Pick<ReturnType<typeof kept>, 'claims' | 'place'> & { readonly of: PlatformConfig },
): readonly string[] => {
  if (isHolding(me)) return [];
  const found = withoutPlace(place(key), of)?.reason ?? 'free';
  const others = [...claims.values()].filter((other) => other !== me);
  const wanted = naively(me, others, of.capacity);
  return found === wanted ? [] : [`${key}: ${found}, not ${wanted}`];
};

describe('places', () => {
  it('are what the plain way finds, after any changes', () => {
    const different: unknown[] = [];
    let asked = 0;
    for (let seed = 1; seed <= 40; seed += 1) {
      const random = new Random(seed);
      const capacity = { workspaces: 1 + random.below(8), perNamespace: 1 + random.below(5), perStory: 1 + random.below(4) };
      const of = platform({ capacity });
      const { claims, place, put, drop } = kept(capacity);
      for (let step = 0; step < 40; step += 1) {
        const known = [...claims.keys()];
        if (known.length > 12 && random.chance(0.4)) drop(random.pick(known));
        else put(randomClaim(random, random.below(25)));
        if (random.chance(0.6)) continue;
        asked += claims.size;
        different.push(...[...claims].flatMap(([key, me]) => differing(key, me, { claims, place, of })));
      }
    }
    expect(different).toEqual([]);
    expect(asked).toBeGreaterThan(1_000);
  });

  const claim = (name: string, more: Partial<Claim> = {}): Claim => ({
    ...{ namespace: 'shop', name, storyUid: 'story-1', standing: 'ready', storyPriority: 0, priority: 0, born: at() },
    fileScope: [`${name}/**`],
    ...more,
  });

  it('tell who is next when a place is freed, and nobody else', () => {
    const { places, put } = kept({ workspaces: 1, perNamespace: 1, perStory: 1 });
    put(claim('a', { standing: 'placed' }));
    for (const name of ['b', 'c', 'd']) put(claim(name));
    expect(places.next()).toEqual([]);
    put(claim('a', { standing: 'waiting' }));
    expect(places.next()).toEqual(['shop/b']);
    expect(places.next()).toEqual([]);
  });

  it('judge in slices what many Tasks hang on, and ask to be asked again until all are judged', () => {
    const { claims, places, asked } = kept({ workspaces: 999, perNamespace: 999, perStory: 999 });
    for (let n = 0; n < 300; n += 1) {
      claims.set(`shop/t${n}`, claim(`t${n}`));
      places.touchLater(`shop/t${n}`);
    }
    const told = places.next();
    expect(told.length).toBeLessThan(300);
    const before = asked();
    expect([...told, ...places.next()]).toHaveLength(300);
    expect([before, asked()]).toEqual([301, 301]);
  });

  it('go to the Story that has the fewest, and not all to the one that is older', () => {
    const { places, put } = kept({ workspaces: 4, perNamespace: 9, perStory: 9 });
    for (const name of ['a', 'b', 'c', 'd']) put(claim(name));
    for (const name of ['x', 'y', 'z']) put(claim(name, { storyUid: 'story-2', born: at(60) }));
    expect(places.next()).toEqual(['shop/a', 'shop/x', 'shop/b', 'shop/y']);
    put(claim('a', { standing: 'placed' }));
    put(claim('b', { standing: 'placed' }));
    expect(places.next()).toEqual([]);
    put(claim('x', { standing: 'waiting' }));
    expect(places.next()).toEqual(['shop/z']);
  });

  it('go to a Task of higher priority, however many its Story has', () => {
    const { places, put } = kept({ workspaces: 3, perNamespace: 9, perStory: 9 });
    put(claim('a', { standing: 'placed' }));
    put(claim('b', { priority: 1 }));
    put(claim('x', { storyUid: 'story-2' }));
    put(claim('y', { storyUid: 'story-3', storyPriority: -1 }));
    expect(places.next()).toEqual(['shop/b', 'shop/x']);
  });

  it('tell those whose overlap with a Task has ended', () => {
    const { places, put, drop } = kept({ workspaces: 9, perNamespace: 9, perStory: 9 });
    put(claim('a', { standing: 'parked', fileScope: [] }));
    for (const name of ['b', 'c']) put(claim(name));
    expect(places.next()).toEqual([]);
    drop('shop/a');
    expect(places.next()).toEqual(['shop/b', 'shop/c']);
  });

  it('tell one again who looked when its place was taken, as soon as it is free once more', () => {
    const { places, place, put } = kept({ workspaces: 1, perNamespace: 9, perStory: 9 });
    put(claim('b'));
    expect(places.next()).toEqual(['shop/b']);
    put(claim('a', { standing: 'placed' }));
    expect(withoutPlace(place('shop/b'), ONE)?.reason).toBe('ClusterFull');
    put(claim('a', { standing: 'waiting' }));
    expect(places.next()).toEqual(['shop/b']);
  });

  it('never go to two at once: who starts has its place before anybody else looks', () => {
    const { place, put } = kept({ workspaces: 1, perNamespace: 9, perStory: 9 });
    for (const name of ['a', 'b']) put(claim(name));
    const isFree = (key: string): boolean => withoutPlace(place(key), ONE) === undefined;
    expect([isFree('shop/a'), isFree('shop/b')]).toEqual([true, false]);
    put(claim('a', { standing: 'placed' }));
    expect(isFree('shop/b')).toBe(false);
  });
});

const judging = { platform: platform(), storeAvailable: true, gatewayKnown: true, now: NOW, isBarred: false, isUnsure: false };
const atWork = task(work('form'), { phase: 'Running', attempts: [attempt(1)] });
const delivered = task(work('form'), { phase: 'Integrating', attempts: [attempt(1, { patch: DIGEST, evidence: DIGEST })] });
const suspended = story({ suspend: true }, storyStatus());

describe('the claim of a Task', () => {
  const standings: readonly (readonly [string, Parameters<typeof claimOf>, Standing | undefined])[] = [
    ['that nothing holds up: ready', [taskSeen(form), judging], 'ready'],
    [
      'whose dependency is open: waiting',
      [taskSeen(task(work('form', { dependsOn: ['a'] })), {}, [work('a')]), judging],
      'waiting',
    ],
    ['whose Job was refused a while ago: waiting', [taskSeen(form), { ...judging, isBarred: true }], 'waiting'],
    ['with an attempt at work: placed', [taskSeen(atWork, workspaces([job(atWork)])), judging], 'placed'],
    ['whose Job is only asked for: placed', [taskSeen(form, workspaces([job(form)])), judging], 'placed'],
    ['with a patch that waits for its turn: placed', [taskSeen(delivered), judging], 'placed'],
    ['with a patch that cannot go on: parked', [taskSeen(delivered, { story: suspended }), judging], 'parked'],
    ['whose Job may have been made: placed', [taskSeen(form), { ...judging, isUnsure: true }], 'placed'],
    ['with a patch whose courier was refused: parked', [taskSeen(delivered), { ...judging, isBarred: true }], 'parked'],
    ['that is finished: none', [taskSeen(task(work('form'), { phase: 'Failed' })), judging], undefined],
  ];
  it.each(standings)('%s', (_, given, want) => {
    expect(claimOf(...given)?.standing).toBe(want);
  });

  it('is ordered by the Story, then by the Task', () => {
    const of = story({ priority: 7 }, storyStatus());
    const claim = claimOf(taskSeen(task(work('form'), undefined, { priority: 3 }), { story: of }), judging);
    expect(claim).toMatchObject({ storyPriority: 7, priority: 3, born: at(), name: 'login-form' });
  });
});
