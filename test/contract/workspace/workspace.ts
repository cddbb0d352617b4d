// Runs the steps of both Jobs as processes on folders of their own, against a door of real parts. No cluster: what a pod adds (its walls)
// is tested on the kubelet; here it is what the steps do and say.
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { readConfig } from '../../../agent-runner/config.ts';
import { contextOf } from '../../../agent-runner/process-entry.ts';
import { runStep as runOneStep } from '../../../agent-runner/step.ts';
import { steps } from '../../../agent-runner/steps/registry.ts';
import type { Brief } from '../../../crds/contracts/brief.ts';
import { parseFinding, type Findings, type FindingStep } from '../../../crds/contracts/findings.ts';
import type { RunnerCommand, Step } from '../../../crds/contracts/steps.ts';
import { newAuthority, newServerCertificate } from '../../../install/certificates.ts';
import { startGitServer } from '../../git-server/server.ts';
import { scripts } from '../../model/scripts/index.ts';
import { scriptedModelName } from '../../model/script.ts';
import { startScriptedModel } from '../../model/server.ts';
import { createRepository, git } from '../../environment/repository.ts';
import { openDoor, tokenOf, type Door } from './door.ts';

export const storyUid = '7f3d8c1e-0000-4000-8000-000000000001';
export const branch = 'fleet/demo/say-goodbye';
const password = 'only-the-gateway-knows';

const fixtures = join(import.meta.dirname, '..', '..', 'fixtures');

interface StepRun {
  readonly exitCode: number | null;
  /** What stands in the termination log. */
  readonly text: string;
  /** stdout and stderr. */
  readonly said: string;
}

export interface Workspace {
  readonly door: Door;
  readonly base: string;
  readonly bare: string;
  /** Change it before a Job: the door serves what it is then. */
  brief: Brief;
  attempt(): Promise<Findings['report']>;
  courier(): Promise<Findings['push']>;
  /** A step by itself, in the folders of the last Job or of a new one. */
  step(command: RunnerCommand): Promise<StepRun>;
  /** Like `step`, but gives the process; only with `processes`. */
  start(command: RunnerCommand): ChildProcess;
  newJob(): Promise<void>;
  /** A file of the last Job's folders, such as `fleet/git/merge.json`. */
  file(path: string): string;
  /** Commits a change of somebody else's on a branch of the server. */
  outsideCommit(change: OutsideChange): Promise<string>;
  show(...args: readonly string[]): Promise<string>;
  /** Addresses that must not answer; a closed port unless changed. */
  canaryPort: number;
  close(): Promise<void>;
}

export interface OutsideChange {
  readonly branch: string;
  readonly path: string;
  readonly content: string;
  readonly message?: string;
}

export interface WorkspaceOptions {
  readonly fixture: 'node-repo' | 'python-repo';
  readonly script: string;
  readonly verify: readonly string[];
  /** `true`: each step is a process of its own, as in a pod. Else the steps run in this process, which is faster. */
  readonly processes?: boolean;
  /** URL of a model server to be asked instead of one of the workspace's own. */
  readonly model?: string;
}

interface Stage {
  root: string;
  /** The runner as a bundle, as in a pod: it starts three times as fast. */
  readonly program: string | undefined;
  readonly folder: string;
  readonly ca: string;
}

const audienceSteps: Readonly<Record<RunnerCommand, Step>> = {
  runner: 'runner',
  checkout: 'checkout',
  setup: 'setup',
  work: 'work',
  'verify-setup': 'verify-setup',
  verify: 'verify',
  report: 'report',
  merge: 'merge',
  'courier-setup': 'setup',
  'courier-verify': 'verify',
  push: 'push',
};

export const openWorkspace = async (options: WorkspaceOptions): Promise<Workspace> => {
  const folder = await mkdtemp(join(tmpdir(), 'swe-fleet-workspace-'));
  const now = Date.now();
  const authority = await newAuthority('workspace test', now, 1);
  const { certificate: cert, key } = await newServerCertificate(authority, { names: ['localhost'], now, days: 1 });
  const bare = join(folder, 'served/team/app.git');
  const base = await createRepository(bare, join(fixtures, options.fixture));
  const gitServer = await startGitServer({
    root: join(folder, 'served'),
    host: '127.0.0.1',
    tls: { key, cert },
    accounts: { gateway: { password, push: true } },
  });
  const model = await startScriptedModel({ scripts });
  const stage: Stage = {
    root: '',
    program: options.processes === true ? await bundleRunner(folder) : undefined,
    folder,
    ca: authority.certificate,
  };
  const door = await openDoor({
    tls: { key, cert },
    git: {
      url: gitServer.url,
      ca: authority.certificate,
      repository: 'team/app.git',
      credentials: `Basic ${Buffer.from(`gateway:${password}`).toString('base64')}`,
    },
    model: options.model ?? model.url,
    brief: () => workspace.brief,
  });
  const workspace: Workspace = {
    door,
    base,
    bare,
    brief: briefFor(options, base),
    canaryPort: 1,
    attempt: async () => runJob(workspace, stage, ['checkout', 'setup', 'work', 'verify-setup', 'verify', 'report'], 'report'),
    courier: async () => runJob(workspace, stage, ['merge', 'courier-setup', 'courier-verify', 'push'], 'push'),
    step: async (command) => runStep(workspace, stage, command),
    start: (command) => {
      if (stage.program === undefined) throw new Error('this workspace runs its steps inside');
      return startProcess(stage.program, command, stage.root, environmentOf(workspace, stage, command));
    },
    newJob: async () => newFolders(stage),
    file: (path) => join(stage.root, path),
    outsideCommit: async (change) => commitFromOutside(folder, bare, change),
    show: async (...args) => git(bare, ...args),
    close: async () => {
      await Promise.all([door.close(), gitServer.close(), model.close()]);
      await rm(folder, { recursive: true, force: true });
    },
  };
  await newFolders(stage);
  return workspace;
};

const runJob = async <S extends FindingStep>(
  workspace: Workspace,
  stage: Stage,
  commands: readonly RunnerCommand[],
  last: S,
): Promise<Findings[S]> => {
  await newFolders(stage);
  let text = '';
  for (const command of commands) {
    const run = await runStep(workspace, stage, command);
    if (run.exitCode !== 0) throw new Error(`${command} ended with ${run.exitCode}:\n${run.said}`);
    text = run.text;
  }
  const finding = parseFinding(last, text);
  if (finding === undefined) throw new Error(`no finding of ${last}: ${text}`);
  return finding;
};

const newFolders = async (stage: Stage): Promise<void> => {
  stage.root = await mkdtemp(join(stage.folder, 'pod-'));
  const folders = ['runner', 'git', 'tree', 'fresh', 'out/work', 'out/verify', 'token'].map((name) =>
    join(stage.root, 'fleet', name),
  );
  for (const folder of [...folders, join(stage.root, 'tmp'), join(stage.root, 'dev')]) await mkdir(folder, { recursive: true });
};

const runStep = async (workspace: Workspace, stage: Stage, command: RunnerCommand): Promise<StepRun> => {
  const log = join(stage.root, 'dev/termination-log');
  await writeFile(log, '');
  await writeFile(join(stage.root, 'fleet/token/token'), tokenOf(audienceSteps[command]));
  const env = environmentOf(workspace, stage, command);
  const end =
    stage.program === undefined
      ? await runInside(command, stage.root, env)
      : await runProcess(stage.program, command, stage.root, env);
  return { ...end, text: await readFile(log, 'utf8') };
};

type Environment = Readonly<Record<string, string>>;

const environmentOf = ({ door, brief, canaryPort }: Workspace, stage: Stage, command: RunnerCommand): Environment => ({
  PATH: process.env['PATH'] ?? '',
  HOME: join(stage.root, 'tmp'),
  FLEET_KIND: ['merge', 'courier-setup', 'courier-verify', 'push'].includes(command) ? 'courier' : 'attempt',
  FLEET_OWNER_UID: brief.task.uid,
  FLEET_ATTEMPT: String(brief.attempt),
  FLEET_GATEWAY_URL: door.url,
  FLEET_GATEWAY_CA: stage.ca,
  FLEET_GATEWAY_ADDRESS: '127.0.0.1',
  FLEET_CANARY_PORT: String(canaryPort),
  FLEET_DEADLINE_SECONDS: '300',
});

type StepEnd = Pick<StepRun, 'exitCode' | 'said'>;

const startProcess = (program: string, command: RunnerCommand, root: string, env: Environment): ChildProcess =>
  spawn(process.execPath, [program, command, root], { env, stdio: ['ignore', 'pipe', 'pipe'] });

const runProcess = async (program: string, command: RunnerCommand, root: string, env: Environment): Promise<StepEnd> => {
  const child = startProcess(program, command, root, env);
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk: Buffer) => (said += chunk.toString('utf8')));
  const exitCode = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { exitCode, said };
};

const runInside = async (command: RunnerCommand, root: string, env: Environment): Promise<StepEnd> => {
  const lines: string[] = [];
  const context = await contextOf(readConfig(env), { root, program: process.execPath, say: (line) => lines.push(line) });
  try {
    await runOneStep(await steps[command](), context);
    return { exitCode: 0, said: lines.join('\n') };
  } catch (error) {
    return { exitCode: 1, said: `${lines.join('\n')}\n${String(error)}` };
  } finally {
    await context.gateway.close();
  }
};

const bundleRunner = async (folder: string): Promise<string> => {
  const outfile = join(folder, 'runner.mjs');
  const require = `import { createRequire as bannerCreateRequire } from 'node:module';\nconst require = bannerCreateRequire(import.meta.url);`;
  await build({
    entryPoints: [join(import.meta.dirname, 'entry.ts')],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node24',
    logLevel: 'error',
    banner: { js: require },
  });
  return outfile;
};

const commitFromOutside = async (folder: string, bare: string, change: OutsideChange): Promise<string> => {
  const clone = await mkdtemp(join(folder, 'outside-'));
  await git(clone, 'clone', '--quiet', bare, '.');
  const known = (await git(clone, 'ls-remote', '--heads', 'origin', change.branch)).trim() !== '';
  await git(clone, 'checkout', '--quiet', ...(known ? [change.branch] : ['-b', change.branch]));
  const file = join(clone, change.path);
  await mkdir(join(file, '..'), { recursive: true });
  await writeFile(file, change.content);
  await git(clone, 'add', '--all');
  await git(clone, 'commit', '--quiet', '--message', change.message ?? `Change ${change.path} from outside`);
  await git(clone, 'push', '--quiet', 'origin', `HEAD:refs/heads/${change.branch}`);
  return (await git(clone, 'rev-parse', 'HEAD')).trim();
};

const briefFor = ({ script, verify }: WorkspaceOptions, base: string): Brief => ({
  story: {
    uid: storyUid,
    name: 'say-goodbye',
    namespace: 'demo',
    title: 'Say goodbye',
    description: 'The library can only greet.',
    acceptanceCriteria: ['farewell("Ada") gives "Goodbye, Ada!"'],
  },
  task: {
    uid: '7f3d8c1e-0000-4000-8000-000000000002',
    name: 'say-goodbye-farewell-12345678',
    id: 'farewell',
    title: 'Add farewell(name)',
    description: `Add farewell(name). [[script:${script}]]`,
    role: 'DEV',
    phase: 'BUILD',
    fileScope: [],
    requirements: [],
    rubric: [],
  },
  attempt: 1,
  startedAt: '2026-11-20T10:00:00Z',
  agent: { name: 'agent-dev-001', model: scriptedModelName, temperature: '0.2', maxTokens: 4_096 },
  repository: { baseCommit: base, ref: 'main', branch },
  setup: { commands: [] },
  verify: { commands: [...verify], timeoutSeconds: 120 },
  limits: {
    iterations: 30,
    tokens: 2_000_000,
    wallClockSeconds: 120,
    outputBytes: 16_384,
    patchBytes: 262_144,
    patchFiles: 50,
    protectedPaths: ['.gitattributes', '.gitmodules', '.github/**'],
  },
  planDigest: `sha256:${'a'.repeat(64)}`,
  context: { digest: `sha256:${'b'.repeat(64)}`, text: '' },
});

/** The brief of the courier for an attempt that was reported ok. */
export const courierBrief = (brief: Brief, report: Findings['report']): Brief => {
  const { patch, evidence, base } = report;
  if (patch === undefined || evidence === undefined || base === undefined)
    throw new Error(`the attempt has nothing to land: ${JSON.stringify(report)}`);
  return { ...brief, courier: { patch, evidence, base } };
};
