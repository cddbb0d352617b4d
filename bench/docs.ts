// Writes what was measured into docs/benchmarks.md, between two marks, and the plot beside it. What stands around the marks is a person's.

import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { growthPlot } from './growth.ts';
import { asMarkdown, type Row } from './rows.ts';

const FOLDER = join(import.meta.dirname, '../docs');
const BEGIN = '<!-- bench: written by `npm run bench -- --docs` -->';
const END = '<!-- bench: end -->';
const PLOT = 'benchmarks-growth.svg';

/** The page with the part between the marks replaced. @throws when it has no marks */
export const withRows = (page: string, part: string): string => {
  const [before, rest] = page.split(BEGIN);
  const after = rest?.split(END)[1];
  if (before === undefined || after === undefined) throw new Error(`docs/benchmarks.md has no part between ${BEGIN} and ${END}`);
  return `${before}${BEGIN}\n\n${part}\n\n${END}${after}`;
};

export const writeDocs = async (rows: readonly Row[]): Promise<void> => {
  const file = join(FOLDER, 'benchmarks.md');
  const plot = growthPlot(rows);
  if (plot !== undefined) await writeFile(join(FOLDER, PLOT), plot);
  const picture = plot === undefined ? '' : `\n\n![Time per Task by unfinished Tasks](${PLOT})`;
  await writeFile(file, withRows(await readFile(file, 'utf8'), asMarkdown(rows) + picture));
};
