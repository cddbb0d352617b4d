/**
 * Built images on disk, each an OCI layout in a directory named after the image and the key of all that went into it: when it is there, nothing needs to be
 * built. A layout appears whole, by one rename, and is never changed. Layouts share blobs by hard links.
 */
import { createHash, randomUUID } from 'node:crypto';
import { existsSync, linkSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, statSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { run } from '../command.ts';

export interface BuiltImage {
  /** With tag, e.g. `swefleet.local/fleet:dev`. */
  readonly name: string;
  /** Directory that holds it as an OCI layout. */
  readonly layout: string;
  /** Digest of the manifest, `sha256:hex`; equal digests mean equal images. */
  readonly digest: string;
}

const KEPT_OF_AN_IMAGE = 3;
const DRAFT = '.draft-';

/** sha256 over the parts, unambiguous; short, as it becomes part of names. */
export const keyOf = (...parts: readonly string[]): string =>
  createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 16);

/** `fleet` of `swefleet.local/fleet:dev`. */
export const stemOf = (name: string): string => (name.split('/').at(-1) ?? name).replace(/:.*$/, '');

export const layoutOf = (home: string, name: string, key: string): string => join(home, 'layouts', `${stemOf(name)}-${key}`);

/** Undefined when it is not there. */
export const readLayout = (name: string, layout: string): BuiltImage | undefined => {
  if (!existsSync(layout)) return undefined;
  const now = new Date();
  utimesSync(layout, now, now); // the latest used are kept
  return { name, layout, digest: onlyManifest(layout) };
};

/** Lets `write` add an image to a directory that has every known blob already; what the image does not use is taken out again. */
export const addLayout = async (home: string, layout: string, write: (draft: string) => Promise<void>): Promise<void> => {
  const layouts = join(home, 'layouts');
  const draft = join(layouts, `${DRAFT}${randomUUID()}`);
  mkdirSync(join(draft, 'blobs/sha256'), { recursive: true });
  try {
    for (const blob of new Map(readdirSync(layouts).flatMap((name) => blobsIn(join(layouts, name)))))
      linkSync(blob[1], join(draft, 'blobs/sha256', blob[0]));
    await write(draft);
    const used = blobsOf(draft);
    for (const [name, path] of blobsIn(draft)) if (!used.has(name)) rmSync(path);
    renameSync(draft, layout);
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
};

/** Removes all but the most recently used of each image, and broken-off drafts. Only for who holds the lock. */
export const tidyLayouts = (home: string): void => {
  const layouts = join(home, 'layouts');
  const aged = readdirSync(layouts).map((name) => ({ name, usedMs: statSync(join(layouts, name)).mtimeMs }));
  const byImage = Map.groupBy(
    aged.sort((a, b) => b.usedMs - a.usedMs),
    ({ name }) => name.slice(0, name.lastIndexOf('-')),
  );
  const old = [...byImage].flatMap(([image, all]) => (image.startsWith(DRAFT) ? all : all.slice(KEPT_OF_AN_IMAGE)));
  for (const { name } of old) rmSync(join(layouts, name), { recursive: true, force: true });
};

/** As one file, which `docker load`, `ctr images import` and `kind load image-archive` take. */
export const writeArchive = async (layout: string, tar: string): Promise<void> => {
  const draft = `${tar}.${process.pid}.draft`;
  try {
    await run(['tar', '--create', '--file', draft, '-C', layout, 'blobs', 'index.json', 'oci-layout']);
    renameSync(draft, tar);
  } finally {
    rmSync(draft, { force: true });
  }
};

interface Descriptor {
  readonly digest: string;
}

const readJson = <T>(path: string): T => JSON.parse(readFileSync(path, 'utf8')) as T;

const onlyManifest = (layout: string): string => {
  const { manifests } = readJson<{ readonly manifests: readonly Descriptor[] }>(join(layout, 'index.json'));
  const [manifest] = manifests;
  if (manifest === undefined || manifests.length > 1)
    throw new Error(`${layout} holds ${manifests.length} images; next: remove it`);
  return manifest.digest;
};

const hexOf = (digest: string): string => digest.slice('sha256:'.length);

/** Names of the blobs that the layout's image consists of. */
const blobsOf = (layout: string): ReadonlySet<string> => {
  const digest = onlyManifest(layout);
  const manifest = readJson<{ readonly config: Descriptor; readonly layers: readonly Descriptor[] }>(
    join(layout, 'blobs/sha256', hexOf(digest)),
  );
  return new Set([digest, manifest.config.digest, ...manifest.layers.map((layer) => layer.digest)].map(hexOf));
};

const blobsIn = (layout: string): readonly (readonly [name: string, path: string])[] => {
  const directory = join(layout, 'blobs/sha256');
  return existsSync(directory) ? readdirSync(directory).map((name) => [name, join(directory, name)] as const) : [];
};
