// The Go programs of the bench: kwok, and the controller that ours is compared with. Built from `programs/`, where both are pinned by checksum.

import { join } from 'node:path';
import { ensureBinaries, type ProgramSet } from '../test/cluster/binaries.ts';
import type { Log } from '../test/cluster/progress.ts';

const SOURCES = join(import.meta.dirname, 'programs');

const PROGRAMS: ProgramSet = {
  name: 'bench',
  sources: SOURCES,
  modules: [
    {
      label: 'building kwok and a controller on controller-runtime from source',
      directory: SOURCES,
      linkerFlags: [],
      programs: [
        { name: 'kwok', package: 'sigs.k8s.io/kwok/cmd/kwok' },
        { name: 'controller', package: './controller' },
      ],
    },
  ],
};

/** The directory with both. */
export const ensurePrograms = (cacheDir: string, log: Log): Promise<string> => ensureBinaries({ cacheDir, log, set: PROGRAMS });
