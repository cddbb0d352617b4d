// Words, defaults and table of the chart's values belong together.

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { loadChart, README, readmeWith, rowsOf, valuesTable, type Schema } from '../../../charts/values-table.ts';

const { schema, values } = loadChart();

const objectsOf = (
  path: string,
  part: Schema & { readonly additionalProperties?: unknown },
): readonly { readonly path: string; readonly open: boolean }[] => [
  ...(part.properties === undefined ? [] : [{ path, open: part.additionalProperties !== false }]),
  ...Object.entries(part.properties ?? {}).flatMap(([name, child]) => objectsOf(`${path}.${name}`, child)),
  ...(part.items === undefined ? [] : objectsOf(`${path}[]`, part.items)),
];

describe("the chart's values", () => {
  it('have a description each', () => {
    expect(
      rowsOf(schema, values)
        .filter(({ schema: { description = '' } }) => !/\S+.*[.…?]$/.test(description))
        .map(({ path }) => path),
    ).toEqual([]);
  });

  it('have a default each, but for the entries of lists', () => {
    const bare = rowsOf(schema, values).filter(
      ({ path, value }) =>
        value === undefined && !path.includes('[]') && path !== 'global' && !/resources\.(requests|limits)$/.test(path),
    );
    expect(bare.map(({ path }) => path)).toEqual([]);
  });

  it('are strict: a misspelt one is refused', () => {
    expect(objectsOf('', schema).filter(({ open }) => open)).toEqual([]);
  });

  it('are in the README as they are (node charts/values-table.ts mends it)', () => {
    const readme = readFileSync(README, 'utf8');
    expect(readme).toBe(readmeWith(readme, valuesTable(schema, values)));
  });
});
