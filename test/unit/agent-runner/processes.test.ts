// Commands with their limits, and what becomes of the processes that they leave behind.
import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { BoundedOutput } from '../../../agent-runner/process/bounded-output.ts';
import { Children } from '../../../agent-runner/process/children.ts';
import { temporaryFolder } from './folder.ts';

const folder = temporaryFolder();
const options = { cwd: folder, env: { PATH: process.env['PATH'] ?? '' }, timeoutMs: 20_000, outputBytes: 1_000 };
const runs = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
};

describe('BoundedOutput', () => {
  it.each<[string, readonly string[], number, string]>([
    ['keeps all within the limit', ['abc', 'def'], 6, 'abcdef'],
    ['keeps beginning and end beyond it', ['abcdefgh', 'ijklmnop'], 6, 'abc\n[… 10 bytes left out …]\nnop'],
    ['keeps both however the pieces fall', [...'abcdefghijklmnop'], 6, 'abc\n[… 10 bytes left out …]\nnop'],
    ['keeps nothing at zero', ['abc'], 0, '\n[… 3 bytes left out …]\n'],
  ])('%s', (_title, pieces, limit, want) => {
    const output = new BoundedOutput(limit);
    for (const piece of pieces) output.add(Buffer.from(piece));
    expect(output.text()).toBe(want);
  });
});

describe('Children', () => {
  it('ends what a command left in the background, and does not wait for it', async () => {
    const result = await new Children().run(['sh', '-c', 'sleep 300 & echo $!'], options);
    expect(result).toMatchObject({ exitCode: 0, timedOut: false });
    await expect.poll(() => runs(Number(result.output))).toBe(false); // a killed process closes its pipes a moment before it is gone
  });

  it('ends a command with its whole group at the time limit', async () => {
    const result = await new Children().run(['sh', '-c', 'sleep 300 & echo $!; wait'], { ...options, timeoutMs: 500 });
    expect(result).toMatchObject({ exitCode: undefined, timedOut: true });
    await expect.poll(() => runs(Number(result.output))).toBe(false); // a killed process closes its pipes a moment before it is gone
  });

  it('gives a command what it reads, and does not mind if it does not', async () => {
    expect((await new Children().run(['cat'], { ...options, stdin: 'given' })).output).toBe('given');
    expect((await new Children().run(['true'], { ...options, stdin: 'x'.repeat(1_000_000) })).exitCode).toBe(0);
  });

  it('ends all that run when told to', async () => {
    const children = new Children();
    const running = children.run(['sleep', '300'], options);
    setTimeout(() => children.endAll(), 100);
    expect((await running).exitCode).toBeUndefined();
  });
});

describe('endLeftovers in process 1', () => {
  it('ends even what has left its group and its session', () => {
    const script = `
      import { spawn } from 'node:child_process';
      import { readdirSync, readFileSync } from 'node:fs';
      import { endLeftovers } from '${join(import.meta.dirname, '../../../agent-runner/process/leftovers.ts')}';
      const child = spawn('setsid', ['sh', '-c', 'sleep 300 & setsid sleep 300 & wait'], { stdio: 'ignore', detached: true });
      const alive = () => readdirSync('/proc').filter((name) => /^[0-9]+$/.test(name) && name !== '1')
        .filter((pid) => { try { return !/\\) Z /.test(readFileSync('/proc/' + pid + '/stat', 'utf8')); } catch { return false; } }).length;
      while (alive() < 3) await new Promise((resolve) => setTimeout(resolve, 20));
      await endLeftovers();
      console.log(process.pid, alive());
      process.exit(0);`;
    const said = execFileSync(
      'unshare',
      ['--user', '--map-root-user', '--pid', '--fork', '--mount-proc', process.execPath, '--input-type=module', '--eval', script],
      { encoding: 'utf8', timeout: 25_000 },
    );
    expect(said.trim()).toBe('1 0');
  });

  it('does nothing elsewhere, where others would be hit', () => {
    const script = `import { endLeftovers } from '${join(import.meta.dirname, '../../../agent-runner/process/leftovers.ts')}';
      import { spawn } from 'node:child_process';
      const child = spawn('sleep', ['300']);
      await endLeftovers();
      child.once('exit', (code, signal) => console.log(signal));
      child.kill('SIGTERM');`;
    const { stdout } = spawnSync(process.execPath, ['--input-type=module', '--eval', script], {
      encoding: 'utf8',
      timeout: 25_000,
    });
    expect(stdout.trim()).toBe('SIGTERM');
  });
});
