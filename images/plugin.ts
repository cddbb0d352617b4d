// Makes dist/kubectl-fleet, the kubectl plugin as one executable that needs no Node: the CLI in one file, V8's code cache of it, and
// the Node that runs this script, joined as a single executable application. Made again only when one of these changed.
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { access, chmod, copyFile, mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { build } from 'esbuild';

export interface PluginOptions {
  readonly repository: string;
  readonly log: (line: string) => void;
}

const IS_WINDOWS = process.platform === 'win32';
const IS_MACOS = process.platform === 'darwin';
const ENTRY = 'cli/main.ts';
const PROGRAM = IS_WINDOWS ? 'kubectl-fleet.exe' : 'kubectl-fleet';
/** kubectl looks for a program of this name on the PATH when `kubectl fleet …` is to be completed. */
const COMPLETER = 'kubectl_complete-fleet';
/** What Node looks for in itself: https://nodejs.org/api/single-executable-applications.html */
const FUSE = 'NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2';

const run = promisify(execFile);

/** Where the executable lies in that checkout. */
export const pluginPath = (repository: string): string => join(repository, 'dist', PROGRAM);

/** Resolves with the executable's path. */
export const buildPlugin = async ({ repository, log }: PluginOptions): Promise<string> => {
  const path = pluginPath(repository);
  const source = await bundledSource(repository);
  const recipe = await readFile(import.meta.filename, 'utf8');
  const digest = digestOf([source, recipe, process.version, process.platform, process.arch]);
  const stamp = join(repository, 'dist', '.kubectl-fleet.digest');
  const isThere = await access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
  if (isThere && (await readFile(stamp, 'utf8').catch(() => '')) === digest) return path;
  const startedAt = performance.now();
  await mkdir(join(repository, 'dist'), { recursive: true });
  const folder = await mkdtemp(join(repository, 'dist', '.plugin-'));
  try {
    const program = await joined(folder, source);
    const { stdout: completer } = await run(program, ['completion', 'kubectl']);
    await writeFile(join(folder, COMPLETER), completer, { mode: 0o755 });
    await rename(join(folder, COMPLETER), join(repository, 'dist', COMPLETER));
    await rename(program, path);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  await writeFile(stamp, digest);
  log(`built dist/${PROGRAM} (${((performance.now() - startedAt) / 1000).toFixed(1)} s)`);
  return path;
};

/** In CommonJS, as only that can have a code cache. What the CLI imports with import() is in the same file, and runs when it is asked for. */
const bundledSource = async (repository: string): Promise<string> => {
  const result = await build({
    absWorkingDir: repository,
    entryPoints: [ENTRY],
    outfile: SEA_CONFIG.main,
    write: false,
    bundle: true,
    metafile: true,
    platform: 'node',
    format: 'cjs',
    target: 'node24',
    legalComments: 'none',
    logLevel: 'error',
  });
  const outside = Object.values(result.metafile.outputs)
    .flatMap(({ imports }) => imports)
    .filter(({ kind }) => kind === 'dynamic-import');
  if (outside.length > 0)
    throw new Error(
      `import() of ${outside.map(({ path }) => path).join(', ')} stays in the bundle, which has no file to import from`,
    );
  return result.outputFiles.map(({ text }) => text).join('');
};

const SEA_CONFIG = {
  main: 'kubectl-fleet.cjs',
  output: 'kubectl-fleet.blob',
  disableExperimentalSEAWarning: true,
  useCodeCache: true,
  // NODE_OPTIONS of a person's shell are meant for another Node
  execArgvExtension: 'none',
};

const digestOf = (parts: readonly string[]): string => createHash('sha256').update(JSON.stringify(parts)).digest('hex');

/** Resolves with the path of the executable in that folder. */
const joined = async (folder: string, source: string): Promise<string> => {
  await writeFile(join(folder, SEA_CONFIG.main), source);
  await writeFile(join(folder, 'sea.json'), JSON.stringify(SEA_CONFIG));
  await run(process.execPath, ['--experimental-sea-config', 'sea.json'], { cwd: folder });
  const program = join(folder, PROGRAM);
  await copyFile(process.execPath, program);
  await chmod(program, 0o755);
  // macOS starts no program whose signature does not fit, so it is taken off before and put on again
  if (IS_MACOS) await run('codesign', ['--remove-signature', program]);
  const segment = IS_MACOS ? ['--macho-segment-name', 'NODE_SEA'] : [];
  const postject = fileURLToPath(import.meta.resolve('postject/dist/cli.js'));
  const blob = join(folder, SEA_CONFIG.output);
  await run(process.execPath, [postject, program, 'NODE_SEA_BLOB', blob, '--sentinel-fuse', FUSE, ...segment]);
  if (IS_MACOS) await run('codesign', ['--sign', '-', program]);
  return program;
};
