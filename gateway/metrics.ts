// Counters and gauges in Prometheus' text format. Label values come from closed sets (routes, codes, upstream names of the table),
// never from callers, so that nobody can grow the series.

export type Labels = Readonly<Record<string, string>>;

interface Family {
  readonly help: string;
  readonly type: 'counter' | 'gauge';
  readonly series: Map<string, number>;
}

const FAMILIES = {
  fleet_gateway_requests_total: ['counter', 'Requests answered, by route and HTTP status.'],
  fleet_gateway_refusals_total: ['counter', 'Requests refused, by code.'],
  fleet_gateway_request_seconds_total: ['counter', 'Seconds spent on requests, by route.'],
  fleet_gateway_in_flight: ['gauge', 'Requests under way.'],
  fleet_gateway_model_tokens_total: ['counter', 'Tokens that models counted, by endpoint.'],
  fleet_gateway_commands_total: ['counter', 'Commands answered, by kind and outcome.'],
  fleet_gateway_tunnels_total: ['counter', 'Egress tunnels opened, by upstream.'],
  fleet_gateway_store_up: ['gauge', 'Whether JetStream is connected.'],
} as const satisfies Record<string, readonly ['counter' | 'gauge', string]>;

export type MetricName = keyof typeof FAMILIES;

const escaped = (value: string): string => value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');

const seriesKey = (labels: Labels): string => {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escaped(value)}"`);
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
};

export class Metrics {
  readonly #families = new Map<MetricName, Family>();

  constructor() {
    for (const [name, [type, help]] of Object.entries(FAMILIES))
      this.#families.set(name as MetricName, { type, help, series: new Map() });
  }

  add(name: MetricName, labels: Labels = {}, by = 1): void {
    const series = this.#families.get(name)?.series;
    const key = seriesKey(labels);
    series?.set(key, (series.get(key) ?? 0) + by);
  }

  set(name: MetricName, value: number, labels: Labels = {}): void {
    this.#families.get(name)?.series.set(seriesKey(labels), value);
  }

  text(): string {
    const lines = [...this.#families].flatMap(([name, { help, type, series }]) => [
      `# HELP ${name} ${help}`,
      `# TYPE ${name} ${type}`,
      ...[...series].map(([labels, value]) => `${name}${labels} ${value}`),
    ]);
    return `${lines.join('\n')}\n`;
  }
}
