// Calls of git that go through the gateway. What may pass by itself is tried again for a while; the last end is the caller's to judge.
import { setTimeout as delay } from 'node:timers/promises';
import { GatewayUnreachable } from '../gateway/client.ts';
import { GitFailed, type Git, type GitOptions, type GitResult } from './driver.ts';

const PATIENCE_MS = 60_000;
const PAUSE_MS = 2_000;

/** The gateway does not know the Job yet, is busy, or the connection broke; not: it said no. */
const passing =
  /returned error: (429|5\d\d)|Failed to connect|Could not connect|Connection (refused|reset)|early EOF|RPC failed|unexpected disconnect|timed out/i;
const final = /\[(remote )?rejected\]|pre-receive hook declined/;

export const throughGateway = async (git: Git, argv: readonly string[], options: GitOptions): Promise<GitResult> => {
  const givesUpAt = Date.now() + PATIENCE_MS;
  for (;;) {
    const result = await git.try(argv, options);
    if (result.code === 0 || !isPassing(result) || Date.now() >= givesUpAt) return result;
    await delay(PAUSE_MS);
  }
};

/** Whether its last end may still pass by itself, so that nobody's repository or patch is to blame. */
const isPassing = ({ stdout, stderr }: GitResult): boolean => {
  const words = `${stdout.toString('utf8')}${stderr}`;
  return passing.test(words) && !final.test(words);
};

/** Throws what says best why git failed: there was no way through, or `GitFailed`. */
export const throwFailure = (argv: readonly string[], result: GitResult): never => {
  if (isPassing(result))
    throw new GatewayUnreachable(`git finds no way through the gateway: ${result.stderr.trim().slice(-300)}`);
  throw new GitFailed(argv, result);
};

/** Its output; throws unless git ends with 0. */
export const runThroughGateway = async (git: Git, argv: readonly string[], options: GitOptions): Promise<Buffer> => {
  const result = await throughGateway(git, argv, options);
  return result.code === 0 ? result.stdout : throwFailure(argv, result);
};
