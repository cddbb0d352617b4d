// Time and chance as a port, so that tests can drive them by hand.

export interface Clock {
  /** Epoch milliseconds. */
  nowMs(): number;
  /** Calls `then` once after the delay; returns what calls it off. */
  after(delayMs: number, then: () => void): () => void;
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
  random: () => Math.random(),
};
