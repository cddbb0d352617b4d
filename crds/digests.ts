// What an approval names. Pure.
import { canonicalJson, sha256, type Digest } from './canonical.ts';
import type { PlanTask } from './kinds/plan-task.ts';
import type { StorySpec } from './kinds/story.ts';
import { remember } from './remember.ts';

/** What gate scope approves: title, description, acceptance criteria, repository and rigor. */
export const scopeDigest = remember((spec: StorySpec): Digest => {
  const { title, description, acceptanceCriteria, repository, rigor } = spec;
  return sha256(canonicalJson({ title, description, acceptanceCriteria, repository, rigor }));
});

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

export const planTaskDigest = remember((task: PlanTask): Digest => sha256(canonicalJson(task)));
