// The agent's git tools: status, diff of what is not committed, log, and local commits. Nothing here reaches a remote, and what is
// handed in is the difference to the base, however it was committed. May: git in the work tree.
import { z } from 'zod';
import type { GitOptions } from '../git/driver.ts';
import { bounded, defineTool, ToolRefused, type Tool, type Workbench } from './tool.ts';

const TIMEOUT_MS = 30_000;

const status = defineTool({
  name: 'git_status',
  group: 'git:read',
  description: 'Show what is changed, added and deleted since the last commit.',
  args: z.object({}),
  run: async (_args, bench) => said(bench, ['status', '--short', '--branch', '--ignore-submodules=all']),
});

const gitDiff = defineTool({
  name: 'git_diff',
  group: 'git:read',
  description: 'Show the changes since the last commit.',
  args: z.object({ staged: z.boolean().optional() }),
  run: async (args, bench) =>
    said(bench, [
      'diff',
      '--no-ext-diff',
      '--no-textconv',
      '--ignore-submodules=all',
      ...(args.staged === true ? ['--cached'] : []),
      '--',
    ]),
});

const log = defineTool({
  name: 'git_log',
  group: 'git:read',
  description: 'Show the last commits.',
  args: z.object({
    count: z.int().min(1).max(100).optional(),
    path: z.string().min(1).optional().describe('only commits that touch it'),
  }),
  run: async (args, bench) =>
    said(bench, [
      'log',
      `--max-count=${args.count ?? 20}`,
      '--date=short',
      '--format=%h %ad %an: %s',
      '--',
      ...(args.path === undefined ? [] : [args.path]),
    ]),
});

const commit = defineTool({
  name: 'git_commit',
  group: 'git:write',
  description: 'Commit everything that is changed, locally. Not needed: what is changed is handed in, committed or not.',
  args: z.object({ message: z.string().min(1).max(2_000) }),
  run: async (args, bench) => {
    await said(bench, ['add', '--all', '--', '.']);
    return said(bench, ['commit', '--no-verify', '--file=-'], args.message);
  },
});

export const gitTools: readonly Tool[] = [status, gitDiff, log, commit];

const agent = { name: 'agent', email: 'agent@swefleet.invalid' };

const said = async (bench: Workbench, argv: readonly string[], stdin?: string): Promise<string> => {
  const options: GitOptions = {
    gitDir: `${bench.repository}/.git`,
    workTree: bench.repository,
    timeoutMs: TIMEOUT_MS,
    identity: { ...agent, date: new Date().toISOString() },
    ...(stdin === undefined ? {} : { stdin }),
  };
  const result = await bench.git.try(argv, options);
  if (result.code !== 0)
    throw new ToolRefused(bounded(`git ended with ${result.code}: ${result.stderr}${result.stdout.toString('utf8')}`, 2_000));
  return bounded(result.stdout.toString('utf8'), bench.outputBytes) || 'nothing';
};
