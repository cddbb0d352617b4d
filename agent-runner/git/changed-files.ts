// What a change does to files, read from git's own machine output between two trees, never from the text of a patch.
import type { Git, GitOptions } from './driver.ts';

export interface ChangedFile {
  readonly path: string;
  /** Git modes: `100644`, `100755`, `120000` link, `160000` submodule, `000000` absent. */
  readonly oldMode: string;
  readonly newMode: string;
  /** Lines; 0 for binary files. */
  readonly insertions: number;
  readonly deletions: number;
  /** Where a new or changed symbolic link leads. */
  readonly linkTarget?: string;
}

const MAX_LINK_BYTES = 4_096;

/** Renames are told as a deletion and an addition, so that each touched path stands for itself. */
export const treeDifference = async (
  git: Git,
  options: GitOptions,
  trees: { readonly from: string; readonly to: string },
): Promise<readonly ChangedFile[]> => {
  const base = ['diff-tree', '-r', '-z', '--no-renames', '--no-ext-diff', '--no-textconv'];
  const raw = fields(await git.run([...base, '--raw', '--full-index', trees.from, trees.to, '--'], options));
  const lines = countsOf(fields(await git.run([...base, '--numstat', trees.from, trees.to, '--'], options)));
  const changed: ChangedFile[] = [];
  for (let index = 0; index + 1 < raw.length; index += 2) {
    const path = raw[index + 1] ?? '';
    const [oldMode = '', newMode = '', , blob = ''] = (raw[index] ?? '').slice(1).split(' ');
    const { insertions, deletions } = lines.get(path) ?? { insertions: 0, deletions: 0 };
    const file: ChangedFile = { path, oldMode, newMode, insertions, deletions };
    changed.push(newMode === '120000' ? { ...file, linkTarget: await targetOf(git, options, blob) } : file);
  }
  return changed;
};

const fields = (output: Buffer): readonly string[] => {
  const text = output.toString('utf8');
  return text === '' ? [] : text.replace(/\0$/, '').split('\0');
};

const countsOf = (rows: readonly string[]): ReadonlyMap<string, { readonly insertions: number; readonly deletions: number }> => {
  const counts = new Map<string, { readonly insertions: number; readonly deletions: number }>();
  for (const row of rows) {
    const [added = '', removed = '', ...path] = row.split('\t');
    counts.set(path.join('\t'), { insertions: Number.parseInt(added, 10) || 0, deletions: Number.parseInt(removed, 10) || 0 });
  }
  return counts;
};

const targetOf = async (git: Git, options: GitOptions, blob: string): Promise<string> => {
  const size = Number(await git.line(['cat-file', '-s', blob], options));
  if (size > MAX_LINK_BYTES) return '/';
  return (await git.run(['cat-file', 'blob', blob], options)).toString('utf8');
};
