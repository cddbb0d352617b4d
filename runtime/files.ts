// Follows what stands in files that may be replaced at any moment (mounted ConfigMaps and Secrets): looks on an interval, takes a good
// new version, logs a bad one and keeps the one in use. A mounted file is replaced by renaming links, which file-system events do not
// show everywhere: hence the looking.

import { isDeepStrictEqual } from 'node:util';
import { pause, systemClock, type Clock } from './clock.ts';
import { errorFields, type Log } from './log.ts';

const LOOK_EVERY_MS = 10_000;

export interface FollowOptions<T> {
  /** For the log: "the certificate". */
  readonly what: string;
  /** Throws when what is there is no good version. */
  readonly read: () => T | Promise<T>;
  /** Puts a new version to use; when it throws, the one before stays. */
  readonly take?: (next: T) => void;
  readonly log: Log;
  /** Ends the looking. */
  readonly signal: AbortSignal;
  readonly clock?: Clock;
}

/** `first` is in use already. Returns what tells the version in use. */
export const follow = <T>(first: T, { what, read, take, log, signal, clock = systemClock }: FollowOptions<T>): (() => T) => {
  let current = first;
  let complaint: string | undefined;
  // in use before `take` is called, as whoever it wakes reads it at once
  const replace = (next: T): void => {
    const before = current;
    current = next;
    try {
      take?.(next);
    } catch (error) {
      current = before;
      throw error;
    }
  };
  const look = async (): Promise<void> => {
    try {
      const next = await read();
      complaint = undefined;
      if (signal.aborted || isDeepStrictEqual(next, current)) return;
      replace(next);
      log.info(`${what} was replaced`);
    } catch (cause) {
      const { error } = errorFields(cause);
      // once, however often it is looked at
      if (error !== complaint) log.error(`a new version of ${what} is not usable and is not taken`, { error });
      complaint = error;
    }
  };
  const run = async (): Promise<void> => {
    for (await pause(LOOK_EVERY_MS, signal, clock); !signal.aborted; await pause(LOOK_EVERY_MS, signal, clock)) await look();
  };
  void run();
  return () => current;
};
