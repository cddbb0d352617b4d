// The git repository of a simulation: a story branch as a list of commits, each known by the Task and attempt in its trailers.

import { createHash } from 'node:crypto';
import type { Workspace } from './kubelet.ts';

type Carried = Pick<Workspace, 'taskId' | 'attempt'>;

export class Repository {
  readonly base = 'b'.repeat(40);
  readonly #commits: { readonly id: string; readonly trailer: string }[] = [];

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

  digestOf({ taskId, attempt }: Carried): string {
    return `sha256:${createHash('sha256').update(`${taskId}#${attempt}`).digest('hex')}`;
  }

  /** The same patch makes the same commit. */
  commitOf({ taskId, attempt }: Carried): string {
    return createHash('sha1').update(`${taskId}#${attempt}`).digest('hex');
  }

  /** What landed already is not pushed again. */
  push(carried: Carried): string {
    const trailer = `${carried.taskId}#${carried.attempt}`;
    const id = this.commitOf(carried);
    if (!this.#commits.some((commit) => commit.trailer === trailer)) this.#commits.push({ id, trailer });
    return id;
  }
}
