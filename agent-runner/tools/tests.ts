// The agent's test tool: the task's own verify commands, and test runners that the repository's files give away.
import { lstat } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { endingOf } from './shell.ts';
import { defineTool, ToolRefused, type Tool, type Workbench } from './tool.ts';

/** A file at the top of the repository, and the command that runs the tests of such a repository. */
const runners: readonly (readonly [string, string])[] = [
  ['package.json', 'npm test'],
  ['pyproject.toml', 'python3 -m unittest discover'],
  ['setup.py', 'python3 -m unittest discover'],
  ['go.mod', 'go test ./...'],
  ['Cargo.toml', 'cargo test --offline'],
  ['pom.xml', 'mvn --offline --quiet test'],
  ['build.gradle', 'gradle --offline test'],
  ['build.gradle.kts', 'gradle --offline test'],
  ['Makefile', 'make test'],
];

const runTests = defineTool({
  name: 'run_tests',
  group: 'tests',
  description:
    'Run the commands by which the task will be judged, or with detected: true the test runner of the repository. Gives exit codes and output.',
  args: z.object({ detected: z.boolean().optional() }),
  run: async (args, bench) => {
    const commands = args.detected === true || bench.verifyCommands.length === 0 ? await detected(bench) : bench.verifyCommands;
    if (commands.length === 0) throw new ToolRefused('the task names no verify commands and no test runner was found');
    const share = Math.floor(bench.outputBytes / commands.length);
    const results: string[] = [];
    for (const command of commands) results.push(await runOne(command, bench, share));
    return results.join('\n\n');
  },
});

export const testTools: readonly Tool[] = [runTests];

const detected = async (bench: Workbench): Promise<readonly string[]> => {
  const found: string[] = [];
  for (const [file, command] of runners) {
    const there = await lstat(join(bench.repository, file)).catch(() => undefined);
    if (there?.isFile() === true && !found.includes(command)) found.push(command);
  }
  return found;
};

const runOne = async (command: string, bench: Workbench, outputBytes: number): Promise<string> => {
  const timeoutMs = Math.min(bench.verifyTimeoutMs, bench.remainingMs());
  const result = await bench.children.run(['sh', '-c', command], {
    cwd: bench.repository,
    env: bench.env,
    timeoutMs,
    outputBytes,
  });
  return `$ ${command}\n${endingOf(result)}\n${result.output}`;
};
