// Step `merge` of a courier: the accepted patch, judged once more, as one commit on the head of the story branch. May: brief, fetch,
// artifacts; writes the git volume. Runs nothing of the repository. The same patch on the same head is the same commit, to the bit.
import type { Brief } from '../../crds/contracts/brief.ts';
import type { Findings } from '../../crds/contracts/findings.ts';
import { summaryOf } from '../evidence.ts';
import { getArtifact } from '../gateway/artifacts.ts';
import { treeDifference } from '../git/changed-files.ts';
import type { GitOptions } from '../git/driver.ts';
import { commitId } from '../git/names.ts';
import { applyToBase } from '../git/patch-application.ts';
import { patchRefusal } from '../git/patch-checks.ts';
import { hasCommit, isAncestor } from '../git/repositories.ts';
import { commitMessage, type StoryCommit } from '../git/story-commits.ts';
import { failed, type Step, type StepContext } from '../step.ts';
import { patchLimitsOf } from './patch-limits.ts';
import { fetchBrief, fetchStoryBranch, isRefusal, type Refusal, type StoryBranch } from './story-branch.ts';

export const merge: Step<'merge'> = {
  command: 'merge',
  finding: 'merge',
  file: (paths) => paths.mergeFinding,
  run: async (context) => {
    const brief = await fetchBrief(context);
    if (isRefusal(brief)) return failed('merge', brief.reason, brief.message);
    const { courier } = brief;
    if (courier === undefined) return failed('merge', 'StepFailed', 'the brief names no patch');
    const branch = await fetchStoryBranch(context, brief);
    if (isRefusal(branch)) return failed('merge', branch.reason, branch.message);
    const base = commitId(courier.base);
    const known = { base, head: branch.head, baseMoved: branch.head !== base };
    const landed = landedCommit(branch, brief, courier);
    if (landed !== undefined)
      return { step: 'merge', outcome: 'ok', ...known, commit: landed.id, parent: landed.parent, landed: true };
    const commit = await commitPatch(context, { brief, courier, branch });
    if (typeof commit !== 'string') return { ...failed('merge', commit.reason, commit.message), ...known };
    return { step: 'merge', outcome: 'ok', ...known, commit, parent: branch.head, landed: false };
  },
};

/**
 * The commit of this very attempt. Another revision of the plan may have a task of the same id, with attempts of the same numbers; its
 * evidence is another.
 */
const landedCommit = ({ commits }: StoryBranch, brief: Brief, { evidence }: Landing['courier']): StoryCommit | undefined =>
  commits.find(
    (commit) =>
      commit.story === brief.story.uid &&
      commit.task === brief.task.id &&
      commit.attempt === String(brief.attempt) &&
      commit.evidence === evidence,
  );

interface Landing {
  readonly brief: Brief;
  readonly courier: NonNullable<Brief['courier']>;
  readonly branch: StoryBranch;
}

const commitPatch = async (context: StepContext, { brief, courier, branch }: Landing): Promise<string | Refusal> => {
  const { git, gateway } = context;
  const patch = await getArtifact(gateway, courier.patch);
  if (patch.kind === 'lost') return { reason: 'ArtifactLost', message: patch.message };
  const proof = await getArtifact(gateway, courier.evidence);
  if (proof.kind === 'lost') return { reason: 'ArtifactLost', message: proof.message };
  if (!(await hasCommit(git, branch.bare, courier.base)))
    return { reason: 'Conflict', message: `the patch's base ${courier.base} is not on the branch any more` };
  const options: GitOptions = { ...branch.bare, indexFile: `${branch.bare.gitDir}/merge-index`, identity: identityOf(brief) };
  const applied = await applyToBase(git, options, { base: courier.base, bytes: patch.bytes });
  if (applied.kind === 'invalid') return { reason: 'PatchInvalid', message: applied.message };
  const limits = patchLimitsOf(brief);
  const refusal = patchRefusal(applied.files, patch.bytes.length, limits);
  if (refusal !== undefined) return refusal;
  const tree = await treeOnHead(context, options, { base: courier.base, head: branch.head, patched: applied.tree });
  if (typeof tree !== 'string') return tree;
  // A merge follows renames, so what it touches on the head is judged as well. Nothing left to change is fine: others did the same.
  const touched = await treeDifference(git, options, { from: branch.head, to: tree });
  const moved = touched.length === 0 ? undefined : patchRefusal(touched, patch.bytes.length, limits);
  if (moved !== undefined) return moved;
  return commitTree(context, options, { tree, head: branch.head, message: messageOf(brief, courier, summaryOf(proof.bytes)) });
};

/** The patched tree itself when the branch has not moved, else a three-way merge of it. */
const treeOnHead = async (
  { git }: StepContext,
  options: GitOptions,
  trees: { readonly base: string; readonly head: string; readonly patched: string },
): Promise<string | Refusal> => {
  if (trees.head === trees.base) return trees.patched;
  if (!(await isAncestor(git, options, trees.base, trees.head)))
    return { reason: 'Conflict', message: 'the branch was rewritten: the base of the patch is not an ancestor of its head' };
  const patched = await git.line(['commit-tree', trees.patched, '-p', trees.base, '-m', 'patched'], options);
  const merged = await git.try(
    ['merge-tree', '--write-tree', '--name-only', '--no-messages', '-z', trees.head, patched],
    options,
  );
  const [tree = '', ...conflicts] = merged.stdout.toString('utf8').split('\0');
  if (merged.code === 0) return commitId(tree.trim());
  if (merged.code !== 1) return { reason: 'StepFailed', message: `git merge-tree ended with ${merged.code}: ${merged.stderr}` };
  return {
    reason: 'Conflict',
    message: `the branch changed the same places: ${conflicts
      .filter((name) => name !== '')
      .slice(0, 5)
      .join(', ')}`,
  };
};

interface NewCommit {
  readonly tree: string;
  readonly head: string;
  readonly message: string;
}

const commitTree = async ({ git }: StepContext, options: GitOptions, { tree, head, message }: NewCommit): Promise<string> => {
  const commit = commitId(await git.line(['commit-tree', tree, '-p', head, '-F', '-'], { ...options, stdin: message }));
  await git.run(['update-ref', 'refs/fleet/landing', commit], options);
  return commit;
};

const identityOf = (brief: Brief): NonNullable<GitOptions['identity']> => ({
  name: brief.agent.name,
  email: 'agent@swefleet.invalid',
  date: brief.startedAt,
});

const messageOf = (brief: Brief, courier: Landing['courier'], summary: string): string =>
  commitMessage({
    title: brief.task.title,
    summary,
    story: brief.story.uid,
    plan: brief.planDigest,
    task: brief.task.id,
    attempt: brief.attempt,
    evidence: courier.evidence,
  });

/** Must the commit be built and verified again, because it is not what the attempt verified? */
export const needsVerification = (merged: Findings['merge']): boolean => merged.baseMoved === true && merged.landed !== true;
