// Bundles the entry points into dist/, one file each, with esbuild: what the fleet image's COPY takes. Run by whoever builds images and
// by `npm run bundle`, which makes the kubectl plugin too. A file whose content did not change is not written again.
import { mkdir, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import { build } from 'esbuild';
import { buildPlugin } from './plugin.ts';

export interface Bundle {
  /** Path in the checkout. */
  readonly entry: string;
  readonly output: string;
}

/** What images/fleet/Dockerfile copies; test/unit/images compares the two. */
export const imageBundles: readonly Bundle[] = [
  { entry: 'operator/main.ts', output: 'dist/operator.mjs' },
  { entry: 'gateway/main.ts', output: 'dist/gateway.mjs' },
  { entry: 'agent-runner/main.ts', output: 'dist/agent-runner.mjs' },
  { entry: 'agent-pool/main.ts', output: 'dist/agent-pool.mjs' },
  { entry: 'install/main.ts', output: 'dist/install.mjs' },
];

export interface BundleOptions {
  readonly repository: string;
  readonly log: (line: string) => void;
  /** All of them when absent. */
  readonly wanted?: readonly Bundle[];
}

/** Bundles what exists, then rejects naming the entry points that do not. */
export const bundle = async ({ repository, log, wanted = imageBundles }: BundleOptions): Promise<void> => {
  await mkdir(join(repository, 'dist'), { recursive: true });
  const present: Bundle[] = [];
  for (const one of wanted) if (await exists(join(repository, one.entry))) present.push(one);
  for (const { output, text } of await bundled(repository, present)) await writeIfNew(repository, { output, text }, log);
  const missing = wanted.filter((one) => !present.includes(one)).map(({ entry }) => entry);
  if (missing.length > 0)
    throw new Error(`no such entry point: ${missing.join(', ')}; next: write it, or take it out of images/bundle.ts`);
};

interface Bundled {
  /** Path in the checkout. */
  readonly output: string;
  readonly text: string;
}

/** All in one go, so that what they share is read once. */
const bundled = async (repository: string, wanted: readonly Bundle[]): Promise<readonly Bundled[]> => {
  const stemOf = (output: string): string => output.replace(/\.mjs$/, '');
  const result = await build({
    absWorkingDir: repository,
    entryPoints: wanted.map(({ entry, output }) => ({ in: entry, out: stemOf(output) })),
    outdir: '.',
    outExtension: { '.js': '.mjs' },
    write: false,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node24',
    legalComments: 'none',
    // a third less to read and to hold in memory; names stay and lines are short, as people read them in stack traces
    minifyWhitespace: true,
    minifySyntax: true,
    lineLimit: 120,
    logLevel: 'error',
    // Packages in CommonJS call require, which an ES module has only when it makes one.
    banner: {
      js: `import { createRequire as bannerCreateRequire } from 'node:module';\nconst require = bannerCreateRequire(import.meta.url);`,
    },
  });
  return result.outputFiles.map(({ path, text }) => ({ output: relative(repository, path), text }));
};

const writeIfNew = async (repository: string, { output, text }: Bundled, log: (line: string) => void): Promise<void> => {
  const path = join(repository, output);
  if ((await readFile(path, 'utf8').catch(() => undefined)) === text) return;
  const draft = `${path}.${process.pid}.draft`;
  await writeFile(draft, text);
  await rename(draft, path);
  log(`bundled ${output} (${(text.length / 1024).toFixed(0)} KiB)`);
};

const exists = async (path: string): Promise<boolean> => (await stat(path).catch(() => undefined)) !== undefined;

if (import.meta.main) {
  const options = { repository: resolve(import.meta.dirname, '..'), log: (line: string) => console.log(line) };
  await Promise.all([bundle(options), buildPlugin(options)]).catch((error: unknown) => {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  });
}
