import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { nameInside, pathInside } from '../../../agent-runner/tools/repository-path.ts';
import { temporaryFolder } from './folder.ts';

const folder = temporaryFolder();
const root = join(folder, 'repo');
mkdirSync(join(root, 'src'), { recursive: true });
mkdirSync(join(root, '.git'));
mkdirSync(join(folder, 'repo-beside'));
writeFileSync(join(root, 'src/a.js'), 'a');
writeFileSync(join(folder, 'secret'), 'secret');
symlinkSync('src', join(root, 'inner'));
symlinkSync('..', join(root, 'up'));
symlinkSync('/etc', join(root, 'etc'));
symlinkSync('nowhere', join(root, 'dangling'));
symlinkSync('.git', join(root, 'store'));
symlinkSync('../../secret', join(root, 'src/link'));
symlinkSync('loop', join(root, 'loop'));

describe('pathInside', () => {
  it.each([
    ['a file', 'src/a.js', 'src/a.js'],
    ['the repository itself', '.', '.'],
    ['a file that is not there yet, in folders that are not there yet', 'new/folder/b.js', 'new/folder/b.js'],
    ['dots that stay inside', 'src/../src/./a.js', 'src/a.js'],
    ['an absolute path into the repository', join(root, 'src/a.js'), 'src/a.js'],
    ['a link to a folder inside is followed', 'inner/a.js', 'src/a.js'],
    ['a name that only begins with dots', '..src', '..src'],
    ['a name that only begins like git’s', '.gitignore', '.gitignore'],
  ])('%s', async (_title, path, want) => {
    expect(await pathInside(root, path)).toBe(join(root, want));
  });

  it.each([
    ['a path above', '../secret', 'outside'],
    ['a path above, further in', 'src/../../secret', 'outside'],
    ['an absolute path elsewhere', '/etc/passwd', 'outside'],
    ['a folder beside whose name begins the same', '../repo-beside/x', 'outside'],
    ['a link to the folder above', 'up/secret', 'outside'],
    ['a link to an absolute path', 'etc/passwd', 'outside'],
    ['a file that is a link out', 'src/link', 'outside'],
    ['a file that would be made behind a link out', 'etc/new/file', 'outside'],
    ['a link that leads nowhere', 'dangling', 'nowhere'],
    ['a link to itself', 'loop/x', 'nowhere'],
    ['the folder of git', '.git/config', 'git'],
    ['the folder of git in other letters', '.GIT/hooks/pre-commit', 'git'],
    ['a nested folder of git', 'src/.git/config', 'git'],
    ['a link to the folder of git', 'store/config', 'git'],
    ['a file as a folder', 'src/a.js/b', 'not a folder'],
    ['a NUL character', 'src/a.js\0.txt', 'NUL'],
    ['a path that is too long', 'a/'.repeat(600), 'at most'],
  ])('refuses %s', async (_title, path, want) => {
    await expect(pathInside(root, path)).rejects.toThrow(want);
  });
});

describe('nameInside', () => {
  it('does not follow the last part, so that a link can be deleted', async () => {
    expect(await nameInside(root, 'src/link')).toBe(join(root, 'src/link'));
  });
  it.each([
    ['the repository itself', '.', 'itself'],
    ['what lies behind a link out', 'etc/passwd', 'outside'],
    ['the folder of git', '.git', 'git'],
  ])('refuses %s', async (_title, path, want) => {
    await expect(nameInside(root, path)).rejects.toThrow(want);
  });
});
