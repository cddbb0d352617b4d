/**
 * A real one-node Kubernetes in a private network, mount and process namespace: starts it, ends it, says how it is.
 * Everything of it hangs on one process; the machine keeps one end of a veth pair, a cgroup and the state directory.
 */
import { spawn } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, renameSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { addressOf, claimAddress, removeLink, type BoxAddress } from './addresses.ts';
import { createCgroups, removeCgroups } from './cgroups.ts';
import { ensureCertificates } from './certificates.ts';
import { run } from './command.ts';
import { writeComponentFiles, type BoxParameters } from './component-files.ts';
import { COMPILE_CACHE } from './components.ts';
import { plainEnvironment } from './config.ts';
import { NAMESPACES, UPLINK, boxLayout, boxesDir, linkNote, type BoxLayout } from './layout.ts';
import { withLock } from './lock.ts';
import {
  childrenOf,
  commandLine,
  allPids,
  identify,
  isAlive,
  killAndWait,
  namespaceMembers,
  type ProcessIdentity,
} from './processes.ts';
import { seconds, timed, type Log } from './progress.ts';
import { readState, writeState } from './state-file.ts';
import { deaths, describeDeath, lastLines, type BoxStatus } from './status.ts';

/** The processes by which a box is held, as the machine sees them. */
export interface BoxProcesses {
  readonly launcher: ProcessIdentity;
  /** The first process of the box's namespace: all others end with it. */
  readonly first: ProcessIdentity;
}

export interface RunningBox {
  readonly layout: BoxLayout;
  readonly address: BoxAddress;
  readonly processes: BoxProcesses;
  readonly parameters: BoxParameters;
}

export interface BoxOptions {
  readonly cacheDir: string;
  readonly name: string;
  readonly binDir: string;
  /** How many GPUs the node pretends to have; what it had, or none, by default. */
  readonly gpus?: number;
  /** Without a node; as it was, or with one, by default. A box that runs otherwise is started anew. */
  readonly controlPlaneOnly?: boolean;
  /** Throw away what an earlier box of this name kept. */
  readonly fresh?: boolean;
  readonly log: Log;
}

const BOX_MAIN = join(import.meta.dirname, 'box-main.ts');
// A shell is the first process, as it reaps orphans, which node does not; the box ends with its one child.
const FIRST = 'exec 3<&0; "$@" <&3 & exec 3<&-; wait $!';
const START_TIMEOUT_MS = 180_000;

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** The processes of the box, when it runs. */
export const runningProcesses = (layout: BoxLayout): BoxProcesses | undefined => {
  const processes = readState<BoxProcesses>(layout.processes);
  return processes !== undefined && isAlive(processes.first) ? processes : undefined;
};

/** Launchers that no file of ours knows: their `up` was killed at the wrong moment, or somebody removed the state directory. */
const strayLaunchers = (cacheDir: string, name: string): readonly ProcessIdentity[] =>
  allPids()
    .filter((pid) => {
      const argv = commandLine(pid);
      return argv[0] === 'unshare' && argv.slice(-3).join('\0') === [BOX_MAIN, cacheDir, name].join('\0');
    })
    .map(identify)
    .filter((identity) => identity !== undefined);

/** Ends the box and takes away what it held on the machine; the state stays. Nothing to do is fine. */
const end = async (cacheDir: string, layout: BoxLayout): Promise<void> => {
  const known = readState<BoxProcesses>(layout.processes);
  const strays = strayLaunchers(cacheDir, layout.name);
  await killAndWait([...(known === undefined ? [] : [known.first, known.launcher]), ...strays]);
  await removeLink(layout);
  await removeCgroups(layout);
  rmSync(layout.processes, { force: true });
};

const launch = async (
  cacheDir: string,
  layout: BoxLayout,
): Promise<{ readonly box: BoxProcesses; readonly linked: () => void }> => {
  mkdirSync(layout.logs, { recursive: true });
  const output = openSync(join(layout.logs, 'box.log'), 'w');
  const argv = ['sh', '-c', FIRST, 'sh', process.execPath, `--import=${COMPILE_CACHE}`, BOX_MAIN, cacheDir, layout.name];
  const launcher = spawn(NAMESPACES[0], [...NAMESPACES.slice(1), ...argv], {
    stdio: ['pipe', output, output],
    detached: true,
    cwd: '/',
    env: plainEnvironment({ NODE_COMPILE_CACHE: join(cacheDir, 'compiled') }),
  });
  closeSync(output);
  launcher.unref();
  const identity = launcher.pid === undefined ? undefined : identify(launcher.pid);
  if (identity === undefined) throw new Error('unshare could not be started');
  const deadline = performance.now() + 10_000;
  while (isAlive(identity) && performance.now() < deadline) {
    const [child] = childrenOf(identity.pid);
    const first = child === undefined ? undefined : identify(child);
    if (first !== undefined) {
      const box = { launcher: identity, first };
      writeState(layout.processes, box);
      return { box, linked: () => void launcher.stdin?.end('linked\n') };
    }
    await pause(5);
  }
  throw new Error(`the namespaces were not made:\n${lastLines(join(layout.logs, 'box.log'), 10).join('\n')}`);
};

const link = async (layout: BoxLayout, address: BoxAddress, first: number): Promise<void> => {
  const lines = [
    `link add ${address.link} type veth peer name ${UPLINK} netns ${first}`,
    `link set ${address.link} alias ${linkNote(layout)}`,
    `address add ${address.hostIp}/${address.prefix} dev ${address.link}`,
    `link set ${address.link} up`,
  ];
  await run(['ip', '-batch', '-'], { input: `${lines.join('\n')}\n` });
};

/** Waits until the supervisor has dealt with the given revision of the parameters. @throws with what it says went wrong */
const started = async (
  layout: BoxLayout,
  processes: BoxProcesses,
  revision: number,
  detail: (text: string) => void,
): Promise<void> => {
  const deadline = performance.now() + START_TIMEOUT_MS;
  for (;;) {
    const status = readState<BoxStatus>(layout.status);
    if (status?.revision === revision && status.phase === 'ready') return;
    if (status?.revision === revision && status.phase === 'failed') throw new Error(status.message);
    if (!isAlive(processes.first)) {
      throw new Error(`the box ended:\n${lastLines(join(layout.logs, 'box.log'), 15).join('\n')}`);
    }
    if (performance.now() > deadline)
      throw new Error(`the box was not ready in ${seconds(START_TIMEOUT_MS)}: ${status?.message ?? ''}`);
    if (status !== undefined) detail(status.message);
    await pause(20);
  }
};

const DATA = ['etcd', 'kubelet', 'containerd', 'podLogs'] as const;

/** What a cluster keeps; its certificates stay, so that kubeconfigs that somebody holds remain good. */
const removeData = (layout: BoxLayout): void => {
  for (const part of DATA) rmSync(layout[part], { recursive: true, force: true });
  for (const file of [layout.auditLog, layout.images]) rmSync(file, { force: true });
};

const KEPT_AUDIT_BYTES = 50 * 1024 * 1024;

const rotateAuditLog = (layout: BoxLayout): void => {
  if (existsSync(layout.auditLog) && statSync(layout.auditLog).size > KEPT_AUDIT_BYTES)
    renameSync(layout.auditLog, `${layout.auditLog}.1`);
};

const boot = async (options: BoxOptions, layout: BoxLayout): Promise<RunningBox> => {
  const { cacheDir, name, binDir } = options;
  mkdirSync(layout.stateDir, { recursive: true });
  await end(cacheDir, layout);
  rmSync(layout.status, { force: true });
  rotateAuditLog(layout);
  const address = await claimAddress(cacheDir, layout);
  await ensureCertificates(layout.pki, address);
  await writeComponentFiles(layout, address);
  const before = readState<BoxParameters>(layout.parameters);
  const gpus = options.gpus ?? before?.gpus ?? 0;
  const controlPlaneOnly = options.controlPlaneOnly ?? before?.controlPlaneOnly ?? false;
  const parameters: BoxParameters = { name, cacheDir, binDir, address, gpus, controlPlaneOnly, revision: 1 };
  writeState(layout.parameters, parameters);
  createCgroups(layout);
  try {
    const { box, linked } = await launch(cacheDir, layout);
    await link(layout, address, box.first.pid);
    linked();
    await timed(options.log, `starting box "${name}"`, (detail) => started(layout, box, 1, detail));
    return { layout, address, processes: box, parameters };
  } catch (error) {
    await end(cacheDir, layout);
    throw error;
  }
};

const WITHOUT_DATA = 'If that is due to what the box kept, "up --fresh" starts it without.';

/** Boots; when kept data prevents that, as after a power cut, once more without it. */
const bootOrStartOver = async (options: BoxOptions, layout: BoxLayout): Promise<RunningBox> => {
  if (options.fresh === true) {
    await end(options.cacheDir, layout);
    removeData(layout);
  }
  const hadData = existsSync(join(layout.etcd, 'member'));
  try {
    return await boot(options, layout);
  } catch (error) {
    if (!hadData || !(error instanceof Error)) throw error;
    if (!/^(etcd|containerd) died/.test(error.message)) throw new Error(`${error.message}\n${WITHOUT_DATA}`, { cause: error });
    options.log(`${error.message}\nThe kept state does not start: starting over without it.`);
    removeData(layout);
    return boot(options, layout);
  }
};

/** Has the supervisor of a running box read its parameters anew and start what died. */
const request = async (options: BoxOptions, running: RunningBox, status: BoxStatus): Promise<RunningBox> => {
  const { layout, processes } = running;
  const gpus = options.gpus ?? running.parameters.gpus;
  const parameters = { ...running.parameters, gpus, revision: Math.max(status.revision, running.parameters.revision) + 1 };
  const supervisor = namespaceMembers(processes.first.pid).get(status.supervisorPid);
  if (supervisor === undefined) throw new Error(`the supervisor of box "${layout.name}" is gone`);
  writeState(layout.parameters, parameters);
  process.kill(supervisor, 'SIGHUP');
  await timed(options.log, `mending box "${layout.name}"`, (detail) => started(layout, processes, parameters.revision, detail));
  return { ...running, parameters };
};

/** The box of that name as it runs now, or undefined. */
export const runningBox = (cacheDir: string, name: string): RunningBox | undefined => {
  const layout = boxLayout(cacheDir, name);
  const processes = runningProcesses(layout);
  const parameters = readState<BoxParameters>(layout.parameters);
  if (processes === undefined || parameters === undefined) return undefined;
  return { layout, address: addressOf(parameters.address.index), processes, parameters };
};

const reuse = async (options: BoxOptions, running: RunningBox): Promise<RunningBox | undefined> => {
  const { layout, processes, parameters } = running;
  const status = readState<BoxStatus>(layout.status);
  if (options.fresh === true || status === undefined || status.phase === 'failed') return undefined;
  if (options.controlPlaneOnly !== undefined && options.controlPlaneOnly !== parameters.controlPlaneOnly) return undefined;
  if (status.phase === 'starting') {
    // whoever started it was interrupted
    await timed(options.log, `waiting for box "${layout.name}"`, (detail) =>
      started(layout, processes, parameters.revision, detail),
    );
  }
  const dead = deaths(status);
  for (const component of dead) options.log(describeDeath(component));
  const changed = options.gpus !== undefined && options.gpus !== parameters.gpus;
  return dead.length > 0 || changed ? request(options, running, status) : running;
};

/** Brings the box up, whatever state it is in. @throws with the last log lines of what would not start */
export const up = async (options: BoxOptions): Promise<RunningBox & { readonly reused: boolean }> => {
  const { cacheDir, name, log } = options;
  const layout = boxLayout(cacheDir, name);
  mkdirSync(boxesDir(cacheDir), { recursive: true });
  const work = async (): Promise<RunningBox & { readonly reused: boolean }> => {
    const running = runningBox(cacheDir, name);
    if (running !== undefined) {
      const reused = await reuse(options, running).catch((error: unknown) => {
        log(`${error instanceof Error ? error.message : String(error)}\nStarting box "${name}" anew.`);
        return undefined;
      });
      if (reused !== undefined) return { ...reused, reused: true };
    } else if (readState<BoxProcesses>(layout.processes) !== undefined) {
      log(`box "${name}" had ended without being asked to: starting it again with its kept state`);
    }
    return { ...(await bootOrStartOver(options, layout)), reused: false };
  };
  return withLock(layout.lock, work, () => log(`another process starts or ends box "${name}": waiting for it …`));
};

/** Ends the box. With `forget` its state goes too, and its subnet becomes free. */
export const down = async (cacheDir: string, name: string, forget = false): Promise<void> => {
  const layout = boxLayout(cacheDir, name);
  await withLock(layout.lock, async () => {
    await end(cacheDir, layout);
    if (forget) rmSync(layout.stateDir, { recursive: true, force: true });
    else rmSync(layout.status, { force: true });
  });
};
