// The waiting of one turn: what cannot be had now is tried again with back-off, until the turn's deadline or the end of this process.
// May: wait. May not: know what is tried.

import { backoffMs, pause, type Clock } from '../runtime/clock.ts';
import { isLater, type Later } from './take-turn.ts';

export interface PatienceOptions {
  /** Epoch milliseconds; from then on nobody waits for the turn. */
  readonly deadlineMs: number;
  /** This process is ending: what would have to wait is for another replica. */
  readonly stopping: AbortSignal;
  /** This process ends: what is under way is cut off. */
  readonly cut: AbortSignal;
  readonly clock: Clock;
  readonly onWait: (whom: Whom, why: string) => void;
}

export type Whom = 'gateway' | 'model' | 'store';

const BACKOFF = { baseMs: 500, maxMs: 15_000 };
const LONGEST_WAIT_MS = 30_000;

export class Patience {
  /** Aborts at the deadline, or when this process ends. */
  readonly signal: AbortSignal;
  readonly #options: PatienceOptions;
  readonly #late = new AbortController();
  readonly #cancel: () => void;

  constructor(options: PatienceOptions) {
    const { deadlineMs, clock, cut } = options;
    this.#options = options;
    this.#cancel = clock.after(deadlineMs - clock.nowMs(), () => this.#late.abort(new Error('the deadline has passed')));
    this.signal = AbortSignal.any([this.#late.signal, cut]);
  }

  get isLate(): boolean {
    return this.#late.signal.aborted || this.#options.clock.nowMs() >= this.#options.deadlineMs;
  }

  /** What is tried, as soon as it can be had; undefined when the time is over first. Rejects with what nobody expects. */
  async have<T extends object>(whom: Whom, attempt: () => Promise<T>): Promise<Exclude<T, Later> | undefined> {
    for (let failures = 0; !this.isLate && !this.signal.aborted; failures += 1) {
      const had = await this.#tried(attempt);
      if (had === undefined || !isLater(had)) return had as Exclude<T, Later> | undefined;
      this.#options.onWait(whom, had.later);
      if (this.#options.stopping.aborted) return undefined;
      await this.#wait(had.afterMs ?? backoffMs(BACKOFF, failures, this.#options.clock));
    }
    return undefined;
  }

  /** The timer is off. */
  end(): void {
    this.#cancel();
  }

  async #tried<T>(attempt: () => Promise<T>): Promise<T | undefined> {
    try {
      return await attempt();
    } catch (error) {
      if (this.signal.aborted) return undefined;
      throw error;
    }
  }

  #wait(delayMs: number): Promise<void> {
    const over = AbortSignal.any([this.signal, this.#options.stopping]);
    return pause(Math.min(delayMs, LONGEST_WAIT_MS), over, this.#options.clock);
  }
}
