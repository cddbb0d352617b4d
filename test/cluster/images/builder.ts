/**
 * Runs buildah and skopeo on a store of their own under the cache directory, so that no other container tool of the machine sees it, and theirs are not seen.
 * Needs root: layers are overlayfs, and RUN lines are performed in a chroot, so no daemon and no network of containers is needed.
 */
import { readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { attempt, run } from '../command.ts';
import { timed, type Log } from '../progress.ts';

export interface Recipe {
  /** With tag. */
  readonly name: string;
  readonly dockerfile: string;
  readonly context: string;
  readonly args?: Readonly<Record<string, string>>;
  /** Directories that `COPY --from=` may name. */
  readonly contexts?: Readonly<Record<string, string>>;
  /** Directories of the machine that RUN lines see: `source:target:ro`. */
  readonly volumes?: readonly string[];
}

export interface Builder {
  has(name: string): Promise<boolean>;
  /** @throws with the last lines of the build's output */
  build(recipe: Recipe): Promise<void>;
  /** Writes an image as an OCI layout; what lies there already under its digest is not written again. */
  export(name: string, layout: string): Promise<void>;
  /** Removes what a build that was killed left, and images that lost their name to a newer one. */
  tidy(): Promise<void>;
}

/** Changes when the way of building does. */
export const howImagesAreBuilt = readFileSync(import.meta.filename, 'utf8');

const SHOWN_LINES = 25;
/** Else the store stays mounted on itself after the last command. */
const NO_MOUNT = 'overlay.skip_mount_home=true';

/** Everything of the image is set to 1970, so that the same content is the same layer, whenever it was built. */
const REPRODUCIBLE = ['--layers', '--timestamp=0', '--identity-label=false', '--format=oci'];

const rootOf = (home: string): string => join(home, 'storage');
const runRootOf = (home: string): string => join(home, 'storage-run');

/** What any call of buildah begins with, to work on that store. */
export const storeArguments = (home: string): readonly string[] => [
  `--root=${rootOf(home)}`,
  `--runroot=${runRootOf(home)}`,
  '--storage-driver=overlay',
  `--storage-opt=${NO_MOUNT}`,
];

export const openBuilder = (home: string, log: Log): Builder => {
  const place = storeArguments(home);
  const buildah = (...argv: readonly string[]): Promise<string> => run(['buildah', ...place, ...argv]);
  return {
    has: async (name) => (await buildah('images', '--format={{.Name}}:{{.Tag}}')).split('\n').includes(name),
    build: (recipe) =>
      timed(log, `building ${recipe.name}`, async (detail) => {
        const argv = ['build', '--isolation=chroot', '--pull=never', ...REPRODUCIBLE, ...argumentsOf(recipe)];
        const onOutputLine = (line: string): void => (line.startsWith('STEP ') ? detail(line) : undefined);
        const end = await attempt(['buildah', ...place, ...argv], { onOutputLine });
        if (end.status === 0) return;
        const said = `${end.stdout}\n${end.stderr}`.trim().split('\n').slice(-SHOWN_LINES).join('\n  ');
        throw new Error(`${recipe.name} could not be built:\n  ${said}\n${nextStep(recipe)}`);
      }),
    export: async (name, layout) => {
      const source = `containers-storage:[overlay@${rootOf(home)}+${runRootOf(home)}:${NO_MOUNT}]${name}`;
      await run(['skopeo', 'copy', '--quiet', '--dest-oci-accept-uncompressed-layers', source, `oci:${layout}:${name}`]);
    },
    tidy: async () => {
      await buildah('rm', '--all');
      await buildah('rmi', '--prune');
    },
  };
};

const argumentsOf = ({ name, dockerfile, context, args = {}, contexts = {}, volumes = [] }: Recipe): readonly string[] => [
  ...Object.entries(args).map(([key, value]) => `--build-arg=${key}=${value}`),
  ...Object.entries(contexts).map(([key, value]) => `--build-context=${key}=${value}`),
  ...volumes.map((volume) => `--volume=${volume}`),
  `--file=${dockerfile}`,
  `--tag=${name}`,
  context,
];

const nextStep = ({ dockerfile, context }: Recipe): string =>
  `next: mend ${relative('.', dockerfile)} (by hand: docker build -f ${relative('.', dockerfile)} ${relative('.', context) || '.'})`;
