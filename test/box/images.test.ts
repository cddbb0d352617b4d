// Images built for real from small Dockerfiles on the Debian base: what a layer takes away, that the same input gives the same bytes, what is refused.
// The base is the one that the project's images share; everything above it goes to directories of the test's own.
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { zstdDecompressSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { clusterConfig } from '../cluster/config.ts';
import { writeArchive } from '../cluster/images/archive.ts';
import { assemble, type Image } from '../cluster/images/assemble.ts';
import { openLayerStore, type LayerStore } from '../cluster/images/layer-store.ts';
import { ensurePackages } from '../cluster/packages.ts';

const place = { root: '' };
const cacheDir = clusterConfig().cacheDir;
const log = (): void => undefined;

beforeAll(async () => {
  mkdirSync(cacheDir, { recursive: true });
  await ensurePackages(log);
  place.root = mkdtempSync(join(tmpdir(), 'images-'));
});
afterAll(() => rmSync(place.root, { recursive: true, force: true }));

/** The first layer of every image here is the base, which is kept with the project's own. */
function storeOf(name: string): LayerStore {
  const shared = openLayerStore(join(cacheDir, 'images/layers'));
  const own = openLayerStore(join(place.root, name));
  const seen = { base: false };
  return {
    layer(key, make) {
      const first = !seen.base;
      seen.base = true;
      return (first ? shared : own).layer(key, make);
    },
    prune: () => own.prune(),
  };
}

async function build(name: string, lines: readonly string[]): Promise<Image> {
  const context = join(place.root, 'context');
  mkdirSync(context, { recursive: true });
  writeFileSync(join(context, 'hello.txt'), 'hello\n');
  writeFileSync(join(place.root, 'Dockerfile'), ['FROM debian:bookworm-slim', ...lines, ''].join('\n'));
  return assemble(
    { repository: place.root, binDir: '/nowhere', cacheDir, log, store: storeOf(name), bases: new Map() },
    'Dockerfile',
    context,
  );
}

function namesOf(image: Image, index: number): readonly string[] {
  const blob = image.layers[index]?.blob ?? '';
  return execFileSync('tar', ['-tf', '-'], { input: zstdDecompressSync(readFileSync(blob)), encoding: 'utf8' })
    .trim()
    .split('\n');
}

describe('a RUN line', () => {
  it('adds files, takes away files of the base, and replaces whole directories', async () => {
    const image = await build('run', [
      'RUN echo new > /etc/added && rm /etc/debian_version && rm -r /etc/default && mkdir /etc/default && touch /etc/default/only',
    ]);
    const names = namesOf(image, 1);
    expect(names).toEqual(
      expect.arrayContaining(['./etc/added', './etc/.wh.debian_version', './etc/default/.wh..wh..opq', './etc/default/only']),
    );
    expect(names.filter((name) => /resolv\.conf|hosts|sources\.list|\/proc\/|\/dev\/|\/tmp\//.test(name))).toEqual([]);
  });

  it('has the environment of the ENV above it', async () => {
    const image = await build('env', ['ENV WORD="two words"', 'RUN printf %s "$WORD" > /said']);
    expect(readFileSync(join(image.layers[1]?.diff ?? '', 'said'), 'utf8')).toBe('two words');
  });

  it('that fails is named with its line and what it said', async () => {
    await expect(build('fails', ['RUN echo something went wrong; exit 3'])).rejects.toThrow(
      /^Dockerfile:2: RUN failed: .*something went wrong.*Next: /s,
    );
  });

  it('leaves no mount and no process behind', async () => {
    await build('clean', ['RUN sleep 1000 & echo started > /started']);
    expect(readFileSync('/proc/self/mountinfo', 'utf8')).not.toContain(place.root);
    expect(execFileSync('ps', ['-eo', 'args'], { encoding: 'utf8' }).split('\n')).not.toContain('sleep 1000');
  });
});

describe('the same input', () => {
  const lines = ['RUN useradd --uid 1000 --create-home someone && ldconfig', 'COPY hello.txt /srv/'];

  it('gives the same layers and the same archive, wherever it is built', async () => {
    const archives = await Promise.all(
      ['one', 'two'].map(async (name) => {
        const image = await build(name, lines);
        const directory = join(place.root, `${name}-archives`);
        mkdirSync(directory);
        return writeArchive(directory, 'example.test/image:dev', image);
      }),
    );
    const [one, two] = archives.map(({ tar }) => readFileSync(tar));
    expect(archives[0]?.digest).toBe(archives[1]?.digest);
    expect(one?.equals(two ?? Buffer.alloc(0))).toBe(true);
  });

  it('is kept while it is among the latest used; older layers go', async () => {
    const store = openLayerStore(join(place.root, 'many'));
    const make = async (diff: string): Promise<void> => writeFileSync(join(diff, 'file'), '');
    for (let index = 0; index < 41; index += 1) {
      const { diff } = await store.layer(`${String(index).padStart(32, '0')}`, make);
      utimesSync(join(diff, '..'), index, index);
    }
    await store.prune();
    const left = readdirSync(join(place.root, 'many')).sort();
    expect(left).toHaveLength(40);
    expect(left[0]).toMatch(/0001$/);
  });

  it('is not built a second time', async () => {
    const before = await build('again', lines);
    const after = await build('again', lines);
    expect(after.layers.map(({ blob }) => statSync(blob).ino)).toEqual(before.layers.map(({ blob }) => statSync(blob).ino));
  });

  it('but other content is another layer, and only that one', async () => {
    const before = await build('again', lines);
    writeFileSync(join(place.root, 'context/other.txt'), 'other\n');
    const after = await build('again', [lines[0] ?? '', 'COPY other.txt /srv/']);
    expect(after.layers.map(({ digest }, index) => digest === before.layers[index]?.digest)).toEqual([true, true, false]);
  });
});

describe('refused', () => {
  it.each<[string, readonly string[], RegExp]>([
    ['a copy of what is not there', ['COPY nothing /srv/'], /^Dockerfile:2: COPY source nothing does not exist\. Next: /],
    [
      'a copy that would put a directory in place of a link',
      ['COPY hello.txt /bin/'],
      /^Dockerfile:2: \/bin is a link or file in the image below\. Next: /,
    ],
    ['a RUN as another user', ['USER 1000', 'RUN true'], /^Dockerfile:3: RUN after USER 1000\. Next: /],
    ['a WORKDIR that is not there', ['WORKDIR /nowhere'], /^Dockerfile:2: WORKDIR \/nowhere is no directory yet\. Next: /],
    [
      'a base that nothing stands in for',
      ['FROM alpine:3'],
      /^Dockerfile:2: nothing stands in for base image alpine:3\. Next: use one of /,
    ],
    [
      'a stage that is not there',
      ['COPY --from=builder a /b'],
      /^Dockerfile:2: --from=builder is no stage of this file\. Next: /,
    ],
  ])('%s', async (_sentence, lines, message) => {
    await expect(build('refused', lines)).rejects.toThrow(message);
  });
});
