/**
 * The commands of `npm run cluster`, each a function of the shell it works for and the words after the command.
 */
import { spawn } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { down, runningBox } from './box.ts';
import { ensureBox, presentCluster, type Cluster } from './cluster.ts';
import { COMPONENTS } from './components.ts';
import type { ClusterConfig } from './config.ts';
import { inBox } from './image-import.ts';
import { boxLayout, boxesDir, checkedName } from './layout.ts';
import { reportOf, type Paint } from './report.ts';

const HELP = `A real one-node Kubernetes in namespaces of its own on this machine.

  npm run cluster -- COMMAND [--name NAME]

  up [--gpus N] [--fresh]   start it, mend it, or find it running (--fresh: without what it kept)
  down [--forget] [--all]   end it (--forget: and remove its state)
  status [--all]            how it is; which component died, with its last log lines
  env                       lines for a shell: eval "$(npm run -s cluster -- env)"
  kubectl ARGS...           kubectl as administrator (of another box: --name NAME kubectl ARGS...)
  user NAME [GROUP...]      path of a kubeconfig for a user of that name
  logs [COMPONENT] [-f]     a log: box, audit, ${COMPONENTS.slice(0, 4).join(', ')},
                            ${COMPONENTS.slice(4).join(', ')}
  load-images [TAR...]      load image archives; without one, build the project's own and load or push them
  enter PROGRAM ARGS...     run a program in the box's namespaces: enter ctr -n k8s.io images ls

  SWEFLEET_CACHE       where programs and boxes are kept (~/.cache)
  SWEFLEET_KUBECONFIG  a cluster of yours to use instead of a box
  SWEFLEET_REGISTRY    where images are pushed to for it, such as 127.0.0.1:5000/fleet`;

class UsageError extends Error {}

/** What a command works with and speaks to. */
export interface Shell {
  readonly config: ClusterConfig;
  /** The name of the box that is meant. */
  readonly name: string;
  /** What a script may want to read. */
  readonly print: (text: string) => void;
  /** What is said meanwhile. */
  readonly say: (line: string) => void;
  readonly paint: Paint;
}

/** Returns the exit code. */
type Command = (shell: Shell, words: readonly string[]) => Promise<number>;

/** A cluster that is there already: only `up` starts one, or mends it. */
const present = async ({ config, name }: Shell): Promise<Cluster> => {
  const cluster = await presentCluster(name, config);
  if (cluster === undefined) throw new Error(`box "${name}" is not running; start it: npm run cluster -- --name ${name} up`);
  return cluster;
};

const boxNames = (config: ClusterConfig): readonly string[] => {
  const directory = boxesDir(config.cacheDir);
  const entries = existsSync(directory) ? readdirSync(directory, { withFileTypes: true }) : [];
  return entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
};

/** Runs a program on our own terminal and returns its exit status. */
const onTerminal = (argv: readonly [string, ...string[]], env: NodeJS.ProcessEnv = process.env): Promise<number> => {
  const child = spawn(argv[0], argv.slice(1), { stdio: 'inherit', env });
  return new Promise((found, reject) => {
    child.once('error', reject);
    child.once('close', (code) => found(code ?? 1));
  });
};

const flag = { type: 'boolean' } as const;
const word = { type: 'string' } as const;

const upCommand: Command = async ({ config, name, say }, words) => {
  const { values } = parseArgs({ args: [...words], options: { gpus: word, fresh: flag } });
  const gpus = values.gpus === undefined ? undefined : Number(values.gpus);
  if (gpus !== undefined && !(Number.isInteger(gpus) && gpus >= 0 && gpus <= 64))
    throw new UsageError('--gpus takes a number from 0 to 64');
  await ensureBox({
    name,
    config,
    log: say,
    fresh: values.fresh === true,
    ...(gpus === undefined ? {} : { gpus }),
  });
  return 0;
};

const downCommand: Command = async ({ config, name, say }, words) => {
  const { values } = parseArgs({ args: [...words], options: { forget: flag, all: flag } });
  const names = values.all === true ? boxNames(config) : [name];
  for (const each of names) {
    await down(config.cacheDir, each, values.forget);
    say(`box "${each}" is down${values.forget === true ? ' and forgotten' : ''}`);
  }
  return 0;
};

const statusCommand: Command = async ({ config, name, print, paint }, words) => {
  const { values } = parseArgs({ args: [...words], options: { all: flag } });
  const names = values.all === true ? boxNames(config) : [name];
  const reports = names.map((each) => reportOf(config.cacheDir, each, paint));
  for (const report of reports) print(report.lines.join('\n'));
  if (names.length === 0) print('there is no box');
  return reports.every((report) => report.healthy) ? 0 : 1;
};

const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;

/** kubectl and, as it is found by its name on the PATH, its plugin. */
const envCommand: Command = async (shell) => {
  const { kubeconfig, binDir } = await present(shell);
  const { builtPlugin } = await import('./plugin.ts'); // a bundler comes with it, which nobody else needs to wait for
  const plugin = await builtPlugin(shell.say);
  shell.print(`export KUBECONFIG=${quoted(kubeconfig)}\nexport PATH=${quoted(binDir)}:${quoted(dirname(plugin))}:"$PATH"`);
  return 0;
};

const kubectlCommand: Command = async (shell, words) => {
  const { kubeconfig, binDir } = await present(shell);
  return onTerminal([join(binDir, 'kubectl'), ...words], { ...process.env, KUBECONFIG: kubeconfig });
};

const userCommand: Command = async (shell, [user, ...groups]) => {
  if (user === undefined) throw new UsageError('user takes a name');
  shell.print(await (await present(shell)).userKubeconfig(user, groups));
  return 0;
};

const logsCommand: Command = async ({ config, name }, words) => {
  const { values, positionals } = parseArgs({
    args: [...words],
    options: { follow: { type: 'boolean', short: 'f' } },
    allowPositionals: true,
  });
  const layout = boxLayout(config.cacheDir, name);
  const [component = 'box'] = positionals;
  const known: readonly string[] = ['box', 'audit', ...COMPONENTS];
  if (!known.includes(component)) throw new UsageError(`logs knows ${known.join(', ')}`);
  const path = component === 'audit' ? layout.auditLog : join(layout.logs, `${component}.log`);
  if (!existsSync(path)) throw new Error(`box "${name}" has no log of ${component}`);
  return onTerminal(values.follow === true ? ['tail', '-n', '50', '-F', path] : ['cat', path]);
};

const loadImagesCommand: Command = async (shell, words) => {
  const { config, say, print } = shell;
  const cluster = await present(shell);
  for (const path of words.map((word) => resolve(word)))
    say(`${path}: ${(await cluster.loadImage(path)) ? 'loaded' : 'loaded already'}`);
  if (words.length > 0) return 0;
  const { deliverImages, textOf } = await import('./images/delivery.ts'); // a bundler comes with it, which nobody else needs to wait for
  const references = await deliverImages({ cluster, config, log: say });
  for (const reference of references.values()) print(textOf(reference));
  return 0;
};

const enterCommand: Command = async ({ config, name }, words) => {
  const box = runningBox(config.cacheDir, name);
  if (box === undefined) throw new Error(`box "${name}" is not running`);
  const argv = words[0] === '--' ? words.slice(1) : words;
  if (argv.length === 0) throw new UsageError('enter takes a program');
  return onTerminal(inBox(box, argv));
};

const COMMANDS: ReadonlyMap<string, Command> = new Map([
  ['up', upCommand],
  ['down', downCommand],
  ['status', statusCommand],
  ['env', envCommand],
  ['kubectl', kubectlCommand],
  ['user', userCommand],
  ['logs', logsCommand],
  ['load-images', loadImagesCommand],
  ['enter', enterCommand],
]);

interface CommandLine {
  readonly name: string;
  readonly command: string;
  readonly rest: readonly string[];
}

/** What follows is another program's command line. */
const PASSES_ON: readonly string[] = ['kubectl', 'enter'];

/** `--name` may stand before the command or behind it, but not among the words of another program. */
const wordsOf = (argv: readonly string[]): CommandLine => {
  const own = argv.findIndex((word) => PASSES_ON.includes(word));
  const ours = own === -1 ? argv : argv.slice(0, own);
  const others: string[] = [];
  let name = 'default';
  for (let at = 0; at < ours.length; at += 1) {
    const said = ours[at] ?? '';
    if (said.startsWith('--name=')) name = said.slice('--name='.length);
    else if (said === '--name') name = ours[(at += 1)] ?? '';
    else others.push(said);
  }
  const [command = 'help', ...rest] = own === -1 ? others : [...others, ...argv.slice(own)];
  return { name, command, rest };
};

const dispatch = async (shell: Omit<Shell, 'name'>, argv: readonly string[]): Promise<number> => {
  const { name, command, rest } = wordsOf(argv);
  if (['help', '--help', '-h'].includes(command)) {
    shell.print(HELP);
    return 0;
  }
  const found = COMMANDS.get(command);
  if (found === undefined) throw new UsageError(`there is no command "${command}"`);
  return found({ ...shell, name: checkedName(name) }, rest);
};

const misunderstood = (error: unknown): boolean =>
  error instanceof UsageError ||
  (error instanceof TypeError && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS'));

/** Returns the exit code: 0 done, 1 failed or not healthy, 2 not understood; kubectl's and entered programs' own otherwise. */
export const runCommand = async (shell: Omit<Shell, 'name'>, argv: readonly string[]): Promise<number> => {
  try {
    return await dispatch(shell, argv);
  } catch (error) {
    shell.say(error instanceof Error ? error.message : String(error));
    if (!misunderstood(error)) return 1;
    shell.say(`\n${HELP}`);
    return 2;
  }
};
