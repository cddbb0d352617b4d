import { describe, expect, it } from 'vitest';
import { RefusalLog, type Refused } from '../../../gateway/http/refusal-log.ts';
import { handClock } from '../runtime/hand-clock.ts';
import { recordedLog } from '../runtime/recorded-log.ts';

const refused = (caller: string, status = 429, code = 'TooManyRequests', fields: Refused['fields'] = {}): Refused => ({
  ...{ caller, status, code, fields },
});

const opened = () => {
  const clock = handClock();
  const log = recordedLog();
  const refusals = new RefusalLog(log, clock);
  /** `level code ×count` of each line, with the time when it was written. */
  const lines = (): readonly string[] =>
    log.lines.map(({ level, fields }) => `${level} ${String(fields['code'])} ×${JSON.stringify(fields['count'] ?? 1)}`);
  return { clock, log, refusals, lines };
};

describe('the log of refusals', () => {
  it('has a line at once, and then one a minute with how many there were', async () => {
    const { clock, refusals, lines } = opened();
    for (let n = 0; n < 500; n += 1) refusals.write(refused('pod-1'));
    expect(lines()).toEqual(['warn TooManyRequests ×1']);
    await clock.advance(59_999);
    expect(lines()).toHaveLength(1);
    await clock.advance(1);
    expect(lines()).toEqual(['warn TooManyRequests ×1', 'warn TooManyRequests ×499']);
    // the next minute began with that line
    for (let n = 0; n < 20; n += 1) refusals.write(refused('pod-1'));
    await clock.advance(60_000);
    expect(lines().slice(2)).toEqual(['warn TooManyRequests ×20']);
  });

  it('begins anew after a minute without one', async () => {
    const { clock, refusals, lines } = opened();
    refusals.write(refused('pod-1'));
    await clock.advance(60_000);
    refusals.write(refused('pod-1'));
    expect(lines()).toEqual(['warn TooManyRequests ×1', 'warn TooManyRequests ×1']);
  });

  it('tells callers and codes apart', () => {
    const { refusals, lines } = opened();
    refusals.write(refused('pod-1'));
    refusals.write(refused('pod-2'));
    refusals.write(refused('pod-1', 403, 'StepNotAllowed'));
    expect(lines()).toEqual(['warn TooManyRequests ×1', 'warn TooManyRequests ×1', 'warn StepNotAllowed ×1']);
  });

  it('has every line of the other statuses, with the level of who is at fault', () => {
    const { refusals, lines } = opened();
    for (let n = 0; n < 2; n += 1) refusals.write(refused('pod-1', 502, 'UpstreamUnavailable'));
    refusals.write(refused('pod-1', 503, 'NotListedYet'));
    refusals.write(refused('10.0.0.1', 401, 'TokenUnknown'));
    expect(lines()).toEqual([
      'error UpstreamUnavailable ×1',
      'error UpstreamUnavailable ×1',
      'warn NotListedYet ×1',
      'warn TokenUnknown ×1',
    ]);
  });

  it('has the fields of the last one beside the count', async () => {
    const { clock, log, refusals } = opened();
    for (const id of ['a', 'b', 'c']) refusals.write(refused('pod-1', 403, 'StepNotAllowed', { id }));
    await clock.advance(60_000);
    expect(log.lines.map(({ message, fields }) => [message, fields])).toEqual([
      ['refused', { status: 403, code: 'StepNotAllowed', id: 'a' }],
      ['refused', { status: 403, code: 'StepNotAllowed', id: 'c', count: 2 }],
    ]);
  });

  it('keeps a bounded number of callers, and loses no count for it', () => {
    const { refusals, lines } = opened();
    for (let n = 0; n < 4; n += 1) refusals.write(refused('first'));
    for (let n = 0; n < 4_095; n += 1) refusals.write(refused(`pod-${n}`));
    expect(lines()).toHaveLength(4_096);
    refusals.write(refused('one more'));
    expect(lines()).toHaveLength(4_098);
    expect(lines().filter((line) => !line.endsWith('×1'))).toEqual(['warn TooManyRequests ×3']);
  });

  it('writes what it counted when the gateway ends', async () => {
    const { clock, refusals, lines } = opened();
    for (let n = 0; n < 3; n += 1) refusals.write(refused('pod-1'));
    refusals.end();
    expect(lines()).toEqual(['warn TooManyRequests ×1', 'warn TooManyRequests ×2']);
    await clock.advance(120_000);
    expect(lines()).toHaveLength(2);
  });
});
