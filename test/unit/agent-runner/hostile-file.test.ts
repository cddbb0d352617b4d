import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readFinding } from '../../../agent-runner/finding-file.ts';
import { readHostile } from '../../../agent-runner/hostile-file.ts';
import { writeOwnFile } from '../../../agent-runner/own-file.ts';
import { temporaryFolder } from './folder.ts';

const folder = temporaryFolder();
const at = (name: string): string => join(folder, name);
writeFileSync(at('plain'), 'text');
writeFileSync(at('large'), 'x'.repeat(101));
writeFileSync(at('limit'), 'x'.repeat(100));
symlinkSync('/etc/passwd', at('link'));
mkdirSync(at('folder'));
execFileSync('mkfifo', [at('pipe')]);

describe('readHostile', () => {
  it.each([
    ['a file', 'plain', 'read'],
    ['a file as large as is allowed', 'limit', 'read'],
    ['a file that is too large', 'large', 'refused'],
    ['a link', 'link', 'refused'],
    ['a folder', 'folder', 'refused'],
    ['a pipe that nobody writes', 'pipe', 'refused'],
    ['a device', '/dev/zero', 'refused'],
    ['nothing', 'absent', 'absent'],
  ])('%s is %3$s', async (_title, name, want) => {
    expect((await readHostile(name.startsWith('/') ? name : at(name), 100)).kind).toBe(want);
  });
});

describe('a finding file', () => {
  const text = JSON.stringify({ step: 'verify', outcome: 'ok', passed: 1, failed: 0 });
  it.each<[string, (file: string) => void]>([
    ['nothing', () => undefined],
    ['a link out', (file) => symlinkSync(at('plain'), file)],
    ['a folder with content', (file) => void (mkdirSync(file), writeFileSync(join(file, 'x'), 'x'))],
    [
      'a folder that nobody may enter',
      (file) => {
        mkdirSync(join(file, 'deep'), { recursive: true });
        chmodSync(join(file, 'deep'), 0o000);
        chmodSync(file, 0o000);
      },
    ],
    ['a pipe', (file) => void execFileSync('mkfifo', [file])],
    ['another finding', (file) => writeFileSync(file, '{"step":"verify","outcome":"failed"}')],
  ])('replaces %s', async (title, plant) => {
    const file = at(`finding-${title.replaceAll(' ', '-')}`);
    plant(file);
    await writeOwnFile(file, text);
    expect(await readFinding('verify', file)).toEqual({ step: 'verify', outcome: 'ok', passed: 1, failed: 0 });
    expect(readFileSync(at('plain'), 'utf8')).toBe('text');
  });

  it.each([
    ['another step’s', '{"step":"work","outcome":"ok"}'],
    ['an unknown outcome', '{"step":"verify","outcome":"great"}'],
    ['an unknown reason', '{"step":"verify","outcome":"failed","reason":"Whatever"}'],
    ['no JSON', 'ok'],
    ['more than a finding can have', `{"step":"verify","outcome":"ok","message":"${'x'.repeat(10_000)}"}`],
  ])('with %s is none', async (_title, content) => {
    writeFileSync(at('other'), content);
    expect(await readFinding('verify', at('other'))).toBeUndefined();
  });
});
