// A process of the same user may change the limits of the one that judges it, which would then meet faults of no infrastructure.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runStep, type Step, type StepContext } from '../../../agent-runner/step.ts';
import { temporaryFolder } from './folder.ts';

const terminationLog = join(temporaryFolder(), 'termination-log');
const context = { paths: { terminationLog }, say: () => undefined } as unknown as StepContext;

const step = (meddle: () => void): Step<'verify'> => ({
  command: 'verify',
  finding: 'verify',
  file: () => undefined,
  run: async () => {
    meddle();
    return Promise.resolve({ step: 'verify', outcome: 'failed', reason: 'ModelUnavailable', message: 'no sockets left' });
  },
});
/** The number of file locks, which Linux no longer bounds: a change of it hurts nobody. */
const setLocks = (locks: string) => (): void => {
  execFileSync('prlimit', ['--pid', String(process.pid), `--locks=${locks}:unlimited`]);
};

describe('a step', () => {
  it('whose limits were changed while it ran blames whoever did that', async () => {
    expect(await runStep(step(setLocks('123')), context)).toMatchObject({ outcome: 'failed', reason: 'StepBroken' });
    setLocks('unlimited')();
    expect(readFileSync(terminationLog, 'utf8')).toContain('"reason":"StepBroken"');
  });

  it('whose limits stayed says what it found', async () => {
    expect(
      await runStep(
        step(() => undefined),
        context,
      ),
    ).toMatchObject({ reason: 'ModelUnavailable' });
  });
});
