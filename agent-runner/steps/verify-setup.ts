// Step `verify-setup`: a fresh tree at the base, the patch on it, the setup commands. May: egress; writes the fresh volume. The patch is hostile.
import { readFinding } from '../finding-file.ts';
import { applyFlags } from '../git/patch-application.ts';
import { makeWorkTree } from '../git/repositories.ts';
import { readHostile } from '../hostile-file.ts';
import { failed, readBrief, skipped, type Step } from '../step.ts';
import { runSetup } from './commands.ts';

export const verifySetup: Step<'verify-setup'> = {
  command: 'verify-setup',
  finding: 'verify-setup',
  file: (paths) => paths.freshFinding,
  run: async (context) => {
    const { paths, git } = context;
    const start = await readFinding('checkout', paths.checkoutFinding);
    const before = await readFinding('work', paths.workFinding);
    if (start?.outcome !== 'ok' || start.base === undefined || before?.outcome !== 'ok') return skipped('verify-setup');
    const brief = await readBrief(paths);
    const patch = await readHostile(paths.patch, brief.limits.patchBytes);
    if (patch.kind !== 'read')
      return failed(
        'verify-setup',
        'PatchInvalid',
        `the patch cannot be read: ${patch.kind === 'absent' ? 'absent' : patch.message}`,
      );
    const tree = await makeWorkTree(git, { bare: paths.bareRepository, repository: paths.freshRepository, commit: start.base });
    const applied = await git.try([...applyFlags, '--index', '-'], { ...tree, stdin: patch.bytes });
    if (applied.code !== 0) return failed('verify-setup', 'PatchInvalid', `git does not take the patch: ${applied.stderr}`);
    const failure = await runSetup(context, paths.freshRepository, brief.setup.commands, brief.limits.outputBytes);
    // The same commands ended well in the unchanged tree: the patch is at fault.
    return failure === undefined ? { step: 'verify-setup', outcome: 'ok' } : failed('verify-setup', 'SetupFailed', failure);
  },
};
