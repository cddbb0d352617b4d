// Times between epoch milliseconds (what `now` is) and the RFC 3339 strings with seconds that a status holds.
// May: convert. May not: know what time it is.

/** The last moment that a `Date` can hold. */
export const MAX_DATE_MS = 8.64e15;

/** `2026-11-21T02:15:00Z`; fractions of a second are cut off. */
export const timestamp = (epochMs: number): string => `${new Date(epochMs).toISOString().slice(0, 19)}Z`;

/** `2026-11-21T02:15:00.123Z`: where what follows is measured from it. */
export const preciseTimestamp = (epochMs: number): string => new Date(epochMs).toISOString();

/** With microseconds, as Leases and Events have them; known to the millisecond. */
export const microTimestamp = (epochMs: number): string => `${new Date(epochMs).toISOString().slice(0, 23)}000Z`;

const RFC3339 = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2})$/;

/** Epoch milliseconds of an RFC 3339 time; undefined for what is absent or is none. */
export const epochMs = (time: string | undefined): number | undefined => {
  const text = time?.toUpperCase() ?? '';
  const parsed = RFC3339.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(parsed) ? undefined : parsed;
};

/** Milliseconds from now until `atMs`, at least 1: a timer for a date that is due fires at once, and never "never". */
export const untilMs = (atMs: number, now: number): number => Math.max(1, atMs - now);
