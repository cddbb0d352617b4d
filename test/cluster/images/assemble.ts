// Turns a parsed Dockerfile into layers and an image configuration, stage by stage, base images first. Every layer comes from the store, by a key that says
// all it depends on: a RUN line on what lies below it and its environment, a COPY on the content of its files.
import { lstat, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readAptSources } from './apt-sources.ts';
import { timed } from '../progress.ts';
import { baseImage, baseImageNames, type BaseImage, type Workplace } from './base-images.ts';
import { runInChroot } from './chroot-run.ts';
import { copyLayer } from './copy-layer.ts';
import { makeDebian } from './debian-base.ts';
import { DockerfileError, parseDockerfile, type Copy, type Dockerfile, type Run, type Stage, type Step } from './dockerfile.ts';
import { keyOf, type Layer, type LayerStore } from './layer-store.ts';

/** The `config` part of an OCI image configuration. */
export interface ImageConfig {
  readonly Env: readonly string[];
  readonly User: string;
  readonly WorkingDir: string;
  readonly Entrypoint: readonly string[];
  readonly Cmd: readonly string[];
  readonly Labels: Readonly<Record<string, string>>;
}

export interface Image {
  readonly layers: readonly Layer[];
  readonly config: ImageConfig;
  /** Debian suite of its packages; none in an image from scratch. */
  readonly suite: string | undefined;
}

export interface Workshop extends Workplace {
  readonly store: LayerStore;
  /** Bases assembled so far, by name: several images stand on the same. */
  readonly bases: Map<string, Promise<Image>>;
}

interface Build {
  readonly shop: Workshop;
  readonly file: Dockerfile;
  /** Directory that COPY without --from reads. */
  readonly context: string;
  /** Directories for COPY --from=name. */
  readonly contexts: ReadonlyMap<string, string>;
  readonly stages: Map<string, Image>;
}

const path = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
const empty: Image = {
  layers: [],
  config: { Env: [], User: '', WorkingDir: '', Entrypoint: [], Cmd: [], Labels: {} },
  suite: undefined,
};

/** `dockerfile` is a path inside the checkout. Throws DockerfileError with file and line for what it cannot build. */
export async function assemble(
  shop: Workshop,
  dockerfile: string,
  context: string,
  contexts: ReadonlyMap<string, string> = new Map(),
): Promise<Image> {
  const file = parseDockerfile(dockerfile, await readFile(join(shop.repository, dockerfile), 'utf8'));
  const build: Build = { shop, file, context, contexts, stages: new Map() };
  let image = empty;
  for (const stage of file.stages) {
    image = await assembleStage(build, stage);
    if (stage.name !== undefined) build.stages.set(stage.name, image);
  }
  return image;
}

async function assembleStage(build: Build, stage: Stage): Promise<Image> {
  let image = await base(build, stage);
  let ownCmd = false;
  for (const step of stage.steps) {
    image = await perform(build, image, step);
    // As with docker: a new ENTRYPOINT drops the arguments that the base had for its own.
    if (step.verb === 'CMD') ownCmd = true;
    if (step.verb === 'ENTRYPOINT' && !ownCmd) image = { ...image, config: { ...image.config, Cmd: [] } };
  }
  return image;
}

async function base(build: Build, stage: Stage): Promise<Image> {
  const { shop, file, stages } = build;
  if (stage.image === 'scratch') return empty;
  const earlier = stages.get(stage.image);
  if (earlier !== undefined) return earlier;
  const found = baseImage(stage.image);
  if (found === undefined) {
    const next = `use one of ${baseImageNames().join(', ')}, or add it to test/cluster/images/base-images.ts`;
    throw new DockerfileError({ path: file.path, line: stage.line }, `nothing stands in for base image ${stage.image}`, next);
  }
  const known = shop.bases.get(stage.image) ?? makeBase(shop, stage.image, found);
  shop.bases.set(stage.image, known);
  return known;
}

async function makeBase(shop: Workshop, name: string, found: BaseImage): Promise<Image> {
  if (found.kind === 'dockerfile') {
    return assemble(shop, found.path, join(shop.repository, found.path, '..'), await found.contexts(shop));
  }
  const { suite } = found;
  const layer = await shop.store.layer(keyOf('DEBIAN', suite, process.arch), (diff) =>
    timed(shop.log, `making ${name} from this machine's Debian sources`, async () =>
      makeDebian(diff, suite, await readAptSources(suite)),
    ),
  );
  return { layers: [layer], config: { ...empty.config, Env: [`PATH=${path}`], Cmd: ['bash'] }, suite };
}

async function perform(build: Build, image: Image, step: Step): Promise<Image> {
  const { config } = image;
  switch (step.verb) {
    case 'RUN':
      return { ...image, layers: [...image.layers, await runLayer(build, image, step)] };
    case 'COPY':
      return { ...image, layers: [...image.layers, await copyStep(build, image, step)] };
    case 'ENV':
      return { ...image, config: { ...config, Env: mergeEnv(config.Env, step.pairs) } };
    case 'LABEL':
      return { ...image, config: { ...config, Labels: { ...config.Labels, ...Object.fromEntries(step.pairs) } } };
    case 'USER':
      return { ...image, config: { ...config, User: step.value } };
    case 'WORKDIR':
      if ((await kindAt(image.layers, step.value)) !== 'directory') {
        throw new DockerfileError(
          { path: build.file.path, line: step.line },
          `WORKDIR ${step.value} is no directory yet`,
          'create it above with COPY or RUN',
        );
      }
      return { ...image, config: { ...config, WorkingDir: step.value } };
    case 'ENTRYPOINT':
      return { ...image, config: { ...config, Entrypoint: step.argv } };
    case 'CMD':
      return { ...image, config: { ...config, Cmd: step.argv } };
  }
}

function mergeEnv(env: readonly string[], pairs: readonly (readonly [string, string])[]): readonly string[] {
  const merged = new Map(env.map((entry) => [entry.slice(0, entry.indexOf('=')), entry.slice(entry.indexOf('=') + 1)]));
  for (const [name, value] of pairs) merged.set(name, value);
  return [...merged].map(([name, value]) => `${name}=${value}`);
}

async function runLayer({ shop, file }: Build, image: Image, step: Run): Promise<Layer> {
  const place = { path: file.path, line: step.line };
  const { suite, config, layers } = image;
  if (suite === undefined)
    throw new DockerfileError(place, 'RUN in an image from scratch', 'run it in a stage from debian and COPY --from it');
  if (!['', 'root', '0'].includes(config.User))
    throw new DockerfileError(place, `RUN after USER ${config.User}`, 'put USER after the last RUN');
  const key = keyOf('RUN', step.command, ...config.Env, ...layers.map((layer) => layer.key));
  return shop.store.layer(key, async (upper) => {
    const env = Object.fromEntries(
      config.Env.map((entry) => [entry.slice(0, entry.indexOf('=')), entry.slice(entry.indexOf('=') + 1)]),
    );
    const request = { command: step.command, lower: layers.map((layer) => layer.diff), upper, env, suite };
    await timed(shop.log, `${file.path}:${step.line} ${step.command}`, () => runInChroot(request)).catch((cause: unknown) => {
      throw new DockerfileError(place, `RUN failed: ${String(cause)}`, 'run the line on a Debian machine by hand');
    });
  });
}

async function copyStep(build: Build, image: Image, step: Copy): Promise<Layer> {
  const below = (name: string): Promise<'directory' | 'other' | undefined> => kindAt(image.layers, name);
  return copyLayer(build.shop.store, { step, path: build.file.path, roots: rootsOf(build, step), below });
}

function rootsOf({ file, context, contexts, stages }: Build, step: Copy): readonly string[] {
  if (step.from === undefined) return [context];
  const stage = stages.get(step.from);
  if (stage !== undefined) return stage.layers.map((layer) => layer.diff);
  const named = contexts.get(step.from);
  if (named !== undefined) return [named];
  throw new DockerfileError(
    { path: file.path, line: step.line },
    `--from=${step.from} is no stage of this file`,
    'name an earlier stage with AS',
  );
}

/** What the topmost layer that knows the path has there. */
async function kindAt(layers: readonly Layer[], name: string): Promise<'directory' | 'other' | undefined> {
  for (const layer of [...layers].reverse()) {
    const stat = await lstat(join(layer.diff, name)).catch(() => undefined);
    if (stat !== undefined) return stat.isDirectory() ? 'directory' : stat.isCharacterDevice() ? undefined : 'other';
  }
  return undefined;
}
