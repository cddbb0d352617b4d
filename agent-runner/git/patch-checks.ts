// May this change be handed in? A pure function of the changed files and the task's limits; `work`, `report` and `merge` all ask it.
import { posix } from 'node:path';
import { pathMatcher } from '../../crds/rules/path-globs.ts';
import type { ChangedFile } from './changed-files.ts';

export interface PatchLimits {
  readonly patchBytes: number;
  readonly patchFiles: number;
  /** Globs that nobody may touch. */
  readonly protectedPaths: readonly string[];
  /** Globs of which each changed path must match one; empty: the whole repository. */
  readonly fileScope: readonly string[];
}

export interface PatchRefusal {
  readonly reason: 'NoChange' | 'TooLarge' | 'PatchInvalid' | 'ProtectedPath' | 'OutOfScope';
  readonly message: string;
}

const ordinaryModes = new Set(['000000', '100644', '100755', '120000']);

export const patchRefusal = (
  files: readonly ChangedFile[],
  patchBytes: number,
  limits: PatchLimits,
): PatchRefusal | undefined => {
  if (files.length === 0) return { reason: 'NoChange', message: 'nothing was changed' };
  if (patchBytes > limits.patchBytes)
    return { reason: 'TooLarge', message: `the patch has ${patchBytes} bytes, at most ${limits.patchBytes} are allowed` };
  if (files.length > limits.patchFiles)
    return { reason: 'TooLarge', message: `${files.length} files are changed, at most ${limits.patchFiles} may be` };
  return malformed(files) ?? touched(files, limits);
};

const malformed = (files: readonly ChangedFile[]): PatchRefusal | undefined => {
  for (const file of files) {
    const why = malformation(file);
    if (why !== undefined) return { reason: 'PatchInvalid', message: `${shown(file.path)}: ${why}` };
  }
  return undefined;
};

const malformation = (file: ChangedFile): string | undefined => {
  if (file.oldMode === '160000' || file.newMode === '160000') return 'submodules and nested repositories are not handed in';
  if (!ordinaryModes.has(file.newMode)) return `mode ${file.newMode} is not handed in`;
  if (/[\u0000-\u001f\u007f]/.test(file.path)) return 'the name has control characters';
  if (file.path.split('/').some((part) => part.toLowerCase() === '.git' || part === '..'))
    return 'the path belongs to git itself';
  if (file.linkTarget !== undefined && leavesTree(file.path, file.linkTarget))
    return 'the symbolic link leads out of the repository';
  return undefined;
};

const leavesTree = (link: string, target: string): boolean => {
  if (posix.isAbsolute(target) || target.includes('\0')) return true;
  const end = posix.normalize(posix.join(posix.dirname(link), target));
  return end === '..' || end.startsWith('../') || end.split('/').some((part) => part.toLowerCase() === '.git');
};

const touched = (files: readonly ChangedFile[], limits: PatchLimits): PatchRefusal | undefined => {
  // Case is ignored where a protection could be walked around on a file system that ignores it too.
  const isProtected = pathMatcher(limits.protectedPaths, { ignoreCase: true });
  const inScope = limits.fileScope.length === 0 ? () => true : pathMatcher(limits.fileScope);
  for (const { path } of files) {
    if (isProtected(path)) return { reason: 'ProtectedPath', message: `${shown(path)} is protected` };
    if (!inScope(path)) return { reason: 'OutOfScope', message: `${shown(path)} is not in the task's file scope` };
  }
  return undefined;
};

const shown = (path: string): string => JSON.stringify(path.length > 120 ? `${path.slice(0, 117)}...` : path);
