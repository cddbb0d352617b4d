// The desk of one endpoint: so many turns are at work at one time, and of each priority at most one waits for a slot.
// May: decide what begins when. May not: pull, or know how a turn is worked on.

import { TURN_PRIORITIES, type TurnPriority } from '../crds/contracts/turns.ts';
import type { Clock } from '../runtime/clock.ts';
import { nextPick, type Place, type Places } from './picking.ts';

/** A turn in hand, as far as the desk knows it. */
export interface Offered {
  /** The store had more of its priority when it was delivered. */
  readonly hasMoreBehind: boolean;
  giveBack(): void;
}

export interface DeskOptions<Turn> {
  readonly slots: number;
  /** Never rejects. */
  readonly work: (turn: Turn) => Promise<void>;
  readonly clock: Clock;
}

interface Waiting<Turn> {
  readonly turn: Turn;
  readonly onTaken: () => void;
}

/** The next of a priority is waited for so long, as another replica may have taken it. */
const COMING_MS = 50;

export class Desk<Turn extends Offered> {
  readonly #options: DeskOptions<Turn>;
  readonly #waiting = new Map<TurnPriority, Waiting<Turn>>();
  /** What calls the expectation off. */
  readonly #coming = new Map<TurnPriority, () => void>();
  #slots: number;
  #atWork = 0;
  #picks = 0;
  #closed = false;

  constructor(options: DeskOptions<Turn>) {
    this.#options = options;
    this.#slots = options.slots;
  }

  /** How many may be at work; those that are go on. */
  resize(slots: number): void {
    this.#slots = slots;
    this.#deal();
  }

  /** Resolves when the turn has begun, or was given back. One at a time for each priority. */
  offer(priority: TurnPriority, turn: Turn): Promise<void> {
    this.#forget(priority);
    if (this.#closed) {
      turn.giveBack();
      return Promise.resolve();
    }
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiting.set(priority, { turn, onTaken: resolve });
    this.#deal();
    return promise;
  }

  /** Begins nothing more: what waits is given back, what is at work goes on. */
  close(): void {
    this.#closed = true;
    for (const priority of TURN_PRIORITIES) this.#forget(priority);
    for (const { turn, onTaken } of this.#waiting.values()) {
      turn.giveBack();
      onTaken();
    }
    this.#waiting.clear();
  }

  #deal(): void {
    while (!this.#closed && this.#atWork < this.#slots) {
      const priority = nextPick(this.#places(), this.#picks);
      const waiting = priority && this.#waiting.get(priority);
      if (priority === undefined || waiting === undefined) return;
      this.#begin(priority, waiting);
    }
  }

  #begin(priority: TurnPriority, { turn, onTaken }: Waiting<Turn>): void {
    this.#waiting.delete(priority);
    this.#picks += 1;
    this.#atWork += 1;
    if (turn.hasMoreBehind) this.#expect(priority);
    onTaken();
    void this.#options.work(turn).finally(() => {
      this.#atWork -= 1;
      this.#deal();
    });
  }

  #expect(priority: TurnPriority): void {
    const cancel = this.#options.clock.after(COMING_MS, () => {
      this.#coming.delete(priority);
      this.#deal();
    });
    this.#coming.set(priority, cancel);
  }

  #forget(priority: TurnPriority): void {
    this.#coming.get(priority)?.();
    this.#coming.delete(priority);
  }

  #places(): Places {
    return { high: this.#place('high'), normal: this.#place('normal'), low: this.#place('low') };
  }

  #place(priority: TurnPriority): Place {
    if (this.#waiting.has(priority)) return 'waiting';
    return this.#coming.has(priority) ? 'coming' : 'nothing';
  }
}
