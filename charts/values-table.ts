// The table of values in the chart's README, made from values.schema.json (words) and values.yaml (defaults).
//   node charts/values-table.ts    writes it into the README; a test compares the two
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';

const chart = join(import.meta.dirname, 'swe-fleet');
export const README = join(chart, 'README.md');
const BEGIN = '<!-- values -->\n';
const END = '<!-- /values -->\n';

export interface Schema {
  readonly type?: string | readonly string[];
  readonly description?: string;
  readonly enum?: readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
}

export interface Row {
  readonly path: string;
  readonly schema: Schema;
  /** undefined: a field of a list's entry, or Helm's own. */
  readonly value: unknown;
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Every value that can be set, in the schema's order; the entries of lists as `list[].field`. */
export const rowsOf = (schema: Schema, value: unknown, path = ''): readonly Row[] => {
  const { properties, items } = schema;
  if (properties !== undefined)
    return Object.entries(properties).flatMap(([name, child]) =>
      rowsOf(child, isRecord(value) ? value[name] : undefined, path === '' ? name : `${path}.${name}`),
    );
  const self: Row = { path, schema, value };
  return items?.properties === undefined ? [self] : [self, ...rowsOf(items, undefined, `${path}[]`)];
};

const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('\n', ' ');

const defaultOf = (value: unknown): string => {
  if (value === undefined) return '';
  const text = JSON.stringify(value);
  return text.length > 60 ? 'see values.yaml' : `\`${text}\``;
};

export const loadChart = (): { readonly schema: Schema; readonly values: unknown } => ({
  schema: JSON.parse(readFileSync(join(chart, 'values.schema.json'), 'utf8')) as Schema,
  values: parse(readFileSync(join(chart, 'values.yaml'), 'utf8')) as unknown,
});

export const valuesTable = (schema: Schema, values: unknown): string => {
  const rows = rowsOf(schema, values).filter(({ path }) => path !== 'global');
  const lines = rows.map(({ path, schema: { description = '', enum: words }, value }) => {
    const choice = words === undefined ? '' : ` (${words.join(', ')})`;
    return `| \`${path}\` | ${cell(description + choice)} | ${cell(defaultOf(value))} |`;
  });
  return ['| Value | What it is | Default |', '| --- | --- | --- |', ...lines, ''].join('\n');
};

/** The README with a fresh table between its marks. */
export const readmeWith = (readme: string, table: string): string => {
  const [begin, end] = [readme.indexOf(BEGIN), readme.indexOf(END)];
  if (begin < 0 || end < begin) throw new Error(`${README} lacks its marks ${BEGIN.trim()} and ${END.trim()}`);
  return `${readme.slice(0, begin + BEGIN.length)}\n${table}\n${readme.slice(end)}`;
};

if (import.meta.main) {
  const { schema, values } = loadChart();
  writeFileSync(README, readmeWith(readFileSync(README, 'utf8'), valuesTable(schema, values)));
}
