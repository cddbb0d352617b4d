/**
 * The image of every pod's first container: one static program of our own, packed without any tool of a container engine.
 */
import { chmodSync, copyFileSync, existsSync, mkdirSync, renameSync } from 'node:fs';
import { basename, join } from 'node:path';
import { PAUSE_IMAGE } from './component-files.ts';
import { writeArchive } from './images/archive.ts';
import { keyOf, openLayerStore } from './images/layer-store.ts';
import { PAUSE_ARCHIVE } from './layout.ts';

/** Makes `pause.tar` beside the program, once. */
export const ensurePauseImage = async (cacheDir: string, binDir: string): Promise<void> => {
  const archive = join(binDir, PAUSE_ARCHIVE);
  if (existsSync(archive)) return;
  const home = join(cacheDir, 'images');
  mkdirSync(join(home, 'archives'), { recursive: true });
  const layer = await openLayerStore(join(home, 'layers')).layer(keyOf('pause', basename(binDir)), async (diff) => {
    copyFileSync(join(binDir, 'pause'), join(diff, 'pause'));
    chmodSync(join(diff, 'pause'), 0o755);
  });
  const config = { Env: [], User: '65535:65535', WorkingDir: '/', Entrypoint: ['/pause'], Cmd: [], Labels: {} };
  const { tar } = await writeArchive(join(home, 'archives'), PAUSE_IMAGE, { layers: [layer], config, suite: undefined });
  copyFileSync(tar, `${archive}.${process.pid}.next`);
  renameSync(`${archive}.${process.pid}.next`, archive);
};
