import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { complete } from '../../../cli/completion.ts';
import { completionScript, SHELLS } from '../../../cli/completion-scripts.ts';
import { createProgram } from '../../../cli/program.ts';
import { plain } from '../../../cli/terminal.ts';

const names = {
  shop: { plan: ['cart-1', 'cart-2'], story: ['cart', 'login'], task: ['cart-api-1'], deliberation: ['cart-before-1'] },
};
const nothing = async (): Promise<void> => undefined;
const program = () =>
  createProgram(
    { decide: nothing, printTree: nothing, printLogs: nothing, replay: nothing, printTranscript: nothing },
    { write: () => undefined, complain: () => undefined, paint: plain, isInteractive: false, ask: undefined },
  );
const nobody = async (): Promise<readonly string[]> => [];
/** The words that are offered. There are objects in namespace shop only, which is the current one. */
const offered = async (line: string): Promise<readonly string[]> => {
  const candidates = await complete(program(), line.split(' '), async (kind, { namespace = 'shop' }) =>
    namespace === 'shop' ? names.shop[kind] : [],
  );
  return candidates.map(({ word }) => word);
};

describe('completion', () => {
  it.each([
    { line: '', want: ['approve', 'reject', 'tree', 'logs', 'replay', 'transcript', 'completion', 'version', 'help'] },
    { line: 'a', want: ['approve'] },
    { line: 'help t', want: ['tree', 'transcript'] },
    { line: 'approve ', want: ['plan', 'story'] },
    { line: 'approve plan ', want: ['cart-1', 'cart-2'] },
    { line: 'approve plan cart-2', want: ['cart-2'] },
    { line: 'approve -n shop story l', want: ['login'] },
    { line: '-n shop approve story l', want: ['login'] },
    { line: 'approve --namespace=till story ', want: [] },
    { line: 'approve plan cart-1 -y --c', want: ['--context'] },
    { line: 'tree --watch ', want: ['story'] },
    { line: 'approve -n ', want: [] },
    { line: 'approve story cart ', want: [] },
    { line: 'approve story cart --gate ', want: ['scope', 'test', 'docs'] },
    { line: 'approve story cart --gate t', want: ['test'] },
    { line: 'approve plan cart-1 --reason ', want: [] },
    { line: 'logs task --f', want: ['--follow'] },
    { line: 'logs task cart-api-1 -s verify', want: ['verify-setup', 'verify'] },
    { line: 'replay ', want: ['deliberation'] },
    { line: 'transcript deliberation c', want: ['cart-before-1'] },
    { line: 'transcript deliberation cart-before-1 --n', want: ['--no-texts', '--namespace'] },
    { line: 'completion ', want: ['bash', 'zsh', 'fish', 'kubectl'] },
    { line: 'nonsense ', want: [] },
  ])('offers $want after "$line"', async ({ line, want }) => {
    expect(await offered(line)).toEqual(want);
  });

  it('says what its commands and options do', async () => {
    expect(await complete(program(), ['comp'], nobody)).toEqual([{ word: 'completion', description: 'shell completion' }]);
    expect(await complete(program(), ['tree', '--w'], nobody)).toEqual([
      { word: '--watch', description: expect.stringContaining('print again') as unknown },
    ]);
  });

  it.each(SHELLS.filter((shell) => shell === 'bash' || shell === 'kubectl'))(
    'has a script for %s that its shell can read',
    (shell) => {
      const reader = shell === 'bash' ? 'bash' : 'sh';
      expect(() => execFileSync(reader, ['-n'], { input: completionScript(shell) })).not.toThrow();
    },
  );
});
