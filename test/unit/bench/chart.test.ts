import { describe, expect, it } from 'vitest';
import { startedAs, startedByChart } from '../../../bench/chart.ts';

const template = `
      containers:
        - name: operator
          command: [node, --one=1, --two, /opt/fleet/operator.mjs]
          env:
            - { name: MALLOC_ARENA_MAX, value: '1' }
            - { name: FLEET_LOG_LEVEL, value: {{ .Values.operator.logLevel }} }
`;

describe('how the chart starts a process', () => {
  it('is its flags and the variables of the allocator', () => {
    expect(startedAs(template, 'operator.mjs')).toEqual({ flags: ['--one=1', '--two'], env: { MALLOC_ARENA_MAX: '1' } });
  });

  it('may be without either', () => {
    expect(startedAs('  command: [node, /opt/fleet/gateway.mjs]\n', 'gateway.mjs')).toEqual({ flags: [], env: {} });
  });

  it('is of that bundle and no other', () => {
    expect(() => startedAs(template, 'gateway.mjs')).toThrow('does not start gateway.mjs');
  });

  it.each(['operator', 'gateway'] as const)('is found for the %s that ships', (name) => {
    expect(() => startedByChart(name)).not.toThrow();
  });
});
