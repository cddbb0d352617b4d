// The command line where no box runs: what it says, and the exit code that goes with it.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { runCommand } from '../../cluster/cli-commands.ts';
import { coloured, plain } from '../../cluster/report.ts';

const cacheDir = mkdtempSync(join(tmpdir(), 'swe-fleet-cli-'));
afterAll(() => rmSync(cacheDir, { recursive: true }));

describe('npm run cluster', () => {
  const cases: readonly (readonly [string, readonly string[], number, RegExp])[] = [
    ['explains itself', ['help'], 0, /^A real one-node Kubernetes[^]* load-images /],
    ['explains itself when nothing is asked', [], 0, /npm run cluster -- /],
    ['does not guess a command', ['start'], 2, /^there is no command "start"/],
    ['does not guess an option', ['up', '--gpu', '1'], 2, /--gpu/],
    ['takes no half GPU', ['up', '--gpus', '0.5'], 2, /--gpus takes a number from 0 to 64/],
    ['refuses a name that is no name', ['--name', '../x', 'status'], 1, /"\.\.\/x" is no name for a box/],
    [
      'says that a box is not running, in plain words without a terminal',
      ['--name', 'none', 'status'],
      1,
      /^box "none": not running$/,
    ],
    ['takes the name after the command as well', ['status', '--name', 'other'], 1, /^box "other": not running$/],
    ['takes it after any command', ['env', '--name=other'], 1, /box "other" is not running/],
    ['takes it among the words of a command', ['logs', '--name', 'other', 'kubelet'], 1, /box "other" has no log of kubelet/],
    ['takes it before kubectl', ['--name', 'other', 'kubectl', '--name', 'x'], 1, /box "other" is not running/],
    ['refuses a name that is missing', ['env', '--name'], 1, /"" is no name for a box/],
    [
      'says how to start a box that is asked for its environment',
      ['env'],
      1,
      /box "default" is not running; start it: npm run cluster -- --name default up/,
    ],
    ['leaves the words of kubectl to kubectl', ['kubectl', '--name', 'x'], 1, /box "default" is not running/],
    ['knows its logs by name', ['logs', 'docker'], 2, /logs knows box, audit, containerd/],
    ['says when there is no such log yet', ['logs', 'kubelet'], 1, /box "default" has no log of kubelet/],
    ['ends what does not run', ['down', '--forget'], 0, /box "default" is down and forgotten/],
  ];
  it.each(cases)('%s', async (_, words, status, want) => {
    const lines: string[] = [];
    const take = (line: string): void => void lines.push(line);
    const config = { cacheDir, externalKubeconfig: undefined, registry: undefined, hostIp: undefined };
    expect(await runCommand({ config, print: take, say: take, paint: plain }, words)).toBe(status);
    expect(lines.join('\n')).toMatch(want);
  });

  it('paints its words only when asked to', async () => {
    const lines: string[] = [];
    const config = { cacheDir, externalKubeconfig: undefined, registry: undefined, hostIp: undefined };
    await runCommand({ config, print: (text) => lines.push(text), say: () => undefined, paint: coloured }, ['status']);
    expect(lines).toEqual(['box "default": \u001b[31mnot running\u001b[0m']);
  });
});
