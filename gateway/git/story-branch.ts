// What of a repository a step may deal with: its Story's repository, its Story's branch, and the commit that its merge step made or found.

import type { Findings } from '../../crds/contracts/findings.ts';
import { branchOf } from '../../crds/names.ts';
import { Refusal } from '../http/refusal.ts';
import type { StepCaller } from '../identity/caller.ts';
import { matchRepository } from '../upstream/repository-url.ts';
import type { ClusterView } from '../cluster/cluster-view.ts';
import { mergeFindingOf } from './merge-finding.ts';
import type { Repository } from './smart-http.ts';

/** The kubelet reports the end of a step about a second after it; the next step may be faster. */
const FINDING_WAIT_MS = 20_000;

/** Throws Refusal for a repository that the platform's table does not have. */
export const repositoryOf = ({ story, namespace }: StepCaller, view: ClusterView): Repository => {
  const matched = matchRepository(story.spec.repository.url, namespace, view.platform.upstreams);
  if (!matched.ok) throw new Refusal(403, 'RepositoryNotListed', matched.message);
  return matched;
};

export const storyRef = ({ namespace, story }: StepCaller): string => `refs/heads/${branchOf(namespace, story.metadata.name)}`;

export type Merged = Findings['merge'] & { readonly commit: string };

/** What the merge step of the caller's own pod found. Throws Refusal: not seen yet, or it found no commit. */
export const mergedBy = async ({ podUid }: StepCaller, view: ClusterView): Promise<Merged> => {
  const pod = await view.podWhen(podUid, (seen) => mergeFindingOf(seen) !== undefined, FINDING_WAIT_MS);
  const finding = pod === undefined ? undefined : mergeFindingOf(pod);
  if (finding === undefined)
    throw new Refusal(503, 'NotListedYet', 'the finding of the merge step has not been seen yet', { retryAfterSeconds: 1 });
  const { outcome, commit } = finding;
  if (outcome !== 'ok' || commit === undefined) throw new Refusal(403, 'NothingToPush', 'the merge step made no commit');
  return { ...finding, commit };
};
