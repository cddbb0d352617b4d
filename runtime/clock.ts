// Time and chance as a port, so that tests can drive them by hand.

export interface Clock {
  /** Epoch milliseconds. */
  nowMs(): number;
  /** Calls `then` once after the delay; returns what calls it off. */
  after(delayMs: number, then: () => void): () => void;
  /** Calls `then` once, after timers and sockets had their turn. */
  yield(then: () => void): void;
  /** In [0, 1). */
  random(): number;
}

/** Node's timers fire at once for delays beyond 2^31 ms. */
const MAX_DELAY_MS = 2 ** 31 - 1;

export const systemClock: Clock = {
  nowMs: () => Date.now(),
  after: (delayMs, then) => {
    const timer = setTimeout(then, Math.min(Math.max(delayMs, 0), MAX_DELAY_MS));
    return () => clearTimeout(timer);
  },
  yield: (then) => void setImmediate(then),
  random: () => Math.random(),
};

/** Resolves after the delay, or as soon as the signal aborts; never rejects. */
export const pause = (delayMs: number, signal?: AbortSignal, clock: Clock = systemClock): Promise<void> =>
  new Promise((resolve) => {
    if (signal?.aborted === true) return resolve();
    const end = (): void => {
      cancel();
      signal?.removeEventListener('abort', end);
      resolve();
    };
    const cancel = clock.after(delayMs, end);
    signal?.addEventListener('abort', end, { once: true });
  });

export interface Backoff {
  readonly baseMs: number;
  readonly maxMs: number;
}

/** The wait after so many failures in a row (0: the first): doubles up to its limit, and half of it is chance. */
export const backoffMs = ({ baseMs, maxMs }: Backoff, failures: number, clock: Clock = systemClock): number =>
  Math.min(maxMs, baseMs * 2 ** Math.min(failures, 30)) * (0.5 + clock.random() / 2);
