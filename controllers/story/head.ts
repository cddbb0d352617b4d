// The head of the story branch: of the commits that Tasks brought there the one that no other was put upon.
// May: follow parents. May not: compare the clocks of nodes where parents tell; a commit counts when its Task has Succeeded.
//
//   base ◄─ form ◄─ session ◄─ proof      each courier says which commit it found at the head, and put its own upon

import type { Task } from '../../crds/kinds/task.ts';
import { hasSucceeded } from '../../crds/rules/phases.ts';
import type { StorySeen } from './seen.ts';

interface Landed {
  readonly commit: string;
  readonly parent: string | undefined;
  readonly landedAt: string;
  /** It was the head, and its Task was deleted since: what it was put upon is forgotten. */
  readonly isForgotten: boolean;
  /** Told by the Task that brought it. */
  readonly isOwn: boolean;
}

/** A commit that was found below another was not the head: that one is known by it, also when its own Task was deleted. */
const landedBy = ({ status }: Task): readonly Landed[] => {
  const { commit, completedAt, attempts = [] } = status ?? {};
  if (commit === undefined) return [];
  const run = attempts.find((attempt) => attempt.commit === commit);
  const landedAt = `${completedAt ?? ''} ${run?.startedAt ?? ''}`;
  const own = { commit, parent: run?.parent, landedAt, isForgotten: false, isOwn: true };
  return run?.under === undefined ? [own] : [own, { ...own, commit: run.under, parent: commit, isOwn: false }];
};

const landedCommits = ({ story, tasks }: StorySeen): readonly Landed[] => {
  const landed = tasks.filter(hasSucceeded).flatMap(landedBy);
  const { headCommit: head, baseCommit } = story.status ?? {};
  if (head === undefined || head === baseCommit || landed.some(({ commit }) => commit === head)) return landed;
  return [...landed, { commit: head, parent: undefined, landedAt: '', isForgotten: true, isOwn: false }];
};

/** The commit at which what is known of the branch below this one ends. */
const rootOf = (from: Landed, landed: ReadonlyMap<string, Landed>): Landed => {
  const passed = new Set<Landed>();
  let root = from;
  for (
    let below = landed.get(root.parent ?? '');
    below !== undefined && !passed.has(below);
    below = landed.get(root.parent ?? '')
  ) {
    passed.add(below);
    root = below;
  }
  return root;
};

/**
 * Several commits have nothing upon them where somebody deleted a Task, or pushed to the branch: what goes down to the base without a gap came
 * before what does not. Among equals, and for records that name no parent, the later time counts.
 * Before anything landed it is the base commit, on which a gate can be decided as well.
 */
export const headCommit = (seen: StorySeen): string | undefined => {
  const landed = landedCommits(seen);
  // what a commit's own record says of it stands last
  const known = new Map(landed.toSorted((a, b) => Number(a.isOwn) - Number(b.isOwn)).map((each) => [each.commit, each]));
  const parents = new Set(landed.map(({ parent }) => parent));
  const base = seen.story.status?.baseCommit;
  const isCutOff = (each: Landed): boolean => {
    const { parent, isForgotten } = rootOf(each, known);
    return isForgotten || (parent !== undefined && parent !== base);
  };
  const order = (each: Landed): string => `${isCutOff(each) ? 1 : 0} ${each.landedAt} ${each.commit}`;
  return (
    landed
      .filter(({ commit }) => !parents.has(commit))
      .toSorted((a, b) => (order(a) < order(b) ? -1 : 1))
      .at(-1)?.commit ?? base
  );
};
