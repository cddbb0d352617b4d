// A queue of keys. It merges, never runs one key twice at once, runs a key again that was added while it ran, waits for dates,
// backs off per key, and yields to the event loop. It knows nothing of what a key stands for. Whoever adds a key goes on first: no work
// begins within `add`, so that it never sees what is only half done there.

import { backoffMs, type Backoff, type Clock } from './clock.ts';

/** What the work on a key asks for next. `after` replaces an earlier date of that key; `retry` backs off, for `minMs` to `maxMs`. */
export type Next =
  | { readonly kind: 'done' }
  | { readonly kind: 'after'; readonly delayMs: number }
  | { readonly kind: 'retry'; readonly minMs?: number | undefined; readonly maxMs?: number };

export interface QueueOptions {
  /** Never expected to throw; if it does, the key is retried. */
  readonly work: (key: string) => Promise<Next>;
  readonly clock: Clock;
  readonly workers: number;
  readonly backoff: Backoff;
  readonly onThrown?: (key: string, error: unknown) => void;
}

/**
 * Work that waits for no I/O ends in the turn of the event loop that it began in, and so does what follows it: a thousand of them would
 * keep sockets, watches and the Lease waiting. So nothing more is begun in a turn that has lasted this long.
 */
const SLICE_MS = 5;

export class Queue {
  readonly #options: QueueOptions;
  readonly #waiting = new Set<string>();
  readonly #running = new Set<string>();
  readonly #dirty = new Set<string>();
  readonly #dates = new Map<string, { readonly atMs: number; readonly cancel: () => void }>();
  readonly #failures = new Map<string, number>();
  #state: 'paused' | 'open' | 'drained' = 'paused';
  #idle: (() => void)[] = [];
  #sliceEndMs: number | undefined;
  #isBeginning = false;
  #isYielding = false;

  constructor(options: QueueOptions) {
    this.#options = options;
  }

  /** Keys that could run now. */
  get depth(): number {
    return this.#waiting.size + this.#dirty.size;
  }

  get running(): number {
    return this.#running.size;
  }

  /** Until now keys were only collected. */
  open(): void {
    if (this.#state === 'drained') return;
    this.#state = 'open';
    this.#begin();
  }

  /** Whether its last work asked for a retry that is still to come. */
  isFailing(key: string): boolean {
    return this.#failures.has(key);
  }

  add(key: string): void {
    if (this.#state === 'drained') return;
    if (this.#running.has(key)) this.#dirty.add(key);
    else this.#waiting.add(key);
    this.#begin();
  }

  /** Adds the key at a date; of several dates the earliest counts. */
  addAfter(key: string, delayMs: number): void {
    if (this.#state === 'drained') return;
    const atMs = this.#options.clock.nowMs() + delayMs;
    const known = this.#dates.get(key);
    if (known !== undefined && known.atMs <= atMs) return;
    known?.cancel();
    const cancel = this.#options.clock.after(delayMs, () => {
      this.#dates.delete(key);
      this.add(key);
    });
    this.#dates.set(key, { atMs, cancel });
  }

  /** Starts nothing new, forgets dates, and resolves when what runs has ended. */
  async drain(): Promise<void> {
    this.#state = 'drained';
    for (const { cancel } of this.#dates.values()) cancel();
    this.#dates.clear();
    this.#waiting.clear();
    this.#dirty.clear();
    if (this.#running.size === 0) return;
    await new Promise<void>((resolve) => this.#idle.push(resolve));
  }

  #begin(): void {
    if (this.#isBeginning || this.#state !== 'open') return;
    this.#isBeginning = true;
    queueMicrotask(() => {
      this.#isBeginning = false;
      this.#pump();
    });
  }

  #pump(): void {
    if (this.#state !== 'open') return;
    for (const key of this.#waiting) {
      if (this.#running.size >= this.#options.workers) return;
      const nowMs = this.#options.clock.nowMs();
      this.#sliceEndMs ??= nowMs + SLICE_MS;
      if (nowMs >= this.#sliceEndMs) return this.#yield();
      this.#waiting.delete(key);
      this.#running.add(key);
      this.#dates.get(key)?.cancel();
      this.#dates.delete(key);
      void this.#run(key);
    }
  }

  /** Goes on in another turn of the event loop, with a new slice. */
  #yield(): void {
    if (this.#isYielding) return;
    this.#isYielding = true;
    this.#options.clock.yield(() => {
      this.#isYielding = false;
      this.#sliceEndMs = undefined;
      this.#pump();
    });
  }

  async #run(key: string): Promise<void> {
    let next: Next;
    try {
      next = await this.#options.work(key);
    } catch (error) {
      this.#options.onThrown?.(key, error);
      next = { kind: 'retry' };
    }
    this.#running.delete(key);
    if (this.#state === 'drained') {
      if (this.#running.size === 0) for (const resolve of this.#idle.splice(0)) resolve();
      return;
    }
    this.#schedule(key, next);
    if (this.#dirty.delete(key)) this.#waiting.add(key);
    this.#pump();
  }

  #schedule(key: string, next: Next): void {
    if (next.kind !== 'retry') this.#failures.delete(key);
    switch (next.kind) {
      case 'done':
        return;
      case 'after':
        this.addAfter(key, next.delayMs);
        return;
      case 'retry':
        this.addAfter(key, Math.min(next.maxMs ?? Infinity, this.#backoffMs(key, next.minMs ?? 0)));
    }
  }

  #backoffMs(key: string, minMs: number): number {
    const failures = this.#failures.get(key) ?? 0;
    this.#failures.set(key, failures + 1);
    return Math.max(minMs, backoffMs(this.#options.backoff, failures, this.#options.clock));
  }
}
