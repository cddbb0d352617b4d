// Image layers on disk, by key. A layer is a directory as overlayfs leaves it (`diff`) and the same as a reproducible tar: names sorted, mtime 0, numeric
// owners. It appears whole, by one rename, so two builds at once only do the same work twice. Needs root (device nodes, owners).
import { createHash, randomUUID } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { lstat, mkdir, readdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createZstdCompress } from 'node:zlib';
import { run } from './exec.ts';

export interface Layer {
  readonly key: string;
  /** Directory that overlayfs takes as a lower directory. */
  readonly diff: string;
  /** The layer as a tar compressed with zstd: a third of the size, and quicker to load than an uncompressed one. */
  readonly blob: string;
  /** sha256:hex of the blob, and its size. */
  readonly digest: string;
  readonly bytes: number;
  /** sha256:hex of the tar before compression, which names the content whatever compressed it. */
  readonly diffId: string;
}

export interface LayerStore {
  /** Returns the layer of that key, or lets `make` fill an empty directory and packs it. */
  readonly layer: (key: string, make: (diff: string) => Promise<void>) => Promise<Layer>;
  /** Removes all but the most recently used, and what broken-off builds left. */
  readonly prune: () => Promise<void>;
}

const keptLayers = 40;
const draftAgeMs = 24 * 3_600_000;

// Raised whenever what a key stands for changes: how tars are packed, what is scrubbed, how bases are made.
const format = '2';

const blobName = 'layer.tar.zst';

/** `sha256` hex over the parts, unambiguous. */
export function keyOf(...parts: readonly string[]): string {
  return createHash('sha256')
    .update(JSON.stringify([format, ...parts]))
    .digest('hex');
}

export function openLayerStore(root: string): LayerStore {
  return {
    async layer(key, make) {
      const home = join(root, key.slice(0, 32));
      const known = await readLayer(home);
      if (known !== undefined) {
        const now = new Date();
        await utimes(home, now, now);
        return known;
      }
      const draft = join(root, `draft-${randomUUID()}`);
      await mkdir(join(draft, 'diff'), { recursive: true, mode: 0o755 });
      try {
        await make(join(draft, 'diff'));
        await pack(draft, key);
        await rename(draft, home).catch(async (cause: unknown) => {
          // Another build was faster with the same key.
          if ((await readLayer(home)) === undefined) throw cause;
        });
      } finally {
        await rm(draft, { recursive: true, force: true });
      }
      const made = await readLayer(home);
      if (made === undefined) throw new Error(`layer ${home} vanished while it was made; next: run the build again`);
      return made;
    },
    prune: () => prune(root),
  };
}

async function prune(root: string): Promise<void> {
  const names = await readdir(root);
  const aged = await Promise.all(names.map(async (name) => ({ name, usedMs: (await stat(join(root, name))).mtimeMs })));
  const layers = aged.filter(({ name }) => !name.startsWith('draft-')).sort((a, b) => b.usedMs - a.usedMs);
  const drafts = aged.filter(({ name, usedMs }) => name.startsWith('draft-') && usedMs < Date.now() - draftAgeMs);
  for (const { name } of [...layers.slice(keptLayers), ...drafts]) await rm(join(root, name), { recursive: true, force: true });
}

type Recorded = Pick<Layer, 'key' | 'digest' | 'bytes' | 'diffId'>;

async function readLayer(home: string): Promise<Layer | undefined> {
  const text = await readFile(join(home, 'layer.json'), 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  return { ...(JSON.parse(text) as Recorded), diff: join(home, 'diff'), blob: join(home, blobName) };
}

interface Content {
  readonly names: readonly string[];
  /** Names that the layer takes away from those below, in OCI spelling. */
  readonly whiteouts: readonly string[];
}

async function pack(home: string, key: string): Promise<void> {
  const diff = join(home, 'diff');
  const tar = join(home, 'layer.tar');
  const { names, whiteouts } = await contentOf(diff);
  const marks = join(home, 'whiteouts');
  await mkdir(marks);
  for (const name of whiteouts) {
    await mkdir(dirname(join(marks, name)), { recursive: true });
    await writeFile(join(marks, name), '');
  }
  await writeFile(join(home, 'names'), names.map((name) => `./${name}\0`).join(''));
  await writeFile(join(home, 'marks'), whiteouts.map((name) => `./${name}\0`).join(''));
  const packing = ['--format=gnu', '--numeric-owner', '--mtime=@0', '--no-recursion', '--null', '--verbatim-files-from'];
  await run('tar', [
    '--create',
    '--file',
    tar,
    ...packing,
    '-C',
    marks,
    '-T',
    join(home, 'marks'),
    '-C',
    diff,
    '-T',
    join(home, 'names'),
  ]);
  const diffId = `sha256:${await sha256File(tar)}`;
  await pipeline(
    createReadStream(tar, { highWaterMark: 1 << 20 }),
    createZstdCompress(),
    createWriteStream(join(home, blobName)),
  );
  for (const name of ['names', 'marks', 'whiteouts', 'layer.tar']) await rm(join(home, name), { recursive: true });
  const { size } = await stat(join(home, blobName));
  const recorded: Recorded = { key, digest: `sha256:${await sha256File(join(home, blobName))}`, bytes: size, diffId };
  await writeFile(join(home, 'layer.json'), JSON.stringify(recorded));
}

async function contentOf(diff: string): Promise<Content> {
  const names: string[] = [];
  const whiteouts: string[] = [];
  for (const name of await namesUnder(diff, '')) {
    const entry = await lstat(join(diff, name));
    if (entry.isFile() || entry.isDirectory() || entry.isSymbolicLink()) names.push(name);
    else if (entry.isCharacterDevice() && entry.rdev === 0)
      whiteouts.push(join(dirname(name), `.wh.${name.slice(name.lastIndexOf('/') + 1)}`));
    else throw new Error(`layer holds ${name}, which is no file, directory or link; next: remove it in the same RUN`);
  }
  return { names, whiteouts: [...(await opaqueDirectories(diff)), ...whiteouts] };
}

/** Every name below, sorted, parents first. (readdir's own recursion follows links to directories.) */
async function namesUnder(root: string, directory: string): Promise<readonly string[]> {
  const names: string[] = [];
  const entries = await readdir(join(root, directory), { withFileTypes: true });
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const name = join(directory, entry.name);
    names.push(name);
    if (entry.isDirectory()) names.push(...(await namesUnder(root, name)));
  }
  return names;
}

/** Directories that hide what lower layers hold under the same name: overlayfs marks them with an attribute, OCI with an empty file. */
async function opaqueDirectories(diff: string): Promise<readonly string[]> {
  const listed = await run('getfattr', ['-R', '-h', '-P', '-m', '^trusted\\.overlay\\.opaque$', '.'], { cwd: diff });
  return [...listed.matchAll(/^# file: (.*)$/gm)].map((match) => join(match[1] ?? '', '.wh..wh..opq')).sort();
}

const smallBytes = 4 << 20;

export async function sha256File(path: string): Promise<string> {
  const hash = createHash('sha256');
  // Thousands of small files each with a large buffer of its own would keep the garbage collector busy.
  if ((await stat(path)).size <= smallBytes) return hash.update(await readFile(path)).digest('hex');
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(chunk as Buffer);
  return hash.digest('hex');
}
