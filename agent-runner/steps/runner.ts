// Step `runner`: copies node, its C++ libraries and this program to a volume, so that a toolchain image needs none of them.
// May: read /proc/self/maps and the files named there, write the runner volume.
import { chmod, copyFile, mkdir, readFile, realpath } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Step } from '../step.ts';

/** glibc itself stays the image's own: its loader and library must be of one build. */
const carried = /^(libstdc\+\+|libgcc_s|libatomic)\.so(\.\d+)*$/;

export const runner: Step<'runner'> = {
  command: 'runner',
  finding: 'runner',
  file: () => undefined,
  run: async ({ paths, program, say }) => {
    await mkdir(join(paths.runner, 'lib'), { recursive: true });
    // who runs a file that he cannot read is out of reach for others of his user: no memory, no environment, no open files to look into
    await place(process.execPath, join(paths.runner, 'node'), 0o111);
    await place(program, join(paths.runner, 'agent-runner.mjs'), 0o644);
    for (const library of loadedLibraries(await readFile('/proc/self/maps', 'utf8'))) {
      await place(await realpath(library), join(paths.runner, 'lib', soname(library)), 0o644);
      say(`runner: ${soname(library)} goes along`);
    }
    return { step: 'runner', outcome: 'ok' };
  },
};

const place = async (from: string, to: string, mode: number): Promise<void> => {
  await copyFile(from, to);
  await chmod(to, mode);
};

/** The shared objects of C++ that this process has mapped. */
export const loadedLibraries = (maps: string): readonly string[] => {
  const files = maps
    .split('\n')
    .map((line) => line.slice(line.indexOf('/')))
    .filter((file) => file.startsWith('/') && carried.test(basename(file)));
  return [...new Set(files)];
};

/** The loader asks for the short name: the file `libstdc++.so.6.0.30` is `libstdc++.so.6`. */
export const soname = (file: string): string => basename(file).replace(/(\.so\.\d+)[.\d]*$/, '$1');
