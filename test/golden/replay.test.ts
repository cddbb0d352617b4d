// What a decision is made from can be printed, stored and decided again: every record that occurs in the scenarios of the golden logs
// is plain data, and read back from its JSON it leads to the same decision. `TaskSeen.rivals` is the one exception (LazyRivals in
// controllers/task/seen.ts): it is carried over as the function that it is, and what it gives has to be plain data too.

import { describe, expect, it } from 'vitest';
import type { Controller } from '../../controllers/contract.ts';
import { controllers } from '../../controllers/registry.ts';
import { scenarios } from '../simulation/scenarios.ts';
import { World } from '../simulation/world.ts';

type Fields = Readonly<Record<string, unknown>>;

const EXCEPTIONS: Readonly<Record<string, readonly string[]>> = { Task: ['rivals'] };

const isException = (kind: string, name: string): boolean => EXCEPTIONS[kind]?.includes(name) === true;
const pick = (seen: Fields, wanted: (name: string) => boolean): Fields =>
  Object.fromEntries(Object.entries(seen).filter(([name]) => wanted(name)));
const readBack = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

/** The exceptions as they are, but giving what can be read back. */
const lazily = (seen: Fields): Fields =>
  Object.fromEntries(Object.entries(seen).map(([name, look]) => [name, () => readBack((look as () => unknown)())]));

interface Replayed {
  readonly records: number;
  /** Those of which the JSON says less than the record did, or which were decided otherwise. */
  readonly different: readonly string[];
}

const replay = async (name: keyof typeof scenarios, kind: string): Promise<Replayed> => {
  const different: string[] = [];
  let records = 0;
  const around = (controller: Controller<unknown, unknown>): Controller<unknown, unknown> => ({
    ...controller,
    decide: (seen, now) => {
      const decision = controller.decide(seen, now);
      if (controller.kind !== kind) return decision;
      records += 1;
      const plain = pick(seen as Fields, (field) => !isException(kind, field));
      const again = readBack(plain);
      const decided = controller.decide(
        { ...(again as Fields), ...lazily(pick(seen as Fields, (field) => isException(kind, field))) },
        now,
      );
      try {
        expect(again).toEqual(plain);
        expect(decided).toEqual(decision);
      } catch (error) {
        different.push(`${decision.why}: ${String(error)}`);
      }
      return decision;
    },
  });
  await new World(scenarios[name], undefined, controllers.map(around)).run();
  return { records, different };
};

describe.each(Object.keys(scenarios) as (keyof typeof scenarios)[])('the records of the scenario %s', (name) => {
  it.each(['Story', 'Plan', 'Task', 'Council'])(
    'of kind %s are plain data and are decided again in the same way',
    async (kind) => {
      const { records, different } = await replay(name, kind);
      expect(different).toEqual([]);
      expect(records).toBeGreaterThan(0);
    },
  );
});
