// Builds the catalog's images from their Dockerfiles with buildah, without a daemon and a registry, and keeps them in the cache directory. Needs root on a
// Debian machine. What did not change is not built again: a change in our sources costs one small layer.
//
//   node test/cluster/images/build.ts [--out DIR]      with the programs and packages that it needs; --out writes archives as well
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { bundle, imageBundles } from '../../../images/bundle.ts';
import { ensureTools } from '../cluster.ts';
import { clusterConfig } from '../config.ts';
import { withLock } from '../lock.ts';
import type { Log } from '../progress.ts';
import { aptVolumes } from './apt-sources.ts';
import { baseImages, ensureBase, type Base, type BaseName } from './base-images.ts';
import { howImagesAreBuilt, openBuilder } from './builder.ts';
import { catalog, type CatalogEntry } from './catalog.ts';
import { SUITE } from './debian-base.ts';
import { addLayout, keyOf, layoutOf, readLayout, stemOf, tidyLayouts, writeArchive, type BuiltImage } from './layout.ts';

export interface ImageOptions {
  /** Holds nats-server. */
  readonly binDir: string;
  /** Outside the checkout; everything is kept under `images/`. */
  readonly cacheDir: string;
  readonly log: Log;
}

type Bases = Readonly<Record<BaseName, Base>>;

const repository = resolve(import.meta.dirname, '../../..');

/** Returns the images of the catalog. Rejects when one cannot be built; those before it stay. */
export const ensureImages = async (options: ImageOptions): Promise<readonly BuiltImage[]> => {
  await bundle({ repository, log: options.log, wanted: imageBundles });
  return buildImages(catalog, { ...options, root: repository });
};

/** Builds those whose Dockerfile, bases or files changed; returns all, in the same order. Paths of entries are relative to `root`. */
export const buildImages = async (
  entries: readonly CatalogEntry[],
  options: ImageOptions & { readonly root: string },
): Promise<readonly BuiltImage[]> => {
  const home = join(options.cacheDir, 'images');
  const bases = baseImages({ ...options, repository, home });
  const at = (path: string): string => join(options.root, path);
  const wanted = entries.map((entry) => ({
    entry,
    layout: layoutOf(home, entry.name, inputKey(options.root, entry, bases)),
  }));
  const present = (): readonly BuiltImage[] => wanted.flatMap(({ entry, layout }) => readLayout(entry.name, layout) ?? []);
  if (present().length === wanted.length) return present();
  if (process.getuid?.() !== 0) throw new Error('building images needs root (chroot, overlayfs); next: run as root');
  await withLock(join(home, '.lock'), async () => {
    const builder = openBuilder(home, options.log);
    const [volumes] = await Promise.all([aptVolumes(SUITE, join(home, 'apt')), builder.tidy()]);
    for (const { entry, layout } of wanted) {
      if (readLayout(entry.name, layout) !== undefined) continue;
      const own = Object.entries(entry.bases);
      for (const [, base] of own) await ensureBase(builder, bases[base]);
      const args = Object.fromEntries(own.map(([argument, base]) => [argument, bases[base].name]));
      await builder.build({ name: entry.name, dockerfile: at(entry.dockerfile), context: at(entry.context), args, volumes });
      await addLayout(home, layout, (draft) => builder.export(entry.name, draft));
    }
    tidyLayouts(home);
  });
  return present();
};

/** Of all that an image depends on. */
const inputKey = (root: string, { dockerfile, context, bases: own, files, name }: CatalogEntry, bases: Bases): string => {
  const contentOf = (path: string): string => createHash('sha256').update(readFileSync(path)).digest('hex');
  const below = Object.entries(own).map(([argument, base]) => `${argument}=${bases[base].name}`);
  const content = files.map((file) => `${file} ${contentOf(join(root, context, file))}`);
  return keyOf(howImagesAreBuilt, name, readFileSync(join(root, dockerfile), 'utf8'), ...below, ...content);
};

const main = async (): Promise<void> => {
  const { values } = parseArgs({ options: { out: { type: 'string' } } });
  const started = Date.now();
  const log = (line: string): void => console.log(`[${((Date.now() - started) / 1000).toFixed(1).padStart(6)} s] ${line}`);
  const config = clusterConfig();
  const images = await ensureImages({ binDir: await ensureTools(config, log), cacheDir: config.cacheDir, log });
  for (const { name, layout, digest } of images) {
    const tar = values.out === undefined ? undefined : join(values.out, `${stemOf(name)}.tar`);
    if (tar !== undefined) {
      mkdirSync(join(tar, '..'), { recursive: true });
      await writeArchive(layout, tar);
    }
    log(`${name} ${digest} ${tar ?? layout}`);
  }
};

if (import.meta.main) await main();
