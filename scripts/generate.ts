// `npm run generate` writes what is made from the schemas; `-- --check` fails when a file is not what it would write.
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { manifests, reference } from '../crds/generate.ts';

const root = dirname(import.meta.dirname);
const crdFolder = join(root, 'charts', 'swe-fleet', 'crds');
const wanted = new Map<string, string>([
  ...Object.entries(manifests()).map(([name, text]) => [join(crdFolder, name), text] as const),
  [join(root, 'docs', 'reference.md'), reference()],
]);

const check = (): void => {
  const differing = [...wanted].filter(([file, text]) => contentOf(file) !== text).map(([file]) => file);
  const problems = [
    ...differing.map((file) => `${file} is not what the schemas say`),
    ...strangers().map((file) => `${file} belongs to no kind`),
  ];
  for (const problem of problems) console.error(problem);
  if (problems.length > 0) console.error('run `npm run generate` and commit the result');
  process.exitCode = problems.length === 0 ? 0 : 1;
};

const write = (): void => {
  mkdirSync(crdFolder, { recursive: true });
  for (const file of strangers()) rmSync(file);
  for (const [file, text] of wanted) writeFileSync(file, text);
  console.log(`${wanted.size} files written`);
};

const contentOf = (file: string): string | undefined => {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined; // absent: the check names it
  }
};

const strangers = (): readonly string[] => {
  const present = readdirSync(crdFolder, { withFileTypes: true }).map((entry) => join(crdFolder, entry.name));
  return present.filter((file) => !wanted.has(file) && basename(file).endsWith('.yaml'));
};

if (process.argv.includes('--check')) check();
else write();
