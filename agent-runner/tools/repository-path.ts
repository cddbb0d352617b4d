// Turns a path that the model named into a real path inside the work tree, or refuses it. May: look at file names (lstat, realpath).
// What leaves the tree through `..`, an absolute path or a symbolic link is refused, and so is everything below a `.git`.
import { lstat, realpath } from 'node:fs/promises';
import { isAbsolute, join, relative, resolve, sep } from 'node:path';
import { ToolRefused } from './tool.ts';

const MAX_PATH_LENGTH = 1_024;

/**
 * The real path of `path` in the tree `root` (itself a real path). Links are followed; parts that do not exist yet stay as they are.
 * Throws `ToolRefused`.
 */
export const pathInside = async (root: string, path: string): Promise<string> => {
  let current = root;
  const parts = partsOf(root, path);
  for (const [index, part] of parts.entries()) {
    const next = join(current, part);
    const kind = await kindOf(next);
    if (kind === 'absent') return join(current, ...parts.slice(index));
    current = kind === 'link' ? await followLink(root, next, path) : next;
  }
  return current;
};

/** Like `pathInside`, but the last part is not followed if it is a link: for what acts on the name itself. */
export const nameInside = async (root: string, path: string): Promise<string> => {
  const parts = partsOf(root, path);
  const last = parts.at(-1);
  if (last === undefined) throw new ToolRefused('that is the repository itself');
  return join(await pathInside(root, parts.slice(0, -1).join('/') || '.'), last);
};

const partsOf = (root: string, path: string): readonly string[] => {
  if (path.length > MAX_PATH_LENGTH) throw new ToolRefused(`a path has at most ${MAX_PATH_LENGTH} characters`);
  if (path.includes('\0')) throw new ToolRefused('a path has no NUL character');
  const within = relative(root, isAbsolute(path) ? resolve(path) : resolve(root, path));
  return checked(within, path);
};

const checked = (within: string, path: string): readonly string[] => {
  const parts = within.split(sep).filter((part) => part !== '');
  if (parts[0] === '..' || isAbsolute(within)) throw new ToolRefused(`${path} is outside the repository`);
  if (parts.some((part) => part.toLowerCase() === '.git')) throw new ToolRefused(`${path} belongs to git itself`);
  return parts;
};

const kindOf = async (path: string): Promise<'absent' | 'link' | 'other'> => {
  try {
    return (await lstat(path)).isSymbolicLink() ? 'link' : 'other';
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return 'absent';
    if (code === 'ENOTDIR') throw new ToolRefused('a part of the path is a file, not a folder');
    throw error;
  }
};

const followLink = async (root: string, link: string, path: string): Promise<string> => {
  const target = await realpath(link).catch(() => undefined);
  if (target === undefined) throw new ToolRefused(`${path} goes through a symbolic link that leads nowhere`);
  checked(relative(root, target), path);
  return target;
};
