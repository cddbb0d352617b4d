// Step `setup` of an attempt: the agent's work tree at the base, and the profile's setup commands in it. May: egress; writes the tree volume.
import { readFinding } from '../finding-file.ts';
import { makeWorkTree } from '../git/repositories.ts';
import { failed, readBrief, skipped, type Step } from '../step.ts';
import { runSetup } from './commands.ts';

export const setup: Step<'setup'> = {
  command: 'setup',
  finding: 'setup',
  file: (paths) => paths.treeFinding,
  run: async (context) => {
    const { paths, git } = context;
    const before = await readFinding('checkout', paths.checkoutFinding);
    if (before?.outcome !== 'ok' || before.base === undefined) return skipped('setup', before);
    const brief = await readBrief(paths);
    await makeWorkTree(git, { bare: paths.bareRepository, repository: paths.treeRepository, commit: before.base });
    const failure = await runSetup(context, paths.treeRepository, brief.setup.commands, brief.limits.outputBytes);
    // Nothing of the agent's is in this tree yet: the repository or the profile is at fault.
    return failure === undefined
      ? { step: 'setup', outcome: 'ok' }
      : failed('setup', 'StepFailed', `setup of the unchanged repository: ${failure}`);
  },
};
