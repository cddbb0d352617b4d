// Applies a patch to the base in an index of its own, to learn from git what it does. May: write objects and the index that it is given.
import { rm } from 'node:fs/promises';
import { treeDifference, type ChangedFile } from './changed-files.ts';
import type { Git, GitOptions } from './driver.ts';

export type PatchApplication =
  | { readonly kind: 'applied'; readonly tree: string; readonly files: readonly ChangedFile[] }
  | { readonly kind: 'invalid'; readonly message: string };

export const applyFlags = ['apply', '--whitespace=nowarn'] as const;

/** `options` names an index file, which is replaced, and says where new objects go. */
export const applyToBase = async (
  git: Git,
  options: GitOptions,
  patch: { readonly base: string; readonly bytes: Buffer },
): Promise<PatchApplication> => {
  if (options.indexFile !== undefined) await rm(options.indexFile, { force: true });
  await git.run(['read-tree', patch.base], options);
  const applied = await git.try([...applyFlags, '--cached', '-'], { ...options, stdin: patch.bytes });
  if (applied.code !== 0)
    return { kind: 'invalid', message: `git does not take the patch: ${applied.stderr.trim().slice(0, 250)}` };
  const tree = await git.try(['write-tree'], options);
  if (tree.code !== 0)
    return { kind: 'invalid', message: `git does not take the patched tree: ${tree.stderr.trim().slice(0, 250)}` };
  const id = tree.stdout.toString('utf8').trim();
  return { kind: 'applied', tree: id, files: await treeDifference(git, options, { from: patch.base, to: id }) };
};
