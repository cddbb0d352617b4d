// Performs a RUN line for real: the layers below as overlayfs lower directories, the new layer as the upper one, a shell in a chroot. Mount and process
// namespaces of its own, so nothing stays mounted or running; the network is the machine's, as packages come from there. Needs root.
import { mkdir, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { readAptSources, writeAptDirectories } from './apt-sources.ts';
import { run } from './exec.ts';
import { scrub } from './scrub.ts';

export interface ChrootRun {
  readonly command: string;
  /** Directories of the layers below, lowest first. */
  readonly lower: readonly string[];
  /** Empty directory that takes what the command changes. */
  readonly upper: string;
  readonly env: Readonly<Record<string, string>>;
  /** Debian suite whose packages apt may install. */
  readonly suite: string;
}

const inside = `
mount -t overlay overlay -o "lowerdir=$LOWER,upperdir=$UPPER,workdir=$WORK" "$ROOT"
mount -t proc proc "$ROOT/proc"
mount -t tmpfs -o mode=755 dev "$ROOT/dev"
for device in null zero random urandom; do : > "$ROOT/dev/$device"; mount --bind "/dev/$device" "$ROOT/dev/$device"; done
ln -s /proc/self/fd "$ROOT/dev/fd"
mount -t tmpfs -o mode=1777 tmp "$ROOT/tmp"
for file in resolv.conf hosts; do mount --bind -o ro "/etc/$file" "$ROOT/etc/$file"; done
for directory in sources.list.d apt.conf.d; do if [ -d "$ROOT/etc/apt/$directory" ]; then mount --bind "$APT/$directory" "$ROOT/etc/apt/$directory"; fi; done
if [ -d /etc/apt/auth.conf.d ] && [ -d "$ROOT/etc/apt/auth.conf.d" ]; then mount --bind -o ro /etc/apt/auth.conf.d "$ROOT/etc/apt/auth.conf.d"; fi
exec chroot "$ROOT" /usr/bin/env -i "$@"
`;

/** Rejects with the command's last lines when it fails. */
export async function runInChroot(options: ChrootRun): Promise<void> {
  const home = join(dirname(options.upper), `${basename(options.upper)}-run`);
  const odd = [home, ...options.lower].find((path) => /[:,\\]/.test(path));
  if (odd !== undefined)
    throw new Error(`${odd} holds a character that overlayfs options cannot; next: choose another cache directory`);
  await mkdir(join(home, 'work'), { recursive: true });
  await mkdir(join(home, 'root'), { recursive: true });
  await writeAptDirectories(await readAptSources(options.suite), home);
  const paths = {
    LOWER: [...options.lower].reverse().join(':'),
    UPPER: options.upper,
    WORK: join(home, 'work'),
    ROOT: join(home, 'root'),
    APT: home,
  };
  // SOURCE_DATE_EPOCH makes Python's compiled files depend on the source's content, not on times that the layer does not keep.
  const env = {
    PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    HOME: '/root',
    LC_ALL: 'C.UTF-8',
    DEBIAN_FRONTEND: 'noninteractive',
    SOURCE_DATE_EPOCH: '0',
    ...options.env,
  };
  const command = [...Object.entries(env).map(([name, value]) => `${name}=${value}`), '/bin/sh', '-c', options.command];
  try {
    const isolated = ['--mount', '--propagation', 'private', '--pid', '--fork', '--kill-child', '--'];
    await run('unshare', [...isolated, '/bin/sh', '-euc', inside, 'sh', ...command], { env: { PATH: env.PATH, ...paths } });
  } finally {
    await rm(home, { recursive: true, force: true });
  }
  await scrub(options.upper);
}
