// The git server of a simulation: each Story's branch as a list of commits, each known by the Story, Task, attempt and evidence in its
// trailers. A branch belongs to the Story whose uid its first commit names; another Story's courier finds it taken.

import { createHash } from 'node:crypto';

/** A patch that a courier brings. */
export interface Carried {
  /** `namespace/name` of its Story, and the uid of that very Story. */
  readonly story: string;
  readonly storyUid: string;
  readonly revision: number;
  /** Uid of the Task, which is another one in each revision of its plan. */
  readonly owner: string;
  readonly taskId: string;
  readonly attempt: number;
}

interface Commit extends Carried {
  readonly id: string;
  readonly evidence: string;
}

const hash = (algorithm: 'sha1' | 'sha256', text: string): string => createHash(algorithm).update(text).digest('hex');
const textOf = ({ owner, taskId, attempt }: Carried): string => `${owner} ${taskId}#${attempt}`;

export class Repository {
  readonly base = 'b'.repeat(40);
  readonly #branches = new Map<string, Commit[]>();

  head(story: string): string {
    return this.#branches.get(story)?.at(-1)?.id ?? this.base;
  }

  /** Commits of a Story's branch, oldest first. */
  commits(story: string): readonly Commit[] {
    return this.#branches.get(story) ?? [];
  }

  /** `<task>#<attempt>` of each commit of every branch, oldest first. */
  get log(): readonly string[] {
    return [...this.#branches.values()].flat().map(({ taskId, attempt }) => `${taskId}#${attempt}`);
  }

  isTaken({ story, storyUid }: Carried): boolean {
    const [first] = this.commits(story);
    return first !== undefined && first.storyUid !== storyUid;
  }

  /** A task of that id, and of that revision or an earlier one, has a commit of this Story. */
  has(storyUid: string, taskId: string): boolean {
    return [...this.#branches.values()].some((commits) =>
      commits.some((commit) => commit.storyUid === storyUid && commit.taskId === taskId),
    );
  }

  /** Whether that commit is on a branch and says that it rests on that evidence. */
  rests(commit: string, evidence: string): boolean {
    return [...this.#branches.values()].some((commits) =>
      commits.some((each) => each.id === commit && each.evidence === evidence),
    );
  }

  /** Of patch and evidence: what was done by whom. */
  digestOf(carried: Carried): string {
    return `sha256:${hash('sha256', textOf(carried))}`;
  }

  /** The same patch makes the same commit. */
  commitOf(carried: Carried): string {
    return hash('sha1', textOf(carried));
  }

  /** As step merge finds it: what it is put upon, or was when it landed. */
  merged(carried: Carried): {
    readonly commit: string;
    readonly head: string;
    readonly parent: string;
    readonly landed: boolean;
  } {
    const commits = this.commits(carried.story);
    const commit = this.commitOf(carried);
    const at = commits.findIndex(({ id }) => id === commit);
    const head = commits.at(-1)?.id ?? this.base;
    return at < 0
      ? { commit, head, parent: head, landed: false }
      : { commit, head, parent: commits[at - 1]?.id ?? this.base, landed: true };
  }

  /** What landed already is not pushed again. */
  push(carried: Carried): string {
    const id = this.commitOf(carried);
    const branch = this.#branches.get(carried.story) ?? [];
    if (!branch.some((commit) => commit.id === id)) branch.push({ ...carried, id, evidence: this.digestOf(carried) });
    this.#branches.set(carried.story, branch);
    return id;
  }
}
