/**
 * The commands of `npm run cluster`, each a function of the box's name and the words after the command.
 * What a script may want to read goes to standard output, what is said meanwhile to standard error.
 */
import { spawn } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { down, runningBox } from './box.ts';
import { ensureBox, type Cluster } from './cluster.ts';
import { COMPONENTS } from './components.ts';
import { clusterConfig } from './config.ts';
import { inBox } from './image-import.ts';
import { ensureImages } from './images/build.ts';
import { boxLayout, boxesDir, checkedName } from './layout.ts';
import type { Log } from './progress.ts';
import { coloured, plain, reportOf } from './report.ts';

export const HELP = `A real one-node Kubernetes in namespaces of its own on this machine.

  npm run cluster -- [--name NAME] COMMAND

  up [--gpus N] [--fresh]   start it, mend it, or find it running (--fresh: without what it kept)
  down [--forget] [--all]   end it (--forget: and remove its state)
  status [--all]            how it is; which component died, with its last log lines
  env                       lines for a shell: eval "$(npm run -s cluster -- env)"
  kubectl ARGS...           kubectl as administrator
  user NAME [GROUP...]      path of a kubeconfig for a user of that name
  logs [COMPONENT] [-f]     a log: box, audit, ${COMPONENTS.slice(0, 4).join(', ')},
                            ${COMPONENTS.slice(4).join(', ')}
  load-images [TAR...]      load image archives; without one, build and load the project's own
  enter PROGRAM ARGS...     run a program in the box's namespaces: enter ctr -n k8s.io images ls

  SWEFLEET_CACHE       where programs and boxes are kept (~/.cache)
  SWEFLEET_KUBECONFIG  a cluster of yours to use instead of a box`;

export class UsageError extends Error {}

type Command = (name: string, words: readonly string[]) => Promise<number>;

const say: Log = (line) => console.error(line);
const config = clusterConfig();

/** A cluster that is there already: only `up` starts one. */
async function present(name: string): Promise<Cluster> {
  if (config.externalKubeconfig === undefined && runningBox(config.cacheDir, name) === undefined) {
    throw new Error(`box "${name}" is not running; start it: npm run cluster -- --name ${name} up`);
  }
  return ensureBox({ name, log: () => undefined });
}

function boxNames(): readonly string[] {
  const directory = boxesDir(config.cacheDir);
  const entries = existsSync(directory) ? readdirSync(directory, { withFileTypes: true }) : [];
  return entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
}

/** Runs a program on our own terminal and returns its exit status. */
function onTerminal(argv: readonly [string, ...string[]], env: NodeJS.ProcessEnv = process.env): Promise<number> {
  const child = spawn(argv[0], argv.slice(1), { stdio: 'inherit', env });
  return new Promise((found, reject) => {
    child.once('error', reject);
    child.once('close', (code) => found(code ?? 1));
  });
}

const flag = { type: 'boolean' } as const;
const word = { type: 'string' } as const;

const upCommand: Command = async (name, words) => {
  const { values } = parseArgs({ args: [...words], options: { name: word, gpus: word, fresh: flag } });
  const gpus = values.gpus === undefined ? undefined : Number(values.gpus);
  if (gpus !== undefined && !(Number.isInteger(gpus) && gpus >= 0 && gpus <= 64))
    throw new UsageError('--gpus takes a number from 0 to 64');
  await ensureBox({ name: values.name ?? name, log: say, fresh: values.fresh === true, ...(gpus === undefined ? {} : { gpus }) });
  return 0;
};

const downCommand: Command = async (name, words) => {
  const { values } = parseArgs({ args: [...words], options: { name: word, forget: flag, all: flag } });
  const names = values.all === true ? boxNames() : [checkedName(values.name ?? name)];
  for (const each of names) {
    await down(config.cacheDir, each, values.forget);
    say(`box "${each}" is down${values.forget === true ? ' and forgotten' : ''}`);
  }
  return 0;
};

const statusCommand: Command = async (name, words) => {
  const { values } = parseArgs({ args: [...words], options: { name: word, all: flag } });
  const names = values.all === true ? boxNames() : [checkedName(values.name ?? name)];
  const reports = names.map((each) => reportOf(config.cacheDir, each, process.stdout.isTTY ? coloured : plain));
  for (const report of reports) console.log(report.lines.join('\n'));
  if (names.length === 0) console.log('there is no box');
  return reports.every((report) => report.healthy) ? 0 : 1;
};

const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;

const envCommand: Command = async (name) => {
  const { kubeconfig, binDir } = await present(name);
  console.log(`export KUBECONFIG=${quoted(kubeconfig)}\nexport PATH=${quoted(binDir)}:"$PATH"`);
  return 0;
};

const kubectlCommand: Command = async (name, words) => {
  const { kubeconfig, binDir } = await present(name);
  return onTerminal([join(binDir, 'kubectl'), ...words], { ...process.env, KUBECONFIG: kubeconfig });
};

const userCommand: Command = async (name, [user, ...groups]) => {
  if (user === undefined) throw new UsageError('user takes a name');
  console.log(await (await present(name)).userKubeconfig(user, groups));
  return 0;
};

const logsCommand: Command = async (name, words) => {
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

const loadImagesCommand: Command = async (name, words) => {
  const cluster = await present(name);
  const own = async (): Promise<readonly string[]> => {
    const images = await ensureImages({ binDir: cluster.binDir, cacheDir: config.cacheDir, log: say });
    return images.map((image) => image.tar);
  };
  for (const tar of words.length > 0 ? words.map((path) => resolve(path)) : await own()) {
    say(`${tar}: ${(await cluster.loadImage(tar)) ? 'loaded' : 'loaded already'}`);
  }
  return 0;
};

const enterCommand: Command = async (name, words) => {
  const box = runningBox(config.cacheDir, name);
  if (box === undefined) throw new Error(`box "${name}" is not running`);
  const argv = words[0] === '--' ? words.slice(1) : words;
  if (argv.length === 0) throw new UsageError('enter takes a program');
  return onTerminal(inBox(box, argv));
};

export const COMMANDS: ReadonlyMap<string, Command> = new Map([
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
