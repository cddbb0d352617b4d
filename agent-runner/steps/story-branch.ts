// Fetches the base and the story branch into the bare repository, and says whether the branch is ours. Used by `checkout` and `merge`.
import type { Brief } from '../../crds/contracts/brief.ts';
import type { FindingReason } from '../../crds/contracts/findings.ts';
import { brief as briefSchema } from '../../crds/contracts/brief.ts';
import { refusalOf } from '../gateway/client.ts';
import type { GitOptions, GitRemote } from '../git/driver.ts';
import { branchRef, commitId } from '../git/names.ts';
import { fetchBranch, fetchCommit, hasCommit, makeBare, remoteHead, type WantedCommit } from '../git/repositories.ts';
import { commitsBetween, type StoryCommit } from '../git/story-commits.ts';
import { writeOwnFile } from '../own-file.ts';
import { storyRemote, type StepContext } from '../step.ts';

export interface Refusal {
  readonly reason: FindingReason;
  readonly message: string;
}

export interface StoryBranch {
  readonly bare: GitOptions;
  /** The branch's commit, or the pinned base while there is no branch. */
  readonly head: string;
  /** What the branch has above the pinned base, newest first. */
  readonly commits: readonly StoryCommit[];
}

const MAX_BRIEF_BYTES = 2 * 1024 * 1024;

/** Asks for the brief and keeps it in the git volume for the steps that hold no right to ask. */
export const fetchBrief = async ({ gateway, paths }: StepContext): Promise<Brief | Refusal> => {
  const answer = await gateway.send({ method: 'GET', path: '/v1/brief', maxBytes: MAX_BRIEF_BYTES });
  if (answer.status !== 200) {
    const { code, message } = refusalOf(answer);
    return { reason: 'GatewayUnavailable', message: `the gateway gives no brief: ${answer.status} ${code}: ${message}` };
  }
  const brief = briefSchema.parse(JSON.parse(answer.body.toString('utf8')));
  await writeOwnFile(paths.brief, JSON.stringify(brief));
  return brief;
};

export const fetchStoryBranch = async (context: StepContext, { story, repository }: Brief): Promise<StoryBranch | Refusal> => {
  const { git, paths } = context;
  const remote = await storyRemote(context);
  const bare = await makeBare(git, paths.bareRepository);
  const base = commitId(repository.baseCommit);
  const ref = branchRef(repository.branch);
  const head = await remoteHead(git, bare, remote, ref);
  if (head !== undefined) await fetchBranch(git, bare, remote, ref);
  const refusal = await needBase(context, { bare, remote }, { commit: base, ref: repository.ref });
  if (refusal !== undefined) return refusal;
  if (head === undefined) return { bare, head: base, commits: [] };
  const commits = await commitsBetween(git, bare, { base, head: commitId(head) });
  // exactly the commit that a person named: whatever came upon it since was never looked at
  if (head === repository.adopt || commits.some((commit) => commit.story === story.uid)) return { bare, head, commits };
  return {
    reason: 'BranchTaken',
    message: `branch ${repository.branch} exists and no commit of it is of this Story: delete it, or let the Story take it over with spec.adoptBranch: ${head}`,
  };
};

interface Fetching {
  readonly bare: GitOptions;
  readonly remote: GitRemote;
}

const needBase = async ({ git }: StepContext, { bare, remote }: Fetching, wanted: WantedCommit): Promise<Refusal | undefined> => {
  if ((await hasCommit(git, bare, wanted.commit)) || (await fetchCommit(git, bare, remote, wanted))) return undefined;
  return { reason: 'RefUnknown', message: `the repository no longer has the pinned commit ${wanted.commit}` };
};

export const isRefusal = (result: object): result is Refusal => 'reason' in result && 'message' in result;
