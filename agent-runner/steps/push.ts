// Step `push` of a courier: exactly the commit that `merge` made, onto the story branch as `merge` saw it. May: git push through the gateway, a receipt.
// Believes the git volume, which only `merge` writes; a commit that had to be verified again is pushed only if that went well.
import type { FindingReason, Findings } from '../../crds/contracts/findings.ts';
import { readFinding } from '../finding-file.ts';
import { receiptRefusal } from '../gateway/receipts.ts';
import type { GitOptions, GitResult } from '../git/driver.ts';
import { branchRef, commitId } from '../git/names.ts';
import { throughGateway } from '../git/remote.ts';
import { failed, readBrief, skipped, storyRemote, type Step, type StepContext } from '../step.ts';
import { needsVerification } from './merge.ts';

export const push: Step<'push'> = {
  command: 'push',
  finding: 'push',
  file: () => undefined,
  run: async (context) => {
    const { paths } = context;
    const merged = await readFinding('merge', paths.mergeFinding);
    if (merged?.outcome !== 'ok' || merged.commit === undefined || merged.head === undefined) return skipped('push', merged);
    const refusal = needsVerification(merged) ? await unverified(context) : undefined;
    if (refusal !== undefined) return refusal;
    const [commit, head] = [commitId(merged.commit), commitId(merged.head)];
    const rejected = merged.landed === true ? undefined : await pushCommit(context, commit, head);
    return rejected ?? proven(context, commit);
  },
};

/** What the steps that run the patch can have met. */
const BELIEVABLE: readonly FindingReason[] = ['SetupFailed', 'VerifyFailed', 'StepBroken'];

const unverified = async ({ paths }: StepContext): Promise<Findings['push'] | undefined> => {
  const verified = await readFinding('verify', paths.verifyFinding);
  if (verified?.outcome === 'ok') return undefined;
  const { reason, message } = verified ?? {};
  if (reason === undefined || !BELIEVABLE.includes(reason))
    return failed('push', 'StepBroken', `the merged commit was not verified: ${message ?? 'verify left no usable finding'}`);
  return failed('push', reason, `on the moved branch: ${message ?? reason}`);
};

/** Also for what had landed before: the courier that pushed it may have had no time to ask. */
const proven = async ({ gateway }: StepContext, commit: string): Promise<Findings['push']> => {
  const refusal = await receiptRefusal(gateway, { commit });
  return refusal === undefined ? { step: 'push', outcome: 'ok', commit } : failed('push', 'PushRejected', refusal);
};

/** What the git server says against it. */
const pushCommit = async (context: StepContext, commit: string, head: string): Promise<Findings['push'] | undefined> => {
  const { repository } = await readBrief(context.paths);
  const ref = branchRef(repository.branch);
  // The head is the pinned base only while there is no branch: then the branch must still not be there.
  const lease = `--force-with-lease=${ref}:${head === repository.baseCommit ? '' : head}`;
  const remote = await storyRemote(context);
  const argv = [
    'push',
    '--porcelain',
    '--no-verify',
    '--no-follow-tags',
    '--no-signed',
    '--recurse-submodules=no',
    lease,
    '--',
    remote.url,
    `${commit}:${ref}`,
  ];
  const options: GitOptions = { gitDir: context.paths.bareRepository, remote };
  // A push whose answer was lost finds its own commit there the next time, and git calls that up to date.
  const result = await throughGateway(context.git, argv, options);
  return result.code === 0 ? undefined : failed('push', 'PushRejected', wordsOf(result));
};

const wordsOf = (result: GitResult): string =>
  `${result.stdout.toString('utf8')} ${result.stderr}`.replace(/\s+/g, ' ').trim().slice(-390);
