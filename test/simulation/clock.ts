// The clock of one process: time stands still until the simulation moves it, and dates come due when the simulation says so.

import type { Clock as ClockPort } from '../../runtime/clock.ts';

export class Clock implements ClockPort {
  readonly nowMs: () => number;
  readonly random: () => number;
  readonly #dates = new Set<{ readonly atMs: number; readonly then: () => void }>();

  constructor(nowMs: () => number, random: () => number) {
    this.nowMs = nowMs;
    this.random = random;
  }

  after(delayMs: number, then: () => void): () => void {
    const date = { atMs: this.nowMs() + delayMs, then };
    this.#dates.add(date);
    return () => this.#dates.delete(date);
  }

  /** Nothing else happens in between: what does is a move of the simulation. */
  yield(then: () => void): void {
    then();
  }

  nextDateMs(): number | undefined {
    return this.#dates.size === 0 ? undefined : Math.min(...[...this.#dates].map(({ atMs }) => atMs));
  }

  /** Does what has come due; whether there was something. */
  tick(): boolean {
    if (this.#dates.size === 0) return false;
    const due = [...this.#dates].filter(({ atMs }) => atMs <= this.nowMs());
    for (const date of due) if (this.#dates.delete(date)) date.then();
    return due.length > 0;
  }
}
