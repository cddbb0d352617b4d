// `npm test`: brings up what the tests run on, runs all of them in one go and closes with one summary.
//   npm test                      everything        npm test -- --fast        without a cluster
//   npm test -- FILE ...          some files        npm test -- --keep        leave the cluster up afterwards
// May: set-up, start vitest, report. Every test is started by vitest; nothing is decided here.
import { spawn, type StdioOptions } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { seconds } from './cluster/progress.ts';

interface Assertion {
  readonly status: 'passed' | 'failed' | 'skipped' | 'pending' | 'todo' | 'disabled';
  readonly fullName: string;
}
interface Report {
  readonly success: boolean;
  readonly testResults: readonly {
    readonly name: string;
    readonly status: string;
    readonly assertionResults: readonly Assertion[];
  }[];
}

type Projects = readonly string[];
/** Two runs side by side cannot both write to one terminal: one of them is shown when it has ended. */
type Output = 'as it goes' | 'at its end';

/** In rounds: the contract tests want a cluster without an operator, the end-to-end tests install one, some want it for themselves. */
const ON_THE_CLUSTER: readonly Projects[] = [['contract'], ['e2e'], ['e2e-alone']];
/** What needs no cluster, or brings up its own, runs meanwhile: the others mostly wait for the kubelet. */
const BESIDE_IT: readonly Projects[] = [['fast', 'court', 'servers', 'box']];
/** On a cluster of the user's own the box is not used, and its machine may not be one that can hold boxes. */
const BESIDE_YOURS: readonly Projects[] = [['fast', 'court', 'servers']];

const args = process.argv.slice(2);
const startedAt = performance.now();
const fast = args.includes('--fast');
const keep = args.includes('--keep');
const files = args.filter((arg) => arg !== '--fast' && arg !== '--keep');

const main = async (): Promise<number> => {
  if (fast) return summarize([await runTests(['fast'])]);
  // Loaded here, so that `--fast` touches nothing of the cluster's.
  const { prepareTestCluster } = await import('./environment/test-cluster.ts');
  const cluster = await prepareTestCluster({ log: (line) => console.log(`setup: ${line}`) }).catch((error: unknown) => {
    console.error(`npm test cannot run here: ${error instanceof Error ? error.message : String(error)}`);
    return undefined;
  });
  if (cluster === undefined) return 1;
  try {
    const isBox = cluster.kind === 'box';
    const lanes = await Promise.all([
      runLane(ON_THE_CLUSTER, 'as it goes'),
      runLane(isBox ? BESIDE_IT : BESIDE_YOURS, 'at its end'),
    ]);
    return summarize(lanes.flat(), isBox ? [] : ['the tests of the box itself, as SWEFLEET_KUBECONFIG names another cluster']);
  } finally {
    if (keep) console.log(`the cluster stays up: npm run cluster -- status --name ${cluster.name}`);
    else await cluster.down();
  }
};

interface Round {
  readonly code: number;
  readonly report: Report | undefined;
}

const runLane = async (rounds: readonly Projects[], output: Output): Promise<readonly Round[]> => {
  const done: Round[] = [];
  for (const projects of rounds) done.push(await runTests(projects, output));
  return done;
};

const runTests = async (projects: Projects, output: Output = 'as it goes'): Promise<Round> => {
  const folder = mkdtempSync(join(tmpdir(), 'swe-fleet-test-'));
  const reportFile = join(folder, 'report.json');
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${reportFile}`];
  // A round in which none of the wanted files lies is no failure; no test at all is, and the summary says so.
  const argv = ['run', '--passWithNoTests', ...reporters, ...projects.flatMap((project) => ['--project', project]), ...files];
  const code = await runVitest(argv, output);
  const report = readReport(reportFile);
  rmSync(folder, { recursive: true });
  return { code, report };
};

const runVitest = (argv: readonly string[], output: Output): Promise<number> => {
  const isHeldBack = output === 'at its end';
  const colours = isHeldBack && process.stdout.isTTY ? { FORCE_COLOR: '1' } : {};
  return new Promise((resolve, reject) => {
    const stdio: StdioOptions = isHeldBack ? ['ignore', 'pipe', 'pipe'] : 'inherit';
    const child = spawn('vitest', argv, { stdio, env: { ...process.env, ...colours } });
    const chunks: Buffer[] = [];
    for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk: Buffer) => chunks.push(chunk));
    child.on('error', reject);
    child.on('close', (exitCode) => {
      process.stdout.write(Buffer.concat(chunks));
      resolve(exitCode ?? 1);
    });
  });
};

const readReport = (file: string): Report | undefined => {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Report;
  } catch {
    return undefined; // vitest ended before it could write one: its exit code says so
  }
};

const summarize = (rounds: readonly Round[], leftOut: readonly string[] = []): number => {
  const results = rounds.flatMap(({ report }) => report?.testResults ?? []);
  const all = results.flatMap((file) => file.assertionResults);
  const passed = all.filter((test) => test.status === 'passed');
  const failed = all.filter((test) => test.status === 'failed');
  const skipped = all.filter((test) => test.status !== 'passed' && test.status !== 'failed');
  // A file that does not load has no assertions, so it is counted on its own.
  const broken = results.filter((file) => file.status === 'failed' && file.assertionResults.length === 0);
  console.log('');
  for (const test of failed) console.log(`failed:  ${test.fullName}`);
  for (const file of broken) console.log(`failed:  ${file.name} (did not load)`);
  for (const test of skipped) console.log(`skipped: ${test.fullName}`);
  for (const what of leftOut) console.log(`not run: ${what}`);
  if (passed.length === 0) console.log('no test ran: that is a failure, not a success');
  console.log(`tests took ${seconds(performance.now() - startedAt)}, set-up included`);
  console.log(`${passed.length} passed, ${failed.length + broken.length} failed, ${skipped.length} skipped`);
  return rounds.every(({ code }) => code === 0) && passed.length > 0 && failed.length + broken.length === 0 ? 0 : 1;
};

process.exitCode = await main();
