/**
 * The image of every pod's first container: one static program of our own.
 */
import { existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import { PAUSE_IMAGE } from './component-files.ts';
import { openBuilder } from './images/builder.ts';
import { addLayout, keyOf, layoutOf, writeArchive } from './images/layout.ts';
import { PAUSE_ARCHIVE } from './layout.ts';
import { withLock } from './lock.ts';
import type { Log } from './progress.ts';

/** Makes `pause.tar` beside the program, once. */
export const ensurePauseImage = async (cacheDir: string, binDir: string, log: Log): Promise<void> => {
  const archive = join(binDir, PAUSE_ARCHIVE);
  if (existsSync(archive)) return;
  const home = join(cacheDir, 'images');
  const layout = layoutOf(home, PAUSE_IMAGE, keyOf(basename(binDir)));
  await withLock(join(home, '.lock'), async () => {
    if (existsSync(archive)) return;
    const builder = openBuilder(home, log);
    const dockerfile = join(import.meta.dirname, 'images/bases/pause.Dockerfile');
    await builder.build({ name: PAUSE_IMAGE, dockerfile, context: binDir });
    if (!existsSync(layout)) await addLayout(home, layout, (draft) => builder.export(PAUSE_IMAGE, draft));
    await writeArchive(layout, archive);
  });
};
