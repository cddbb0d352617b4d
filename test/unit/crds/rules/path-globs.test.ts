// Which paths a list of globs means. (What patches may touch by them is in test/unit/agent-runner/patch-checks.test.ts.)
import { describe, expect, it } from 'vitest';
import { pathMatcher, samplesOf } from '../../../../crds/rules/path-globs.ts';

describe('pathMatcher', () => {
  it.each<[readonly string[], string, boolean]>([
    [[], 'src/a.ts', false],
    [['src/**'], 'src/a.ts', true],
    [['src/**'], 'src/deep/.hidden', true],
    [['src/*'], 'src/deep/a.ts', false],
    [['docs/'], 'docs/deep/a.md', true],
    [['docs/'], 'docs.md', false],
    [['a', '**/*.ts'], 'deep/b.ts', true],
    [['SRC/**'], 'src/a.ts', false],
    [['!src/**'], 'lib/a.ts', false],
  ])('of %j: %s %s', (globs, path, want) => expect(pathMatcher(globs)(path)).toBe(want));
  it('may ignore case', () => expect(pathMatcher(['SRC/**'], { ignoreCase: true })('src/a.ts')).toBe(true));
});

describe('samplesOf', () => {
  it.each<[string, readonly string[]]>([
    ['src/a.ts', ['src/a.ts']],
    ['src/*.ts', ['src/zqx.ts']],
    ['src/**', ['src', 'src/zqx', 'src/zqx/zqx/zqx']],
    ['docs/', ['docs', 'docs/zqx', 'docs/zqx/zqx/zqx']],
    ['**', ['zqx', 'zqx/zqx/zqx']],
    ['{a,b}/[ab]?', ['zqx/zqxz']],
  ])('of %s', (glob, want) => expect(samplesOf(glob)).toEqual(want));
  it('stay few', () => expect(samplesOf('**/a/'.repeat(8)).length).toBeLessThanOrEqual(81));
  it.each(['src/a.ts', 'src/**', '**/*.ts', 'docs/', 'a/**/b/*.c'])('match their own glob: %s', (glob) => {
    expect(samplesOf(glob).every(pathMatcher([glob]))).toBe(true);
  });
});
