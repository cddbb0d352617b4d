// Step `courier-setup`: the merged commit in a fresh tree, and the setup commands, if the branch moved since the attempt. May: egress.
import { readFinding } from '../finding-file.ts';
import { makeWorkTree } from '../git/repositories.ts';
import { failed, readBrief, skipped, type Step } from '../step.ts';
import { runSetup } from './commands.ts';
import { needsVerification } from './merge.ts';

export const courierSetup: Step<'setup'> = {
  command: 'courier-setup',
  finding: 'setup',
  file: (paths) => paths.freshFinding,
  run: async (context) => {
    const { paths, git } = context;
    const merged = await readFinding('merge', paths.mergeFinding);
    if (merged?.outcome !== 'ok' || merged.commit === undefined) return skipped('setup', merged);
    if (!needsVerification(merged)) return { step: 'setup', outcome: 'skipped', message: 'the attempt verified this very tree' };
    const brief = await readBrief(paths);
    await makeWorkTree(git, { bare: paths.bareRepository, repository: paths.freshRepository, commit: merged.commit });
    const failure = await runSetup(context, paths.freshRepository, brief.setup.commands, brief.limits.outputBytes);
    return failure === undefined ? { step: 'setup', outcome: 'ok' } : failed('setup', 'SetupFailed', failure);
  },
};
