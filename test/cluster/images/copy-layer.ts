// A COPY instruction as a layer: reads the sources once to name them by content, copies them only when that content is new.
import { chmod, copyFile, lchown, lstat, mkdir, readdir, readlink, realpath, symlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { DockerfileError, type Copy } from './dockerfile.ts';
import { keyOf, sha256File, type Layer, type LayerStore } from './layer-store.ts';

interface Entry {
  /** Path in the image, without the leading slash. */
  readonly path: string;
  readonly source: string;
  readonly kind: 'file' | 'directory' | 'link';
  readonly mode: number;
  /** sha256 of a file, target of a link. */
  readonly content: string;
}

export interface CopyRequest {
  readonly step: Copy;
  /** Path of the Dockerfile, for messages. */
  readonly path: string;
  /** Directories in which a source is looked for, the topmost last (the layers of a stage; one for a plain context). */
  readonly roots: readonly string[];
  /** Kind of what is at a path in the layers below: a link must not be replaced by a directory in silence. */
  readonly below: (path: string) => Promise<'directory' | 'other' | undefined>;
}

export async function copyLayer(store: LayerStore, request: CopyRequest): Promise<Layer> {
  const { step } = request;
  const entries = (await Promise.all(step.sources.map((source) => entriesOf(request, source)))).flat();
  const parents = await missingParents(request, entries);
  const owner = (step.chown ?? '0:0').split(':').map(Number);
  const shape = entries.map(({ path, kind, mode, content }) => ({ path, kind, mode, content }));
  return store.layer(keyOf('COPY', JSON.stringify({ parents, shape, owner })), async (diff) => {
    for (const parent of parents) await mkdir(join(diff, parent), { recursive: true, mode: 0o755 });
    for (const entry of entries) await place(entry, join(diff, entry.path), owner);
  });
}

async function entriesOf({ step, path, roots }: CopyRequest, source: string): Promise<readonly Entry[]> {
  const found = await findIn(roots, source);
  if (found === undefined) {
    const next = source.startsWith('dist/')
      ? 'npm run bundle, and see that its entry point exists'
      : `look in ${roots.join(', ')}`;
    throw new DockerfileError({ path, line: step.line }, `COPY source ${source} does not exist`, next);
  }
  const target = step.target.slice(1);
  const isDirectory = (await lstat(found)).isDirectory();
  const to = !isDirectory && step.target.endsWith('/') ? join(target, basename(source)) : target.replace(/\/$/, '');
  const mode = step.chmod === undefined ? undefined : parseInt(step.chmod, 8);
  return walk(found, to, mode);
}

async function findIn(roots: readonly string[], source: string): Promise<string | undefined> {
  for (const root of [...roots].reverse()) {
    const path = join(root, source);
    if ((await lstat(path).catch(() => undefined)) === undefined) continue;
    // A link on the way could lead out of the root, into the machine's own files.
    const [real, inside] = await Promise.all([realpath(dirname(path)), realpath(root)]);
    if (real === inside || real.startsWith(`${inside}/`)) return path;
  }
  return undefined;
}

async function walk(source: string, path: string, mode: number | undefined): Promise<readonly Entry[]> {
  const stat = await lstat(source);
  if (stat.isSymbolicLink()) return [{ path, source, kind: 'link', mode: 0o777, content: await readlink(source) }];
  if (stat.isFile())
    return [{ path, source, kind: 'file', mode: mode ?? (stat.mode & 0o111 ? 0o755 : 0o644), content: await sha256File(source) }];
  const names = (await readdir(source)).sort();
  const below: Entry[] = [];
  for (const name of names) below.push(...(await walk(join(source, name), join(path, name), mode)));
  return [{ path, source, kind: 'directory', mode: 0o755, content: '' }, ...below];
}

async function missingParents({ step, path, below }: CopyRequest, entries: readonly Entry[]): Promise<readonly string[]> {
  const wanted = new Set<string>();
  for (const { path: entry, kind } of entries) {
    for (let parent = kind === 'directory' ? entry : dirname(entry); parent !== '.'; parent = dirname(parent)) wanted.add(parent);
  }
  for (const parent of wanted) {
    if ((await below(parent)) === 'other')
      throw new DockerfileError(
        { path, line: step.line },
        `/${parent} is a link or file in the image below`,
        'copy to the real directory',
      );
  }
  return [...wanted].sort();
}

async function place(entry: Entry, target: string, [uid = 0, gid = 0]: readonly number[]): Promise<void> {
  if (entry.kind === 'directory') await mkdir(target, { recursive: true });
  else if (entry.kind === 'link') await symlink(entry.content, target);
  else await copyFile(entry.source, target);
  if (entry.kind !== 'link') await chmod(target, entry.mode);
  await lchown(target, uid, gid);
}
