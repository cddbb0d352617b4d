// git itself, as a workspace runs it, through the gateway to a real git server: what comes through and what is refused.

import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Step } from '../../../crds/contracts/steps.ts';
import { pod } from '../../builders/workspaces.ts';
import { COURIER_JOB, COURIER_POD, GIT_CREDENTIALS, openStage, storyAt, type Stage } from './stage.ts';

const execute = promisify(execFile);
const BRANCH = 'fleet/shop/login';
const ZERO = '0'.repeat(40);

const ENVIRONMENT = {
  PATH: process.env['PATH'],
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_TERMINAL_PROMPT: '0',
  GIT_AUTHOR_NAME: 'Ada',
  GIT_AUTHOR_EMAIL: 'ada@example.com',
  GIT_COMMITTER_NAME: 'Ada',
  GIT_COMMITTER_EMAIL: 'ada@example.com',
};

interface End {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

describe('git through the gateway', () => {
  let stage: Stage;
  let folder: string;
  let work: string;
  let base: string;

  const git = async (cwd: string, ...args: readonly string[]): Promise<End> => {
    try {
      const { stdout, stderr } = await execute('git', args, { cwd, env: ENVIRONMENT });
      return { code: 0, out: stdout.trim(), err: stderr };
    } catch (error) {
      const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
      return { code, out: stdout, err: stderr };
    }
  };

  const through = (step: Step, ...more: readonly string[]): readonly string[] => [
    ...['-c', `http.sslCAInfo=${stage.caFile}`, '-c', 'protocol.version=2', ...more],
    ...['-c', `http.extraHeader=Authorization: Bearer ${stage.token(step)}`],
  ];
  const url = (): string => `${stage.url}/git`;
  const bare = (): string => join(stage.gitRoot, 'team/app.git');
  const served = async (ref: string): Promise<string> => (await git(bare(), 'rev-parse', '--verify', '--quiet', ref)).out;

  const commit = async (text: string): Promise<string> => {
    await writeFile(join(work, 'README.md'), text);
    await git(work, 'commit', '--quiet', '--all', '--message', text);
    return (await git(work, 'rev-parse', 'HEAD')).out;
  };

  /** What the kubelet would report of the courier's merge step. */
  const mergeFound = (finding: object): void => stage.seen(pod(COURIER_JOB, { merge: { finding } }, { phase: 'Running' }));

  const push = (refspec: string, ...more: readonly string[]): Promise<End> =>
    git(work, ...through('push'), 'push', ...more, url(), ...refspec.split(' '));

  beforeAll(async () => {
    stage = await openStage();
    folder = await mkdtemp(join(tmpdir(), 'swe-fleet-git-'));
  });

  afterAll(async () => {
    await stage.close();
    await rm(folder, { recursive: true, force: true });
  });

  beforeEach(async () => {
    work = await mkdtemp(join(folder, 'work-'));
    await rm(bare(), { recursive: true, force: true });
    await git(work, 'init', '--quiet', '--initial-branch=main');
    await writeFile(join(work, 'README.md'), 'first\n');
    await git(work, 'add', '--all');
    await git(work, 'commit', '--quiet', '--message', 'First');
    await git(work, 'tag', '--annotate', 'v1', '--message', 'First version');
    await git(folder, 'clone', '--quiet', '--bare', work, bare());
    base = (await git(work, 'rev-parse', 'HEAD')).out;
    stage.seen(storyAt(`https://localhost:${stage.git.port}/team/app.git`));
    stage.seen(COURIER_POD);
  });

  describe('a fetch', () => {
    it('clones by protocol v2', async () => {
      const end = await git(folder, ...through('checkout'), 'clone', '--quiet', url(), join(work, 'clone'));
      expect(end).toMatchObject({ code: 0 });
      expect((await git(join(work, 'clone'), 'rev-parse', 'HEAD')).out).toBe(base);
    });

    it('clones by protocol v0', async () => {
      const end = await git(
        folder,
        ...through('merge', '-c', 'protocol.version=0'),
        'clone',
        '--quiet',
        url(),
        join(work, 'clone'),
      );
      expect(end).toMatchObject({ code: 0 });
    });

    it('takes the token as the password of Basic, asked for by a challenge', async () => {
      const open = url().replace('https://', `https://fleet:${encodeURIComponent(stage.token('checkout'))}@`);
      const end = await git(folder, '-c', `http.sslCAInfo=${stage.caFile}`, 'clone', '--quiet', open, join(work, 'clone'));
      expect(end).toMatchObject({ code: 0 });
    });

    it('sends many haves, which git compresses', async () => {
      const clone = join(work, 'clone');
      await git(folder, ...through('checkout'), 'clone', '--quiet', url(), clone);
      for (let at = 0; at < 40; at += 1) await git(clone, 'commit', '--quiet', '--allow-empty', '--message', `local ${at}`);
      await git(work, 'push', '--quiet', bare(), `${await commit('more\n')}:refs/heads/main`);
      const end = await git(clone, ...through('checkout'), 'fetch', '--quiet', 'origin', 'main');
      expect(end).toMatchObject({ code: 0 });
    });

    it.each(['work', 'setup', 'verify-setup', 'report', 'push'] as const)('is refused to step %s', async (step) => {
      const end = await git(folder, ...through(step), 'ls-remote', url());
      expect(end.code).not.toBe(0);
      expect(end.err).toContain('403');
    });

    it('is refused when the repository is in no row of the table', async () => {
      stage.seen(storyAt(`https://localhost:${stage.git.port}/other/app.git`));
      const end = await git(folder, ...through('checkout'), 'ls-remote', url());
      expect(end.err).toContain('403');
      expect(stage.log.lines.at(-1)?.fields).toMatchObject({ code: 'RepositoryNotListed', namespace: 'shop', step: 'checkout' });
    });

    it('is answered 404 when the server has no such repository', async () => {
      stage.seen(storyAt(`https://localhost:${stage.git.port}/team/none.git`));
      const answer = await stage.ask('/git/info/refs?service=git-upload-pack', { token: stage.token('checkout') });
      expect(answer).toMatchObject({ status: 404, json: { error: { code: 'RepositoryNotFound' } } });
    });

    it('says nothing of the credentials that the git server refuses', async () => {
      const file = join(stage.folder, 'upstreams/git/credentials/password');
      await writeFile(file, 'wrong-password');
      const answer = await stage.ask('/git/info/refs?service=git-upload-pack', { token: stage.token('checkout') });
      await writeFile(file, GIT_CREDENTIALS.password);
      expect(answer).toMatchObject({ status: 502, json: { error: { code: 'RepositoryDenied' } } });
      expect(answer.headers['www-authenticate']).toBeUndefined();
      expect(answer.body.toString()).not.toContain('wrong-password');
    });

    it.each(['?service=git-upload-archive', '?service=git-upload-pack&x=1', '', '?service=git-upload-pack%20'])(
      'has no route with query "%s"',
      async (query) => {
        expect(await stage.ask(`/git/info/refs${query}`, { token: stage.token('checkout') })).toMatchObject({ status: 404 });
      },
    );
  });

  describe('a push', () => {
    it('of the commit that merge made creates the branch', async () => {
      const made = await commit('done\n');
      mergeFound({ base, head: base, commit: made });
      expect(await push(`${made}:refs/heads/${BRANCH}`)).toMatchObject({ code: 0 });
      expect(await served(`refs/heads/${BRANCH}`)).toBe(made);
      expect(await served('refs/heads/main')).toBe(base);
    });

    it('of a large pack, which git sends in chunks after a probe', async () => {
      const made = await commit(Array.from({ length: 200_000 }, (_, at) => `${at} ${Math.sin(at)}`).join('\n'));
      mergeFound({ base, head: base, commit: made });
      const end = await git(
        work,
        ...through('push', '-c', 'http.postBuffer=65536'),
        'push',
        url(),
        `${made}:refs/heads/${BRANCH}`,
      );
      expect(end).toMatchObject({ code: 0 });
      expect(await served(`refs/heads/${BRANCH}`)).toBe(made);
    });

    it('moves the branch from where merge saw it', async () => {
      const first = await commit('one\n');
      await git(work, 'push', '--quiet', bare(), `${first}:refs/heads/${BRANCH}`);
      const second = await commit('two\n');
      mergeFound({ base, head: first, commit: second });
      expect(await push(`${second}:refs/heads/${BRANCH}`)).toMatchObject({ code: 0 });
      expect(await served(`refs/heads/${BRANCH}`)).toBe(second);
    });

    it('waits for the finding of merge, which the kubelet reports late', async () => {
      const made = await commit('late\n');
      const pushing = push(`${made}:refs/heads/${BRANCH}`);
      await expect.poll(() => stage.gitRequests.some(({ path }) => path.endsWith('/info/refs'))).toBe(true);
      mergeFound({ base, head: base, commit: made });
      expect(await pushing).toMatchObject({ code: 0 });
    });

    const refusedCases: readonly { readonly why: string; readonly refspec: (made: string) => string; readonly want: RegExp }[] = [
      { why: 'of another branch', refspec: (made) => `${made}:refs/heads/main`, want: /403/ },
      { why: 'of a tag', refspec: (made) => `${made}:refs/tags/v2`, want: /403/ },
      { why: 'of two refs', refspec: (made) => `${made}:refs/heads/${BRANCH} ${made}:refs/heads/other`, want: /403/ },
      { why: 'of another commit', refspec: () => `${base}:refs/heads/${BRANCH}`, want: /403/ },
    ];
    it.each(refusedCases)('$why is refused and changes nothing', async ({ refspec, want }) => {
      const made = await commit('refused\n');
      mergeFound({ base, head: base, commit: made });
      const before = stage.gitRequests.length;
      const end = await push(refspec(made));
      expect(end.code).not.toBe(0);
      expect(end.err).toMatch(want);
      expect(await served('refs/heads/main')).toBe(base);
      expect(await served(`refs/heads/${BRANCH}`)).toBe('');
      expect(stage.gitRequests.slice(before).filter(({ method }) => method === 'POST')).toEqual([]);
    });

    it('that deletes the branch is refused', async () => {
      const made = await commit('keep\n');
      await git(work, 'push', '--quiet', bare(), `${made}:refs/heads/${BRANCH}`);
      mergeFound({ base, head: made, commit: made });
      const end = await push(`:refs/heads/${BRANCH}`);
      expect(end.err).toMatch(/403/);
      expect(await served(`refs/heads/${BRANCH}`)).toBe(made);
    });

    it('onto a branch that moved meanwhile is refused, by gateway or server', async () => {
      const first = await commit('one\n');
      const second = await commit('two\n');
      await git(work, 'push', '--quiet', bare(), `${second}:refs/heads/${BRANCH}`);
      mergeFound({ base, head: first, commit: first });
      const end = await push(`${first}:refs/heads/${BRANCH}`, '--force');
      expect(end.err).toMatch(/403/);
      expect(await served(`refs/heads/${BRANCH}`)).toBe(second);
    });

    it('with a stale old value that merge saw too is refused by the server', async () => {
      const first = await commit('one\n');
      const other = await commit('other\n');
      const made = await commit('made\n');
      await git(work, 'push', '--quiet', bare(), `${other}:refs/heads/${BRANCH}`);
      mergeFound({ base, head: first, commit: made });
      const list = `${first} ${made} refs/heads/${BRANCH}\0 report-status`;
      const line = `${(list.length + 4).toString(16).padStart(4, '0')}${list}0000`;
      const pack = await packOf(made);
      const answer = await stage.ask('/git/git-receive-pack', {
        ...{ method: 'POST', token: stage.token('push'), body: gzipSync(Buffer.concat([Buffer.from(line), pack])) },
        headers: { 'content-type': 'application/x-git-receive-pack-request', 'content-encoding': 'gzip' },
      });
      expect(answer.status).toBe(200);
      expect(answer.body.toString()).toContain(`ng refs/heads/${BRANCH}`);
      expect(await served(`refs/heads/${BRANCH}`)).toBe(other);
    });

    it('with push options is refused', async () => {
      await git(bare(), 'config', 'receive.advertisePushOptions', 'true');
      const made = await commit('options\n');
      mergeFound({ base, head: base, commit: made });
      const end = await push(`${made}:refs/heads/${BRANCH}`, '--push-option=ci.skip');
      expect(end.err).toMatch(/403/);
      expect(await served(`refs/heads/${BRANCH}`)).toBe('');
    });

    it('after a merge that failed is refused', async () => {
      const made = await commit('failed\n');
      mergeFound({ outcome: 'failed', reason: 'Conflict', commit: made });
      const end = await push(`${made}:refs/heads/${BRANCH}`);
      expect(end.err).toMatch(/403/);
    });

    it('is refused to the step that merged', async () => {
      const made = await commit('merge\n');
      mergeFound({ base, head: base, commit: made });
      const end = await git(work, ...through('merge'), 'push', url(), `${made}:refs/heads/${BRANCH}`);
      expect(end.err).toMatch(/403/);
    });

    it('that is no push at all is refused', async () => {
      mergeFound({ base, head: base, commit: base });
      const send = (body: string): Promise<{ status: number }> =>
        stage.ask('/git/git-receive-pack', { method: 'POST', token: stage.token('push'), body });
      expect(await send('0000')).toMatchObject({ status: 200 });
      expect(await send('')).toMatchObject({ status: 400 });
      expect(await send('zzzz')).toMatchObject({ status: 400 });
      expect(await send('0000PACK')).toMatchObject({ status: 403 });
      expect(await send(`00${(ZERO.length + 4).toString(16)}${ZERO}`)).toMatchObject({ status: 403 });
    });

    const packOf = async (id: string): Promise<Buffer> => {
      const child = execFile('git', ['pack-objects', '--revs', '--stdout', '--quiet'], {
        cwd: work,
        env: ENVIRONMENT,
        encoding: 'buffer',
      });
      const chunks: Buffer[] = [];
      child.stdout?.on('data', (chunk: Buffer) => chunks.push(chunk));
      child.stdin?.end(`${id}\n`);
      await new Promise((resolve) => child.once('close', resolve));
      return Buffer.concat(chunks);
    };
  });

  it('tells of refusals in the log without a token', () => {
    const lines = stage.log.lines.filter(({ message }) => message === 'refused');
    expect(lines.length).toBeGreaterThan(10);
    expect(lines.every(({ fields }) => typeof fields['code'] === 'string')).toBe(true);
    const text = JSON.stringify(stage.log.lines);
    expect(text).not.toContain(GIT_CREDENTIALS.password);
    expect(text).not.toMatch(/eyJ/);
    expect(text).toContain(COURIER_POD.metadata.uid);
  });
});
