import { describe, expect, it } from 'vitest';
import { follow } from '../../../runtime/files.ts';
import { handClock } from './hand-clock.ts';
import { recordedLog } from './recorded-log.ts';

const opened = (take?: (next: string) => void) => {
  const clock = handClock();
  const log = recordedLog();
  const stop = new AbortController();
  const file: { text: string | Error } = { text: 'one' };
  const read = (): string => {
    if (file.text instanceof Error) throw file.text;
    return file.text;
  };
  const current = follow('one', {
    what: 'the thing',
    read,
    log,
    clock,
    signal: stop.signal,
    ...(take !== undefined && { take }),
  });
  const messages = (): readonly string[] =>
    log.lines.map(({ level, message, fields }) => `${level} ${message} ${JSON.stringify(fields['error'])}`);
  return { clock, stop, file, current, messages };
};

describe('a followed file', () => {
  it('is looked at on an interval, and a new version is taken once', async () => {
    const taken: string[] = [];
    const { clock, file, current, messages } = opened((next) => taken.push(next));
    await clock.advance(30_000);
    file.text = 'two';
    expect(current()).toBe('one');
    await clock.advance(10_000);
    expect(current()).toBe('two');
    await clock.advance(60_000);
    expect([taken, messages()]).toEqual([['two'], ['info the thing was replaced undefined']]);
  });

  it('keeps the version in use while the new one is bad, and says so once for each sort of bad', async () => {
    const { clock, file, current, messages } = opened();
    file.text = new Error('cut');
    await clock.advance(60_000);
    file.text = new Error('empty');
    await clock.advance(60_000);
    expect(current()).toBe('one');
    file.text = 'two';
    await clock.advance(10_000);
    expect(current()).toBe('two');
    expect(messages()).toEqual([
      'error a new version of the thing is not usable and is not taken "Error: cut"',
      'error a new version of the thing is not usable and is not taken "Error: empty"',
      'info the thing was replaced undefined',
    ]);
  });

  it('keeps the version in use when the new one cannot be put to use', async () => {
    const { clock, file, current } = opened(() => {
      throw new Error('the server refuses it');
    });
    file.text = 'two';
    await clock.advance(10_000);
    expect(current()).toBe('one');
  });

  it('is in use already when it is told of', async () => {
    const seen: string[] = [];
    const { clock, file, current } = opened(() => seen.push(current()));
    file.text = 'two';
    await clock.advance(10_000);
    expect(seen).toEqual(['two']);
  });

  it('is not looked at any more after the end', async () => {
    const { clock, stop, file, current } = opened();
    stop.abort();
    file.text = 'two';
    await clock.advance(60_000);
    expect(current()).toBe('one');
  });
});
