// The chart's part of `npm run check`: Helm's own lint with the strict values schema, and a rendering with every switch on and off.
//   node test/chart/check.ts lint|rendering
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensureBinaries } from '../cluster/binaries.ts';
import { attempt, type CommandEnd } from '../cluster/command.ts';
import { clusterConfig } from '../cluster/config.ts';

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
      { name: 'npm', kind: 'egress', host: 'npm.example.com', namespaces: ['*'] },
    ],
    imageProfiles: [{ name: 'node', image: 'example.com/node:24', setup: ['npm ci'], namespaces: ['*'] }],
    councils: { namespaces: ['team-a'], model: { endpoint: 'vllm', name: 'm' }, imageProfile: 'node' },
    operator: { replicas: 2 },
    gateway: { replicas: 2 },
    agentPool: { keda: { enabled: true } },
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

const checks: Readonly<Record<string, () => Promise<CommandEnd>>> = {
  lint: () => withValues('lint', chart, '--strict', '--quiet'),
  rendering: () => withValues('template', 'swe-fleet', chart, '--namespace', 'swe-fleet'),
};

const main = async ([name = '']: readonly string[]): Promise<number> => {
  const check = checks[name];
  if (check === undefined) {
    console.error(`usage: node test/chart/check.ts ${Object.keys(checks).join('|')}`);
    return 2;
  }
  const end = await check();
  if (end.status !== 0) console.error(`${end.stdout}${end.stderr}`);
  return end.status;
};

process.exitCode = await main(process.argv.slice(2));
