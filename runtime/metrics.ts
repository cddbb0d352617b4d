// Counters and gauges in Prometheus' text format. Names are `swefleet_operator_…`; labels are of small, fixed sets.

type Labels = Readonly<Record<string, string>>;

export interface Metrics {
  count(name: string, help: string, labels?: Labels): void;
  /** Read when scraped. */
  gauge(name: string, help: string, read: () => number): void;
  render(): string;
}

interface Family {
  readonly help: string;
  readonly type: 'counter' | 'gauge';
  readonly samples: Map<string, () => number>;
}

const PREFIX = 'swefleet_operator_';

const escaped = (value: string): string => value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');

const labelText = (labels: Labels): string => {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escaped(value)}"`);
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
};

export const makeMetrics = (): Metrics => {
  const families = new Map<string, Family>();
  const counts = new Map<string, number>();
  const family = (name: string, help: string, type: Family['type']): Family => {
    const known = families.get(name) ?? { help, type, samples: new Map<string, () => number>() };
    families.set(name, known);
    return known;
  };
  return {
    count: (name, help, labels = {}) => {
      const text = labelText(labels);
      const id = name + text;
      counts.set(id, (counts.get(id) ?? 0) + 1);
      family(name, help, 'counter').samples.set(text, () => counts.get(id) ?? 0);
    },
    gauge: (name, help, read) => {
      family(name, help, 'gauge').samples.set('', read);
    },
    render: () => {
      const lines = [...families].flatMap(([name, { help, type, samples }]) => [
        `# HELP ${PREFIX}${name} ${help}`,
        `# TYPE ${PREFIX}${name} ${type}`,
        ...[...samples].map(([labels, read]) => `${PREFIX}${name}${labels} ${read()}`),
      ]);
      return `${lines.join('\n')}\n`;
    },
  };
};
