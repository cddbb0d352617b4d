// Artifacts and commands on a real JetStream.

import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { execFile } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sha256 } from '../../../crds/canonical.ts';
import {
  answerSubject,
  artifactSubject,
  commandAnswer,
  commandSubject,
  STREAMS,
  type CommandAnswer,
  type GatewayCommand,
} from '../../../crds/contracts/commands.ts';
import { ARTIFACTS_READ_AUDIENCE } from '../../../crds/contracts/steps.ts';
import type { Published } from '../../../runtime/bus/link.ts';
import { scriptedModelName } from '../../model/script.ts';
import { startScriptedModel, type ScriptedModel } from '../../model/server.ts';
import { story, storyStatus } from '../../builders/objects.ts';
import { ATTEMPT_POD, MODEL_KEY, openStage, storyAt, WORKSPACE_ACCOUNT, type Stage } from './stage.ts';

const execute = promisify(execFile);
const STORY_UID = story().metadata.uid;

describe('artifacts', () => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await openStage();
  });
  afterAll(async () => stage.close());

  const put = (bytes: Buffer, digest = sha256(bytes)) =>
    stage.ask(`/v1/artifacts/${digest}`, { method: 'PUT', token: stage.token('report'), body: bytes });
  const get = (digest: string) => stage.ask(`/v1/artifacts/${digest}`, { token: stage.token('merge') });
  const reader = (namespace = 'shop'): string =>
    stage.tokenOf({
      ...{ username: `system:serviceaccount:${namespace}:fleet-reader`, audiences: [ARTIFACTS_READ_AUDIENCE] },
      ...{ podUid: undefined, podName: undefined },
    });

  it('are written once, read back whole, and a second writing of the same is fine', async () => {
    const bytes = Buffer.from('diff --git a/x b/x\n');
    expect(await put(bytes)).toMatchObject({ status: 201 });
    expect(await put(bytes)).toMatchObject({ status: 200, json: { stored: false } });
    expect((await get(sha256(bytes))).body).toEqual(bytes);
  });

  it('of four mebibytes, the largest there are, come back whole', async () => {
    const bytes = randomBytes(4 * 1024 * 1024);
    expect(await put(bytes)).toMatchObject({ status: 201 });
    expect((await get(sha256(bytes))).body.equals(bytes)).toBe(true);
  });

  it('beyond four mebibytes are refused', async () => {
    expect(await put(randomBytes(4 * 1024 * 1024 + 1))).toMatchObject({ status: 413 });
  });

  it('are refused with another digest', async () => {
    expect(await put(Buffer.from('x'), sha256('y'))).toMatchObject({ status: 400, json: { error: { code: 'DigestMismatch' } } });
    expect(await put(Buffer.from('x'), 'sha256:zz')).toMatchObject({
      status: 400,
      json: { error: { code: 'DigestInvalid' } },
    });
    expect(await get('sha256:%2e%2e')).toMatchObject({ status: 400 });
  });

  it('that are absent or damaged are lost', async () => {
    expect(await get(sha256('nobody wrote this'))).toMatchObject({ status: 404, json: { error: { code: 'ArtifactLost' } } });
    const digest = sha256('what it should be');
    await stage.link.publish({ subject: artifactSubject(STORY_UID, digest), data: 'what it is' });
    expect(await get(digest)).toMatchObject({ status: 404, json: { error: { code: 'ArtifactLost' } } });
    expect(await put(Buffer.from('what it should be'))).toMatchObject({ status: 404 });
  });

  it("are read by the reader of the Story's namespace alone", async () => {
    const bytes = Buffer.from('evidence');
    await put(bytes);
    const path = `/v1/artifacts/${sha256(bytes)}`;
    expect((await stage.ask(path, { token: reader() })).body).toEqual(bytes);
    expect((await stage.ask(`${path}?root=${STORY_UID}`, { token: reader() })).body).toEqual(bytes);
    expect(await stage.ask(path, { token: reader('other') })).toMatchObject({ status: 404 });
    expect(await stage.ask(`${path}?root=${STORY_UID}`, { token: reader('other') })).toMatchObject({
      status: 404,
      json: { error: { code: 'RootUnknown' } },
    });
    expect(await stage.ask('/v1/brief', { token: reader() })).toMatchObject({
      status: 403,
      json: { error: { code: 'StepNotAllowed' } },
    });
  });

  it('are not read with that audience by any other account', async () => {
    const token = stage.tokenOf({
      ...{ username: WORKSPACE_ACCOUNT, audiences: [ARTIFACTS_READ_AUDIENCE] },
      ...{ podUid: ATTEMPT_POD.metadata.uid, podName: ATTEMPT_POD.metadata.name },
    });
    expect(await stage.ask(`/v1/artifacts/${sha256('x')}`, { token })).toMatchObject({
      status: 403,
      json: { error: { code: 'AccountNotAllowed' } },
    });
  });

  it.each(['checkout', 'work', 'setup', 'verify-setup', 'merge', 'push'] as const)('are not written by step %s', async (step) => {
    const bytes = Buffer.from(step);
    const options = { method: 'PUT', token: stage.token(step), body: bytes } as const;
    expect(await stage.ask(`/v1/artifacts/${sha256(bytes)}`, options)).toMatchObject({ status: 403 });
  });
});

describe('artifacts in a server that takes less', () => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await openStage({ nats: { maxPayloadBytes: 65_536 } });
  });
  afterAll(async () => stage.close());

  it('are bounded by what it takes', async () => {
    const put = (size: number) => {
      const bytes = randomBytes(size);
      return stage.ask(`/v1/artifacts/${sha256(bytes)}`, { method: 'PUT', token: stage.token('report'), body: bytes });
    };
    expect(await put(65_536 - 1_024)).toMatchObject({ status: 201 });
    expect(await put(65_536)).toMatchObject({ status: 413 });
  });

  it('are refused as unavailable while the server is away', async () => {
    await stage.nats.kill();
    const answer = await stage.ask(`/v1/artifacts/${sha256('x')}`, { token: stage.token('merge') });
    expect(answer).toMatchObject({ status: 503, json: { error: { code: 'StoreUnavailable' } }, headers: { 'retry-after': '1' } });
    await stage.nats.restart();
    await expect
      .poll(async () => (await stage.ask(`/v1/artifacts/${sha256('x')}`, { token: stage.token('merge') })).status, {
        timeout: 20_000,
      })
      .toBe(404);
  });
});

describe('commands', () => {
  let stage: Stage;
  let model: ScriptedModel;
  let folder: string;
  let commit: string;

  beforeAll(async () => {
    model = await startScriptedModel({ scripts: [], apiKey: MODEL_KEY });
    stage = await openStage({
      upstreams: [
        {
          ...{
            name: 'model',
            kind: 'model',
            scheme: 'http',
            host: `127.0.0.1:${model.port}`,
            prefix: '/v1',
            namespaces: ['shop'],
          },
          ...{ credentials: true, ca: false, allowPrivate: true },
        },
      ],
    });
    folder = await mkdtemp(join(tmpdir(), 'swe-fleet-resolve-'));
    const git = async (...args: readonly string[]): Promise<string> =>
      (await execute('git', ['-c', 'user.name=Ada', '-c', 'user.email=ada@example.com', ...args], { cwd: folder })).stdout.trim();
    await git('init', '--quiet', '--initial-branch=main');
    await writeFile(join(folder, 'README.md'), 'x');
    await git('add', '--all');
    await git('commit', '--quiet', '--message', 'First');
    await git('tag', '--annotate', 'v1', '--message', 'v1');
    await git('clone', '--quiet', '--bare', folder, join(stage.gitRoot, 'team/app.git'));
    commit = await git('rev-parse', 'HEAD');
  });
  afterAll(async () => {
    await stage.close();
    await model.close();
    await rm(folder, { recursive: true, force: true });
  });

  const publish = (id: string, data: string): Promise<Published> => stage.link.publish({ subject: commandSubject(id), data });
  const send = (command: GatewayCommand): Promise<Published> => publish(command.id, JSON.stringify(command));
  const answerTo = async (id: string): Promise<CommandAnswer | undefined> => {
    const bytes = await stage.link.lastMessage(STREAMS.results.name, answerSubject(id));
    return bytes === undefined ? undefined : commandAnswer.parse(JSON.parse(Buffer.from(bytes).toString('utf8')));
  };
  const answered = async (command: GatewayCommand): Promise<CommandAnswer | undefined> => {
    await send(command);
    await expect.poll(() => answerTo(command.id), { timeout: 20_000 }).toBeDefined();
    return answerTo(command.id);
  };
  const resolve = (id: string): GatewayCommand => ({ id, kind: 'resolve', namespace: 'shop', storyUid: STORY_UID });
  const probe = (id: string, change: object = {}): GatewayCommand => ({
    ...{ id, kind: 'probe', namespace: 'shop', endpoint: 'model', model: scriptedModelName },
    ...change,
  });
  const withRef = (ref: string): void =>
    stage.seen(story({ repository: { url: `https://localhost:${stage.git.port}/team/app.git`, ref } }, storyStatus()));

  it('resolve a branch, an annotated tag to its commit, and a full ref', async () => {
    for (const [at, ref] of ['main', 'v1', 'refs/heads/main'].entries()) {
      withRef(ref);
      expect(await answered(resolve(`resolve-ok-${at}`))).toMatchObject({ ok: true, commit });
    }
  });

  it('of three hundred Stories of one repository ask its server a few times', async () => {
    withRef('main');
    const before = stage.gitRequests.length;
    const ids = Array.from({ length: 300 }, (_, n) => `resolve-many-${n}`);
    await Promise.all(ids.map((id) => send(resolve(id))));
    const open = async (): Promise<number> =>
      (await Promise.all(ids.map(answerTo))).filter((answer) => answer?.ok !== true).length;
    await expect.poll(open, { timeout: 60_000, interval: 250 }).toBe(0);
    // without sharing 600: two requests each
    expect(stage.gitRequests.length - before).toBeLessThan(100);
  });

  it('say what is wrong and whether asking again may help', async () => {
    withRef('no-such-branch');
    expect(await answered(resolve('resolve-ref'))).toMatchObject({ ok: false, reason: 'RefUnknown', retryable: false });
    stage.seen(storyAt('https://evil.example.com/team/app.git'));
    expect(await answered(resolve('resolve-row'))).toMatchObject({ ok: false, reason: 'RepositoryNotListed', retryable: false });
    stage.seen(storyAt(`https://localhost:${stage.git.port}/team/none.git`));
    expect(await answered(resolve('resolve-none'))).toMatchObject({ ok: false, reason: 'RepositoryNotFound', retryable: false });
    expect(await answered({ ...resolve('resolve-ns'), namespace: 'other' })).toMatchObject({
      ok: false,
      reason: 'StoryUnknown',
      retryable: true,
    });
  });

  it('probe an endpoint for its models, tool calls and structured output', async () => {
    expect(await answered(probe('probe-1'))).toMatchObject({
      ok: true,
      models: [scriptedModelName],
      toolCalls: true,
      structuredOutput: true,
    });
    expect(await answered(probe('probe-2', { model: 'other' }))).toMatchObject({ ok: false, reason: 'ModelNotListed' });
    expect(await answered(probe('probe-3', { endpoint: 'git' }))).toMatchObject({ ok: false, reason: 'EndpointNotListed' });
    expect(await answered(probe('probe-4', { namespace: 'other' }))).toMatchObject({ ok: false, reason: 'EndpointNotListed' });
  });

  it('are refused by the store when they were sent before, queued or answered', async () => {
    await answered(probe('probe-twice'));
    expect(await send(probe('probe-twice'))).toBe('refused');
  });

  it('of no known shape are thrown away, and those behind them are answered', async () => {
    await publish('nonsense', '{"id":"nonsense","kind":"format-disk"}');
    await publish('borrowed', JSON.stringify(probe('probe-other')));
    expect(await answered(probe('probe-after'))).toMatchObject({ ok: true });
    expect(await answerTo('nonsense')).toBeUndefined();
    expect(stage.log.lines.filter(({ message }) => message === 'command not understood')).toHaveLength(2);
  });
});
