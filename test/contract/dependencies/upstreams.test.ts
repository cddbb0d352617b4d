// The gateway × git and model servers × what can become of them, the limits shortened: whoever asked is told within them, and once
// the server is well again all goes on by itself.

import { execFile } from 'node:child_process';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { request } from 'undici';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { answerSubject, commandAnswer, commandSubject, STREAMS, type CommandAnswer } from '../../../crds/contracts/commands.ts';
import { GIT_LIMITS } from '../../../gateway/git/smart-http.ts';
import { MODEL_LIMITS } from '../../../gateway/model/model-proxy.ts';
import { platform, story } from '../../builders/objects.ts';
import { scriptedModelName } from '../../model/script.ts';
import { councilOf, gitRow, MODEL_KEY, openStage, storyAt, type Stage } from '../gateway/stage.ts';
import { until } from './processes.ts';
import { startWire, type Health, type Wire } from './wire.ts';

const execute = promisify(execFile);
const SHORT_MS = 2_000;
const STORY_UID = story().metadata.uid;

/** Streams a chunk, and the rest when it is told to. */
const startModel = async () => {
  const open: ServerResponse[] = [];
  const server: Server = createServer((incoming, response) => {
    incoming.resume();
    incoming.on('end', () => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write('data: {"choices":[{"index":0,"delta":{"content":"hel"}}]}\n\n');
      open.push(response);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { server, open, port: (server.address() as AddressInfo).port };
};

describe('the gateway', () => {
  let stage: Stage;
  let model: Awaited<ReturnType<typeof startModel>>;
  const wires = {} as { git: Wire; model: Wire };
  let asked = 0;

  beforeAll(async () => {
    model = await startModel();
    stage = await openStage({
      limits: {
        connectTimeoutMs: SHORT_MS,
        model: { ...MODEL_LIMITS, firstByteMs: SHORT_MS, idleMs: SHORT_MS },
        git: { ...GIT_LIMITS, timeoutMs: SHORT_MS, refsMs: SHORT_MS },
      },
    });
    wires.git = await startWire({ host: '127.0.0.1', port: stage.git.port });
    wires.model = await startWire({ host: '127.0.0.1', port: model.port });
    const host = `127.0.0.1:${wires.model.port}`;
    stage.platform = platform({
      upstreams: [
        gitRow(`localhost:${wires.git.port}`),
        {
          ...{ name: 'model', kind: 'model', scheme: 'http', host, prefix: '/v1', namespaces: ['shop'] },
          ...{ credentials: true, ca: false, allowPrivate: true },
        },
      ],
    });
    stage.seen(storyAt(`https://localhost:${wires.git.port}/team/app.git`));
    stage.seen(councilOf());
    await execute('git', ['init', '--quiet', '--bare', '--initial-branch=main', join(stage.gitRoot, 'team/app.git')]);
    expect(MODEL_KEY).not.toBe('');
  });
  afterEach(async () => {
    for (const response of model.open.splice(0)) response.destroy();
    for (const wire of Object.values(wires)) await wire.become('well');
  });
  afterAll(async () => {
    await stage.close();
    for (const wire of Object.values(wires)) await wire.close();
    model.server.closeAllConnections();
    model.server.close();
  });

  const fetchRefs = async (): Promise<string> => {
    const { status, json } = await stage.ask('/git/info/refs?service=git-upload-pack', { token: stage.token('checkout') });
    return `${status} ${(json as { readonly error?: { readonly code: string } } | undefined)?.error?.code ?? ''}`.trim();
  };

  const resolve = async (): Promise<CommandAnswer> => {
    // equal questions within a second share one answer
    stage.seen({ ...storyAt(`https://localhost:${wires.git.port}/team/app.git`), ...refOf((asked += 1)) });
    const id = `resolve-${STORY_UID}-${asked}`;
    const command = { id, kind: 'resolve', namespace: 'shop', storyUid: STORY_UID };
    await stage.link.publish({ subject: commandSubject(id), data: JSON.stringify(command) });
    const answer = () => stage.link.lastMessage(STREAMS.results.name, answerSubject(id));
    await until(async () => (await answer()) !== undefined);
    return commandAnswer.parse(JSON.parse(Buffer.from((await answer()) ?? []).toString('utf8')));
  };
  const refOf = (n: number) => {
    const of = storyAt(`https://localhost:${wires.git.port}/team/app.git`);
    return { spec: { ...of.spec, repository: { ...of.spec.repository, ref: `ref-${n}` } } };
  };

  /** Status, and what was read of the stream before it ended or broke. */
  const chat = async (after: (read: string) => void = () => undefined): Promise<string> => {
    const answer = await request(`${stage.url}/openai/v1/chat/completions`, {
      ...{ method: 'POST', dispatcher: stage.dispatcher },
      headers: { authorization: `Bearer ${stage.token('work')}` },
      body: JSON.stringify({ model: scriptedModelName, stream: true, messages: [{ role: 'user', content: 'Say hello.' }] }),
    });
    let read = '';
    try {
      for await (const chunk of answer.body) {
        read += String(chunk);
        after(read);
      }
    } catch {
      return `${answer.statusCode} cut after ${read.length > 0 ? 'a part' : 'nothing'}`;
    }
    const code = /"code":"(\w+)"/.exec(read)?.[1];
    return `${answer.statusCode} ${code ?? (read.includes('[DONE]') ? 'whole' : 'a part')}`;
  };
  const finish = (): void => {
    for (const response of model.open.splice(0)) response.end('data: [DONE]\n\n');
  };

  const GIT: readonly { readonly health: Health; readonly fetch: RegExp; readonly reason: RegExp }[] = [
    { health: 'gone', fetch: /^502 UpstreamUnavailable$/, reason: /^UpstreamUnavailable$/ },
    { health: 'silent', fetch: /^504 UpstreamTimeout$/, reason: /^UpstreamTimeout$/ },
    { health: 'slow', fetch: /^200$/, reason: /^RefUnknown$/ },
  ];
  for (const { health, fetch, reason } of GIT)
    it(`whose git server is ${health} tells the step and the operator so, and goes on`, async () => {
      // a connection that is there already
      expect(await fetchRefs()).toBe('200');
      await wires.git.become(health);
      expect(await fetchRefs()).toMatch(fetch);
      const failed = await resolve();
      expect(failed).toMatchObject({ ok: false, reason: expect.stringMatching(reason) as string });
      // and a new one
      expect(await fetchRefs()).toMatch(fetch);
      await wires.git.become('well');
      await until(async () => (await fetchRefs()) === '200');
      expect(await resolve()).toMatchObject({ ok: false, reason: 'RefUnknown' });
    });

  it('whose git server comes back empty says that the repository is not there, and finds it when it is', async () => {
    const [here, away] = ['team/app.git', 'team/away.git'].map((name) => join(stage.gitRoot, name)) as [string, string];
    await execute('mv', [here, away]);
    expect(await fetchRefs()).toBe('404 RepositoryNotFound');
    expect(await resolve()).toMatchObject({ ok: false, reason: 'RepositoryNotFound' });
    await execute('mv', [away, here]);
    expect(await fetchRefs()).toBe('200');
  });

  const MODEL: readonly { readonly health: Health; readonly want: string }[] = [
    { health: 'gone', want: '502 UpstreamUnavailable' },
    { health: 'silent', want: '504 UpstreamTimeout' },
    { health: 'slow', want: '200 whole' },
  ];
  for (const { health, want } of MODEL)
    it(`whose model server is ${health} tells the agent so, and goes on`, async () => {
      expect(await chat(finish)).toBe('200 whole');
      await wires.model.become(health);
      expect(await chat(finish)).toBe(want);
      await wires.model.become('well');
      await until(async () => (await chat(finish)) === '200 whole');
    });

  for (const health of ['gone', 'silent'] as const)
    it(`whose model server is ${health} in the middle of an answer ends the answer, so that no part is taken for the whole`, async () => {
      expect(await chat(() => void wires.model.become(health))).toBe('200 cut after a part');
      await wires.model.become('well');
      await until(async () => (await chat(finish)) === '200 whole');
    });
});
