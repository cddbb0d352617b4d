// The Dockerfile subset: what it means, and that everything outside it is refused with file, line and a next step.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { imageBundles } from '../../../scripts/bundle.ts';
import { baseImage } from '../../cluster/images/base-images.ts';
import { catalog } from '../../cluster/images/catalog.ts';
import { parseDockerfile, type Step } from '../../cluster/images/dockerfile.ts';

const steps = (text: string): readonly Omit<Step, 'line'>[] =>
  (parseDockerfile('D', `FROM scratch\n${text}`).stages[0]?.steps ?? []).map(({ line: _line, ...step }) => step);

describe('an instruction', () => {
  it.each<[string, string, unknown]>([
    ['RUN keeps its line as the shell gets it', 'RUN a "b  c" && d $X', { verb: 'RUN', command: 'a "b  c" && d $X' }],
    ['RUN may be continued on the next line', 'RUN a \\\n  && b', { verb: 'RUN', command: 'a && b' }],
    ['a comment inside a continued line is left out', 'RUN a \\\n  # why\n  && b', { verb: 'RUN', command: 'a && b' }],
    [
      'ENV takes several pairs',
      'ENV A=1 B="x y"',
      {
        verb: 'ENV',
        pairs: [
          ['A', '1'],
          ['B', 'x y'],
        ],
      },
    ],
    ['a value may hold =', "LABEL a='b=c'", { verb: 'LABEL', pairs: [['a', 'b=c']] }],
    ['instructions may be written small', 'user 1000', { verb: 'USER', value: '1000' }],
    ['CMD is a list', 'CMD ["a", "b c"]', { verb: 'CMD', argv: ['a', 'b c'] }],
    [
      'COPY takes files to a directory',
      'COPY a b/c /d/',
      { verb: 'COPY', from: undefined, chown: undefined, chmod: undefined, sources: ['a', 'b/c'], target: '/d/' },
    ],
    [
      'COPY takes from a stage, with owner and mode',
      'COPY --from=s --chown=1:2 --chmod=0644 a /b',
      { verb: 'COPY', from: 's', chown: '1:2', chmod: '0644', sources: ['a'], target: '/b' },
    ],
  ])('%s', (_sentence, text, want) => {
    expect(steps(text)).toEqual([want]);
  });

  it('knows the ARGs and ENVs above it', () => {
    const file = parseDockerfile('D', 'FROM a\nENV HOME=/h\nWORKDIR $HOME/x\n');
    expect(file.stages[0]?.steps.at(-1)).toMatchObject({ verb: 'WORKDIR', value: '/h/x' });
    expect(steps("ARG A=1\nENV B=${A}2 C='$A'")).toEqual([
      {
        verb: 'ENV',
        pairs: [
          ['B', '12'],
          ['C', '$A'],
        ],
      },
    ]);
  });

  it('belongs to the stage above it', () => {
    const { stages } = parseDockerfile('D', 'FROM a AS x\nUSER 1\nFROM b\nUSER 2\n');
    expect(stages.map(({ image, name, steps: own }) => [image, name, own.length])).toEqual([
      ['a', 'x', 1],
      ['b', undefined, 1],
    ]);
  });
});

describe('refused', () => {
  it.each<[string, string, number]>([
    ['an unknown instruction', 'FROM a\nEXPOSE 80', 2],
    ['a file without FROM', '# nothing\n', 1],
    ['an instruction before FROM', 'USER 1\nFROM a', 1],
    ['FROM with options', 'FROM --platform=x a', 1],
    ['RUN with options', 'FROM a\nRUN --mount=type=cache b', 2],
    ['RUN as a list', 'FROM a\nRUN ["b"]', 2],
    ['a heredoc', 'FROM a\nRUN cat <<E', 2],
    ['COPY with an unknown option', 'FROM a\nCOPY --link b /c', 2],
    ['COPY with a pattern', 'FROM a\nCOPY *.js /c/', 2],
    ['COPY from above the context', 'FROM a\nCOPY ../b /c', 2],
    ['COPY to a relative path', 'FROM a\nCOPY b c', 2],
    ['COPY of several files to a file', 'FROM a\nCOPY b c /d', 2],
    ['COPY without a target', 'FROM a\nCOPY b', 2],
    ['an owner by name', 'FROM a\nCOPY --chown=node:node b /c', 2],
    ['a relative WORKDIR', 'FROM a\nWORKDIR b', 2],
    ['CMD in shell form', 'FROM a\nCMD b c', 2],
    ['an unknown variable', 'FROM a\nUSER ${B}', 2],
    ['a variable with a modifier', 'FROM a\nUSER ${B:-1}', 2],
    ['ARG without a default', 'FROM a\nARG B', 2],
    ['ENV without =', 'FROM a\nENV B c', 2],
    ['an escape directive', '# escape=`\nFROM a', 1],
    ['a last line that goes on', 'FROM a\nRUN b \\', 2],
  ])('%s', (_sentence, text, line) => {
    expect(() => parseDockerfile('some/Dockerfile', text)).toThrow(new RegExp(`^some/Dockerfile:${line}: .+\\. Next: .+\\.$`));
  });
});

describe('the project’s images', () => {
  const repository = join(import.meta.dirname, '../../..');
  const read = (path: string): string => readFileSync(join(repository, path), 'utf8');

  it.each(catalog)('$name is built from a Dockerfile inside the subset, on known bases', ({ dockerfile }) => {
    const { stages } = parseDockerfile(dockerfile, read(dockerfile));
    const names = stages.map(({ name }) => name);
    expect(stages.filter(({ image }) => image !== 'scratch' && !names.includes(image) && baseImage(image) === undefined)).toEqual(
      [],
    );
  });

  const copied = parseDockerfile('D', read('images/fleet/Dockerfile')).stages.flatMap(({ steps: own }) =>
    own.flatMap((step) => (step.verb === 'COPY' ? step.sources : [])),
  );

  it('the fleet image copies exactly the bundles that are made for it', () => {
    expect([...copied].sort()).toEqual(imageBundles.map(({ output }) => output).sort());
  });

  it('docker’s build context holds what the fleet image copies', () => {
    const ignore = read('images/fleet/Dockerfile.dockerignore').trim().split('\n');
    expect(ignore).toEqual(['*', '!dist/*.mjs']);
    expect(copied.filter((path) => !/^dist\/[^/]+\.mjs$/.test(path))).toEqual([]);
  });

  it('every bundle has an entry point of its own', () => {
    expect(new Set(imageBundles.map(({ entry }) => entry)).size).toBe(imageBundles.length);
    expect(new Set(imageBundles.map(({ output }) => output)).size).toBe(imageBundles.length);
  });

  it('the Python toolchain holds no Node', () => {
    const text = read('images/toolchain-python/Dockerfile');
    expect(text).not.toMatch(/FROM node|nodejs|npm/);
  });
});
