import { describe, expect, it } from 'vitest';
import { errorFields, makeLog, type Fields, type Level, type Log } from '../../../runtime/log.ts';

const lines = (level: Level, human: boolean, write: (log: Log) => void): readonly string[] => {
  const out: string[] = [];
  const nowMs = (): number => Date.UTC(2026, 0, 2, 3, 4, 5, 678);
  write(makeLog({ process: 'operator', level, human, write: (line) => out.push(line), nowMs }));
  return out;
};
const fields: Fields = { kind: 'Task', key: 'ns/a', why: 'its turn', effects: ['create Job ns/j'], flips: [] };
const written = (given: Fields): unknown => JSON.parse(lines('info', false, (log) => log.info('m', given))[0] ?? '');

describe('the log', () => {
  it('is one JSON object a line, whose first names are the same in every process', () => {
    const [line] = lines('info', false, (log) => log.info('decided', fields));
    expect(line).not.toContain('\n');
    const parsed = JSON.parse(line ?? '') as object;
    expect(parsed).toEqual({
      level: 'info',
      time: '2026-01-02T03:04:05.678Z',
      process: 'operator',
      message: 'decided',
      ...fields,
    });
    expect(Object.keys(parsed).slice(0, 4)).toEqual(['level', 'time', 'process', 'message']);
  });

  it('is a line for people on a terminal, without what is empty', () => {
    expect(lines('info', true, (log) => log.warn('decided', { ...fields, absent: undefined }))).toEqual([
      '03:04:05.678 warn  decided kind=Task key=ns/a why=its turn effects=["create Job ns/j"]',
    ]);
  });

  it('leaves out what is below its level', () => {
    const all = (log: Log): void => {
      log.debug('d');
      log.info('i');
      log.warn('w');
      log.error('e');
    };
    expect(lines('warn', true, all).map((line) => line.split(' ').at(-1))).toEqual(['w', 'e']);
  });

  const secrets: readonly { readonly name: string; readonly given: Fields; readonly want: object }[] = [
    {
      name: 'a password, however deep',
      given: { config: { nats: { user: 'u', password: 'hunter2' } } },
      want: { config: { nats: { user: 'u', password: '[REDACTED]' } } },
    },
    {
      name: 'an environment variable of a password',
      given: { FLEET_NATS_PASSWORD: 'hunter2' },
      want: { FLEET_NATS_PASSWORD: '[REDACTED]' },
    },
    {
      name: 'a token and headers',
      given: { token: 'abc', headers: { authorization: 'abc' } },
      want: { token: '[REDACTED]', headers: '[REDACTED]' },
    },
    {
      name: 'a credential in a text',
      given: { error: 'sent Authorization: Bearer sk-1234567890 to it' },
      want: { error: 'sent Authorization: Bearer [REDACTED] to it' },
    },
    {
      name: 'a token of the API server in a list',
      given: { seen: ['x eyJhbGciOiJSUzI1NiJ9.eyJhdWQi.c2ln y'] },
      want: { seen: ['x [REDACTED] y'] },
    },
    {
      name: 'a password in a URL',
      given: { url: 'nats://me:hunter2@nats:4222/x' },
      want: { url: 'nats://[REDACTED]@nats:4222/x' },
    },
  ];
  for (const { name, given, want } of secrets)
    it(`never writes ${name}`, () => {
      expect(written(given)).toMatchObject(want);
    });

  it('writes what only counts or names a secret', () => {
    const given = { tokens: 12, credentials: true, secretName: 'git-bot' };
    expect(written(given)).toMatchObject(given);
  });

  it('cuts what is too long, and survives what is nested without end', () => {
    const endless: Record<string, unknown> = {};
    endless['self'] = endless;
    const line = JSON.stringify(written({ long: 'x'.repeat(100_000), endless }));
    expect(line.length).toBeLessThan(5_000);
    expect(line).toContain('[nested too deep]');
  });
});

describe('an error in the log', () => {
  it('is told with its causes, and a bug with its stack', () => {
    const error = new Error('outer', { cause: new TypeError('inner') });
    expect(errorFields(error)).toEqual({ error: 'Error: outer ← TypeError: inner' });
    expect(errorFields(error, true)).toHaveProperty('stack', expect.stringContaining('outer'));
    expect(errorFields('a text')).toEqual({ error: 'a text' });
  });

  it('has its code, where the message does not say it', () => {
    const withCode = (message: string) =>
      Object.assign(new Error(message), { code: 'ECONNREFUSED', headers: { authorization: 'x' } });
    expect(errorFields(withCode('')).error).toBe('Error:  (ECONNREFUSED)');
    expect(errorFields(withCode('connect ECONNREFUSED ::1')).error).toBe('Error: connect ECONNREFUSED ::1');
  });
});
