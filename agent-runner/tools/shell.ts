// The agent's shell tool: one command as an argv, with limits on time and output. The container is the wall, not this file.
import { z } from 'zod';
import { pathInside } from './repository-path.ts';
import { defineTool, type Tool } from './tool.ts';

const shell = defineTool({
  name: 'shell',
  group: 'shell',
  description:
    'Run a program in the repository, given as a list of words, for example ["npm", "test"]; for pipes use ["sh", "-c", "…"]. There is no network, and nothing keeps running afterwards.',
  args: z.object({
    argv: z.array(z.string().max(20_000)).min(1).max(200),
    folder: z.string().optional().describe('where to run it; absent: the top of the repository'),
    timeout_seconds: z.int().min(1).max(1_800).optional().describe('120 when absent'),
  }),
  run: async (args, bench) => {
    const cwd = await pathInside(bench.repository, args.folder ?? '.');
    const timeoutMs = Math.min((args.timeout_seconds ?? 120) * 1_000, bench.remainingMs());
    const result = await bench.children.run(args.argv, { cwd, env: bench.env, timeoutMs, outputBytes: bench.outputBytes });
    return `${endingOf(result)}\n${result.output}`;
  },
});

export const shellTools: readonly Tool[] = [shell];

export const endingOf = (result: {
  readonly exitCode: number | undefined;
  readonly timedOut: boolean;
  readonly durationMs: number;
}): string => {
  const seconds = (result.durationMs / 1_000).toFixed(1);
  if (result.timedOut) return `ended by the time limit after ${seconds} s`;
  return result.exitCode === undefined
    ? `did not run to its end (${seconds} s)`
    : `exit code ${result.exitCode} after ${seconds} s`;
};
