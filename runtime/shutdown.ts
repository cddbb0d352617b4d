// The end of a process: signals become one AbortSignal, and what is under way gets a limited time.

import { systemClock, type Clock } from './clock.ts';
import type { Log } from './log.ts';

/** Aborts at SIGTERM or SIGINT; the second one ends the process at once with code 1. */
export const stopOnSignals = (log: Log): AbortSignal => {
  const stop = new AbortController();
  for (const name of ['SIGTERM', 'SIGINT'] as const)
    process.on(name, () => {
      if (stop.signal.aborted) process.exit(1);
      log.info('signal', { name });
      stop.abort(new Error(name));
    });
  return stop.signal;
};

/** Resolves when the work ends or the signal aborts, whichever comes first. */
export const orAborted = async (work: Promise<unknown>, signal: AbortSignal): Promise<void> => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const stop = (): void => resolve();
  if (signal.aborted) return;
  signal.addEventListener('abort', stop, { once: true });
  try {
    await Promise.race([work, promise]);
  } finally {
    signal.removeEventListener('abort', stop);
  }
};

/** Resolves when the signal aborts. */
export const aborted = (signal: AbortSignal): Promise<void> => orAborted(new Promise(() => undefined), signal);

/** Whether the work ended within the time; rejects as the work does. */
export const endsWithin = async (limitMs: number, work: Promise<unknown>, clock: Clock = systemClock): Promise<boolean> => {
  const { promise: late, resolve } = Promise.withResolvers<false>();
  const cancel = clock.after(limitMs, () => resolve(false));
  try {
    return await Promise.race([work.then(() => true), late]);
  } finally {
    cancel();
  }
};
