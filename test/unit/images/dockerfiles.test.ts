// What our Dockerfiles must hold so that the same files build for a user of docker, for a release and here; and that the lists beside them say what they say.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { imageBundles } from '../../../images/bundle.ts';
import { catalog } from '../../cluster/images/catalog.ts';

const repository = join(import.meta.dirname, '../../..');
const read = (path: string): string => readFileSync(join(repository, path), 'utf8');
const found = (text: string, pattern: RegExp): readonly (readonly string[])[] =>
  [...text.matchAll(pattern)].map(([, ...groups]) => groups);

describe.each(catalog)('$name', ({ dockerfile, bases, files }) => {
  const text = read(dockerfile);
  const args = found(text, /^ARG (\w+)=(\S+)$/gm);

  it('names its base by a build argument with a default, which has a stand-in here', () => {
    expect(args.map(([name]) => name)).toEqual(Object.keys(bases));
    expect(found(text, /^FROM (.*)$/gm).flat()).toEqual(Object.keys(bases).map((name) => `\${${name}}`));
  });

  it('is known to be unchanged by every file that it copies', () => {
    const copied = found(text, /^COPY (.*) \S+$/gm).flatMap(([sources = '']) => sources.split(' '));
    expect(copied.toSorted()).toEqual([...files].sort());
  });

  it('does not run as root', () => {
    expect(found(text, /^USER (.*)$/gm).at(-1)).toEqual(['1000']);
  });
});

describe('the project’s images', () => {
  it('docker’s build context of the fleet image is the bundles', () => {
    expect(read('images/fleet/Dockerfile.dockerignore').trim().split('\n')).toEqual(['*', '!dist/*.mjs']);
    expect(imageBundles.map(({ output }) => output).filter((path) => !/^dist\/[^/]+\.mjs$/.test(path))).toEqual([]);
  });

  it('every bundle has an entry point of its own', () => {
    expect(new Set(imageBundles.map(({ entry }) => entry)).size).toBe(imageBundles.length);
    expect(new Set(imageBundles.map(({ output }) => output)).size).toBe(imageBundles.length);
  });

  it('the Python toolchain holds no Node', () => {
    expect(read('images/toolchain-python/Dockerfile')).not.toMatch(/node|npm/);
  });

  it('what stands in for NATS and Node is the version that the Dockerfiles name', () => {
    const [nats] = found(read('test/cluster/programs/go.mod'), /nats-server\/v2 v(\S+)$/gm).flat();
    expect(read('images/nats/Dockerfile')).toContain(`ARG NATS_BASE=nats:${nats}-scratch`);
    const { devDependencies } = JSON.parse(read('package.json')) as { devDependencies: { node: string } };
    const [major] = devDependencies.node.split('.');
    expect(read('images/fleet/Dockerfile')).toContain(`ARG NODE_BASE=node:${major}-bookworm-slim`);
  });
});
