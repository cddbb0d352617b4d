// A clock that moves only when a test moves it.

import type { Clock } from '../../../runtime/clock.ts';

export interface HandClock extends Clock {
  /** Moves on, firing what falls due in order of its date; lets promises go on in between. */
  advance(ms: number): Promise<void>;
  /** Time passes while the code under test is at work; nothing falls due. */
  spend(ms: number): void;
  /** The event loop takes its turn: what waits for that goes on. */
  turn(): Promise<void>;
}

/** Lets everything run that waits for promises only. */
export const flush = async (): Promise<void> => {
  for (let n = 0; n < 20; n += 1) await Promise.resolve();
};

export const handClock = (startMs = 0): HandClock => {
  let nowMs = startMs;
  const timers = new Set<{ readonly atMs: number; readonly then: () => void }>();
  const turns: (() => void)[] = [];
  /** Until nothing is left to do but wait for a date. */
  const settle = async (): Promise<void> => {
    await flush();
    while (turns.length > 0) {
      for (const then of turns.splice(0)) then();
      await flush();
    }
  };
  return {
    nowMs: () => nowMs,
    random: () => 0.5,
    after: (delayMs, then) => {
      const timer = { atMs: nowMs + delayMs, then };
      timers.add(timer);
      return () => timers.delete(timer);
    },
    turn: async () => {
      for (const then of turns.splice(0)) then();
      await flush();
    },
    spend: (ms) => {
      nowMs += ms;
    },
    yield: (then) => void turns.push(then),
    advance: async (ms) => {
      const untilMs = nowMs + ms;
      await settle();
      for (;;) {
        const due = [...timers].filter((timer) => timer.atMs <= untilMs).sort((a, b) => a.atMs - b.atMs)[0];
        if (due === undefined) break;
        nowMs = due.atMs;
        timers.delete(due);
        due.then();
        await settle();
      }
      nowMs = untilMs;
    },
  };
};
