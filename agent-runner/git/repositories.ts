// Makes the repositories of a workspace: the bare one with what was fetched, and work trees that borrow its objects.
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Git, GitOptions, GitRemote } from './driver.ts';
import { refCandidates } from './names.ts';
import { runThroughGateway, throughGateway, throwFailure } from './remote.ts';

export const makeBare = async (git: Git, gitDir: string): Promise<GitOptions> => {
  await rm(gitDir, { recursive: true, force: true });
  await mkdir(gitDir, { recursive: true });
  await git.run(['init', '--quiet', '--bare', '--template='], { gitDir });
  return { gitDir };
};

/** The commit that a branch of the remote points to now; `undefined` when there is no such branch. */
export const remoteHead = async (git: Git, options: GitOptions, remote: GitRemote, ref: string): Promise<string | undefined> => {
  const listed = await runThroughGateway(git, ['ls-remote', '--refs', '--', remote.url, ref], { ...options, remote });
  const row = listed
    .toString('utf8')
    .trim()
    .split('\n')
    .map((line) => line.split('\t'))
    .find(([, name]) => name === ref);
  return row?.[0];
};

export const hasCommit = async (git: Git, options: GitOptions, commit: string): Promise<boolean> =>
  (await git.try(['cat-file', '-e', `${commit}^{commit}`], options)).code === 0;

export const isAncestor = async (git: Git, options: GitOptions, ancestor: string, commit: string): Promise<boolean> =>
  (await git.try(['merge-base', '--is-ancestor', ancestor, commit], options)).code === 0;

const fetchFrom = ({ url }: GitRemote): readonly string[] => [
  'fetch',
  '--quiet',
  '--no-tags',
  '--no-write-fetch-head',
  '--',
  url,
];

/** Fetches one branch into `refs/fleet/story`. */
export const fetchBranch = async (git: Git, options: GitOptions, remote: GitRemote, ref: string): Promise<void> => {
  await runThroughGateway(git, [...fetchFrom(remote), `+${ref}:refs/fleet/story`], { ...options, remote });
};

export interface WantedCommit {
  readonly commit: string;
  /** The branch, tag or full ref that the commit was once found by. */
  readonly ref: string;
}

/**
 * Fetches one commit by its id. A server that gives no commits by id is asked for the ref instead, which must contain the commit.
 * False when the commit is not to be had.
 */
export const fetchCommit = async (
  git: Git,
  options: GitOptions,
  remote: GitRemote,
  { commit, ref }: WantedCommit,
): Promise<boolean> => {
  const argv = [...fetchFrom(remote), `${commit}:refs/fleet/base`];
  const direct = await throughGateway(git, argv, { ...options, remote });
  if (direct.code === 0) return true;
  if (!refused.test(direct.stderr)) throwFailure(argv, direct);
  for (const candidate of refCandidates(ref)) {
    const byRef = await throughGateway(git, [...fetchFrom(remote), `+${candidate}:refs/fleet/ref`], { ...options, remote });
    if (byRef.code === 0) return hasCommit(git, options, commit);
  }
  return false;
};

/** The server's words for: there is no such object, or not for the asking. */
const refused = /not our ref|unadvertised object|remote ref|bad object/i;

/** A repository with a work tree at `commit` on a branch `task`, borrowing the objects of the bare one, which is only read. */
export const makeWorkTree = async (
  git: Git,
  place: { readonly bare: string; readonly repository: string; readonly commit: string },
): Promise<GitOptions> => {
  await rm(place.repository, { recursive: true, force: true });
  const gitDir = join(place.repository, '.git');
  await mkdir(gitDir, { recursive: true });
  const options: GitOptions = { gitDir, workTree: place.repository };
  await git.run(['init', '--quiet', '--template=', '--initial-branch=task'], { gitDir });
  await unsetWorkTree(gitDir);
  await writeFile(join(gitDir, 'objects/info/alternates'), `${join(place.bare, 'objects')}\n`);
  await git.run(['update-ref', 'refs/heads/task', place.commit], options);
  await git.run(['reset', '--quiet', '--hard', 'refs/heads/task', '--'], options);
  return options;
};

/** `git init` with GIT_DIR set calls the repository bare or names a work tree; neither fits the tools that find it by its folder. */
const unsetWorkTree = async (gitDir: string): Promise<void> => {
  const file = join(gitDir, 'config');
  const lines = (await readFile(file, 'utf8')).split('\n').filter((line) => !/^\s*(worktree|bare)\s*=/.test(line));
  await writeFile(file, lines.join('\n'));
};
