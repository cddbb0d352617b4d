// Step `courier-verify`: the task's commands on the merged commit, if the branch moved since the attempt. Holds no token.
import { readFinding } from '../finding-file.ts';
import { readBrief, skipped, type Step } from '../step.ts';
import { runVerification } from './verify-run.ts';

export const courierVerify: Step<'verify'> = {
  command: 'courier-verify',
  finding: 'verify',
  file: (paths) => paths.verifyFinding,
  run: async (context) => {
    const before = await readFinding('setup', context.paths.freshFinding);
    if (before?.outcome !== 'ok') return skipped('verify', before);
    return runVerification(context, await readBrief(context.paths));
  },
};
