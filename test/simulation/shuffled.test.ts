// The same end in whatever order things happen: caches that are behind, requests that overlap, an operator that dies after any write.
// The guarantees are checked at every write of every run (invariants.ts).

import { describe, expect, it } from 'vitest';
import { endOf } from './end.ts';
import { scenarios } from './scenarios.ts';
import { World } from './world.ts';

const SEEDS = 25;

const orderly = async (name: keyof typeof scenarios): Promise<World> => {
  const world = new World(scenarios[name]);
  await world.run();
  return world;
};

describe.each(Object.keys(scenarios) as (keyof typeof scenarios)[])('the scenario %s', (name) => {
  it(`comes to the same end in ${SEEDS} shuffled orders, with stale caches`, async () => {
    const expected = endOf(await orderly(name));
    for (let seed = 1; seed <= SEEDS; seed += 1) {
      const world = new World(scenarios[name], { seed });
      await world.run().catch((error: unknown) => {
        throw new Error(`seed ${seed}`, { cause: error });
      });
      expect({ seed, end: endOf(world) }).toEqual({ seed, end: expected });
    }
  });

  it('comes to the same end after a crash that follows any write', async () => {
    const calm = await orderly(name);
    const expected = endOf(calm);
    for (let crashAfterWrite = 1; crashAfterWrite <= calm.writes; crashAfterWrite += 1) {
      const world = new World(scenarios[name], { seed: 1000 + crashAfterWrite, crashAfterWrite });
      await world.run().catch((error: unknown) => {
        throw new Error(`crash after write ${crashAfterWrite}`, { cause: error });
      });
      expect({ crashAfterWrite, end: endOf(world) }).toEqual({ crashAfterWrite, end: expected });
    }
  });

  it('is settled at its end: looking at everything again writes nothing', async () => {
    const world = await orderly(name);
    expect(await world.settle()).toBe(0);
  });
});
