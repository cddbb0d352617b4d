// The court: two thousand schedules made up by their seeds, each with its own Stories and faults, judged at every write and at its end
// (`npm run simulate` judges as many as one likes). And the judge is judged: faults seeded into the controllers are all found.

import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { mutations, type MutationName } from './mutations.ts';

const pathOf = (file: string): string => fileURLToPath(new URL(file, import.meta.url));

interface Ended {
  readonly code: number | null;
  readonly output: string;
}

/** What `npm run simulate` runs. */
const simulate = (argv: readonly string[], mutation?: MutationName): Promise<Ended> => {
  const loader = mutation === undefined ? [] : ['--import', pathOf('mutations.ts')];
  const env = { ...process.env, ...(mutation !== undefined && { SIMULATION_MUTATION: mutation }) };
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [...loader, pathOf('main.ts'), ...argv], { env, stdio: ['ignore', 'pipe', 'pipe'] });
    const chunks: Buffer[] = [];
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, output: Buffer.concat(chunks).toString() }));
  });
};

describe('the simulation as a court', () => {
  it('two thousand schedules hold, and reach every rule', async () => {
    const { code, output } = await simulate(['--schedules', '2000', '--seed', '1', '--workers', '2']);
    expect(output).toContain('2000 schedules from seed 1 hold');
    expect(output.match(/^never reached: .*$/gm)).toBeNull();
    expect(code).toBe(0);
  });

  it.each(Object.entries(mutations))('finds a fault that was seeded: %s', async (name, { breaks }) => {
    const { code, output } = await simulate(['--schedules', '300', '--seed', '1', '--workers', '2'], name as MutationName);
    const broke = /^seed \d+ breaks ([^:]+):/m.exec(output)?.[1] ?? output;
    expect(breaks).toContain(broke);
    expect(code).toBe(1);
  });

  it('says what a mutation would change, or that it cannot', async () => {
    const { code, output } = await simulate(['--schedules', '1'], 'none' as MutationName);
    expect([code, output.includes('there is no mutation none')]).toEqual([1, true]);
  });
});
