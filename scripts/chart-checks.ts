// The chart's part of `npm run check`: Helm's own lint with the strict values schema, and a rendering with every switch on and off.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensureBinaries } from '../test/cluster/binaries.ts';
import { attempt, type CommandEnd } from '../test/cluster/command.ts';
import { clusterConfig } from '../test/cluster/config.ts';

export interface Check {
  readonly name: string;
  readonly why: string;
  readonly run: () => Promise<CommandEnd>;
}

const chart = 'charts/swe-fleet';

/** What a platform engineer may write; both must render. */
const values: readonly object[] = [
  {},
  {
    upstreams: [
      {
        name: 'vllm',
        kind: 'model',
        host: 'vllm.models.svc:8443',
        prefix: '/v1',
        namespaces: ['*'],
        allowPrivate: true,
        models: ['m'],
      },
      {
        name: 'git',
        kind: 'git',
        host: 'git.example.com',
        namespaces: ['team-a'],
        credentials: { secretName: 'bot' },
        ca: { secretName: 'ca' },
      },
      { name: 'npm', kind: 'egress', host: 'registry.npmjs.org', namespaces: ['*'] },
    ],
    imageProfiles: [{ name: 'node', image: 'example.com/node:24', setup: ['npm ci'], namespaces: ['*'] }],
    councils: { namespaces: ['team-a'], model: { endpoint: 'vllm', name: 'm' }, imageProfile: 'node' },
    operator: { replicas: 2 },
    gateway: { replicas: 2 },
    podDisruptionBudgets: { enabled: true },
  },
];

const helm = async (...args: readonly string[]): Promise<CommandEnd> => {
  const { cacheDir } = clusterConfig();
  const binDir = await ensureBinaries({ cacheDir, log: (line) => console.log(`setup: ${line}`), only: ['helm'] });
  return attempt([join(binDir, 'helm'), ...args], { env: process.env });
};

/** The first call that fails, else the last one's end. */
const withValues = async (...command: readonly [string, ...string[]]): Promise<CommandEnd> => {
  const folder = mkdtempSync(join(tmpdir(), 'swe-fleet-values-'));
  try {
    let end: CommandEnd = { status: 0, stdout: '', stderr: '' };
    for (const [index, value] of values.entries()) {
      const file = join(folder, `${index}.json`);
      writeFileSync(file, JSON.stringify(value));
      end = await helm(...command, '--values', file);
      if (end.status !== 0) return end;
    }
    return end;
  } finally {
    rmSync(folder, { recursive: true });
  }
};

export const chartChecks: readonly Check[] = [
  {
    name: 'chart lint',
    why: 'helm lint --strict, values checked by values.schema.json',
    run: () => withValues('lint', chart, '--strict', '--quiet'),
  },
  {
    name: 'chart rendering',
    why: 'the chart renders with defaults and with every switch',
    run: () => withValues('template', 'swe-fleet', chart, '--namespace', 'swe-fleet'),
  },
];
