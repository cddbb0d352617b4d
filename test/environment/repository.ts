// Bare git repositories made from a folder of files: what a team's git server would hold before a Story comes.
import { cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { run } from '../cluster/command.ts';

const IDENTITY = {
  GIT_AUTHOR_NAME: 'Ada',
  GIT_AUTHOR_EMAIL: 'ada@example.com',
  GIT_COMMITTER_NAME: 'Ada',
  GIT_COMMITTER_EMAIL: 'ada@example.com',
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_CONFIG_NOSYSTEM: '1',
};

const gitEnvironment = (): NodeJS.ProcessEnv => ({ ...process.env, ...IDENTITY });

export const git = async (cwd: string, ...args: readonly string[]): Promise<string> =>
  run(['git', ...args], { cwd, env: gitEnvironment() });

/** Replaces the bare repository `bare` by one with a single commit of the folder's files on `main`. Resolves with that commit. */
export const createRepository = async (bare: string, folder: string): Promise<string> => {
  const work = mkdtempSync(join(tmpdir(), 'swe-fleet-seed-'));
  try {
    cpSync(folder, work, { recursive: true });
    await git(work, 'init', '--quiet', '--initial-branch=main');
    await git(work, 'add', '--all');
    await git(work, 'commit', '--quiet', '--message', 'First version');
    rmSync(bare, { recursive: true, force: true });
    mkdirSync(dirname(bare), { recursive: true });
    await git(work, 'clone', '--quiet', '--bare', work, bare);
    return (await git(work, 'rev-parse', 'HEAD')).trim();
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
};
