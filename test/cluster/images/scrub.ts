// Takes out of a root file system (or the part of one that a RUN line wrote) what tells when and where it was made: logs, caches, temporary files.
import { lstat, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';

const emptied = [
  'var/log',
  'var/cache/apt',
  'var/cache/ldconfig',
  'var/cache/debconf',
  'var/cache/man',
  'tmp',
  'var/tmp',
  'run',
  'root/.cache',
];
const removed = [
  'var/lib/dpkg/lock',
  'var/lib/dpkg/lock-frontend',
  'var/lib/apt/extended_states',
  'var/lib/systemd/catalog/database',
];

export async function scrub(root: string): Promise<void> {
  for (const directory of emptied) await empty(join(root, directory));
  for (const file of removed) await rm(join(root, file), { force: true });
  // Copies that dpkg and shadow keep of the file before.
  for (const directory of ['var/lib/dpkg', 'var/cache/debconf', 'etc'])
    await removeBackups(join(root, directory), directory === 'etc' ? /^(passwd|group|shadow|gshadow|subuid|subgid)-$/ : /-old$/);
}

async function empty(directory: string): Promise<void> {
  for (const name of await readdir(directory).catch(() => [])) {
    const path = join(directory, name);
    // A character device is overlayfs' mark for "taken away"; it is content.
    if (!(await lstat(path)).isCharacterDevice()) await rm(path, { recursive: true });
  }
}

async function removeBackups(directory: string, pattern: RegExp): Promise<void> {
  for (const name of await readdir(directory).catch(() => [])) if (pattern.test(name)) await rm(join(directory, name));
}
