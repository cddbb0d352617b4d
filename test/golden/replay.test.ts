// What a decision is made from can be printed, stored and decided again: every record that occurs in the scenarios of the golden logs
// is plain data, and read back from its JSON it leads to the same decision.

import { describe, expect, it } from 'vitest';
import type { Controller } from '../../controllers/contract.ts';
import { controllers } from '../../controllers/registry.ts';
import { scenarios } from '../simulation/scenarios.ts';
import { Simulation } from '../simulation/simulation.ts';

type Fields = Readonly<Record<string, unknown>>;

const readBack = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

/** As what toEqual compares: members that are undefined are as good as absent; a function, a Map or a Date is no plain data. */
const isEqual = (a: unknown, b: unknown): boolean => {
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return a === b;
  if (Object.getPrototypeOf(a) !== Object.getPrototypeOf(b)) return false;
  const names = new Set([...Object.keys(a), ...Object.keys(b)]);
  return [...names].every((key) => isEqual((a as Fields)[key], (b as Fields)[key]));
};

interface Replayed {
  records: number;
  /** Those of which the JSON says less than the record did, or which were decided otherwise. */
  readonly different: string[];
}

/** By kind. */
const replay = async (name: keyof typeof scenarios): Promise<ReadonlyMap<string, Replayed>> => {
  const replayed = new Map<string, Replayed>();
  const around = (controller: Controller<unknown, unknown>): Controller<unknown, unknown> => {
    const { kind } = controller;
    const found: Replayed = { records: 0, different: [] };
    replayed.set(kind, found);
    const decide = (seen: unknown, now: number) => {
      const decision = controller.decide(seen, now);
      const again = readBack(seen);
      found.records += 1;
      if (!isEqual(again, seen) || !isEqual(controller.decide(again, now), decision)) found.different.push(decision.why);
      return decision;
    };
    return { ...controller, decide };
  };
  await new Simulation(scenarios[name], undefined, controllers.map(around)).run();
  return replayed;
};

describe.each(Object.keys(scenarios) as (keyof typeof scenarios)[])('the records of the scenario %s', (name) => {
  it('are plain data and are decided again in the same way', async () => {
    const replayed = await replay(name);
    expect([...replayed].flatMap(([kind, { different }]) => different.map((why) => `${kind}: ${why}`))).toEqual([]);
    for (const kind of ['Story', 'Plan', 'Task', 'Council']) expect([kind, replayed.get(kind)?.records]).not.toEqual([kind, 0]);
  });
});
