// How the chart starts a process: what is measured is started with the same flags. Reads the template; the image's path stands for the bundle.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Started {
  /** Flags of node. */
  readonly flags: readonly string[];
  /** Variables with a literal value that begin so that they are not ours. */
  readonly env: Readonly<Record<string, string>>;
}

/** @throws when the template does not start that bundle with node */
export const startedAs = (template: string, bundle: string): Started => {
  const command = /^ *command: \[node, (.*)\/opt\/fleet\/(\S+)\]$/m.exec(template);
  if (command?.[2] !== bundle) throw new Error(`the chart does not start ${bundle} with node`);
  const variables = template.matchAll(/- \{ name: (MALLOC_\w+), value: '(.*)' \}/g);
  return {
    flags: (command[1] ?? '').split(', ').filter((flag) => flag !== ''),
    env: Object.fromEntries([...variables].map(([, name = '', value = '']) => [name, value])),
  };
};

export const startedByChart = (name: 'operator' | 'gateway'): Started =>
  startedAs(readFileSync(join(import.meta.dirname, `../charts/swe-fleet/templates/${name}.yaml`), 'utf8'), `${name}.mjs`);
