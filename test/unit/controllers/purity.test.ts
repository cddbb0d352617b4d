// The purity of controllers/ is enforced by tools; this proves that the tools would notice. Each sample is linted as if it stood in
// controllers/, by the project's own configuration.

import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { ESLint } from 'eslint';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const run = promisify(execFile);

const impure: readonly (readonly [string, string])[] = [
  ['reads the clock', 'export const now = (): number => Date.now();'],
  ['reads the clock through a date', 'export const today = (): unknown => new Date();'],
  ['reads the clock as text', 'export const today = (): unknown => Date();'],
  ['reads the clock by another name', 'const Clock = Date;\nexport const now = (): number => Clock.now();'],
  ['throws dice', 'export const dice = (): number => Math.random();'],
  ['is async', 'export const later = async (): Promise<number> => 1;'],
  ['makes a promise', 'export const later = (): unknown => Promise.resolve(1);'],
  ['waits', 'export const wait = (): unknown => setTimeout(() => undefined, 1);'],
  ['imports at run time', "export const load = (): unknown => import('node:fs');"],
  ['calls the network', "export const call = (): unknown => fetch('http://127.0.0.1');"],
  ['writes a log', "export const log = (): void => console.log('x');"],
  ['reads the environment', "export const home = (): unknown => process.env['HOME'];"],
  ['goes through globalThis', 'export const now = (): unknown => globalThis;'],
  ['exports a default, as nobody may', 'export default 1;'],
  ['mocks a module, as nobody may', "import { vi } from 'vitest';\nvi.mock('./x.ts');"],
  ['keeps state', 'let count = 0;\nexport const next = (): number => ++count;'],
];

describe('the linter notices a controller that', () => {
  const eslint = new ESLint({ cwd: root });
  // under a name that exists, so that the type-checked rules find it in the project
  const lint = async (text: string): Promise<readonly string[]> => {
    const [result] = await eslint.lintText(text, { filePath: `${root}controllers/text.ts` });
    return (result?.messages ?? []).filter(({ severity }) => severity === 2).map(({ ruleId }) => ruleId ?? 'none');
  };

  it.each(impure)('%s', async (_, text) => {
    expect((await lint(text)).filter((rule) => rule.startsWith('no-restricted-'))).not.toEqual([]);
  });

  it('and has nothing against one that is pure', async () => {
    expect(await lint('export const twice = (value: number): number => value * 2;\n')).toEqual([]);
    expect(await lint('export const text = (ms: number): string => new Date(ms).toISOString();\n')).toEqual([]);
    expect(await lint('export const ms = (text: string): number => Date.parse(text);\n')).toEqual([]);
  });
});

it('the linter notices a mocked module in a test', async () => {
  const eslint = new ESLint({ cwd: root });
  const text = "import { vi } from 'vitest';\nvi.mock('./x.ts');\n";
  const [result] = await eslint.lintText(text, { filePath: `${root}test/unit/controllers/outbox.test.ts` });
  expect((result?.messages ?? []).map(({ ruleId }) => ruleId)).toContain('no-restricted-properties');
});

describe('the layers are checked', () => {
  // a project of its own with the same rules, so that nothing is ever written into the real folders
  let folder = '';
  let report = '';

  const samples: readonly (readonly [string, string, string, string?])[] = [
    [
      'a controller may not read files',
      "import { readFileSync } from 'node:fs';\nexport const x = readFileSync;\n",
      'controllers-no-io',
    ],
    [
      'a controller may not import the operator',
      "import { reconcile } from '../operator/reconcile/reconcile.ts';\nexport const x = reconcile;\n",
      'nothing-imports-operator',
    ],
    [
      'a controller may not use a client library',
      "import { request } from 'undici';\nexport const x = request;\n",
      'controllers-no-clients',
    ],
    ['a kind may not know a contract', "export { brief } from '../contracts/brief.ts';\n", 'crds-kinds-alone', 'crds/kinds'],
    ['a contract may not know a rule', "export { rule } from '../rules/rule.ts';\n", 'crds-contracts', 'crds/contracts'],
    ['plan text may not know a contract', "export { brief } from '../contracts/brief.ts';\n", 'crds-plan-text', 'crds/plan-text'],
    ['a rule may not know plan text', "export { text } from '../plan-text/text.ts';\n", 'crds-rules', 'crds/rules'],
    ['the vocabulary may not know a rule', "export { rule } from './rules/rule.ts';\n", 'crds-vocabulary', 'crds'],
  ];
  const imported = {
    ...{ 'operator/reconcile/reconcile': 'reconcile', 'crds/contracts/brief': 'brief' },
    ...{ 'crds/rules/rule': 'rule', 'crds/plan-text/text': 'text' },
  };
  const nameOf = (index: number, folderName = 'controllers'): string => `${folderName}/sample-${'abcdefghij'[index] ?? ''}.ts`;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'layers-'));
    const files = [
      ...Object.entries(imported).map(([file, name]) => [`${file}.ts`, `export const ${name} = 1;\n`] as const),
      ...samples.map(([, text, , of], index) => [nameOf(index, of), text] as const),
    ];
    await Promise.all(
      ['node_modules', 'tsconfig.json', 'package.json'].map((name) => symlink(join(root, name), join(folder, name))),
    );
    for (const [file, text] of files) {
      await mkdir(dirname(join(folder, file)), { recursive: true });
      await writeFile(join(folder, file), text);
    }
    const program = join(root, 'node_modules/dependency-cruiser/bin/dependency-cruiser.mjs');
    const argv = [program, 'controllers', 'crds', '--config', join(root, '.dependency-cruiser.js'), '--output-type', 'err'];
    // it ends with the number of violations as its exit code
    report = await run(process.execPath, argv, { cwd: folder }).then(
      ({ stdout }) => stdout,
      (error: unknown) => (error as { readonly stdout: string }).stdout,
    );
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it.each(samples.map(([what, , rule, of], index) => [what, rule, nameOf(index, of)] as const))('%s', (_, rule, file) => {
    const found = report.split('\n').filter((line) => line.includes(file));
    expect(found.join('\n')).toContain(rule);
  });
});
