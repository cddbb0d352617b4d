// What an approval names. Pure.
import { canonicalJson, sha256, type Digest } from './canonical.ts';
import type { PlanTask } from './kinds/plan-task.ts';
import type { StorySpec } from './kinds/story.ts';

/** What gate scope approves: title, description, acceptance criteria, repository and rigor. */
export const scopeDigest = (spec: StorySpec): Digest => {
  const { title, description, acceptanceCriteria, repository, rigor } = spec;
  return sha256(canonicalJson({ title, description, acceptanceCriteria, repository, rigor }));
};

export interface PlanContent {
  readonly storyUid: string;
  readonly scopeDigest: string;
  readonly revision: number;
  readonly tasks: readonly PlanTask[];
}

/** What the design gate approves. The order of the tasks is no part of it. */
export const planDigest = ({ storyUid, scopeDigest: scope, revision, tasks }: PlanContent): Digest => {
  const sorted = [...tasks].sort((a, b) => (a.id < b.id ? -1 : 1));
  return sha256(canonicalJson({ storyUid, scopeDigest: scope, revision, tasks: sorted }));
};

const taskDigests = new WeakMap<PlanTask, Digest>();

/** Asked for in every pass over a Story and its Tasks, of objects that stay the same: the digest of a frozen one is remembered. */
export const planTaskDigest = (task: PlanTask): Digest => {
  const known = taskDigests.get(task);
  if (known !== undefined) return known;
  const digest = sha256(canonicalJson(task));
  if (Object.isFrozen(task)) taskDigests.set(task, digest);
  return digest;
};
