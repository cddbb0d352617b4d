// The one gate for house rules: `npm run check [-- NAME ...]`. Every check runs, two at a time; what fails is shown whole.
import { spawn } from 'node:child_process';
import { once } from 'node:events';

interface Check {
  readonly name: string;
  readonly why: string;
  readonly argv: readonly [string, ...string[]];
}

const tool = (name: string, why: string, ...argv: [string, ...string[]]): Check => ({ name, why, argv });

const sources = [
  ...['crds', 'controllers', 'runtime', 'kube', 'operator', 'gateway', 'agent', 'agent-runner', 'agent-pool', 'install', 'cli'],
  ...['charts', 'images', 'bench', 'test', 'scripts'],
];
const checks: readonly Check[] = [
  tool('types', 'strict types', 'tsc', '-p', '.'),
  tool('format', 'one format; `npm run format` mends it', 'prettier', '--check', '--log-level', 'warn', '.'),
  tool('lint', 'type-checked lint, size budgets, purity of controllers/', 'eslint', '--max-warnings', '0', ...sources),
  tool('layers', 'arrows between the top-level folders point one way', 'depcruise', '--output-type', 'err', ...sources),
  tool('dead code', 'no file, export or dependency without a use', 'knip', '--no-progress'),
  tool(
    'generated',
    'CRDs and docs/reference.md match the schemas; `npm run generate` mends it',
    'node',
    'scripts/generate.ts',
    '--check',
  ),
  tool('chart lint', 'helm lint --strict, values checked by values.schema.json', 'node', 'test/chart/check.ts', 'lint'),
  tool('chart rendering', 'the chart renders with defaults and with every switch', 'node', 'test/chart/check.ts', 'rendering'),
];

const wanted = new Set(process.argv.slice(2));
const unknown = [...wanted].filter((name) => !checks.some((check) => check.name === name));

const runAll = async (list: readonly Check[]): Promise<number> => {
  const startedAt = performance.now();
  const queue = [...list];
  const failed: string[] = [];
  const lane = async (): Promise<void> => {
    for (let check = queue.shift(); check !== undefined; check = queue.shift()) {
      if (!(await runOne(check))) failed.push(check.name);
    }
  };
  await Promise.all([lane(), lane()]);
  const verdict = failed.length === 0 ? 'all passed' : `FAILED: ${failed.join(', ')}`;
  console.log(`check: ${list.length} checks, ${verdict} (${seconds(startedAt)})`);
  return failed.length === 0 ? 0 : 1;
};

/** Runs to the end; what it printed is kept for a failure. */
const run = async ([program, ...args]: Check['argv']): Promise<{ readonly ok: boolean; readonly output: string }> => {
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  const chunks: Buffer[] = [];
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  try {
    const [code] = (await once(child, 'close')) as [number | null];
    return { ok: code === 0, output: Buffer.concat(chunks).toString() };
  } catch (error) {
    return { ok: false, output: `${program} does not start: ${String(error)}\n` };
  }
};

const seconds = (sinceMs: number): string => `${((performance.now() - sinceMs) / 1000).toFixed(1)} s`;

const runOne = async ({ name, why, argv }: Check): Promise<boolean> => {
  const startedAt = performance.now();
  const { ok, output } = await run(argv);
  console.log(`${ok ? 'ok    ' : 'FAILED'} ${name} (${seconds(startedAt)}): ${why}`);
  if (!ok) console.log(output.replaceAll(/^/gm, '    '));
  return ok;
};

if (unknown.length > 0) {
  console.error(`no check is named ${unknown.join(', ')}; there are: ${checks.map((check) => check.name).join(', ')}`);
  process.exit(2);
}

process.exitCode = await runAll(checks.filter((check) => wanted.size === 0 || wanted.has(check.name)));
