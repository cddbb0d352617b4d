// How long a Deliberation has been at work: the clock stands while it is suspended.
import type { Deliberation } from '../kinds/deliberation.ts';
import { epochMs } from '../time.ts';

/** All in epoch milliseconds, or milliseconds. */
export interface Timeline {
  readonly startedMs: number;
  readonly suspendedMs: number | undefined;
  readonly resumedMs: number | undefined;
  pausedMs(now: number): number;
  activeMs(now: number): number;
  /** When the whole is over if it is not suspended (again). */
  endMs(timeoutSeconds: number, now: number): number;
}

/** undefined: no turn was asked for yet. */
export const timeline = ({ status }: Pick<Deliberation, 'status'>): Timeline | undefined => {
  const startedMs = epochMs(status?.startedAt);
  if (startedMs === undefined) return undefined;
  const suspendedMs = epochMs(status?.suspendedAt);
  const pausedMs = (now: number): number =>
    (status?.pausedMs ?? 0) + (suspendedMs === undefined ? 0 : Math.max(0, Math.round(now - suspendedMs)));
  return {
    startedMs,
    suspendedMs,
    resumedMs: epochMs(status?.resumedAt),
    pausedMs,
    activeMs: (now) => Math.max(0, Math.round(now - startedMs - pausedMs(now))),
    endMs: (timeoutSeconds, now) => startedMs + pausedMs(now) + timeoutSeconds * 1000,
  };
};
