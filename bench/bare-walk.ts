// In which order a client that decides nothing sends its Jobs: so many places, one courier a Story at a time. A Task keeps its place until its
// courier has ended, as in the operator. The Stories take turns, so that as many couriers as may are under way. Knows no API.

import type { JobKind } from '../crds/contracts/steps.ts';
import { nowMs } from './watch.ts';

export interface BareWalkInput {
  readonly stories: number;
  readonly tasksPerStory: number;
  readonly places: number;
}

export interface BareTask {
  readonly story: number;
  readonly task: number;
}

/** Who has a place, who waits, and whose patch is carried. Sends through `send`; knows no API. */
export class BareWalk {
  readonly finishedAtMs: number[] = [];
  readonly #waiting: BareTask[];
  readonly #patches: BareTask[][];
  readonly #carrying = new Set<number>();
  readonly #send: (kind: JobKind, task: BareTask) => void;
  #free: number;

  constructor({ stories, tasksPerStory, places }: BareWalkInput, send: (kind: JobKind, task: BareTask) => void) {
    this.#waiting = Array.from({ length: stories * tasksPerStory }, (_, n) => ({
      story: n % stories,
      task: Math.floor(n / stories),
    }));
    this.#patches = Array.from({ length: stories }, () => []);
    this.#free = places;
    this.#send = send;
  }

  start(): void {
    for (; this.#free > 0; this.#free -= 1) {
      const next = this.#waiting.shift();
      if (next === undefined) return;
      this.#send('attempt', next);
    }
  }

  ended(kind: JobKind, task: BareTask): void {
    if (kind === 'attempt') {
      this.#patches[task.story]?.push(task);
    } else {
      this.finishedAtMs.push(nowMs());
      this.#carrying.delete(task.story);
      this.#free += 1;
      this.start();
    }
    this.#carry(task.story);
  }

  #carry(story: number): void {
    const next = this.#carrying.has(story) ? undefined : this.#patches[story]?.shift();
    if (next === undefined) return;
    this.#carrying.add(story);
    this.#send('courier', next);
  }
}

export const nameOf = (kind: JobKind, { story, task }: BareTask): string => `${kind}-${story}-${task}`;

export const jobOf = (name: string): readonly [JobKind, BareTask] => {
  const [kind = '', story, task] = name.split('-');
  return [kind as JobKind, { story: Number(story), task: Number(task) }];
};
