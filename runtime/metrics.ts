// Counters and gauges for Prometheus, in a registry of its own for each instance: several can live in one process, as tests need.
// Names are `swefleet_…`; every series says of which process it is. Labels are of small, fixed sets, never from callers.

import { collectDefaultMetrics, Counter, Gauge, Registry } from 'prom-client';

export type Labels = Readonly<Record<string, string>>;

export interface Metrics {
  /** Adds to a counter; all calls of one name have the same help and label names. */
  count(name: string, help: string, labels?: Labels, by?: number): void;
  /** Read when scraped; several series of one name differ in their labels. */
  gauge(name: string, help: string, read: () => number, labels?: Labels): void;
  /** The text format, with Node's own figures (memory, CPU, event-loop lag). */
  render(): Promise<string>;
}

const PREFIX = 'swefleet_';

interface GaugeSeries {
  readonly labels: Labels;
  readonly read: () => number;
}

/** `process`: which program measures, such as `operator`. */
export const makeMetrics = (process: string): Metrics => {
  const registry = new Registry();
  const registers = [registry];
  const counters = new Map<string, Counter>();
  const gauges = new Map<string, GaugeSeries[]>();
  registry.setDefaultLabels({ process });
  collectDefaultMetrics({ register: registry, prefix: PREFIX });
  return {
    count: (name, help, labels = {}, by = 1) => {
      const known = counters.get(name);
      const counter = known ?? new Counter({ name: PREFIX + name, help, labelNames: Object.keys(labels), registers });
      if (known === undefined) counters.set(name, counter);
      counter.inc(labels, by);
    },
    gauge: (name, help, read, labels = {}) => {
      const series = gauges.get(name) ?? [];
      series.push({ labels, read });
      if (series.length > 1) return;
      gauges.set(name, series);
      const gauge: Gauge = new Gauge({
        ...{ name: PREFIX + name, help, labelNames: Object.keys(labels), registers },
        collect: () => series.forEach((one) => gauge.set(one.labels, one.read())),
      });
    },
    render: () => registry.metrics(),
  };
};
