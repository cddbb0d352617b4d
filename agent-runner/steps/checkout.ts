// Step `checkout` of an attempt: brief and base, and whether the pod is contained. May: brief and fetch; writes the git volume. Runs nothing
// of the repository: nobody else may say that the network is open.
import { failed, type Step } from '../step.ts';
import { refusedByContainment } from './contained.ts';
import { fetchBrief, fetchStoryBranch, isRefusal } from './story-branch.ts';

export const checkout: Step<'checkout'> = {
  command: 'checkout',
  finding: 'checkout',
  file: (paths) => paths.checkoutFinding,
  run: async (context) => {
    const brief = await fetchBrief(context);
    if (isRefusal(brief)) return failed('checkout', brief.reason, brief.message);
    context.say(`checkout: task ${brief.task.id}, attempt ${brief.attempt}: ${brief.task.title}`);
    const branch = await fetchStoryBranch(context, brief);
    if (isRefusal(branch)) return failed('checkout', branch.reason, branch.message);
    await context.git.run(['update-ref', 'refs/fleet/start', branch.head], branch.bare);
    const open = await refusedByContainment(context);
    if (open !== undefined) return failed('checkout', 'NetworkNotContained', open);
    return { step: 'checkout', outcome: 'ok', base: branch.head };
  },
};
