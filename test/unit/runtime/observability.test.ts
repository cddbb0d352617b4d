// docs/observability.md against the code: every metric that the code measures is listed, and no other.

import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';

const ROOT = join(import.meta.dirname, '../../..');

const namesIn = (text: string, pattern: RegExp): readonly string[] => [...text.matchAll(pattern)].map(([, name = '']) => name);

it('the page lists exactly the metrics that there are', () => {
  const sources = globSync('{operator,gateway,agent-pool,runtime}/**/*.ts', { cwd: ROOT }).map((file) =>
    readFileSync(join(ROOT, file), 'utf8'),
  );
  const measured = sources.flatMap((text) => namesIn(text, /metrics\.(?:count|gauge)\(\s*'([a-z_]+)'/g));
  const listed = namesIn(readFileSync(join(ROOT, 'docs/observability.md'), 'utf8'), /`swefleet_([a-z_]+)`/g);
  expect(measured.length).toBeGreaterThan(15);
  expect([...new Set(listed)].toSorted()).toEqual([...new Set(measured)].toSorted());
});
