import { describe, expect, it } from 'vitest';
import { scopesOverlap } from '../../../../controllers/task/file-scope.ts';

describe('file scopes that may hold the same file', () => {
  const together: readonly (readonly [string, readonly string[], readonly string[]])[] = [
    ['an empty scope is the whole repository', [], ['src/a.ts']],
    ['the same file', ['src/a.ts'], ['src/a.ts']],
    ['a folder and a file in it', ['src'], ['src/deep/a.ts']],
    ['a folder with a slash at its end', ['src/'], ['src/a.ts']],
    ['a star and a file', ['src/*.ts'], ['src/a.ts']],
    ['two stars across folders', ['**/*.ts'], ['src/deep/a.ts']],
    ['two stars may stand for nothing', ['src/**/a.ts'], ['src/a.ts']],
    ['stars on both sides', ['a*'], ['*b']],
    ['a question mark', ['src/?.ts'], ['src/a.ts']],
    ['braces are taken for anything from there on', ['src/{a,b}/x.ts'], ['src/c/y.ts']],
    ['a class is taken for any name', ['src/[ab].ts'], ['src/z.ts']],
    ['a negation is taken for the whole repository', ['!src/**'], ['docs/a.md']],
    ['one pair of many is enough', ['docs/**', 'src/a.ts'], ['lib/**', 'src/*.ts']],
    ['a folder and a deeper one', ['src/a/**'], ['src/a/b/c.ts']],
    ['a doubled slash', ['src//a/*.ts'], ['src/a/b.ts']],
    ['a leading dot and slash', ['./src/a.ts'], ['src/a.ts']],
    ['a folder whose name holds a star', ['packages/*/src/**'], ['packages/core/src/index.ts']],
  ];
  it.each(together)('%s', (_, left, right) => {
    expect(scopesOverlap(left, right)).toBe(true);
    expect(scopesOverlap(right, left)).toBe(true);
  });

  const apart: readonly (readonly [string, readonly string[], readonly string[]])[] = [
    ['two files', ['src/a.ts'], ['src/b.ts']],
    ['two folders', ['src/**'], ['docs/**']],
    ['two endings in one folder', ['src/*.ts'], ['src/*.md']],
    ['a number is not its prefix', ['src/1/**'], ['src/10/**']],
    ['folders apart, files alike', ['src/a/*.ts'], ['src/b/*.ts']],
    ['a prefix is not a folder', ['src/app'], ['src/application.ts']],
    ['two packages', ['packages/core/**'], ['packages/cli/**']],
    ['a question mark is one character', ['src/?.ts'], ['src/ab.ts']],
  ];
  it.each(apart)('not: %s', (_, left, right) => {
    expect(scopesOverlap(left, right)).toBe(false);
    expect(scopesOverlap(right, left)).toBe(false);
  });

  it('takes no longer for patterns made to be slow', () => {
    const slow = `${'**/a*a*a*a*/'.repeat(20)}x`;
    expect(scopesOverlap([slow], [`${'a/'.repeat(60)}y`])).toBe(true);
    expect(scopesOverlap([`z/${slow}`], ['b'.repeat(250)])).toBe(false);
  });
});
