// The agent's tools on a real repository in a folder.
import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Git } from '../../../agent-runner/git/driver.ts';
import { makeBare, makeWorkTree } from '../../../agent-runner/git/repositories.ts';
import { WorkTreePatch } from '../../../agent-runner/git/work-tree-patch.ts';
import { Children } from '../../../agent-runner/process/children.ts';
import type { Workbench } from '../../../agent-runner/tools/tool.ts';
import { toolsOfRole } from '../../../agent-runner/tools/toolbox.ts';
import { temporaryFolder } from './folder.ts';

describe('the tools of an agent', () => {
  const folder = temporaryFolder();
  const path = process.env['PATH'] ?? '';
  const git = new Git(path);
  const bare = join(folder, 'repo.git');
  const repository = join(folder, 'tree');
  const pwned = join(folder, 'pwned');
  const identity = { name: 'Ada', email: 'ada@example.com', date: '2026-11-20T10:00:00Z' };

  let base = '';
  let bench: Workbench;

  const call = async (tool: string, args: object): Promise<string> => {
    const found = toolsOfRole('DEV').find((candidate) => candidate.name === tool);
    if (found === undefined) throw new Error(`no tool ${tool}`);
    return found.call(args, bench);
  };

  const openPatch = async (): Promise<WorkTreePatch> =>
    WorkTreePatch.open(git, { workTree: repository, scratch: join(folder, 'scratch'), baseObjects: join(bare, 'objects'), base });

  beforeAll(async () => {
    const options = await makeBare(git, bare);
    const blob = await git.line(['hash-object', '-w', '--stdin'], { ...options, stdin: 'one\ntwo\nthree\n' });
    const tree = await git.line(['mktree'], { ...options, stdin: `100644 blob ${blob}\ta.txt\n` });
    base = await git.line(['commit-tree', tree, '-m', 'first'], { ...options, identity });
  });

  const freshBench = async (): Promise<void> => {
    await makeWorkTree(git, { bare, repository, commit: base });
    bench = {
      repository,
      children: new Children(),
      env: { PATH: path, HOME: folder },
      git,
      patch: await openPatch(),
      verifyCommands: ['test -f a.txt', 'exit 4'],
      verifyTimeoutMs: 20_000,
      outputBytes: 2_000,
      remainingMs: () => 20_000,
    };
  };

  describe('a work tree', () => {
    beforeEach(freshBench);
    it('is an ordinary repository for every program that finds it by its folder', () => {
      const said = execFileSync('git', ['status', '--short', '--branch'], {
        cwd: repository,
        env: { PATH: path, HOME: folder },
        encoding: 'utf8',
      });
      expect(said).toBe('## task\n');
    });
  });

  describe('the file tools', () => {
    beforeEach(freshBench);
    it('read, write, edit, list and delete', async () => {
      expect(await call('read_file', { path: 'a.txt' })).toBe('one\ntwo\nthree\n');
      expect(await call('read_file', { path: 'a.txt', from_line: 2, lines: 1 })).toBe('two');
      await call('edit_file', { path: 'a.txt', old_text: 'two', new_text: '2 $& $1' });
      await call('write_file', { path: 'deep/b.txt', content: 'b' });
      expect(readFileSync(join(repository, 'a.txt'), 'utf8')).toBe('one\n2 $& $1\nthree\n');
      expect(await call('list_files', {})).toBe('a.txt\ndeep/b.txt');
      expect(await call('list_files', { folder: 'deep' })).toBe('deep/b.txt');
      await call('delete_file', { path: 'deep' });
      expect(await call('list_files', {})).toBe('a.txt');
    });

    it('delete a link and not what it leads to', async () => {
      writeFileSync(join(folder, 'kept'), 'x');
      symlinkSync(join(folder, 'kept'), join(repository, 'link'));
      await call('delete_file', { path: 'link' });
      expect([existsSync(join(repository, 'link')), existsSync(join(folder, 'kept'))]).toEqual([false, true]);
    });

    it('search with extended regular expressions', async () => {
      expect(await call('search', { pattern: 't(wo|hree)' })).toBe('a.txt:2:two\na.txt:3:three\n');
      expect(await call('search', { pattern: 'nowhere' })).toBe('nothing found');
    });

    it('say when text was cut', async () => {
      writeFileSync(join(repository, 'long'), 'x'.repeat(5_000));
      expect(await call('read_file', { path: 'long' })).toContain('cut after 2000 of 5000 bytes');
    });
  });

  describe('the tools refuse', () => {
    beforeAll(async () => {
      await freshBench();
      writeFileSync(join(repository, 'binary'), Buffer.from([1, 0, 2]));
      writeFileSync(join(repository, 'large'), 'x'.repeat(1024 * 1024 + 1));
      execFileSync('mkfifo', [join(repository, 'pipe')]);
      mkdirSync(join(repository, 'folder'));
      symlinkSync(folder, join(repository, 'out'));
    });

    it.each<[string, string, object, string]>([
      ['to read what is not there', 'read_file', { path: 'b.txt' }, 'does not exist'],
      ['to read a folder', 'read_file', { path: '.' }, 'is a folder'],
      ['to read what is binary', 'read_file', { path: 'binary' }, 'is binary'],
      ['to read what is too large', 'read_file', { path: 'large' }, 'at most'],
      ['to read a pipe', 'read_file', { path: 'pipe' }, 'no regular file'],
      ['to write a NUL character', 'write_file', { path: 'b.txt', content: 'a\0b' }, 'NUL'],
      ['to write into the folder of git', 'write_file', { path: '.git/hooks/pre-commit', content: 'x' }, 'git itself'],
      ['to write over a folder', 'write_file', { path: 'folder', content: 'x' }, 'no regular file'],
      ['to write through a link out', 'write_file', { path: 'out/x', content: 'x' }, 'outside'],
      ['to edit what does not occur', 'edit_file', { path: 'a.txt', old_text: 'four', new_text: '' }, 'does not occur'],
      ['to edit what occurs twice', 'edit_file', { path: 'a.txt', old_text: 'e\n', new_text: '' }, '2 times'],
      ['to delete the repository', 'delete_file', { path: '.' }, 'itself'],
      ['to delete what is not there', 'delete_file', { path: 'b.txt' }, 'does not exist'],
      ['arguments that do not fit', 'read_file', { file: 'a.txt' }, 'do not fit'],
      ['a pattern that is none', 'search', { pattern: '(' }, 'search failed'],
      ['to list outside', 'list_files', { folder: '..' }, 'outside'],
      ['to search outside', 'search', { pattern: 'x', folder: '../' }, 'outside'],
      ['to run outside', 'shell', { argv: ['pwd'], folder: '/' }, 'outside'],
    ])('%s', async (_title, tool, args, want) => {
      await expect(call(tool, args)).rejects.toThrow(want);
    });
  });

  describe('git, tests and shell', () => {
    beforeEach(freshBench);
    it('commit locally, and what is handed in is still the difference to the base', async () => {
      await call('write_file', { path: 'b.txt', content: 'b\n' });
      expect(await call('git_status', {})).toContain('?? b.txt');
      await call('git_commit', { message: 'Add b' });
      expect(await call('git_log', {})).toMatch(/agent: Add b\n.*Ada: first/);
      expect(await call('git_diff', {})).toBe('nothing');
      expect(await call('diff', {})).toContain('+++ b/b.txt');
    });

    it('run the verify commands with their exit codes', async () => {
      expect(await call('run_tests', {})).toMatch(/\$ test -f a\.txt\nexit code 0[^$]*\$ exit 4\nexit code 4/);
    });

    it('find the test runner that the repository’s files give away', async () => {
      writeFileSync(join(repository, 'Makefile'), 'test:\n\t@echo made it\n');
      expect(await call('run_tests', { detected: true })).toMatch(/\$ make test\n/);
    });

    it.each<[string, object, string]>([
      ['give exit code and both outputs', { argv: ['sh', '-c', 'echo out; echo err >&2; exit 3'] }, 'exit code 3'],
      ['say what cannot be started', { argv: ['no-such-program'] }, 'ENOENT'],
      ['end by the time limit', { argv: ['sleep', '60'], timeout_seconds: 1 }, 'time limit'],
      ['keep beginning and end of a long output', { argv: ['sh', '-c', 'echo first; seq 10000; echo last'] }, 'bytes left out'],
    ])('%s', async (_title, args, want) => {
      expect(await call('shell', args)).toContain(want);
    });
  });

  describe('the patch of a tree', () => {
    beforeEach(freshBench);
    it('does not run what the tree’s own git configuration names', async () => {
      const script = join(folder, 'run-me');
      writeFileSync(script, `#!/bin/sh\ntouch ${pwned}\ncat\n`);
      chmodSync(script, 0o755);
      writeFileSync(
        join(repository, '.git/config'),
        `[core]\n\trepositoryformatversion = 0\n\tfsmonitor = ${script}\n\thooksPath = ${repository}/hooks\n[filter "x"]\n\tclean = ${script}\n\tsmudge = ${script}\n[diff "x"]\n\ttextconv = ${script}\n\tcommand = ${script}\n`,
      );
      writeFileSync(join(repository, '.gitattributes'), '* filter=x diff=x\n');
      await call('write_file', { path: 'a.txt', content: 'changed\n' });
      expect((await (await openPatch()).diff()).toString('utf8')).toContain('+changed');
      expect(existsSync(pwned)).toBe(false);
    });

    it('holds binary files, programs and links, and applies to the base again', async () => {
      writeFileSync(join(repository, 'image'), Buffer.from([0, 1, 2, 255]));
      writeFileSync(join(repository, 'run.sh'), '#!/bin/sh\n');
      chmodSync(join(repository, 'run.sh'), 0o755);
      symlinkSync('a.txt', join(repository, 'link'));
      const patch = await openPatch();
      expect((await patch.changedFiles()).map((file) => [file.path, file.newMode, file.linkTarget])).toEqual([
        ['image', '100644', undefined],
        ['link', '120000', 'a.txt'],
        ['run.sh', '100755', undefined],
      ]);
      const other = await makeWorkTree(git, { bare, repository: join(folder, 'other'), commit: base });
      await git.run(['apply', '--index', '-'], { ...other, stdin: await patch.diff() });
      expect(readFileSync(join(folder, 'other/image'))).toEqual(Buffer.from([0, 1, 2, 255]));
    });

    it('shows a nested repository as what it is', async () => {
      const nested = join(repository, 'nested');
      await makeWorkTree(git, { bare, repository: nested, commit: base });
      expect((await (await openPatch()).changedFiles()).map((file) => file.newMode)).toEqual(['160000']);
    });

    it('leaves out what tools leave behind, even without a .gitignore', async () => {
      mkdirSync(join(repository, '__pycache__'));
      writeFileSync(join(repository, '__pycache__/a.pyc'), 'x');
      expect((await (await openPatch()).diff()).length).toBe(0);
    });
  });

  describe('the tools of a role', () => {
    const all = toolsOfRole('DEV').map((tool) => tool.name);
    it.each<[string, readonly string[]]>([
      ['ARCHITECT', ['write_file', 'edit_file', 'delete_file', 'make_folder', 'git_commit', 'run_tests', 'shell']],
      ['QA', ['git_commit']],
      ['DEV', []],
      ['DATA', []],
      ['SOMETHING-ELSE', []],
      ['constructor', []],
    ])('%s is without exactly %j', (role, without) => {
      expect(toolsOfRole(role).map((tool) => tool.name)).toEqual(all.filter((name) => !without.includes(name)));
    });
  });
});
