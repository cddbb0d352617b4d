/**
 * The part of the cgroup tree that belongs to one box, in every hierarchy of version 1 or in the one of version 2.
 */
import { existsSync, mkdirSync, readFileSync, readdirSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cgroupName, type BoxLayout } from './layout.ts';

interface Hierarchy {
  readonly root: string;
  readonly version: 1 | 2;
}

const hierarchies = (): readonly Hierarchy[] => {
  const mounts = readFileSync('/proc/self/mounts', 'utf8')
    .split('\n')
    .map((line) => line.split(' '));
  return mounts.flatMap(([, root = '', type]): readonly Hierarchy[] => {
    if (type === 'cgroup') return [{ root, version: 1 }];
    return type === 'cgroup2' ? [{ root, version: 2 }] : [];
  });
};

const tryWrite = (path: string, text: string): void => {
  try {
    writeFileSync(path, text);
  } catch {
    // not ours to change, or set already: kubelet says what it misses
  }
};

/** Version 1 starts a new cpuset empty, and no process can join an empty one. */
const inheritCpus = (parent: string, directory: string): void => {
  for (const file of ['cpuset.cpus', 'cpuset.mems']) {
    if (!existsSync(join(directory, file))) continue;
    if (readFileSync(join(directory, file), 'utf8').trim() === '')
      tryWrite(join(directory, file), readFileSync(join(parent, file), 'utf8'));
  }
};

/** Version 2 hands controllers down one by one; beside version 1 it has none. */
const delegateControllers = (directory: string): void => {
  for (const controller of readFileSync(join(directory, 'cgroup.controllers'), 'utf8').match(/\S+/g) ?? []) {
    tryWrite(join(directory, 'cgroup.subtree_control'), `+${controller}`);
  }
};

export const createCgroups = (layout: BoxLayout): void => {
  for (const { root, version } of hierarchies()) {
    const directory = join(root, cgroupName(layout));
    if (version === 2) delegateControllers(root);
    mkdirSync(directory, { recursive: true });
    if (version === 1) inheritCpus(root, directory);
    else delegateControllers(directory);
  }
};

const removeTree = (directory: string): void => {
  for (const entry of readdirSync(directory, { withFileTypes: true }))
    if (entry.isDirectory()) removeTree(join(directory, entry.name));
  rmdirSync(directory);
};

const removeWhenIdle = async (directory: string): Promise<void> => {
  for (let tries = 1; existsSync(directory); tries += 1) {
    try {
      removeTree(directory);
    } catch (cause) {
      if (tries === 100) throw new Error(`${directory} cannot be removed`, { cause });
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
};

/** Removes them; a group stays busy for a moment after its last process. @throws when it stays so for longer */
export const removeCgroups = async (layout: BoxLayout): Promise<void> => {
  for (const { root } of hierarchies()) await removeWhenIdle(join(root, cgroupName(layout)));
};
