// The git repository of a simulation: a story branch as a list of commits, each known by the trailers that the runner compares.

import { createHash } from 'node:crypto';
import type { Workspace } from './kubelet.ts';

type Carried = Pick<Workspace, 'owner' | 'taskId' | 'attempt'>;

interface Commit {
  readonly id: string;
  /** `<task>#<attempt>` */
  readonly trailer: string;
  /** Digest, as the trailer has it. */
  readonly evidence: string;
}

export class Repository {
  readonly base = 'b'.repeat(40);
  readonly #commits: Commit[] = [];

  get head(): string {
    return this.#commits.at(-1)?.id ?? this.base;
  }

  /** `<task>#<attempt>` of each commit, oldest first. */
  get log(): readonly string[] {
    return this.#commits.map(({ trailer }) => trailer);
  }

  has(taskId: string): boolean {
    return this.#commits.some(({ trailer }) => trailer.startsWith(`${taskId}#`));
  }

  /** Whether that commit is on the branch and says that it rests on that evidence. */
  rests(commit: string, evidence: string): boolean {
    return this.#commits.some((each) => each.id === commit && each.evidence === evidence);
  }

  /** Of patch and evidence: what was done by whom. */
  digestOf({ owner, taskId, attempt }: Carried): string {
    return `sha256:${createHash('sha256').update(`${owner} ${taskId}#${attempt}`).digest('hex')}`;
  }

  /** What landed already, or else the commit that would: the same patch makes the same one. */
  commitOf(carried: Carried): string {
    return this.#landed(carried)?.id ?? createHash('sha1').update(this.digestOf(carried)).digest('hex');
  }

  /** What landed already is not pushed again. */
  push(carried: Carried): string {
    const id = this.commitOf(carried);
    if (this.#landed(carried) === undefined)
      this.#commits.push({ id, trailer: `${carried.taskId}#${carried.attempt}`, evidence: this.digestOf(carried) });
    return id;
  }

  #landed(carried: Carried): Commit | undefined {
    const wanted = { trailer: `${carried.taskId}#${carried.attempt}`, evidence: this.digestOf(carried) };
    return this.#commits.find(({ trailer, evidence }) => trailer === wanted.trailer && evidence === wanted.evidence);
  }
}
