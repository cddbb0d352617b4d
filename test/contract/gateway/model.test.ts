// Model calls through the gateway, with the client that agents use, to the scripted model and to servers that misbehave.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import OpenAI from 'openai';
import { fetch } from 'undici';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { storyAccount, KV_BUCKETS } from '../../../crds/contracts/commands.ts';
import type { Upstream } from '../../../crds/contracts/platform.ts';
import { KvAccounts } from '../../../gateway/store/kv-accounts.ts';
import { scriptedModelName } from '../../model/script.ts';
import { startScriptedModel, type ScriptedModel } from '../../model/server.ts';
import { story, storyStatus } from '../../builders/objects.ts';
import { councilOf, MODEL_KEY, openStage, taskWith, type Stage } from './stage.ts';

const STORY_UID = story().metadata.uid;

interface Heard {
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: Record<string, unknown>;
}

/** A model server that answers as told and keeps what it heard. */
interface Listener {
  answer: (response: ServerResponse, heard: Heard) => void;
  readonly heard: Heard[];
  readonly server: Server;
  readonly port: number;
}

const listen = async (): Promise<Listener> => {
  const heard: Heard[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const text = Buffer.concat(chunks).toString();
      const body = text === '' ? {} : (JSON.parse(text) as Record<string, unknown>);
      const one = { path: request.url ?? '', headers: request.headers, body };
      heard.push(one);
      listener.answer(response, one);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const listener: Listener = {
    answer: (response) => response.end(),
    heard,
    server,
    port: (server.address() as AddressInfo).port,
  };
  return listener;
};

const row = (name: string, host: string, more: Partial<Upstream> = {}): Upstream => ({
  ...{ name, kind: 'model', scheme: 'http', host, prefix: '/v1', namespaces: ['shop'] },
  ...{ credentials: true, ca: false, allowPrivate: true },
  ...more,
});

const json = (response: ServerResponse, status: number, body: unknown, headers: Record<string, string> = {}): void => {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
};

const completion = (usage?: object): object => ({
  id: 'c1',
  object: 'chat.completion',
  created: 1,
  model: 'm',
  choices: [{ index: 0, message: { role: 'assistant', content: 'hello' }, finish_reason: 'stop' }],
  ...(usage !== undefined && { usage }),
});

describe('models through the gateway', () => {
  let stage: Stage;
  let scripted: ScriptedModel;
  let other: Listener;
  let accounts: KvAccounts;

  const client = (): OpenAI =>
    new OpenAI({
      ...{ baseURL: `${stage.url}/openai/v1`, apiKey: stage.token('work'), maxRetries: 0 },
      fetch: fetch as never,
      fetchOptions: { dispatcher: stage.dispatcher } as never,
    });
  const messages = [{ role: 'user' as const, content: 'Say hello.' }];
  const ask = (body: object): ReturnType<Stage['ask']> =>
    stage.ask('/openai/v1/chat/completions', {
      method: 'POST',
      token: stage.token('work'),
      body: JSON.stringify({ messages, ...body }),
    });
  const spent = async (): Promise<{ spent: number; reservations: readonly unknown[] }> =>
    (await accounts.read(storyAccount(STORY_UID))).account;

  beforeAll(async () => {
    scripted = await startScriptedModel({ scripts: [], apiKey: MODEL_KEY });
    other = await listen();
    stage = await openStage({
      upstreams: [
        row('model', `127.0.0.1:${scripted.port}`),
        row('other', `127.0.0.1:${other.port}`, { concurrency: 2 }),
        row('not-mine', `127.0.0.1:${other.port}`, { namespaces: ['elsewhere'] }),
        row('public-only', `127.0.0.1:${other.port}`, { scheme: 'https', allowPrivate: false }),
        row('named', `127.0.0.1:${other.port}`, { models: ['another-model'] }),
      ],
      secrets: {
        'upstreams/other/credentials/apiKey': MODEL_KEY,
        'upstreams/public-only/credentials/apiKey': MODEL_KEY,
        'upstreams/named/credentials/apiKey': MODEL_KEY,
      },
    });
    accounts = new KvAccounts(stage.link, KV_BUCKETS.ledger);
  });

  afterAll(async () => {
    await stage.close();
    await scripted.close();
    other.server.closeAllConnections();
    other.server.close();
  });

  beforeEach(async () => {
    other.heard.length = 0;
    other.answer = (response) => json(response, 200, completion({ prompt_tokens: 30, completion_tokens: 12 }));
    stage.seen(story({}, storyStatus()));
    stage.seen(councilOf());
    stage.seen(taskWith());
    // the gateway settles a call after its answer: the account of the test before is written until then
    await expect.poll(async () => (await spent()).reservations.length).toBe(0);
    const kv = await accounts.read(storyAccount(STORY_UID));
    await accounts.write(storyAccount(STORY_UID), { spent: 0, reservations: [] }, kv.revision);
  });

  const useOther = (model: Parameters<typeof councilOf>[0] = {}): void => stage.seen(councilOf({ endpoint: 'other', ...model }));

  it('answer a whole chat of the official client, and cost what the model counted', async () => {
    const answer = await client().chat.completions.create({ model: 'whatever', messages });
    expect(answer.model).toBe(scriptedModelName);
    expect(answer.choices[0]?.message.content).toContain('scripted model');
    const total = (answer.usage?.prompt_tokens ?? 0) + (answer.usage?.completion_tokens ?? 0);
    await expect.poll(spent).toEqual({ spent: total, reservations: [] });
  });

  it('answer a stream of the official client, and cost what its last chunk counts', async () => {
    const stream = await client().chat.completions.create({ model: 'whatever', messages, stream: true });
    let text = '';
    let total = 0;
    for await (const chunk of stream) {
      text += chunk.choices[0]?.delta.content ?? '';
      total = chunk.usage?.total_tokens ?? total;
    }
    expect(text).toContain('scripted model');
    expect(total).toBeGreaterThan(0);
    await expect.poll(spent).toEqual({ spent: total, reservations: [] });
  });

  it('list the one model of the agent', async () => {
    const models = await client().models.list();
    expect(models.data.map(({ id }) => id)).toEqual([scriptedModelName]);
  });

  it('are told what the Council says, whatever the agent asks, and nothing of the request but its talk', async () => {
    useOther({ name: 'the-model', temperature: '0.3', maxTokens: 100 });
    const answer = await stage.ask('/openai/v1/chat/completions', {
      ...{ method: 'POST', token: stage.token('work') },
      headers: { 'x-forwarded-for': '10.0.0.1', cookie: 'a=b', 'x-api-key': 'mine', 'content-type': 'application/json' },
      body: JSON.stringify({
        ...{ model: 'gpt-expensive', messages, temperature: 1.9, max_tokens: 5_000, n: 50, user: 'me', logit_bias: { 1: 2 } },
        ...{ stream_options: {}, chat_template: '{{ x }}', extra_body: {}, store: true },
      }),
    });
    expect(answer.status).toBe(200);
    expect(other.heard).toHaveLength(1);
    expect(other.heard[0]?.path).toBe('/v1/chat/completions');
    expect(other.heard[0]?.body).toEqual({ messages, model: 'the-model', temperature: 0.3, max_tokens: 100, n: 1 });
    const { host: _host, 'content-length': _length, connection: _connection, ...headers } = other.heard[0]?.headers ?? {};
    expect(headers).toEqual({
      ...{ authorization: `Bearer ${MODEL_KEY}`, accept: 'application/json', 'accept-encoding': 'identity' },
      ...{ 'content-type': 'application/json', 'user-agent': 'swe-fleet-gateway' },
    });
  });

  it('may be asked for less than the Council allows', async () => {
    useOther({ temperature: '0.9', maxTokens: 100 });
    await ask({ temperature: 0.1, max_completion_tokens: 10 });
    expect(other.heard[0]?.body).toMatchObject({ temperature: 0.1, max_tokens: 10 });
  });

  it.each([
    [
      'an image, which the model server would fetch',
      { messages: [{ role: 'user', content: [{ type: 'image_url', image_url: { url: 'http://x' } }] }] },
    ],
    ['no messages', { messages: [] }],
    ['a role that there is not', { messages: [{ role: 'root', content: 'x' }] }],
    ['a temperature that is no number', { temperature: 'hot' }],
  ])('are not asked with %s', async (_what, body) => {
    useOther();
    expect(await ask(body)).toMatchObject({
      status: 400,
      json: { error: { code: 'BodyInvalid', type: 'invalid_request_error' } },
    });
    expect(other.heard).toEqual([]);
  });

  it('are not asked with a body that is too large', async () => {
    useOther();
    const body = Buffer.alloc(9 * 1024 * 1024, 'x');
    const answer = await stage.ask('/openai/v1/chat/completions', { method: 'POST', token: stage.token('work'), body });
    expect(answer).toMatchObject({ status: 413, json: { error: { code: 'BodyTooLarge' } } });
    expect(other.heard).toEqual([]);
  });

  it('are not asked when the budget of the Story does not hold out, with the status of a spent quota', async () => {
    useOther({ maxTokens: 100 });
    stage.seen(story({ budget: { tokens: 150 } }, storyStatus()));
    expect((await ask({})).status).toBe(200);
    const answer = await ask({});
    expect(answer).toMatchObject({ status: 402, json: { error: { code: 'BudgetSpent', type: 'insufficient_quota' } } });
    expect(other.heard).toHaveLength(1);
    await expect.poll(spent).toEqual({ spent: 42, reservations: [] });
  });

  it('count what the Story had spent before the ledger was lost', async () => {
    useOther({ maxTokens: 100 });
    stage.seen(story({ budget: { tokens: 1_000 } }, storyStatus({ usage: { tokens: 950, gpuSeconds: 0 } })));
    expect(await ask({})).toMatchObject({ status: 402 });
    expect((await spent()).spent).toBe(950);
  });

  it("are not asked when the attempt has used up the platform's share of one task", async () => {
    useOther({ maxTokens: 100 });
    stage.seenAttempt({ n: 7, tokens: stage.platform.limits.tokensPerTask });
    expect(await ask({})).toMatchObject({ status: 402 });
  });

  it('cost what was reserved when they do not say what they counted', async () => {
    useOther({ maxTokens: 100 });
    other.answer = (response) => json(response, 200, completion());
    expect((await ask({})).status).toBe(200);
    await expect.poll(async () => (await spent()).reservations.length).toBe(0);
    expect((await spent()).spent).toBeGreaterThan(100);
  });

  describe('that misbehave', () => {
    const cases: readonly {
      readonly why: string;
      readonly answer: Listener['answer'];
      readonly want: readonly [status: number, code: string];
      readonly message?: RegExp;
    }[] = [
      {
        why: 'say that the key is wrong, quoting it',
        answer: (response) => json(response, 401, { error: { message: `Incorrect API key provided: ${MODEL_KEY}` } }),
        want: [502, 'ModelUnavailable'],
      },
      {
        why: 'say that the request is too long, quoting the key',
        answer: (response) => json(response, 400, { error: { message: `too long for ${MODEL_KEY}` } }),
        want: [400, 'ModelRefused'],
        message: /too long for …/,
      },
      {
        why: 'ask to slow down',
        answer: (response) => json(response, 429, {}, { 'retry-after': '7' }),
        want: [429, 'ModelBusy'],
      },
      { why: 'fail', answer: (response) => json(response, 500, { secret: 'stack' }), want: [502, 'ModelUnavailable'] },
      {
        why: 'redirect',
        answer: (response) => response.writeHead(307, { location: 'http://169.254.169.254/' }).end(),
        want: [502, 'UpstreamRedirects'],
      },
      {
        why: 'answer with a page',
        answer: (response) => response.writeHead(200, { 'content-type': 'text/html' }).end('<script>'),
        want: [502, 'ModelUnavailable'],
      },
      { why: 'hang up', answer: (response) => response.destroy(), want: [502, 'UpstreamUnavailable'] },
    ];
    it.each(cases)('$why', async ({ answer, want: [status, code], message }) => {
      useOther({ maxTokens: 100 });
      other.answer = answer;
      const got = await ask({});
      expect(got).toMatchObject({ status, json: { error: { code } } });
      expect(got.body.toString()).not.toContain(MODEL_KEY);
      if (message !== undefined) expect(got.body.toString()).toMatch(message);
      if (code === 'ModelBusy') expect(got.headers['retry-after']).toBe('7');
      await expect.poll(spent).toEqual({ spent: 0, reservations: [] });
      expect(JSON.stringify(stage.log.lines)).not.toContain(MODEL_KEY);
    });

    it('break off a stream: the client sees it broken, and it costs what was reserved', async () => {
      useOther({ maxTokens: 100 });
      other.answer = (response) => {
        response.writeHead(200, { 'content-type': 'text/event-stream' });
        response.write('data: {"choices":[]}\n\n', () => response.destroy());
      };
      await expect(ask({ stream: true })).rejects.toThrow();
      await expect.poll(async () => (await spent()).reservations.length).toBe(0);
      expect((await spent()).spent).toBeGreaterThan(100);
    });

    it('never end: a caller who goes away ends the call upstream and pays', async () => {
      useOther({ maxTokens: 100 });
      const closed = new Promise<void>((resolve) => {
        other.answer = (response) => {
          response.writeHead(200, { 'content-type': 'text/event-stream' });
          response.write('data: {"choices":[]}\n\n');
          response.on('close', resolve);
        };
      });
      const leaving = new AbortController();
      const stream = await client().chat.completions.create({ model: 'm', messages, stream: true }, { signal: leaving.signal });
      await stream[Symbol.asyncIterator]().next();
      leaving.abort();
      await closed;
      await expect.poll(async () => (await spent()).reservations.length).toBe(0);
      expect((await spent()).spent).toBeGreaterThan(100);
    });
  });

  it('never get more calls at a time than the endpoint has slots', async () => {
    useOther({ maxTokens: 100 });
    const gate = { open: 0, most: 0, waiting: [] as (() => void)[] };
    other.answer = (response) => {
      gate.open += 1;
      gate.most = Math.max(gate.most, gate.open);
      gate.waiting.push(() => {
        gate.open -= 1;
        json(response, 200, completion({ prompt_tokens: 1, completion_tokens: 1 }));
      });
    };
    const asked = Array.from({ length: 6 }, () => ask({}));
    for (let answered = 0; answered < 6; answered += 1) {
      await expect.poll(() => gate.waiting.length, { timeout: 10_000 }).toBeGreaterThan(0);
      gate.waiting.shift()?.();
    }
    expect((await Promise.all(asked)).map(({ status }) => status)).toEqual([200, 200, 200, 200, 200, 200]);
    expect(gate.most).toBe(2);
  });

  it.each([
    ['that serves another namespace', 'not-mine', 403, 'EndpointNotListed'],
    ['that there is not', 'nowhere', 403, 'EndpointNotListed'],
    ['that has a private address and may not', 'public-only', 502, 'UpstreamRefused'],
    ['that does not offer the model', 'named', 403, 'ModelNotAllowed'],
  ])('are not reached through an endpoint %s', async (_why, endpoint, status, code) => {
    useOther({ endpoint });
    expect(await ask({})).toMatchObject({ status, json: { error: { code } } });
    expect(other.heard).toEqual([]);
  });

  it.each(['checkout', 'merge', 'push', 'report', 'setup', 'verify-setup'] as const)('are not for step %s', async (step) => {
    const answer = await stage.ask('/openai/v1/models', { token: stage.token(step) });
    expect(answer).toMatchObject({ status: 403, json: { error: { code: 'StepNotAllowed' } } });
  });

  it('use a key that was rotated without a restart', async () => {
    useOther();
    const { writeFile } = await import('node:fs/promises');
    await writeFile(`${stage.folder}/upstreams/other/credentials/apiKey`, 'sk-rotated\n');
    await ask({});
    await writeFile(`${stage.folder}/upstreams/other/credentials/apiKey`, MODEL_KEY);
    expect(other.heard[0]?.headers.authorization).toBe('Bearer sk-rotated');
  });
});
