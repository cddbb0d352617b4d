/**
 * What a machine needs before it can hold a box: looks for it, installs the Debian packages that are missing, and names
 * everything else that is missing at once, each with its next step.
 */
import { accessSync, constants, existsSync, readFileSync, readdirSync, statfsSync } from 'node:fs';
import { dirname } from 'node:path';
import { attempt } from './command.ts';
import { imageHostPackages } from './images/host-packages.ts';
import { timed, type Log } from './progress.ts';

interface Need {
  readonly package: string;
  /** A program on the search path, or a file, by which the package is known to be there. */
  readonly provides: string;
}

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
  { package: 'mmdebstrap', provides: 'mmdebstrap' },
  { package: 'attr', provides: 'getfattr' },
];

const PATH = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'];

function executable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

const onPath = (program: string): boolean =>
  program.startsWith('/') ? executable(program) : PATH.some((directory) => executable(`${directory}/${program}`));

const missingPackages = (): readonly string[] => {
  const known = NEEDS.filter((need) => !onPath(need.provides)).map((need) => need.package);
  const listed = new Set(NEEDS.map((need) => need.package));
  const others = imageHostPackages.filter((name) => !listed.has(name) && !existsSync(`/var/lib/dpkg/info/${name}.list`));
  return [...new Set([...known, ...(existsSync('/var/lib/dpkg/info') ? others : [])])];
};

/** The first directory upwards that exists. */
function existing(path: string): string {
  return existsSync(path) ? path : existing(dirname(path));
}

const OVERLAYFS_MAGIC = 0x794c7630;

async function hasGo(): Promise<boolean> {
  return (await attempt(['go', 'version'])).status === 0;
}

async function canUnshare(): Promise<boolean> {
  return (await attempt(['unshare', '--net', '--mount', '--pid', '--fork', '--kill-child', '--mount-proc', 'true'])).status === 0;
}

const cgroupsMounted = (): boolean => / cgroup2? /.test(readFileSync('/proc/self/mounts', 'utf8'));

/** Each thing that stands in the way, with its next step; [] when a box can be made. */
async function obstacles(cacheDir: string): Promise<readonly string[]> {
  const root = process.getuid?.() === 0;
  const missing = missingPackages();
  const apt = onPath('apt-get');
  const linux = process.platform === 'linux';
  const checks: readonly (readonly [boolean, string])[] = [
    [!linux, `this is ${process.platform}, not Linux: use a Linux machine or set SWEFLEET_KUBECONFIG`],
    [!root, 'not root: run it with sudo -E, or set SWEFLEET_KUBECONFIG to a cluster of yours'],
    [!(await hasGo()), 'no Go on the PATH: install Go 1.26 or newer from https://go.dev/dl'],
    [missing.length > 0 && !apt, `no apt-get to install ${missing.join(', ')}: install them by the means of this system`],
    [
      linux && root && onPath('unshare') && !(await canUnshare()),
      'no new namespaces: "unshare --net --mount --pid" is refused; run on the machine itself or in a privileged container',
    ],
    [linux && !cgroupsMounted(), 'no cgroups: mount them under /sys/fs/cgroup'],
    [
      linux && statfsSync(existing(cacheDir)).type === OVERLAYFS_MAGIC,
      `${cacheDir} lies on overlayfs, on which containers' layers cannot be stacked: set SWEFLEET_CACHE to a directory on a disk`,
    ],
    [
      ['/run/', '/var/run/', '/var/log/', '/var/lib/kubelet/', '/var/lib/cni/'].some((hidden) => cacheDir.startsWith(hidden)),
      `${cacheDir} is hidden inside a box, which has a directory of its own there: set SWEFLEET_CACHE to another place`,
    ],
  ];
  return checks.filter(([stands]) => stands).map(([, text]) => text);
}

const aptEnvironment = (): NodeJS.ProcessEnv => ({ ...process.env, DEBIAN_FRONTEND: 'noninteractive' });

async function install(packages: readonly string[], log: Log): Promise<void> {
  await timed(log, `installing ${packages.join(' ')}`, async (detail) => {
    const options = { env: aptEnvironment() };
    const argv = [
      'apt-get',
      'install',
      '-y',
      '-q',
      '--no-install-recommends',
      '-o',
      'DPkg::Lock::Timeout=300',
      ...packages,
    ] as const;
    const listed = readdirSync('/var/lib/apt/lists').some((name) => name.endsWith('Packages') || name.includes('_Packages'));
    const first = listed ? await attempt(argv, options) : undefined;
    if (first?.status === 0) return;
    detail('apt-get update');
    const update = await attempt(['apt-get', 'update', '-q'], options);
    detail('apt-get install');
    const second = await attempt(argv, options);
    if (second.status === 0) return;
    const said = `${update.status === 0 ? '' : update.stderr}${second.stderr}`.trim().split('\n').slice(-6).join('\n');
    throw new Error(`apt-get could not install ${packages.join(' ')}; run that yourself to see why:\n${said}`);
  });
}

/** @throws one sentence that names all that is missing */
export async function ensurePackages(cacheDir: string, log: Log): Promise<void> {
  const found = await obstacles(cacheDir);
  if (found.length > 0) throw new Error(`This machine cannot run a cluster: ${found.join('; ')}.`);
  const missing = missingPackages();
  if (missing.length > 0) await install(missing, log);
}
