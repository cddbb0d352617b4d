// `npm run bench`: measures, prints a row a figure, and ends with 1 when a row could not be measured.
// A goal that is missed is a row like another: its `met` says so.

import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { bundle } from '../images/bundle.ts';
import { optionsOf } from '../test/options.ts';
import type { Benchmark } from './benchmark.ts';
import { chain } from './chain.ts';
import { writeDocs } from './docs.ts';
import { gateway } from './gateway.ts';
import { latency } from './latency.ts';
import { runner } from './runner.ts';
import { scale } from './scale.ts';
import { walk } from './walk.ts';
import { writes } from './writes.ts';
import { asText, isMeasured, rowsOf, type Figure, type Row } from './rows.ts';

const BENCHMARKS: readonly Benchmark[] = [latency, writes, chain, walk, scale, gateway, runner];

/** More than any benchmark takes: one that hangs is a row that was not measured. */
const LIMIT_MS = 1_200_000;

const NOTE_LENGTH = 120;

const log = (line: string): void => console.error(line);

const cleanUps: (() => Promise<void>)[] = [];

const cleaning = { done: Promise.resolve() };

/** Whoever calls it while another cleans up waits for that as well. */
const cleanUp = (): Promise<void> => {
  const todo = cleanUps.splice(0).reverse();
  cleaning.done = cleaning.done.then(async () => {
    for (const next of todo) await next();
  });
  return cleaning.done;
};

const measured = async ({ name, what, rows, run }: Benchmark): Promise<readonly Row[]> => {
  const figures: Record<string, Figure> = {};
  const startedAt = performance.now();
  log(`bench: ${name}: ${what} …`);
  const tell = (row: string, figure: Figure): void => void (figures[row] = figure);
  const over = Promise.withResolvers<never>();
  const timer = setTimeout(() => over.reject(new Error(`it took longer than ${LIMIT_MS / 60_000} min`)), LIMIT_MS);
  const running = run({ log, tell, defer: (action) => void cleanUps.push(action) });
  const failure = await Promise.race([running, over.promise]).then(
    () => undefined,
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  );
  clearTimeout(timer);
  if (failure !== undefined) log(`bench: ${name} failed: ${failure}`);
  await cleanUp();
  await running.catch(() => undefined);
  log(`bench: ${name} took ${((performance.now() - startedAt) / 1_000).toFixed(0)} s`);
  return rowsOf(rows, figures, failure?.split('\n')[0]?.slice(0, NOTE_LENGTH));
};

const HELP = `npm run bench [-- OPTIONS]

  --only NAME   a part of it; may be given several times
  --json FILE   write the rows
  --docs        write the rows and the plot into docs/
  --help        this text

${BENCHMARKS.map(({ name, what }) => `  ${name.padEnd(10)} ${what}`).join('\n')}`;

const values = optionsOf(HELP, {
  only: { type: 'string', multiple: true },
  json: { type: 'string' },
  docs: { type: 'boolean', default: false },
});
const unknown = values.only?.find((name) => !BENCHMARKS.some((benchmark) => benchmark.name === name));
if (values.docs && values.only !== undefined) {
  console.error('--docs writes all rows: it does not go with --only');
  process.exit(2);
}
if (unknown !== undefined) {
  console.error(`there is no benchmark "${unknown}"\n\n${HELP}`);
  process.exit(2);
}

const ending = { begun: false };
// a terminal or a supervisor may send it to us and to whoever passes it on: the second one must not end us in the middle
const end = (): void => {
  if (ending.begun) return;
  ending.begun = true;
  void cleanUp().finally(() => process.exit(1));
};
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, end);

await bundle({ repository: `${import.meta.dirname}/..`, log });
const rows: Row[] = [];
for (const benchmark of BENCHMARKS)
  if (values.only === undefined || values.only.includes(benchmark.name)) rows.push(...(await measured(benchmark)));
console.log(asText(rows));
if (values.json !== undefined) {
  await mkdir(dirname(values.json), { recursive: true });
  await writeFile(values.json, `${JSON.stringify(rows, undefined, 2)}\n`);
}
if (values.docs) await writeDocs(rows);
process.exitCode = rows.every(isMeasured) ? 0 : 1;
