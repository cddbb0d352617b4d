// Step `verify` of an attempt: the task's commands in the fresh tree. Holds no token. Writes the fresh tree and its own out volume.
import { readFinding } from '../finding-file.ts';
import { readBrief, skipped, type Step } from '../step.ts';
import { runVerification } from './verify-run.ts';

export const verify: Step<'verify'> = {
  command: 'verify',
  finding: 'verify',
  file: (paths) => paths.verifyFinding,
  run: async (context) => {
    const before = await readFinding('verify-setup', context.paths.freshFinding);
    if (before?.outcome !== 'ok') return skipped('verify', before);
    return runVerification(context, await readBrief(context.paths));
  },
};
