// Which writes the API server refused (quota, rights, validation, a taken name), and when each may be made again: nothing announces that
// it would now be taken. Until then a key that is woken decides as always, but does not make that write, and has no place in the line.
// Lost with the process: then each is tried once more.

/** The first wait; it doubles with each refusal of the same write. */
const FIRST_MS = 30_000;
const LONGEST_MS = 300_000;

interface Refusal {
  /** The write, in words. */
  readonly label: string;
  readonly times: number;
  readonly untilMs: number;
}

export class Refusals {
  readonly #byKey = new Map<string, Refusal>();

  /** Returns when the write may be made again, epoch milliseconds. */
  note(workKey: string, label: string, nowMs: number): number {
    const before = this.#byKey.get(workKey);
    const times = before?.label === label ? before.times + 1 : 1;
    const untilMs = nowMs + Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(times - 1, 10));
    this.#byKey.set(workKey, { label, times, untilMs });
    return untilMs;
  }

  /** These writes of the key were made. */
  made(workKey: string, labels: readonly string[]): void {
    if (labels.includes(this.#byKey.get(workKey)?.label ?? '')) this.#byKey.delete(workKey);
  }

  /** The object of the key is gone. */
  forget(workKey: string): void {
    this.#byKey.delete(workKey);
  }

  /** Until when none of these writes of the key is made; undefined: they may be made now. */
  heldUntilMs(workKey: string, labels: readonly string[], nowMs: number): number | undefined {
    const refusal = this.#byKey.get(workKey);
    return refusal !== undefined && nowMs < refusal.untilMs && labels.includes(refusal.label) ? refusal.untilMs : undefined;
  }

  /** The date for which the key waits, whatever else it decides meanwhile; undefined: for none. */
  untilMs(workKey: string, nowMs: number): number | undefined {
    const untilMs = this.#byKey.get(workKey)?.untilMs;
    return untilMs !== undefined && nowMs < untilMs ? untilMs : undefined;
  }
}
