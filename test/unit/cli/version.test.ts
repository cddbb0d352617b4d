// One version: what a person asks the command for is what the chart installs.

import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { VERSION } from '../../../cli/version.ts';

const read = (path: string): string => readFileSync(join(resolve(import.meta.dirname, '..', '..', '..'), path), 'utf8');
const chart = parse(read('charts/swe-fleet/Chart.yaml')) as Readonly<Record<string, unknown>>;
const manifest = JSON.parse(read('package.json')) as { readonly version: string; readonly engines: { readonly node: string } };
const lock = JSON.parse(read('package-lock.json')) as { readonly version: string };

describe('the version', () => {
  it.each([
    { of: 'package.json', is: manifest.version },
    { of: 'package-lock.json', is: lock.version },
    { of: 'the chart', is: chart['version'] },
    { of: 'what the chart installs', is: chart['appVersion'] },
  ])('of $of is that of kubectl fleet', ({ is }) => {
    expect(is).toBe(VERSION);
  });

  it('of Node that the README asks for is the oldest that package.json allows', () => {
    const oldest = /^\^(\d+\.\d+)\.0 /.exec(manifest.engines.node)?.[1];
    expect(oldest).toMatch(/^\d+\.\d+$/);
    expect(read('README.md')).toContain(`Node ≥ ${oldest} `);
  });
});
