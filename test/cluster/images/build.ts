// Builds the catalog's images from their Dockerfiles without a container engine or a registry, into archives in the cache directory. Needs root on a Debian
// machine with the packages of host-packages.ts. What did not change is not made again: a change in our sources costs one small layer.
//
//   node test/cluster/images/build.ts [--out DIR]      with the programs and packages that it needs; archives are copied to DIR as well
import { copyFile, mkdir } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { bundle, imageBundles } from '../../../images/bundle.ts';
import { ensureTools } from '../cluster.ts';
import { clusterConfig } from '../config.ts';
import { writeArchive, type ImageArchive } from './archive.ts';
import { assemble, type Workshop } from './assemble.ts';
import { catalog, type CatalogEntry } from './catalog.ts';
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
  await bundle({ repository, log, wanted: imageBundles });
  const home = join(cacheDir, 'images');
  await mkdir(join(home, 'archives'), { recursive: true });
  const shop: Workshop = { repository, binDir, cacheDir, log, store: openLayerStore(join(home, 'layers')), bases: new Map() };
  const archives: ImageArchive[] = [];
  for (const entry of catalog) archives.push(await buildOne(shop, join(home, 'archives'), entry));
  await shop.store.prune();
  return archives;
}

async function buildOne(shop: Workshop, directory: string, { name, dockerfile, context }: CatalogEntry): Promise<ImageArchive> {
  const image = await assemble(shop, dockerfile, join(shop.repository, context));
  return writeArchive(directory, name, image);
}

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { out: { type: 'string' } } });
  const started = Date.now();
  const log = (line: string): void => console.log(`[${((Date.now() - started) / 1000).toFixed(1).padStart(6)} s] ${line}`);
  const config = clusterConfig();
  const archives = await ensureImages({ binDir: await ensureTools(config, log), cacheDir: config.cacheDir, log });
  for (const { name, tar, digest } of archives) {
    const path = values.out === undefined ? tar : join(values.out, basename(tar));
    if (values.out !== undefined) {
      await mkdir(values.out, { recursive: true });
      await copyFile(tar, path);
    }
    log(`${name} ${digest} ${path}`);
  }
}

if (import.meta.main) await main();
