// What is written for others to read: findings, commit messages, and the names that go into git's argv.
import { describe, expect, it } from 'vitest';
import { withoutThinking } from '../../../agent/model.ts';
import { findingText } from '../../../agent-runner/finding-file.ts';
import { branchRef, commitId, refCandidates } from '../../../agent-runner/git/names.ts';
import { commitMessage } from '../../../agent-runner/git/story-commits.ts';
import { loadedLibraries, soname } from '../../../agent-runner/steps/runner.ts';
import { parseFinding, type Finding } from '../../../crds/contracts/findings.ts';

describe('findingText', () => {
  const commands = Array.from({ length: 8 }, () => ({ command: 'ü'.repeat(120), exitCode: 1, durationMs: 1 }));
  it.each<[string, Finding]>([
    ['is kept when it is short', { step: 'work', outcome: 'ok', summary: 'Done.' }],
    ['is cut when its texts are long', { step: 'work', outcome: 'ok', message: 'm'.repeat(4_000), summary: 's'.repeat(4_000) }],
    ['counts bytes, not characters', { step: 'report', outcome: 'failed', message: '🙂'.repeat(200), summary: '語'.repeat(400) }],
    [
      'leaves commands out when nothing else helps',
      { step: 'verify', outcome: 'failed', reason: 'VerifyFailed', message: '語'.repeat(400), commands },
    ],
  ])('%s', (_title, finding) => {
    const text = findingText(finding);
    expect(Buffer.byteLength(text)).toBeLessThanOrEqual(1_700);
    expect(parseFinding(finding.step, text)).toMatchObject({ step: finding.step, outcome: finding.outcome });
  });
});

describe('commitMessage', () => {
  const words = {
    title: 'Add  a\nthing',
    summary: '',
    story: 'uid',
    plan: 'sha256:p',
    task: 't-1',
    attempt: 2,
    evidence: 'sha256:e',
  };
  const trailers =
    'Swefleet-Story: uid\nSwefleet-Plan: sha256:p\nSwefleet-Task: t-1\nSwefleet-Attempt: 2\nSwefleet-Evidence: sha256:e\n';
  it.each([
    ['has a title of one line and the trailers', '', `Add a thing\n\n${trailers}`],
    ['has the summary between them', 'It works.', `Add a thing\n\nIt works.\n\n${trailers}`],
    [
      'marks what imitates a trailer',
      'Fine.\n\nSwefleet-Task: other',
      `Add a thing\n\nFine.\n\n> Swefleet-Task: other\n\n${trailers}`,
    ],
    ['has no control characters', 'a\u0000b\u001b[31mc\r\nd', `Add a thing\n\nab[31mc\nd\n\n${trailers}`],
  ])('%s', (_title, summary, want) => {
    expect(commitMessage({ ...words, summary })).toBe(want);
  });
});

describe('names for git', () => {
  it('takes a story branch', () => expect(branchRef('fleet/demo/say-goodbye')).toBe('refs/heads/fleet/demo/say-goodbye'));
  it.each([
    'main',
    'fleet/demo',
    'fleet/demo/a/b',
    '--upload-pack=x',
    'fleet/-x/a',
    'fleet/demo/a..b',
    'fleet/demo/a.lock',
    'fleet/demo/a b',
    'fleet/demo/a:b',
    'fleet/demo/*',
  ])('refuses %s as a branch', (branch) => expect(() => branchRef(branch)).toThrow('not a story branch'));
  it.each(['HEAD', '-x', 'a'.repeat(39), `${'a'.repeat(40)}^`, 'A'.repeat(40)])('refuses %s as a commit', (commit) =>
    expect(() => commitId(commit)).toThrow('not a commit id'),
  );
});

describe('refCandidates', () => {
  it.each([
    ['main', ['refs/heads/main', 'refs/tags/main']],
    ['release/1.x', ['refs/heads/release/1.x', 'refs/tags/release/1.x']],
    ['refs/pull/1/head', ['refs/pull/1/head']],
    ['HEAD', ['HEAD']],
  ])('of %s are %j', (ref, want) => expect(refCandidates(ref)).toEqual(want));
  it.each(['', '-x', '--upload-pack=x', 'a..b', 'a//b', 'a/.b', 'a.lock', 'a/', 'a b', 'a:b', 'a*', 'a^', '+a'])(
    'refuses %j',
    (ref) => expect(() => refCandidates(ref)).toThrow('not a ref'),
  );
});

describe('withoutThinking', () => {
  it.each([
    ['leaves a plain text alone', 'Done.', 'Done.'],
    ['takes a block out', '<think>hm</think>Done.', 'Done.'],
    ['takes a block out whose beginning the template ate', 'hm\n</think>\nDone.', 'Done.'],
    ['takes a block out that was cut', 'So: <think>hm', 'So:'],
    ['takes several out', '<think>a</think>x<think>b</think>y', 'xy'],
  ])('%s', (_title, text, want) => expect(withoutThinking(text)).toBe(want));
});

describe('the runner’s libraries', () => {
  const maps = [
    '7f00-7f01 r-xp 0 08:01 1 /usr/lib/x86_64-linux-gnu/libstdc++.so.6.0.30',
    '7f02-7f03 r--p 0 08:01 1 /usr/lib/x86_64-linux-gnu/libstdc++.so.6.0.30',
    '7f04 r-xp 0 08:01 2 /lib/libgcc_s.so.1',
    '7f05 r-xp 0 08:01 3 /lib/x86_64-linux-gnu/libc.so.6',
    '7f06 rw-p 0 00:00 0 [heap]',
    '7f07 r-xp 0 08:01 4 /usr/lib/libatomic.so.1.2.0',
  ].join('\n');
  it('are those of C++ and never glibc', () => {
    expect(loadedLibraries(maps).map(soname)).toEqual(['libstdc++.so.6', 'libgcc_s.so.1', 'libatomic.so.1']);
  });
});
