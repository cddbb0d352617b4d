// Images built for real: what the project's own hold, what a change costs, what a failure says, and that nothing is left behind. The store and the Debian base
// are those of the project's images; the images of these tests are taken out of it again.
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ensureTools } from '../cluster/cluster.ts';
import { run } from '../cluster/command.ts';
import { clusterConfig } from '../cluster/config.ts';
import { buildImages, ensureImages } from '../cluster/images/build.ts';
import { openBuilder, storeArguments } from '../cluster/images/builder.ts';
import type { CatalogEntry } from '../cluster/images/catalog.ts';
import { stemOf, type BuiltImage } from '../cluster/images/oci-layout.ts';

const config = clusterConfig();
const home = join(config.cacheDir, 'images');
const place = { root: '', binDir: '' };
const ours = { names: new Set<string>(), layouts: new Set<string>() };
/** Of buildah when nobody tells it another place. */
const usualStore = '/var/lib/containers/storage';
const hadUsualStore = existsSync(usualStore);
const said: string[] = [];
const log = (line: string): void => void said.push(line);

beforeAll(async () => {
  place.binDir = await ensureTools(config, log);
  place.root = mkdtempSync(join(tmpdir(), 'images-'));
  mkdirSync(join(place.root, 'context'));
});
afterAll(async () => {
  rmSync(place.root, { recursive: true, force: true });
  for (const layout of ours.layouts) rmSync(layout, { recursive: true, force: true });
  // images of the same content are one: it went with the first of its names that was forgotten
  const builder = openBuilder(home, log);
  for (const name of ours.names) if (await builder.has(name)) await forget(name);
});

const forget = (name: string): Promise<string> => run(['buildah', ...storeArguments(home), 'rmi', '--force', name]);

interface Descriptor {
  readonly digest: string;
}
interface Manifest {
  readonly config: Descriptor;
  readonly layers: readonly Descriptor[];
}
interface ImageConfig {
  readonly config: Readonly<Record<'User' | 'WorkingDir' | 'Entrypoint' | 'Cmd' | 'Env', unknown>>;
}

const blobOf = (image: BuiltImage, { digest }: Descriptor): string =>
  join(image.layout, 'blobs/sha256', digest.replace('sha256:', ''));
const manifestOf = (image: BuiltImage): Manifest => JSON.parse(readFileSync(blobOf(image, image), 'utf8')) as Manifest;
const layersOf = (image: BuiltImage): readonly string[] => manifestOf(image).layers.map(({ digest }) => digest);
const configOf = (image: BuiltImage): ImageConfig['config'] =>
  (JSON.parse(readFileSync(blobOf(image, manifestOf(image).config), 'utf8')) as ImageConfig).config;

/** Names in the layers, lowest first. */
const namesOf = (image: BuiltImage): readonly (readonly string[])[] =>
  manifestOf(image).layers.map((layer) =>
    execFileSync('tar', ['-tf', blobOf(image, layer)], { encoding: 'utf8', maxBuffer: 1 << 25 })
      .trim()
      .split('\n'),
  );

/** Of the files with those names, whichever layers they are in. */
const textOf = (image: BuiltImage, ...names: readonly string[]): string =>
  manifestOf(image)
    .layers.map((layer) => spawnSync('tar', ['-xOf', blobOf(image, layer), ...names], { encoding: 'utf8' }).stdout)
    .join('');

const entryOf = (stem: string, lines: readonly string[]): CatalogEntry => {
  const name = `swefleet.local/${stem}-${process.pid}:dev`;
  const dockerfile = `${stem}.Dockerfile`;
  writeFileSync(join(place.root, dockerfile), ['ARG BASE', 'FROM ${BASE}', ...lines, ''].join('\n'));
  ours.names.add(name);
  return { name, dockerfile, context: 'context', bases: { BASE: 'debian' }, files: ['hello.txt'] };
};

const build = async (stem: string, lines: readonly string[], hello = 'hello\n'): Promise<BuiltImage> => {
  writeFileSync(join(place.root, 'context/hello.txt'), hello);
  const [image] = await buildImages([entryOf(stem, lines)], { ...config, binDir: place.binDir, root: place.root, log });
  if (image === undefined) throw new Error('nothing was built');
  ours.layouts.add(image.layout);
  return image;
};

describe('the project’s images', () => {
  const images = new Map<string, BuiltImage>();
  const imageOf = (stem: string): BuiltImage => {
    const image = images.get(stem);
    if (image === undefined) throw new Error(`no image ${stem}`);
    return image;
  };
  beforeAll(async () => {
    for (const image of await ensureImages({ ...config, binDir: place.binDir, log })) images.set(stemOf(image.name), image);
  });

  it.each([
    ['nats', { User: '1000', Entrypoint: ['/nats-server'], Cmd: ['--help'] }],
    ['fleet', { User: '1000', WorkingDir: '/opt/fleet', Entrypoint: ['node'], Cmd: ['/opt/fleet/operator.mjs'] }],
    ['toolchain-node', { User: '1000', Cmd: ['sh'] }],
    ['toolchain-python', { User: '1000', Cmd: ['python3'] }],
  ])('%s runs as its Dockerfile says', (stem, want) => {
    expect(configOf(imageOf(stem))).toMatchObject(want);
  });

  it('the bundles are one layer, the last', () => {
    const names = namesOf(imageOf('fleet'));
    const bundles = ['operator', 'gateway', 'agent-runner', 'install'].map((name) => `opt/fleet/${name}.mjs`);
    expect(names.at(-1)).toEqual(expect.arrayContaining(bundles));
    expect(names.slice(0, -1).flat()).not.toEqual(expect.arrayContaining([bundles[0]]));
  });

  it('the toolchains have git, and one of them Node, the other Python', () => {
    const node = namesOf(imageOf('toolchain-node')).flat();
    const python = namesOf(imageOf('toolchain-python')).flat();
    expect(node).toEqual(expect.arrayContaining(['usr/bin/git', 'usr/local/bin/node', 'usr/local/bin/npm']));
    expect(python).toEqual(expect.arrayContaining(['usr/bin/git', 'usr/bin/python3']));
    expect(python.filter((name) => /bin\/(node|npm)$/.test(name))).toEqual([]);
  });

  it('nothing of this machine is in them: no package source, no apt setting, no name', () => {
    const machine = /^etc\/apt\/(sources\.list$|sources\.list\.d\/.+|apt\.conf\.d\/.*(machine|mmdebstrap))/;
    for (const image of images.values()) {
      expect(
        namesOf(image)
          .flat()
          .filter((name) => machine.test(name)),
      ).toEqual([]);
      expect(textOf(image, 'etc/hostname', 'etc/resolv.conf')).toBe('');
    }
  });

  it('are known to be unchanged, and nothing is done', async () => {
    said.length = 0;
    const again = await ensureImages({ ...config, binDir: place.binDir, log });
    expect(again).toEqual([...images.values()]);
    expect(said).toEqual([]);
  });
});

describe('a build', () => {
  const lines = ['RUN useradd --uid 1000 --create-home someone', 'USER 1000', 'COPY hello.txt /srv/'];

  it('that is asked for again does nothing, also when a file was only touched', async () => {
    const before = await build('again', lines);
    utimesSync(join(place.root, 'context/hello.txt'), 1, 1);
    said.length = 0;
    expect(await build('again', lines)).toEqual(before);
    expect(said).toEqual([]);
  });

  it('makes one layer anew when a file changed', async () => {
    const before = await build('change', lines);
    const after = await build('change', lines, 'other\n');
    expect(layersOf(after).slice(0, -1)).toEqual(layersOf(before).slice(0, -1));
    expect(layersOf(after).at(-1)).not.toBe(layersOf(before).at(-1));
  });

  it('gives the same image without its layers at hand', async () => {
    const before = await build('same', lines);
    rmSync(before.layout, { recursive: true });
    await forget(before.name);
    expect(await build('same', lines)).toEqual(before);
  });

  it('installs packages from this machine’s sources', async () => {
    const image = await build('packages', ['RUN apt-get update -q && apt-get install -y -q --no-install-recommends hello']);
    expect(namesOf(image).at(-1)).toContain('usr/bin/hello');
  });

  it('waits for another one, and both are right', async () => {
    const [one, two] = await Promise.all([build('one', [...lines, 'CMD ["one"]']), build('two', [...lines, 'CMD ["two"]'])]);
    expect([configOf(one).Cmd, configOf(two).Cmd]).toEqual([['one'], ['two']]);
  });

  it('that fails says what the step said, where it stands, and what to do', async () => {
    await expect(build('broken', ['RUN echo something went wrong; exit 3'])).rejects.toThrow(
      /broken-\d+:dev could not be built:.*something went wrong.*RUN echo.*exit status 3.*next: mend .*broken\.Dockerfile \(by hand: docker build/s,
    );
    ours.names.delete(`swefleet.local/broken-${process.pid}:dev`); // never came to be
  });

  it('that was killed is no trouble for the next one', async () => {
    const entry = entryOf('killed', ['RUN echo slow; sleep 1000']);
    ours.names.delete(entry.name);
    const options = { ...config, binDir: place.binDir, root: place.root };
    const module = join(import.meta.dirname, '../cluster/images/build.ts');
    const script = `import { buildImages } from ${JSON.stringify(module)};
      await buildImages([${JSON.stringify(entry)}], { ...${JSON.stringify(options)}, log: (line) => console.log(line) });`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
      detached: true,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const heard: string[] = [];
    const closed = new Promise((resolve) => child.once('close', resolve));
    for await (const text of child.stdout) {
      heard.push(String(text));
      if (heard.join('').includes('sleep 1000')) break;
    }
    expect(heard.join('')).toContain('sleep 1000');
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
    await closed;
    await build('next', ['RUN true']);
    expect(readFileSync('/proc/self/mountinfo', 'utf8')).not.toContain(home);
    expect(existsSync(usualStore)).toBe(hadUsualStore);
  });
});

beforeAll(async () => {
  place.binDir = await ensureTools(config, log);
  place.root = mkdtempSync(join(tmpdir(), 'images-'));
  mkdirSync(join(place.root, 'context'));
});

afterAll(() => {
  rmSync(place.root, { recursive: true, force: true });
  for (const layout of ours.layouts) rmSync(layout, { recursive: true, force: true });
  for (const name of ours.names) execFileSync('buildah', [...storeArguments(home), 'rmi', '--force', name]);
});
