// Locks between processes: one at a time, and none outlives its holder.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { withLock } from '../../cluster/lock.ts';

const directory = mkdtempSync(join(tmpdir(), 'swe-fleet-lock-'));
afterAll(() => rmSync(directory, { recursive: true }));

describe('a lock', () => {
  it('lets one in at a time', async () => {
    const seen: string[] = [];
    const visit = (name: string): Promise<void> =>
      withLock(join(directory, 'a'), async () => {
        seen.push(`${name} in`);
        await new Promise((done) => setTimeout(done, 50));
        seen.push(`${name} out`);
      });
    await Promise.all([visit('first'), visit('second')]);
    expect(seen.map((entry) => entry.split(' ')[1])).toEqual(['in', 'out', 'in', 'out']);
  });

  it('is free again after its work threw', async () => {
    await expect(withLock(join(directory, 'b'), () => Promise.reject(new Error('no')))).rejects.toThrow('no');
    await expect(withLock(join(directory, 'b'), () => Promise.resolve('yes'))).resolves.toBe('yes');
  });

  it('is free again after its holder was killed', async () => {
    const source = resolve(import.meta.dirname, '../../cluster/lock.ts');
    const path = join(directory, 'c');
    const script = `import { withLock } from ${JSON.stringify(source)};
      await withLock(${JSON.stringify(path)}, async () => { console.log('held'); await new Promise((r) => setTimeout(r, 600_000)); });`;
    const holder = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
    await new Promise((held) => holder.stdout.once('data', held));
    const waiting: string[] = [];
    const entered = withLock(
      path,
      () => Promise.resolve('entered'),
      () => {
        waiting.push('told');
        holder.kill('SIGKILL');
      },
    );
    await expect(entered).resolves.toBe('entered');
    expect(waiting).toEqual(['told']);
  });
});
