// Writes an image as a tar that `ctr images import`, `docker load` and `kind load image-archive` take: an OCI layout, with the docker manifest beside it.
// Reproducible: the same layers and configuration give the same bytes.
import { createHash, randomUUID } from 'node:crypto';
import { mkdir, readdir, rename, rm, stat, symlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Image } from './assemble.ts';
import { run } from './exec.ts';

export interface ImageArchive {
  /** With tag, e.g. `swefleet.local/fleet:dev`. */
  readonly name: string;
  readonly tar: string;
  /** Digest of the manifest, `sha256:hex`; equal digests mean equal images. */
  readonly digest: string;
}

const kept = 3;

export async function writeArchive(directory: string, name: string, image: Image): Promise<ImageArchive> {
  const config = JSON.stringify(configOf(image));
  const manifest = JSON.stringify(manifestOf(image, config));
  const digest = digestOf(manifest);
  const stem = (name.split('/').at(-1) ?? name).replace(/:.*$/, '');
  const tar = join(directory, `${stem}-${digest.slice(7, 23)}.tar`);
  if (await exists(tar)) {
    const now = new Date();
    await utimes(tar, now, now);
    return { name, tar, digest };
  }
  const draft = join(directory, `draft-${randomUUID()}`);
  try {
    await stage(draft, { name, image, config, manifest });
    const options = [
      '--format=gnu',
      '--sort=name',
      '--mtime=@0',
      '--owner=0',
      '--group=0',
      '--numeric-owner',
      '--mode=u=rwX,go=rX',
      '--dereference',
      '--hard-dereference',
    ];
    await run('tar', [
      '--create',
      '--file',
      `${draft}.tar`,
      ...options,
      '-C',
      draft,
      'blobs',
      'index.json',
      'manifest.json',
      'oci-layout',
    ]);
    await rename(`${draft}.tar`, tar);
  } finally {
    await rm(draft, { recursive: true, force: true });
    await rm(`${draft}.tar`, { force: true });
  }
  await prune(directory, stem);
  return { name, tar, digest };
}

function configOf({ config, layers }: Image): object {
  const { Env, User, WorkingDir, Entrypoint, Cmd, Labels } = config;
  const given = Object.entries({ Env, User, WorkingDir, Entrypoint, Cmd, Labels }).filter(
    ([, value]) => Object.keys(value).length > 0,
  );
  return {
    created: '1970-01-01T00:00:00Z',
    architecture: process.arch === 'x64' ? 'amd64' : process.arch,
    os: 'linux',
    config: Object.fromEntries(given),
    rootfs: { type: 'layers', diff_ids: layers.map((layer) => layer.diffId) },
  };
}

const oci = 'application/vnd.oci.image';

function manifestOf({ layers }: Image, config: string): object {
  return {
    schemaVersion: 2,
    mediaType: `${oci}.manifest.v1+json`,
    config: { mediaType: `${oci}.config.v1+json`, digest: digestOf(config), size: Buffer.byteLength(config) },
    layers: layers.map(({ digest, bytes }) => ({ mediaType: `${oci}.layer.v1.tar+zstd`, digest, size: bytes })),
  };
}

interface Staged {
  readonly name: string;
  readonly image: Image;
  readonly config: string;
  readonly manifest: string;
}

async function stage(home: string, { name, image, config, manifest }: Staged): Promise<void> {
  const blobs = join(home, 'blobs/sha256');
  await mkdir(blobs, { recursive: true });
  const blob = (digest: string): string => join(blobs, digest.slice('sha256:'.length));
  const unique = new Map(image.layers.map((layer) => [layer.digest, layer]));
  for (const layer of unique.values()) await symlink(layer.blob, blob(layer.digest));
  await writeFile(blob(digestOf(config)), config);
  await writeFile(blob(digestOf(manifest)), manifest);
  const tag = name.slice(name.lastIndexOf(':') + 1);
  const annotations = { 'io.containerd.image.name': name, 'org.opencontainers.image.ref.name': tag };
  const entry = {
    mediaType: `${oci}.manifest.v1+json`,
    digest: digestOf(manifest),
    size: Buffer.byteLength(manifest),
    annotations,
  };
  const inTar = (digest: string): string => `blobs/sha256/${digest.slice('sha256:'.length)}`;
  const docker = { Config: inTar(digestOf(config)), RepoTags: [name], Layers: image.layers.map((layer) => inTar(layer.digest)) };
  await writeFile(join(home, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}');
  await writeFile(join(home, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests: [entry] }));
  await writeFile(join(home, 'manifest.json'), JSON.stringify([docker]));
}

function digestOf(text: string): string {
  return `sha256:${createHash('sha256').update(text).digest('hex')}`;
}

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined;
}

/** Keeps the newest few archives of an image; a box may still be importing the one before. */
async function prune(directory: string, stem: string): Promise<void> {
  const names = (await readdir(directory)).filter((name) => new RegExp(`^${stem}-[0-9a-f]{16}\\.tar$`).test(name));
  const aged = await Promise.all(names.map(async (name) => ({ name, at: (await stat(join(directory, name))).mtimeMs })));
  for (const { name } of aged.sort((a, b) => b.at - a.at).slice(kept)) await rm(join(directory, name), { force: true });
}
