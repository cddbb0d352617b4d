// Bundles the entry points into dist/, one file each, with esbuild: what the fleet image's COPY takes, and the kubectl plugin. Run by `npm run bundle` and by
// whoever builds images. A file whose content did not change is not written again.
import { mkdir, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { build } from 'esbuild';

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
  { entry: 'operator/install/main.ts', output: 'dist/install.mjs' },
];

export const bundles: readonly Bundle[] = [...imageBundles, { entry: 'cli/main.ts', output: 'dist/kubectl-fleet.mjs' }];

export interface BundleOptions {
  readonly repository: string;
  readonly log: (line: string) => void;
  /** All of them when absent. */
  readonly wanted?: readonly Bundle[];
}

/** Bundles what exists, then rejects naming the entry points that do not. */
export async function bundle({ repository, log, wanted = bundles }: BundleOptions): Promise<void> {
  await mkdir(join(repository, 'dist'), { recursive: true });
  const missing: string[] = [];
  for (const { entry, output } of wanted) {
    if (await exists(join(repository, entry))) await bundleOne(repository, { entry, output }, log);
    else missing.push(entry);
  }
  if (missing.length > 0)
    throw new Error(`no such entry point: ${missing.join(', ')}; next: write it, or take it out of scripts/bundle.ts`);
}

async function bundleOne(repository: string, { entry, output }: Bundle, log: (line: string) => void): Promise<void> {
  const plugin = output.endsWith('kubectl-fleet.mjs');
  const result = await build({
    absWorkingDir: repository,
    entryPoints: [entry],
    outfile: output,
    write: false,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node24',
    legalComments: 'none',
    logLevel: 'error',
    // Packages in CommonJS call require, which an ES module has only when it makes one.
    banner: {
      js: `${plugin ? '#!/usr/bin/env node\n' : ''}import { createRequire as bannerCreateRequire } from 'node:module';\nconst require = bannerCreateRequire(import.meta.url);`,
    },
  });
  const text = result.outputFiles[0]?.text ?? '';
  const path = join(repository, output);
  if ((await readFile(path, 'utf8').catch(() => undefined)) === text) return;
  const draft = `${path}.${process.pid}.draft`;
  await writeFile(draft, text, { mode: plugin ? 0o755 : 0o644 });
  await rename(draft, path);
  log(`bundled ${output} (${(text.length / 1024).toFixed(0)} KiB)`);
}

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined;
}

if (import.meta.main) {
  await bundle({ repository: resolve(import.meta.dirname, '..'), log: (line) => console.log(line) }).catch((error: unknown) => {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  });
}
