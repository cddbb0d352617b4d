// What the gateway vouches for, and for whom: reports whose artifacts it holds, pushes whose commit is on the branch of a real git server.

import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { sha256 } from '../../../crds/canonical.ts';
import { KV_BUCKETS } from '../../../crds/contracts/commands.ts';
import { audienceOf } from '../../../crds/contracts/steps.ts';
import { RepositoryRefs } from '../../../gateway/git/repository-refs.ts';
import { HttpOutside } from '../../../gateway/upstream/http-upstream.ts';
import { MountedSecrets } from '../../../gateway/upstream/secrets.ts';
import { pod } from '../../builders/workspaces.ts';
import { task, work as planned } from '../../builders/objects.ts';
import {
  ATTEMPT_JOB,
  ATTEMPT_POD,
  COURIER_JOB,
  COURIER_POD,
  gitRow,
  openStage,
  storyAt,
  taskWith,
  WORKSPACE_ACCOUNT,
  type Answer,
  type Stage,
} from './stage.ts';

const execute = promisify(execFile);
const BRANCH = 'fleet/shop/login';
const DEADBEEF = 'deadbeef'.repeat(5);

const ENVIRONMENT = {
  ...{ PATH: process.env['PATH'], GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_NOSYSTEM: '1' },
  ...{ GIT_AUTHOR_NAME: 'Ada', GIT_AUTHOR_EMAIL: 'ada@example.com' },
  ...{ GIT_COMMITTER_NAME: 'Ada', GIT_COMMITTER_EMAIL: 'ada@example.com' },
};

describe('a receipt', () => {
  let stage: Stage;
  let folder: string;
  let work: string;
  let base: string;

  const git = async (cwd: string, ...args: readonly string[]): Promise<string> =>
    (await execute('git', args, { cwd, env: ENVIRONMENT })).stdout.trim();
  const bare = (): string => join(stage.gitRoot, 'team/app.git');
  const commit = async (text: string): Promise<string> => {
    await writeFile(join(work, 'README.md'), text);
    await git(work, 'commit', '--quiet', '--all', '--message', text);
    return git(work, 'rev-parse', 'HEAD');
  };
  /** Puts a commit of the work tree on the server's story branch. */
  const land = (id: string): Promise<string> => git(work, 'push', '--quiet', '--force', bare(), `${id}:refs/heads/${BRANCH}`);

  const claim = (step: 'report' | 'push', body: object): Promise<Answer> =>
    stage.ask('/v1/receipt', { method: 'PUT', token: stage.token(step), body: JSON.stringify(body) });
  const mergeFound = (finding: object): void => stage.seen(pod(COURIER_JOB, { merge: { finding } }, { phase: 'Running' }));
  const kept = async (jobUid: string): Promise<unknown> => {
    const bucket = await (await stage.link.session()).bucket(KV_BUCKETS.receipts);
    const entry = await bucket.get(jobUid);
    return entry === null ? undefined : entry.json();
  };
  const stored = async (text: string): Promise<string> => {
    const digest = sha256(Buffer.from(text));
    await stage.ask(`/v1/artifacts/${digest}`, { method: 'PUT', token: stage.token('report'), body: text });
    return digest;
  };

  beforeAll(async () => {
    stage = await openStage();
    folder = await mkdtemp(join(tmpdir(), 'swe-fleet-receipts-'));
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
    await git(folder, 'clone', '--quiet', '--bare', work, bare());
    base = await git(work, 'rev-parse', 'HEAD');
    stage.seen(storyAt(`https://localhost:${stage.git.port}/team/app.git`));
    for (const object of [taskWith(), ATTEMPT_JOB, COURIER_JOB, ATTEMPT_POD, COURIER_POD]) stage.seen(object);
  });

  describe('of a report', () => {
    it('is kept under the uid of its Job, with what it says', async () => {
      const [patch, evidence] = [await stored('a patch'), await stored('its evidence')];
      expect((await claim('report', { patch, evidence, base })).status).toBe(200);
      expect(await kept(ATTEMPT_JOB.metadata.uid)).toEqual({ kind: 'report', patch, evidence, base });
    });

    it('is refused for artifacts that nobody stored', async () => {
      const patch = await stored('a patch');
      const answer = await claim('report', { patch, evidence: sha256(Buffer.from('never stored')), base });
      expect([answer.status, answer.json]).toMatchObject([404, { error: { code: 'ArtifactLost' } }]);
    });

    it.each([
      ['no base', { patch: sha256(Buffer.from('a patch')) }],
      ['a push', { commit: DEADBEEF }],
      ['nothing', {}],
    ])('is refused for a body with %s', async (_, body) => {
      const answer = await claim('report', body);
      expect([answer.status, answer.json]).toMatchObject([400, { error: { code: 'ClaimInvalid' } }]);
    });
  });

  describe('of a push', () => {
    it('is kept when the commit is the head of the branch', async () => {
      const pushed = await commit('second\n');
      await land(pushed);
      mergeFound({ base, head: base, commit: pushed });
      expect((await claim('push', { commit: pushed })).status).toBe(200);
      expect(await kept(COURIER_JOB.metadata.uid)).toEqual({ kind: 'push', commit: pushed });
    });

    it('is kept when others have pushed on top of the commit', async () => {
      const landed = await commit('second\n');
      await commit('third\n');
      await land(await commit('fourth\n'));
      mergeFound({ base, head: base, commit: landed, landed: true });
      expect((await claim('push', { commit: landed })).status).toBe(200);
    });

    it('can be asked for again', async () => {
      const pushed = await commit('second\n');
      await land(pushed);
      mergeFound({ base, head: base, commit: pushed });
      expect([(await claim('push', { commit: pushed })).status, (await claim('push', { commit: pushed })).status]).toEqual([
        200, 200,
      ]);
    });

    it('is refused while the store is away, and can be had when it came back empty', async () => {
      const pushed = await commit('second\n');
      await land(pushed);
      mergeFound({ base, head: base, commit: pushed });
      await claim('push', { commit: pushed });
      await stage.nats.wipe();
      expect(await claim('push', { commit: pushed })).toMatchObject({
        status: 503,
        json: { error: { code: 'StoreUnavailable' } },
      });
      await stage.nats.start();
      await vi.waitFor(async () => expect((await claim('push', { commit: pushed })).status).toBe(200), { timeout: 30_000 });
      expect(await kept(COURIER_JOB.metadata.uid)).toEqual({ kind: 'push', commit: pushed });
    });

    it.each(['a branch', 'no branch'])('is refused for a commit that exists nowhere, with %s', async (which) => {
      if (which === 'a branch') await land(await commit('second\n'));
      mergeFound({ base, head: base, commit: DEADBEEF, landed: true });
      const answer = await claim('push', { commit: DEADBEEF });
      expect([answer.status, answer.json]).toMatchObject([409, { error: { code: 'NotOnBranch' } }]);
    });

    it('is refused for a commit of another branch', async () => {
      await git(work, 'checkout', '--quiet', '--orphan', 'elsewhere');
      await git(work, 'commit', '--quiet', '--message', 'Root of another history');
      const stray = await commit('of another branch\n');
      await git(work, 'push', '--quiet', bare(), `${stray}:refs/heads/elsewhere`);
      await git(work, 'checkout', '--quiet', 'main');
      await land(await commit('second\n'));
      mergeFound({ base, head: base, commit: stray, landed: true });
      expect((await claim('push', { commit: stray })).status).toBe(409);
    });

    it('is refused for another commit than that of its merge step', async () => {
      const pushed = await commit('second\n');
      await land(pushed);
      mergeFound({ base, head: base, commit: pushed });
      const answer = await claim('push', { commit: base });
      expect([answer.status, answer.json]).toMatchObject([403, { error: { code: 'PushNotAllowed' } }]);
    });
  });

  it('asks a git server that knows only the first protocol as well', async () => {
    const outside = new HttpOutside({ secrets: new MountedSecrets(join(stage.folder, 'upstreams')), cluster: [] });
    const refs = new RepositoryRefs({
      send: (upstream, { headers: { 'git-protocol': _version, ...headers }, ...asked }) =>
        outside.send(upstream, { ...asked, headers }),
    });
    const landed = await commit('second\n');
    await land(await commit('third\n'));
    const repository = { upstream: gitRow(`localhost:${stage.git.port}`), path: '/team/app.git' };
    const ref = `refs/heads/${BRANCH}`;
    const { signal } = new AbortController();
    const holds = (id: string): Promise<boolean> => refs.holds(repository, { ref, commit: id }, signal);
    expect([await holds(landed), await holds(DEADBEEF)]).toEqual([true, false]);
    await outside.close();
  });

  describe('is for the last step of the workspace alone', () => {
    it.each(['checkout', 'setup', 'work', 'verify-setup', 'merge'] as const)('not for %s', async (step) => {
      const answer = await stage.ask('/v1/receipt', { method: 'PUT', token: stage.token(step), body: '{}' });
      expect([answer.status, answer.json]).toMatchObject([403, { error: { code: 'StepNotAllowed' } }]);
    });
  });

  describe('is not for a pod that the Job controller did not make', () => {
    const forged = {
      ...COURIER_POD,
      metadata: { ...COURIER_POD.metadata, uid: 'uid-forged' },
    };
    const claimAs = (made: typeof forged): Promise<Answer> => {
      stage.seen(made);
      const { name: podName, uid: podUid } = made.metadata;
      const token = stage.tokenOf({ username: WORKSPACE_ACCOUNT, audiences: [audienceOf('push')], podName, podUid });
      return stage.ask('/v1/receipt', { method: 'PUT', token, body: JSON.stringify({ commit: DEADBEEF }) });
    };
    it.each([
      ['of another name', { ...forged, metadata: { ...forged.metadata, name: 'innocent' } }],
      ['without our labels', { ...forged, metadata: { ...forged.metadata, name: `${COURIER_JOB.metadata.name}-x`, labels: {} } }],
      [
        'of two owners',
        {
          ...forged,
          metadata: {
            ...forged.metadata,
            name: `${COURIER_JOB.metadata.name}-y`,
            ownerReferences: [
              ...(forged.metadata.ownerReferences ?? []),
              { apiVersion: 'v1', kind: 'Pod', name: 'x', uid: 'uid-x' },
            ],
          },
        },
      ],
    ])('%s', async (_, made) => {
      expect((await claimAs(made)).json).toMatchObject({ error: { code: 'NotAWorkspace' } });
    });

    it('nor for the workspace of a Task that was given to another Story', async () => {
      const given = task(planned('api'), taskWith().status);
      const ownerReferences = (given.metadata.ownerReferences ?? []).map((owner) => ({ ...owner, uid: 'uid-other' }));
      stage.seen({ ...given, metadata: { ...given.metadata, ownerReferences } });
      expect((await claim('push', { commit: DEADBEEF })).json).toMatchObject({ error: { code: 'OwnerChanged' } });
    });
  });
});
