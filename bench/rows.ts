// What the bench says: one row a figure. Each benchmark declares its rows beforehand, so that one that could not be measured is said to be so.
// Pure.

import { rounded } from './statistics.ts';

export interface Goal {
  readonly name: string;
  readonly unit: string;
  /** The most it may be (`≤`), or the least (`≥`); absent: listed for comparison. */
  readonly goal?: `${'≤' | '≥'} ${number}`;
}

export interface Row {
  readonly name: string;
  /** null: not measured. */
  readonly value: number | null;
  readonly unit: string;
  readonly goal: string | null;
  /** null: it has no goal. What was not measured has not met it. */
  readonly met: boolean | null;
  /** Why it was not measured, or what it was measured on. */
  readonly note?: string;
}

/** A figure with what must be known to read it, such as how many samples there were. */
export type Figure = number | { readonly value: number; readonly note: string };
export type Figures = Readonly<Record<string, Figure>>;

export const meets = (value: number, goal: NonNullable<Goal['goal']>): boolean => {
  const limit = Number(goal.slice(2));
  return goal.startsWith('≤') ? value <= limit : value >= limit;
};

/** One row for each that was declared, in that order. @throws for a figure that nobody declared */
export const rowsOf = (declared: readonly Goal[], figures: Figures, failure?: string): readonly Row[] => {
  const undeclared = Object.keys(figures).find((name) => !declared.some((each) => each.name === name));
  if (undeclared !== undefined) throw new Error(`no row is declared for "${undeclared}"`);
  return declared.map(({ name, unit, goal }) => {
    const figure = figures[name];
    const common = { name, unit, goal: goal ?? null };
    const value = typeof figure === 'object' ? figure.value : figure;
    if (value === undefined || !Number.isFinite(value))
      return { ...common, value: null, met: goal === undefined ? null : false, note: failure ?? 'it was not measured' };
    const note = typeof figure === 'object' ? { note: figure.note } : {};
    return { ...common, value: rounded(value), met: goal === undefined ? null : meets(value, goal), ...note };
  });
};

export const isMeasured = ({ value }: Row): boolean => value !== null;

const metText = ({ met, value }: Row): string => {
  if (value === null) return 'NOT MEASURED';
  return met === null ? '–' : met ? 'yes' : 'no';
};

const cells = (row: Row): readonly string[] => [
  row.name,
  row.value === null ? '–' : `${row.value}`,
  row.unit,
  row.goal ?? '–',
  metText(row),
  row.note ?? '',
];

const HEAD = ['name', 'value', 'unit', 'goal', 'met', 'note'] as const;

/** For a terminal: columns side by side. */
export const asText = (rows: readonly Row[]): string => {
  const lines = [HEAD, ...rows.map(cells)];
  const widths = HEAD.map((_, column) => Math.max(...lines.map((line) => [...(line[column] ?? '')].length)));
  return lines
    .map((line) =>
      line
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
};

export const asMarkdown = (rows: readonly Row[]): string => {
  const line = (texts: readonly string[]): string => `| ${texts.map((text) => text.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(HEAD), `|${HEAD.map(() => '---').join('|')}|`, ...rows.map((row) => line(cells(row)))].join('\n');
};
