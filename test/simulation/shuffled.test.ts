// The same end in whatever order things happen: caches that are behind, requests that overlap, an operator that dies after any write.
// The guarantees are checked at every write of every run (invariants.ts). SIMULATION_RUNS=20 makes twenty times as many runs, and then
// every write of every scenario is followed by a crash.

import { beforeAll, describe, expect, it } from 'vitest';
import { endOf, type End } from './end.ts';
import { scenarios } from './scenarios.ts';
import { Simulation, type Disorder } from './simulation.ts';

const RUNS = Number(process.env['SIMULATION_RUNS'] ?? 1);
const ORDERS = 4 * RUNS;
/** In a short run a scenario is crashed after every n-th of its writes. */
const strideOf = (): number => (RUNS > 1 ? 1 : 8);

type Name = keyof typeof scenarios;

const run = async (name: Name, disorder?: Disorder): Promise<Simulation> => {
  const simulation = new Simulation(scenarios[name], disorder);
  await simulation.run().catch((error: unknown) => {
    throw new Error(`${name} ${JSON.stringify(disorder)}`, { cause: error });
  });
  return simulation;
};

const endsDiffer = async (name: Name, disorders: readonly Disorder[], expected: End): Promise<void> => {
  for (const disorder of disorders)
    expect({ disorder, end: endOf(await run(name, disorder)) }).toEqual({ disorder, end: expected });
};

describe.each(Object.keys(scenarios) as Name[])('the scenario %s', (name) => {
  let calm: Simulation;
  beforeAll(async () => {
    calm = await run(name);
  });

  it(`comes to the same end in ${ORDERS} shuffled orders, with stale caches`, { timeout: 30_000 * RUNS }, async () => {
    const disorders = Array.from({ length: ORDERS }, (_, index) => ({ seed: index + 1 }));
    await endsDiffer(name, disorders, endOf(calm));
  });

  it('comes to the same end after a crash that follows any write', { timeout: 30_000 * RUNS }, async () => {
    const writes = Array.from({ length: calm.writes }, (_, index) => index + 1);
    const chosen = writes.filter((write) => write % strideOf() === 0);
    const disorders = chosen.map((crashAfterWrite) => ({ seed: 1000 + crashAfterWrite, crashAfterWrite }));
    await endsDiffer(name, disorders, endOf(calm));
  });

  it('is quiet at its end: an operator that begins anew writes nothing', async () => {
    expect(await calm.restart()).toBe(0);
  });

  it('has exactly the commits of the tasks that succeeded', () => {
    const { tasks, commits } = endOf(calm);
    const succeeded = tasks
      .filter((task) => task.endsWith(': Succeeded'))
      .map((task) => task.replace(/^\d+\/|: Succeeded$/g, ''));
    expect(commits).toEqual(succeeded.sort());
  });
});
