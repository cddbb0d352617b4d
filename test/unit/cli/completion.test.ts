import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { SHELLS } from '../../../cli/command-line.ts';
import { complete, completionScript } from '../../../cli/completion.ts';

const names = { plan: ['cart-1', 'cart-2'], story: ['cart', 'login'], task: ['cart-api-1'] };
const asked = (line: string): Promise<readonly string[]> => complete(line.split(' '), async (kind) => names[kind]);

describe('completion', () => {
  it.each([
    { line: '', want: ['approve', 'reject', 'tree', 'logs', 'completion', 'help', 'version'] },
    { line: 'a', want: ['approve'] },
    { line: 'help t', want: ['tree'] },
    { line: 'approve ', want: ['plan', 'story'] },
    { line: 'approve plan ', want: ['cart-1', 'cart-2'] },
    { line: 'approve plan cart-2', want: ['cart-2'] },
    { line: 'approve -n shop story l', want: ['login'] },
    { line: 'approve story cart ', want: [] },
    { line: 'approve story cart --gate ', want: ['scope', 'test', 'docs'] },
    { line: 'approve story cart --gate t', want: ['test'] },
    { line: 'approve plan cart-1 --reason ', want: [] },
    { line: 'logs task --f', want: ['--follow'] },
    { line: 'logs task cart-api-1 -s verify', want: ['verify-setup', 'verify'] },
    { line: 'completion ', want: ['bash', 'zsh', 'kubectl'] },
    { line: 'nonsense ', want: [] },
  ])('offers $want after "$line"', async ({ line, want }) => {
    expect(await asked(line)).toEqual(want);
  });

  it.each(SHELLS.filter((shell) => shell !== 'zsh'))('has a script for %s that its shell can read', (shell) => {
    const program = shell === 'bash' ? 'bash' : 'sh';
    expect(() => execFileSync(program, ['-n'], { input: completionScript(shell) })).not.toThrow();
  });
});
