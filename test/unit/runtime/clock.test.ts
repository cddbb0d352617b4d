import { describe, expect, it } from 'vitest';
import { backoffMs, pause } from '../../../runtime/clock.ts';
import { endsWithin, orAborted } from '../../../runtime/shutdown.ts';
import { handClock, flush } from './hand-clock.ts';

/** Whether it has ended by now. */
const watch = (work: Promise<unknown>) => {
  const state = { ended: false };
  void work.then(() => (state.ended = true));
  return async (): Promise<boolean> => {
    await flush();
    return state.ended;
  };
};

describe('a pause', () => {
  it('ends after its time', async () => {
    const clock = handClock();
    const ended = watch(pause(1_000, undefined, clock));
    await clock.advance(999);
    expect(await ended()).toBe(false);
    await clock.advance(1);
    expect(await ended()).toBe(true);
  });

  it('ends with the signal, without an error', async () => {
    const stop = new AbortController();
    const ended = watch(pause(1_000, stop.signal, handClock()));
    expect(await ended()).toBe(false);
    stop.abort();
    expect(await ended()).toBe(true);
    await pause(1_000, stop.signal, handClock());
  });
});

describe('a back-off', () => {
  it('doubles up to its limit, half of it by chance', () => {
    const waits = [0, 1, 2, 3, 10, 10_000].map((failures) => backoffMs({ baseMs: 100, maxMs: 1_000 }, failures, handClock()));
    expect(waits).toEqual([75, 150, 300, 600, 750, 750]);
  });
});

describe('the end of a process', () => {
  it('waits for what is under way, but not longer than its limit', async () => {
    const clock = handClock();
    expect(await endsWithin(1_000, Promise.resolve(), clock)).toBe(true);
    const late = endsWithin(1_000, new Promise(() => undefined), clock);
    await clock.advance(1_000);
    expect(await late).toBe(false);
    await expect(endsWithin(1_000, Promise.reject(new Error('broken')), clock)).rejects.toThrow('broken');
  });

  it('waits for work or for the signal, whichever comes first', async () => {
    const stop = new AbortController();
    await orAborted(Promise.resolve(), stop.signal);
    const ended = watch(orAborted(new Promise(() => undefined), stop.signal));
    expect(await ended()).toBe(false);
    stop.abort();
    expect(await ended()).toBe(true);
  });
});
