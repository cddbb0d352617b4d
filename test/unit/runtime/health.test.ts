import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import { serveHealth } from '../../../runtime/health.ts';
import { errorFields, makeLog, type Fields, type Level } from '../../../runtime/log.ts';
import { makeMetrics } from '../../../runtime/metrics.ts';

describe('the health port', () => {
  const ask = async (path: string, missing: readonly string[] = []): Promise<readonly [number, string]> => {
    const server = await serveHealth({ port: 0, sick: () => [], missing: () => missing, metrics: () => 'm 1\n' });
    const answer = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`);
    const text = await answer.text();
    server.close();
    return [answer.status, text];
  };
  const cases: readonly {
    readonly name: string;
    readonly path: string;
    readonly missing?: readonly string[];
    readonly want: readonly [number, string];
  }[] = [
    { name: 'alive', path: '/healthz', want: [200, 'ok\n'] },
    { name: 'alive although not ready', path: '/healthz', missing: ['x'], want: [200, 'ok\n'] },
    { name: 'ready', path: '/readyz?verbose', want: [200, 'ok\n'] },
    {
      name: 'not ready, and what is missing',
      path: '/readyz',
      missing: ['Story was not listed yet', 'b'],
      want: [503, 'Story was not listed yet\nb\n'],
    },
    { name: 'metrics', path: '/metrics', want: [200, 'm 1\n'] },
    { name: 'nothing else', path: '/', want: [404, 'not found\n'] },
  ];
  for (const { name, path, missing, want } of cases)
    it(name, async () => {
      expect(await ask(path, missing)).toEqual(want);
    });

  it('says when its port is taken', async () => {
    const options = { sick: () => [], missing: () => [], metrics: () => '' };
    const first = await serveHealth({ ...options, port: 0 });
    await expect(serveHealth({ ...options, port: (first.address() as AddressInfo).port })).rejects.toThrow('EADDRINUSE');
    first.close();
  });
});

describe('metrics', () => {
  it('are counters by label and gauges that are read when asked, in the text format', () => {
    const metrics = makeMetrics();
    const depth = { value: 1 };
    metrics.gauge('depth', 'How deep.', () => depth.value);
    metrics.count('writes_total', 'Writes.', { kind: 'Job' });
    metrics.count('writes_total', 'Writes.', { kind: 'Job' });
    metrics.count('writes_total', 'Writes.', { kind: 'a "b"\n' });
    depth.value = 7;
    expect(metrics.render()).toBe(
      [
        '# HELP swefleet_operator_depth How deep.',
        '# TYPE swefleet_operator_depth gauge',
        'swefleet_operator_depth 7',
        '# HELP swefleet_operator_writes_total Writes.',
        '# TYPE swefleet_operator_writes_total counter',
        'swefleet_operator_writes_total{kind="Job"} 2',
        'swefleet_operator_writes_total{kind="a \\"b\\"\\n"} 1',
        '',
      ].join('\n'),
    );
  });
});

describe('the log', () => {
  const lines = (level: Level, human: boolean, write: (log: ReturnType<typeof makeLog>) => void): readonly string[] => {
    const out: string[] = [];
    write(makeLog({ level, human, write: (line) => out.push(line), nowMs: () => Date.UTC(2026, 0, 2, 3, 4, 5, 678) }));
    return out;
  };
  const fields: Fields = { kind: 'Task', key: 'ns/a', why: 'its turn', effects: ['create Job ns/j'], flips: [] };

  it('is one JSON object a line', () => {
    const [line] = lines('info', false, (log) => log.info('decided', fields));
    expect(JSON.parse(line ?? '')).toEqual({ time: '2026-01-02T03:04:05.678Z', level: 'info', message: 'decided', ...fields });
  });

  it('is a line for people on a terminal, without what is empty', () => {
    expect(lines('info', true, (log) => log.warn('decided', fields))).toEqual([
      '03:04:05.678 warn  decided kind=Task key=ns/a why=its turn effects=["create Job ns/j"]',
    ]);
  });

  it('leaves out what is below its level', () => {
    const all = (log: ReturnType<typeof makeLog>): void => {
      log.debug('d');
      log.info('i');
      log.warn('w');
      log.error('e');
    };
    expect(lines('warn', true, all).map((line) => line.split(' ').at(-1))).toEqual(['w', 'e']);
  });

  it('tells an error with its causes, and a bug with its stack', () => {
    const error = new Error('outer', { cause: new TypeError('inner') });
    expect(errorFields(error)).toEqual({ error: 'Error: outer ← TypeError: inner' });
    expect(errorFields(error, true)).toHaveProperty('stack', expect.stringContaining('outer'));
    expect(errorFields('a text')).toEqual({ error: 'a text' });
  });
});
