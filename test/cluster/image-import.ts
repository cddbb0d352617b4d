/**
 * Loads image archives into a running box, each once: what was loaded is noted in the box's state by the archive's content.
 */
import { createHash } from 'node:crypto';
import { createReadStream, statSync } from 'node:fs';
import { basename } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { RunningBox } from './box.ts';
import { run } from './command.ts';
import { withLock } from './lock.ts';
import { timed, type Log } from './progress.ts';
import { readState, writeState } from './state-file.ts';

interface Imports {
  /** By path: which file it was, to know it again without reading it. */
  readonly files: Readonly<Record<string, { readonly size: number; readonly mtimeMs: number; readonly sha256: string }>>;
  readonly sha256s: readonly string[];
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

/** Returns true when it had to be loaded. @throws when containerd refuses the archive */
export const importImage = async (box: RunningBox, tar: string, log: Log): Promise<boolean> =>
  withLock(`${box.layout.images}.lock`, async () => {
    const imports = readState<Imports>(box.layout.images) ?? { files: {}, sha256s: [] };
    const { size, mtimeMs } = statSync(tar);
    const known = imports.files[tar];
    const unchanged = known !== undefined && known.size === size && known.mtimeMs === mtimeMs;
    const sha256 = unchanged ? known.sha256 : await sha256Of(tar);
    const present = imports.sha256s.includes(sha256);
    if (!present) {
      await timed(log, `loading ${basename(tar)}`, () => run(inBox(box, ['ctr', '-n', 'k8s.io', 'images', 'import', tar])));
    }
    if (!present || !unchanged) {
      const files = { ...imports.files, [tar]: { size, mtimeMs, sha256 } };
      writeState(box.layout.images, { files, sha256s: [...new Set([...imports.sha256s, sha256])] } satisfies Imports);
    }
    return !present;
  });
