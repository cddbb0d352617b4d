// Times between epoch milliseconds (what `now` is) and the RFC 3339 strings with seconds that a status holds.
// May: compute. May not: know what time it is. `Date` is out of reach in this folder, so the calendar is plain arithmetic
// (days of the proleptic Gregorian calendar counted from 1 March of year 0, in eras of 400 years).

const DAY_S = 86_400;
const DAYS_PER_ERA = 146_097;
const DAYS_TO_EPOCH = 719_468;

const two = (value: number): string => String(value).padStart(2, '0');

const civilFromDays = (days: number): { readonly year: number; readonly month: number; readonly day: number } => {
  const shifted = days + DAYS_TO_EPOCH;
  const era = Math.floor(shifted / DAYS_PER_ERA);
  const dayOfEra = shifted - era * DAYS_PER_ERA;
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1460) + Math.floor(dayOfEra / 36_524) - Math.floor(dayOfEra / 146_096)) / 365,
  );
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const shiftedMonth = Math.floor((5 * dayOfYear + 2) / 153);
  const day = dayOfYear - Math.floor((153 * shiftedMonth + 2) / 5) + 1;
  const month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9;
  return { year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day };
};

const daysFromCivil = (year: number, month: number, day: number): number => {
  const shiftedYear = month <= 2 ? year - 1 : year;
  const era = Math.floor(shiftedYear / 400);
  const yearOfEra = shiftedYear - era * 400;
  const dayOfYear = Math.floor((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5) + day - 1;
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear;
  return era * DAYS_PER_ERA + dayOfEra - DAYS_TO_EPOCH;
};

/** `2026-11-21T02:15:00Z`; fractions of a second are cut off. */
export const timestamp = (epochMs: number): string => {
  const seconds = Math.floor(epochMs / 1000);
  const days = Math.floor(seconds / DAY_S);
  const rest = seconds - days * DAY_S;
  const { year, month, day } = civilFromDays(days);
  const clock = `${two(Math.floor(rest / 3600))}:${two(Math.floor(rest / 60) % 60)}:${two(rest % 60)}`;
  return `${String(year).padStart(4, '0')}-${two(month)}-${two(day)}T${clock}Z`;
};

const RFC3339 = /^(\d{4})-(\d{2})-(\d{2})[Tt](\d{2}):(\d{2}):(\d{2})(\.\d+)?(?:[Zz]|([+-])(\d{2}):(\d{2}))$/;

/** Epoch milliseconds of an RFC 3339 time; undefined for what is absent or is none. */
export const epochMs = (time: string | undefined): number | undefined => {
  const parts = RFC3339.exec(time ?? '');
  if (parts === null) return undefined;
  const field = (index: number): number => Number(parts[index] ?? 0);
  const seconds = daysFromCivil(field(1), field(2), field(3)) * DAY_S + field(4) * 3600 + field(5) * 60 + field(6);
  const offsetS = (parts[8] === '-' ? -1 : 1) * (field(9) * 3600 + field(10) * 60);
  return (seconds - offsetS) * 1000 + Math.floor(field(7) * 1000);
};

/** Milliseconds from now until `atMs`, at least 1: a timer for a date that is due fires at once, and never "never". */
export const untilMs = (atMs: number, now: number): number => Math.max(1, atMs - now);
