/**
 * What a machine needs before it can hold a box: looks for it, installs the Debian packages that are missing, and names
 * everything else that is missing at once, each with its next step.
 */
import { randomUUID } from 'node:crypto';
import { accessSync, constants, existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, statfsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { attempt, run } from './command.ts';
import { NEWEST_MODULE, NO_GO } from './binaries.ts';
import { NAMESPACES } from './layout.ts';
import { timed, type Log } from './progress.ts';

interface Need {
  readonly package: string;
  /** A program on the search path, or a file, by which the package is known to be there. */
  readonly provides: string;
}

/** What building the project's images needs, wherever they are to run. */
const IMAGE_NEEDS: readonly Need[] = [
  { package: 'buildah', provides: 'buildah' },
  { package: 'skopeo', provides: 'skopeo' },
  { package: 'mmdebstrap', provides: 'mmdebstrap' },
  { package: 'tar', provides: 'tar' },
  { package: 'ca-certificates', provides: '/usr/sbin/update-ca-certificates' },
];

const NEEDS: readonly Need[] = [
  { package: 'containerd', provides: 'containerd' },
  { package: 'runc', provides: 'runc' },
  { package: 'containernetworking-plugins', provides: '/usr/lib/cni/ptp' },
  { package: 'iproute2', provides: 'ip' },
  { package: 'nftables', provides: 'nft' },
  { package: 'iptables', provides: 'iptables' }, // host ports of pods, by the portmap plugin
  { package: 'conntrack', provides: 'conntrack' },
  { package: 'socat', provides: 'socat' },
  { package: 'util-linux', provides: 'unshare' },
  { package: 'mount', provides: 'mount' },
  { package: 'git', provides: 'git' },
  ...IMAGE_NEEDS,
];

const PATH = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'];

const executable = (path: string): boolean => {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
};

const onPath = (program: string): boolean =>
  program.startsWith('/') ? executable(program) : PATH.some((directory) => executable(`${directory}/${program}`));

const missingOf = (needs: readonly Need[]): readonly string[] =>
  needs.filter((need) => !onPath(need.provides)).map((need) => need.package);

/** What is known of a machine before anything is done to it. */
export interface Machine {
  readonly platform: string;
  readonly root: boolean;
  readonly apt: boolean;
  /** Names of missing Debian packages. */
  readonly missing: readonly string[];
  /** Whether Go is there and new enough for what is built with it. */
  readonly go: boolean;
  /** Whether new namespaces can be made; undefined when that could not be tried. */
  readonly namespaces: boolean | undefined;
  readonly cgroups: boolean;
  readonly cacheDir: string;
  readonly cacheOnOverlay: boolean;
}

/** Each thing that stands in the way, with its next step; [] when a box can be made. */
export const obstaclesOf = (machine: Machine): readonly string[] => {
  if (machine.platform !== 'linux')
    return [`this is ${machine.platform}, not Linux: use a Linux machine, or set SWEFLEET_KUBECONFIG`];
  const { cacheDir, missing } = machine;
  const checks: readonly (readonly [boolean, string])[] = [
    [!machine.root, 'not root: run it with sudo -E, or set SWEFLEET_KUBECONFIG to a cluster of yours'],
    [!machine.go, NO_GO],
    [missing.length > 0 && !machine.apt, `no apt-get to install ${missing.join(', ')}: install them by the means of this system`],
    [machine.namespaces === false, 'new namespaces are refused: run on the machine itself or in a privileged container'],
    [!machine.cgroups, 'no cgroups: mount them under /sys/fs/cgroup'],
    [
      machine.cacheOnOverlay,
      `${cacheDir} lies on overlayfs, which cannot hold the layers of containers: set SWEFLEET_CACHE to a place on a disk`,
    ],
    [
      /[^\w@%=./-]/.test(cacheDir),
      `"${cacheDir}" has signs that configuration files cannot hold: set SWEFLEET_CACHE to a plainer path`,
    ],
    [HIDDEN.some((path) => cacheDir.startsWith(path)), `${cacheDir} is hidden inside a box: set SWEFLEET_CACHE to another place`],
  ];
  return checks.filter(([stands]) => stands).map(([, text]) => text);
};

/** A box has directories of its own in these places. */
const HIDDEN = ['/run/', '/var/run/', '/var/log/', '/var/lib/kubelet/', '/var/lib/cni/'];
const OVERLAYFS_MAGIC = 0x794c7630;

/** The first directory upwards that exists. */
const existing = (path: string): string => (existsSync(path) ? path : existing(dirname(path)));

const inspectMachine = async (cacheDir: string): Promise<Machine> => {
  const root = process.getuid?.() === 0;
  const linux = process.platform === 'linux';
  const go = attempt(['go', 'version'], { cwd: NEWEST_MODULE });
  const tried = linux && root && onPath('unshare') ? attempt([...NAMESPACES, 'true']) : undefined;
  return {
    platform: process.platform,
    root,
    apt: onPath('apt-get'),
    missing: linux ? missingOf(NEEDS) : [],
    go: (await go).status === 0,
    namespaces: tried === undefined ? undefined : (await tried).status === 0,
    cgroups: linux && / cgroup2? /.test(readFileSync('/proc/self/mounts', 'utf8')),
    cacheDir,
    cacheOnOverlay: linux && statfsSync(existing(cacheDir)).type === OVERLAYFS_MAGIC,
  };
};

const aptEnvironment = (): NodeJS.ProcessEnv => ({ ...process.env, DEBIAN_FRONTEND: 'noninteractive' });

/** Tries at once, and again with fresh lists of packages. @throws with what apt-get said */
const aptGet = async (argv: readonly string[], detail: (text: string) => void, cwd?: string): Promise<void> => {
  const options = { env: aptEnvironment(), ...(cwd === undefined ? {} : { cwd }) };
  const listed = readdirSync('/var/lib/apt/lists').some((name) => name.endsWith('Packages') || name.includes('_Packages'));
  const first = listed ? await attempt(['apt-get', ...argv], options) : undefined;
  if (first?.status === 0) return;
  detail('apt-get update');
  const update = await attempt(['apt-get', 'update', '-q'], options);
  detail(`apt-get ${argv[0]}`);
  const second = await attempt(['apt-get', ...argv], options);
  if (second.status === 0) return;
  const said = `${update.status === 0 ? '' : update.stderr}${second.stderr}`.trim().split('\n').slice(-6).join('\n');
  throw new Error(`"apt-get ${argv.join(' ')}" failed; run it yourself to see why:\n${said}`);
};

const INSTALL = ['install', '-y', '-q', '--no-install-recommends', '-o', 'DPkg::Lock::Timeout=300'];

const install = async (packages: readonly string[], log: Log): Promise<void> => {
  await timed(log, `installing ${packages.join(' ')}`, (detail) => aptGet([...INSTALL, ...packages], detail));
};

/** @throws one sentence that names everything that is missing, when this machine cannot hold a box */
export const refuseUnlessPossible = async (cacheDir: string): Promise<void> => {
  const found = obstaclesOf(await inspectMachine(cacheDir));
  if (found.length > 0) throw new Error(`This machine cannot run a cluster: ${found.join('; ')}.`);
};

/** Installs what is missing of the Debian packages. @throws with what apt-get said */
export const ensurePackages = async (log: Log): Promise<void> => {
  await installMissing(NEEDS, log);
};

/** The same for a machine that only builds images. */
export const ensureImagePackages = async (log: Log): Promise<void> => {
  await installMissing(IMAGE_NEEDS, log);
};

const installMissing = async (needs: readonly Need[], log: Log): Promise<void> => {
  const missing = missingOf(needs);
  if (missing.length > 0) await install(missing, log);
};

/**
 * Fetches a package and unpacks it in the cache, once, without installing it: no service of it starts on this machine. Returns the directory that holds its
 * files.
 */
export const unpackPackage = async (name: string, cacheDir: string, log: Log): Promise<string> => {
  const target = join(cacheDir, 'packages', name);
  if (existsSync(target)) return target;
  const draft = `${target}-${randomUUID()}`;
  mkdirSync(join(draft, 'files'), { recursive: true });
  try {
    await timed(log, `fetching ${name}`, (detail) => aptGet(['download', '-q', name], detail, draft));
    const file = readdirSync(draft).find((entry) => entry.endsWith('.deb')) ?? '';
    await run(['dpkg-deb', '--extract', join(draft, file), join(draft, 'files')]);
    renameSync(join(draft, 'files'), target);
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
  return target;
};
