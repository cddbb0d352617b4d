import { describe, expect, it } from 'vitest';
import { epochMs, timestamp, untilMs } from '../../../crds/time.ts';

describe('times without a clock', () => {
  const dates: readonly string[] = [
    '1970-01-01T00:00:00Z',
    '1999-12-31T23:59:59Z',
    '2000-02-29T12:00:00Z',
    '2026-11-21T02:15:09Z',
    '2100-03-01T00:00:00Z',
    '1969-12-31T23:59:58Z',
  ];
  it.each(dates)('%s becomes milliseconds and back', (date) => {
    expect(epochMs(date)).toBe(Date.parse(date));
    expect(timestamp(Date.parse(date))).toBe(date);
  });

  it('agrees with the platform on every 37th hour of 150 years', () => {
    for (let ms = Date.parse('1960-01-01T00:00:00Z'); ms < Date.parse('2110-01-01T00:00:00Z'); ms += 37 * 3_600_000) {
      const expected = `${new Date(ms).toISOString().slice(0, 19)}Z`;
      if (timestamp(ms) !== expected || epochMs(expected) !== ms) expect(timestamp(ms)).toBe(expected);
    }
  });

  const offsets: readonly (readonly [string, string])[] = [
    ['2026-11-21T02:15:09.250Z', '2026-11-21T02:15:09.250Z'],
    ['2026-11-21T02:15:09+02:00', '2026-11-21T00:15:09Z'],
    ['2026-11-21T02:15:09-05:30', '2026-11-21T07:45:09Z'],
  ];
  it.each(offsets)('%s is %s', (given, same) => {
    expect(epochMs(given)).toBe(Date.parse(same));
  });

  it.each([undefined, '', 'yesterday', '2026-11-21', '2026-11-21T02:15:09'])('%s is no time', (given) => {
    expect(epochMs(given)).toBeUndefined();
  });

  it('a date that is past wakes at once', () => {
    expect(untilMs(1000, 5000)).toBe(1);
    expect(untilMs(5000, 1000)).toBe(4000);
  });
});
