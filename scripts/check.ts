// The one gate for house rules: `npm run check [-- NAME ...]`. Every check runs, two at a time; what fails is shown whole.
import { attempt } from '../test/cluster/command.ts';
import { seconds } from '../test/cluster/progress.ts';
import { chartChecks, type Check } from './chart-checks.ts';

const tool = (name: string, why: string, ...argv: [string, ...string[]]): Check => ({
  name,
  why,
  run: () => attempt(argv),
});

const sources = [
  ...['crds', 'controllers', 'runtime', 'kube', 'operator', 'gateway', 'agent', 'agent-runner', 'install', 'cli'],
  ...['test', 'scripts'],
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
  ...chartChecks,
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
  console.log(`check: ${list.length} checks, ${verdict} (${seconds(performance.now() - startedAt)})`);
  return failed.length === 0 ? 0 : 1;
};

const runOne = async (check: Check): Promise<boolean> => {
  const startedAt = performance.now();
  const result = await check.run().catch((error: unknown) => ({ status: 1, stdout: '', stderr: String(error) }));
  console.log(
    `${result.status === 0 ? 'ok    ' : 'FAILED'} ${check.name} (${seconds(performance.now() - startedAt)}): ${check.why}`,
  );
  if (result.status !== 0) console.log(`${result.stdout}${result.stderr}`.replaceAll(/^/gm, '    '));
  return result.status === 0;
};

if (unknown.length > 0) {
  console.error(`no check is named ${unknown.join(', ')}; there are: ${checks.map((check) => check.name).join(', ')}`);
  process.exit(2);
}

process.exitCode = await runAll(checks.filter((check) => wanted.size === 0 || wanted.has(check.name)));
