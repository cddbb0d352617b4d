// Bounds on what one caller may have under way or get wrong. All of it lives in this process: it protects this process.

import { LRUCache } from 'lru-cache';
import { Refusal } from './refusal.ts';

/** At most so many at a time for one key. */
export class Gate {
  readonly #running = new Map<string, number>();

  /** Runs it, or throws Refusal 429 when the key has so many under way. */
  async run<T>(key: string, limit: number, task: () => Promise<T>): Promise<T> {
    const running = this.#running.get(key) ?? 0;
    if (running >= limit)
      throw new Refusal(429, 'TooManyRequests', `at most ${limit} requests at a time`, { retryAfterSeconds: 1 });
    this.#running.set(key, running + 1);
    try {
      return await task();
    } finally {
      const left = (this.#running.get(key) ?? 1) - 1;
      if (left === 0) this.#running.delete(key);
      else this.#running.set(key, left);
    }
  }
}

const MAX_ADDRESSES = 4_096;

interface Window {
  readonly startedAt: number;
  readonly failures: number;
}

/** Counts failures of an address in windows of time: who sends many bad tokens is not listened to for the rest of the window. */
export class Failures {
  readonly #limit: number;
  readonly #windowMs: number;
  readonly #windows = new LRUCache<string, Window>({ max: MAX_ADDRESSES });

  constructor(limit: number, windowMs: number) {
    this.#limit = limit;
    this.#windowMs = windowMs;
  }

  blocked(address: string, now: number): boolean {
    const window = this.#windows.peek(address);
    return window !== undefined && now - window.startedAt < this.#windowMs && window.failures >= this.#limit;
  }

  add(address: string, now: number): void {
    const held = this.#windows.peek(address);
    const current = held !== undefined && now - held.startedAt < this.#windowMs ? held : { startedAt: now, failures: 0 };
    this.#windows.set(address, { ...current, failures: current.failures + 1 });
  }
}
