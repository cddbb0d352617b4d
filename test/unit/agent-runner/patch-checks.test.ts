import { describe, expect, it } from 'vitest';
import type { ChangedFile } from '../../../agent-runner/git/changed-files.ts';
import { patchRefusal, type PatchLimits } from '../../../agent-runner/git/patch-checks.ts';

const file = (path: string, more: Partial<ChangedFile> = {}): ChangedFile => ({
  path,
  oldMode: '000000',
  newMode: '100644',
  insertions: 1,
  deletions: 0,
  ...more,
});
const link = (path: string, linkTarget: string): ChangedFile => file(path, { newMode: '120000', linkTarget });
const limits: PatchLimits = {
  patchBytes: 1_000,
  patchFiles: 3,
  protectedPaths: ['.gitattributes', '.github/**', 'ci/'],
  fileScope: [],
};
const scope = (...fileScope: readonly string[]): PatchLimits => ({ ...limits, fileScope });

interface Case {
  readonly title: string;
  readonly files: readonly ChangedFile[];
  readonly bytes?: number;
  readonly limits?: PatchLimits;
  readonly want: string | undefined;
}

const cases: readonly Case[] = [
  { title: 'a new file is fine', files: [file('src/a.js')], want: undefined },
  {
    title: 'a deletion and a program are fine',
    files: [file('a', { newMode: '000000' }), file('b', { newMode: '100755' })],
    want: undefined,
  },
  { title: 'no file is no change', files: [], want: 'NoChange' },
  { title: 'as many bytes as are allowed are fine', files: [file('a')], bytes: 1_000, want: undefined },
  { title: 'one byte more is too large', files: [file('a')], bytes: 1_001, want: 'TooLarge' },
  { title: 'as many files as are allowed are fine', files: ['a', 'b', 'c'].map((path) => file(path)), want: undefined },
  { title: 'one file more is too large', files: ['a', 'b', 'c', 'd'].map((path) => file(path)), want: 'TooLarge' },
  { title: 'a submodule is refused', files: [file('sub', { newMode: '160000' })], want: 'PatchInvalid' },
  {
    title: 'the removal of a submodule is refused',
    files: [file('sub', { oldMode: '160000', newMode: '000000' })],
    want: 'PatchInvalid',
  },
  { title: 'a link to a file beside it is fine', files: [link('src/b.js', 'a.js')], want: undefined },
  { title: 'a link to a file elsewhere inside is fine', files: [link('src/deep/b.js', '../../docs/a.md')], want: undefined },
  { title: 'an absolute link is refused', files: [link('src/b', '/etc/passwd')], want: 'PatchInvalid' },
  { title: 'a link above the repository is refused', files: [link('src/b', '../../x')], want: 'PatchInvalid' },
  { title: 'a link into the folder of git is refused', files: [link('hooks', '.GIT/hooks')], want: 'PatchInvalid' },
  { title: 'a line break in a name is refused', files: [file('a\nb')], want: 'PatchInvalid' },
  { title: 'a path of git itself is refused', files: [file('sub/.Git/config')], want: 'PatchInvalid' },
  { title: 'a protected file is refused', files: [file('.gitattributes')], want: 'ProtectedPath' },
  { title: 'a protected folder is refused in its depth', files: [file('.github/workflows/x.yml')], want: 'ProtectedPath' },
  { title: 'a protected folder written with a slash is refused', files: [file('ci/run.sh')], want: 'ProtectedPath' },
  { title: 'other letters do not get around a protection', files: [file('.GitHub/workflows/x.yml')], want: 'ProtectedPath' },
  {
    title: 'deleting a protected file is refused',
    files: [file('.gitattributes', { oldMode: '100644', newMode: '000000' })],
    want: 'ProtectedPath',
  },
  { title: 'a name that only contains a protected one is fine', files: [file('docs/.gitattributes.md')], want: undefined },
  { title: 'a path in the scope is fine', files: [file('src/deep/a.js')], limits: scope('src/**'), want: undefined },
  { title: 'a hidden file in the scope is fine', files: [file('src/.eslintrc')], limits: scope('src/**'), want: undefined },
  {
    title: 'a path outside of the scope is refused',
    files: [file('src/a.js'), file('README.md')],
    limits: scope('src/**'),
    want: 'OutOfScope',
  },
  { title: 'a scope is matched with its letters', files: [file('SRC/a.js')], limits: scope('src/**'), want: 'OutOfScope' },
  {
    title: 'a file as a scope is that file alone',
    files: [file('README.md.js')],
    limits: scope('README.md'),
    want: 'OutOfScope',
  },
  {
    title: 'an exclamation mark does not turn a scope around',
    files: [file('a.js')],
    limits: scope('!src/**'),
    want: 'OutOfScope',
  },
  {
    title: 'what is protected stays protected in the scope',
    files: [file('ci/run.sh')],
    limits: scope('**'),
    want: 'ProtectedPath',
  },
];

describe('patchRefusal', () => {
  it.each(cases)('$title', ({ files, bytes = 10, limits: given = limits, want }) => {
    expect(patchRefusal(files, bytes, given)?.reason).toBe(want);
  });
});
