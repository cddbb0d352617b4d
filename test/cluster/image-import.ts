/**
 * Loads images into a running box, each once: what was loaded is noted in the box's state by its content. An image is an archive (a tar) or a directory with an
 * OCI layout.
 */
import { createHash } from 'node:crypto';
import { createReadStream, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { RunningBox } from './box.ts';
import { run } from './command.ts';
import { withLock } from './lock.ts';
import { timed, type Log } from './progress.ts';
import { readState, writeState } from './state-file.ts';

interface Imports {
  /** By path: which file it was, to know it again without reading it. */
  readonly files: Readonly<Record<string, { readonly size: number; readonly mtimeMs: number; readonly sha256: string }>>;
  /** By content: the names that the node knows it by. A name that goes to another image takes its old content off the list. */
  readonly names: Readonly<Record<string, readonly string[]>>;
}

/** argv that runs a program in the namespaces of the box. */
export const inBox = (box: RunningBox, argv: readonly string[]): readonly [string, ...string[]] => [
  'nsenter',
  `--target=${box.processes.first.pid}`,
  '--mount',
  '--net',
  '--pid',
  '--',
  ...argv,
];

const sha256Of = async (path: string): Promise<string> => {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path, { highWaterMark: 1 << 20 }), hash);
  return hash.digest('hex');
};

/** The file that tells the content: the index of a layout names all that is in it by digest. */
const tellingFile = (image: string): string => (statSync(image).isDirectory() ? join(image, 'index.json') : image);

const IMPORT = ['ctr', '-n', 'k8s.io', 'images', 'import'] as const;

/** Returns the names that the node knows now. */
const load = async (box: RunningBox, image: string): Promise<readonly string[]> => {
  const isArchive = !statSync(image).isDirectory();
  const said = isArchive
    ? await run(inBox(box, [...IMPORT, image]))
    : await run(['sh', '-c', 'tar -C "$0" -c . | "$@"', image, ...inBox(box, [...IMPORT, '-'])]);
  return [...said.matchAll(/^unpacking (\S+) \(sha256:/gm)].map((match) => match[1] ?? '');
};

const withNames = (known: Imports['names'], sha256: string, names: readonly string[]): Imports['names'] => {
  const others = Object.entries(known).filter(([, old]) => !old.some((name) => names.includes(name)));
  return { ...Object.fromEntries(others), [sha256]: names };
};

/** Returns true when it had to be loaded. @throws when containerd refuses the image */
export const importImage = async (box: RunningBox, image: string, log: Log): Promise<boolean> =>
  withLock(`${box.layout.images}.lock`, async () => {
    const { files = {}, names = {} } = readState<Partial<Imports>>(box.layout.images) ?? {};
    const file = tellingFile(image);
    const { size, mtimeMs } = statSync(file);
    const known = files[file];
    const unchanged = known !== undefined && known.size === size && known.mtimeMs === mtimeMs;
    const sha256 = unchanged ? known.sha256 : await sha256Of(file);
    const present = names[sha256] !== undefined;
    const now = present
      ? names
      : withNames(names, sha256, await timed(log, `loading ${basename(image)}`, () => load(box, image)));
    if (!present || !unchanged) {
      writeState(box.layout.images, { files: { ...files, [file]: { size, mtimeMs, sha256 } }, names: now } satisfies Imports);
    }
    return !present;
  });
