import { describe, expect, it } from 'vitest';
import { makeMetrics, type Metrics } from '../../../runtime/metrics.ts';

/** Our own lines, without those that Node's figures add. */
const ours = async (metrics: Metrics, ...names: readonly string[]): Promise<readonly string[]> =>
  (await metrics.render()).split('\n').filter((line) => names.some((name) => line.includes(`swefleet_${name}`)));

describe('metrics', () => {
  it('are counters by label and gauges that are read when asked, in the text format, each with its process', async () => {
    const metrics = makeMetrics('operator');
    const depth = { value: 1 };
    metrics.gauge('depth', 'How deep.', () => depth.value);
    metrics.count('writes_total', 'Writes.', { kind: 'Job' });
    metrics.count('writes_total', 'Writes.', { kind: 'Job' }, 2);
    metrics.count('writes_total', 'Writes.', { kind: 'a "b"\n' });
    depth.value = 7;
    expect(await ours(metrics, 'depth', 'writes_total')).toEqual([
      '# HELP swefleet_depth How deep.',
      '# TYPE swefleet_depth gauge',
      'swefleet_depth{process="operator"} 7',
      '# HELP swefleet_writes_total Writes.',
      '# TYPE swefleet_writes_total counter',
      'swefleet_writes_total{kind="Job",process="operator"} 3',
      'swefleet_writes_total{kind="a \\"b\\"\\n",process="operator"} 1',
    ]);
  });

  it('have one gauge for several series', async () => {
    const metrics = makeMetrics('operator');
    metrics.gauge('cached', 'Cached.', () => 1, { kind: 'Job' });
    metrics.gauge('cached', 'Cached.', () => 2, { kind: 'Pod' });
    expect((await ours(metrics, 'cached')).slice(2)).toEqual([
      'swefleet_cached{kind="Job",process="operator"} 1',
      'swefleet_cached{kind="Pod",process="operator"} 2',
    ]);
  });

  it('of two instances in one process know nothing of each other', async () => {
    const [one, two] = [makeMetrics('one'), makeMetrics('two')];
    one.count('writes_total', 'Writes.');
    expect(await ours(one, 'writes_total')).toContain('swefleet_writes_total{process="one"} 1');
    expect(await ours(two, 'writes_total')).toEqual([]);
  });

  it('tell of Node itself, all under one prefix and with help', async () => {
    const text = await makeMetrics('operator').render();
    expect(text).toMatch(/^swefleet_process_resident_memory_bytes\{process="operator"\} \d+/m);
    expect(text).toMatch(/^swefleet_nodejs_eventloop_lag_p99_seconds\{process="operator"\} /m);
    const lines = text.split('\n').filter((line) => line !== '');
    const names = lines.filter((line) => !line.startsWith('#')).map((line) => /^\w+/.exec(line)?.[0] ?? line);
    expect(names.filter((name) => !name.startsWith('swefleet_'))).toEqual([]);
    const helped = lines.filter((line) => line.startsWith('# HELP')).map((line) => line.split(' ')[2] ?? '');
    const unhelped = names.filter((name) => !helped.some((one) => name.startsWith(one)));
    expect(unhelped).toEqual([]);
  });
});
