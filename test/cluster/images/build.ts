// Builds the catalog's images from their Dockerfiles without a container engine or a registry, into archives in the cache directory. Needs root on a Debian
// machine with the packages of host-packages.ts. What did not change is not made again: a change in our sources costs one small layer.
//
//   node test/cluster/images/build.ts [--bin DIR] [--cache DIR] [--out DIR]
import { copyFile, mkdir } from 'node:fs/promises';
import { homedir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { bundle } from '../../../scripts/bundle.ts';
import { writeArchive, type ImageArchive } from './archive.ts';
import { assemble, type Workshop } from './assemble.ts';
import { catalog, type CatalogEntry } from './catalog.ts';
import { imageHostPackages } from './host-packages.ts';
import { run } from './exec.ts';
import { openLayerStore } from './layer-store.ts';

export interface ImageOptions {
  /** Holds nats-server. */
  readonly binDir: string;
  /** Outside the checkout; layers and archives are kept under `images/`. */
  readonly cacheDir: string;
  readonly log: (line: string) => void;
}

const repository = resolve(import.meta.dirname, '../../..');

/** Returns one archive per image of the catalog. Rejects when one cannot be built; images before it stay cached. */
export async function ensureImages({ binDir, cacheDir, log }: ImageOptions): Promise<readonly ImageArchive[]> {
  if (process.getuid?.() !== 0) throw new Error('building images needs root (chroot, overlayfs); next: run as root');
  const unbundled = await bundle({ repository, log }).then(
    () => [],
    (error: unknown) => [String(error)],
  );
  const home = join(cacheDir, 'images');
  await mkdir(join(home, 'archives'), { recursive: true });
  const shop: Workshop = { repository, binDir, cacheDir, log, store: openLayerStore(join(home, 'layers')) };
  const archives: ImageArchive[] = [];
  for (const entry of catalog) {
    if (entry.context === '.' && unbundled.length > 0) log(`LEFT OUT ${entry.name}: ${unbundled.join()}`);
    else archives.push(await buildOne(shop, join(home, 'archives'), entry));
  }
  return archives;
}

async function buildOne(shop: Workshop, directory: string, { name, dockerfile, context }: CatalogEntry): Promise<ImageArchive> {
  const image = await assemble(shop, dockerfile, join(shop.repository, context));
  return writeArchive(directory, name, image);
}

async function installHostPackages(log: (line: string) => void): Promise<void> {
  const installed = await run('dpkg-query', ['-W', '-f', '${Package} ${db:Status-Status}\n']);
  const missing = imageHostPackages.filter((name) => !installed.split('\n').includes(`${name} installed`));
  if (missing.length === 0) return;
  log(`installing ${missing.join(' ')}`);
  await run('apt-get', ['update']);
  await run('apt-get', ['install', '-y', '--no-install-recommends', ...missing]);
}

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { bin: { type: 'string' }, cache: { type: 'string' }, out: { type: 'string' } } });
  const cacheDir = resolve(values.cache ?? join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'swe-fleet'));
  const started = Date.now();
  const log = (line: string): void => console.log(`[${((Date.now() - started) / 1000).toFixed(1).padStart(6)} s] ${line}`);
  await installHostPackages(log);
  const archives = await ensureImages({ binDir: resolve(values.bin ?? join(cacheDir, 'bin')), cacheDir, log });
  for (const { name, tar, digest } of archives) {
    if (values.out !== undefined) {
      await mkdir(values.out, { recursive: true });
      await copyFile(tar, join(values.out, basename(tar)));
    }
    log(`${name} ${digest} ${values.out === undefined ? tar : join(values.out, basename(tar))}`);
  }
}

if (import.meta.main) await main();
