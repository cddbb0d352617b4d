// The runner's ways to the gateway, against a TLS server on the loopback: requests, artifacts, the proxy for set-up commands, the model.
import { createServer, type Server } from 'node:https';
import { request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import { connect, createServer as createTcpServer, type AddressInfo, type Socket } from 'node:net';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { gatewayModel, type Conversation, type ModelPlace } from '../../../agent/model.ts';
import { reachable } from '../../../agent-runner/containment.ts';
import { getArtifact, putArtifact } from '../../../agent-runner/gateway/artifacts.ts';
import { GatewayClient, type GatewayPlace } from '../../../agent-runner/gateway/client.ts';
import { startEgressProxy, type EgressProxy } from '../../../agent-runner/gateway/egress-proxy.ts';
import { sha256 } from '../../../crds/canonical.ts';
import { newAuthority, newServerCertificate } from '../../../install/certificates.ts';
import { temporaryFolder } from './folder.ts';

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

describe('the ways to the gateway', () => {
  const folder = temporaryFolder();
  const tokenFile = join(folder, 'token');
  const seen: string[] = [];
  const bodies: string[] = [];
  let answers: Answer[] = [];
  let server: Server;
  let port = 0;
  let place: GatewayPlace;
  let client: GatewayClient;

  const refusal =
    (status: number, code: string): Answer =>
    (_request, response) =>
      void response
        .writeHead(status, { 'content-type': 'application/json' })
        .end(JSON.stringify({ error: { code, message: `refused: ${code}` } }));
  const text =
    (body: string): Answer =>
    (_request, response) =>
      void response.end(body);
  const cut: Answer = (_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': 100 });
    response.write('{"cho', () => response.destroy());
  };

  beforeAll(async () => {
    const now = Date.now();
    const authority = await newAuthority('runner test', now, 1);
    const { certificate: cert, key } = await newServerCertificate(authority, { names: ['localhost'], now, days: 1 });
    server = createServer({ cert, key }, (request, response) => {
      seen.push(`${request.method} ${request.url} ${request.headers.authorization}`);
      let body = '';
      request.on('data', (chunk: Buffer) => (body += chunk.toString()));
      request.on('end', () => void bodies.push(body));
      request.on('end', () => (answers.shift() ?? refusal(500, 'NoAnswerPlanned'))(request, response));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    ({ port } = server.address() as AddressInfo);
    place = { url: `https://localhost:${port}`, ca: authority.certificate, tokenFile };
    client = new GatewayClient(place);
  });
  afterAll(async () => {
    await client.close();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  beforeEach(() => {
    answers = [];
    seen.length = 0;
    bodies.length = 0;
    writeFileSync(tokenFile, 'first-token\n');
  });

  describe('GatewayClient', () => {
    it('asks again while its Job is not listed, with the token of that moment', async () => {
      answers = [(...args) => (writeFileSync(tokenFile, 'second-token'), refusal(503, 'NotListedYet')(...args)), text('yes')];
      expect((await client.send({ method: 'GET', path: '/v1/brief', maxBytes: 10 })).body.toString()).toBe('yes');
      expect(seen).toEqual(['GET /v1/brief Bearer first-token', 'GET /v1/brief Bearer second-token']);
    });

    it('waits for a gateway that does not listen yet', async () => {
      const probe = createTcpServer();
      await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve));
      const { port: late } = probe.address() as AddressInfo;
      await new Promise((resolve) => probe.close(resolve));
      const early = new GatewayClient({ ...place, url: `https://localhost:${late}` });
      const asked = early.send({ method: 'GET', path: '/v1/brief', maxBytes: 10 });
      const relay = createTcpServer((socket) => void socket.pipe(connect(port, '127.0.0.1')).pipe(socket));
      setTimeout(() => relay.listen(late, '127.0.0.1'), 300);
      answers = [text('late')];
      expect((await asked).body.toString()).toBe('late');
      await early.close();
      relay.close();
    });

    it.each(['StoreUnavailable', 'IdentityUnavailable', 'RepositoryBusy'])(
      'asks again while the gateway itself waits for something: %s',
      async (code) => {
        answers = [refusal(503, code), text('yes')];
        expect((await client.send({ method: 'GET', path: '/x', maxBytes: 1_000 })).body.toString()).toBe('yes');
      },
    );

    it('waits so long for an answer, and no longer, from a gateway that says nothing, and asks again', async () => {
      const hasty = new GatewayClient({ ...place, answerMs: 200 });
      answers = [() => undefined, text('yes')];
      expect((await hasty.send({ method: 'GET', path: '/x', maxBytes: 10 })).body.toString()).toBe('yes');
      await hasty.close();
    });

    it('says what it waited for when its patience ends', async () => {
      const impatient = new GatewayClient({ ...place, patienceMs: 0 });
      answers = [refusal(503, 'StoreUnavailable')];
      await expect(impatient.send({ method: 'GET', path: '/x', maxBytes: 1_000 })).rejects.toThrow('refused: StoreUnavailable');
      await impatient.close();
    });

    it('takes every other answer as data', async () => {
      answers = [refusal(502, 'UpstreamUnavailable')];
      expect((await client.send({ method: 'GET', path: '/x', maxBytes: 1_000 })).status).toBe(502);
    });

    it('does not read more than it was told to', async () => {
      answers = [text('x'.repeat(11))];
      await expect(client.send({ method: 'GET', path: '/x', maxBytes: 10 })).rejects.toThrow('more than 10 bytes');
    });

    it('does not speak with a server of another authority', async () => {
      const other = await newAuthority('another', Date.now(), 1);
      const stranger = new GatewayClient({ ...place, ca: other.certificate });
      await expect(stranger.send({ method: 'GET', path: '/x', maxBytes: 10 })).rejects.toThrow();
      expect(seen).toEqual([]);
      await stranger.close();
    });
  });

  describe('artifacts', () => {
    const digest = sha256('bytes');
    it.each<[string, Answer, string]>([
      ['with the right bytes is got', text('bytes'), 'got'],
      ['with other bytes is lost', text('other'), 'lost'],
      ['that the store does not have is lost', refusal(404, 'ArtifactUnknown'), 'lost'],
    ])('one %s', async (_title, answer, want) => {
      answers = [answer];
      expect((await getArtifact(client, digest)).kind).toBe(want);
    });

    it('are put under their digest', async () => {
      answers = [(_request, response) => void response.writeHead(201).end()];
      expect(await putArtifact(client, Buffer.from('bytes'))).toBe(digest);
      expect(seen).toEqual([`PUT /v1/artifacts/${digest} Bearer first-token`]);
    });

    it.each([413, 500])('that the gateway answers with %d are an infrastructure fault', async (status) => {
      answers = [refusal(status, 'Whatever')];
      await expect(putArtifact(client, Buffer.from('bytes'))).rejects.toThrow('does not take the artifact');
    });
  });

  describe('the model through the gateway', () => {
    const reply = (message: object, more: object = {}): Answer =>
      text(
        JSON.stringify({
          id: 'x',
          object: 'chat.completion',
          created: 0,
          model: 'm',
          choices: [{ index: 0, message: { role: 'assistant', ...message }, finish_reason: 'stop' }],
          usage: { prompt_tokens: 3, completion_tokens: 4, total_tokens: 7 },
          ...more,
        }),
      );
    const json =
      (answer: Answer): Answer =>
      (request, response) => (response.setHeader('content-type', 'application/json'), answer(request, response));
    const wrong =
      (status: number, code: string): Answer =>
      (_request, response) =>
        void response
          .writeHead(status, { 'content-type': 'application/json' })
          .end(JSON.stringify({ error: { message: `wrong: ${code}`, type: 'x', param: null, code } }));
    const ask = async (given: readonly Answer[], more: Partial<Conversation> = {}, preset: Partial<ModelPlace> = {}) => {
      answers = [...given];
      const model = gatewayModel({
        baseUrl: `${place.url}/openai/v1`,
        dispatcher: await client.dispatcher(),
        token: () => client.token(),
        model: 'm',
        temperature: 0.5,
        maxTokens: 10,
        ...preset,
      });
      return model({ messages: [{ role: 'user', content: 'hi' }], timeoutMs: 20_000, ...more });
    };
    const fine = json(reply({ content: 'hello' }));

    it('a gateway that says nothing is asked again, long before the time of the agent ends', async () => {
      expect(await ask([() => undefined, fine], {}, { callMs: 200 })).toMatchObject({ kind: 'reply' });
      expect(seen).toHaveLength(2);
    });

    it.each<[string, readonly Answer[], object, number]>([
      ['an answer', [fine], { kind: 'reply', text: 'hello', tokens: 7, calls: [] }, 1],
      ['a busy model is asked again', [wrong(429, 'busy'), fine], { kind: 'reply' }, 2],
      ['a broken model is asked again', [wrong(500, 'broken'), fine], { kind: 'reply' }, 2],
      ['a cut answer is asked for again', [cut, fine], { kind: 'reply' }, 2],
      ['an answer without a choice is asked for again', [json(reply({}, { choices: [] })), fine], { kind: 'reply' }, 2],
      ['a spent budget is told at once', [wrong(402, 'BudgetSpent')], { kind: 'budget' }, 1],
      ['a conversation that is too long is told at once', [wrong(400, 'context_length_exceeded')], { kind: 'tooLong' }, 1],
      [
        'a refusal is told at once',
        [wrong(403, 'NotListed')],
        { kind: 'unavailable', message: expect.stringContaining('403') as string, lasting: true },
        1,
      ],
    ])('%s', async (_title, given, want, requests) => {
      expect(await ask(given)).toMatchObject(want);
      expect(seen).toEqual(Array.from({ length: requests }, () => 'POST /openai/v1/chat/completions Bearer first-token'));
    });

    it('asks as often as it was told to', async () => {
      expect(await ask([wrong(500, 'x'), fine], {}, { maxTries: 1 })).toMatchObject({ kind: 'unavailable', lasting: false });
      expect(seen).toHaveLength(1);
    });

    it('asks without end but that of the time when it was told so', async () => {
      const soon: Answer = (_request, response) => void response.writeHead(503, { 'retry-after': '0.001' }).end('{}');
      const busy = Array.from({ length: 8 }, () => soon);
      expect(await ask([...busy, fine], {}, { maxTries: Infinity })).toMatchObject({ kind: 'reply' });
      expect(seen).toHaveLength(9);
    });

    const format = { name: 'yes', schema: { type: 'object', properties: {}, required: [], additionalProperties: false } };
    const tool = { type: 'function', function: { name: 'look', parameters: {} } } as const;
    const terms = { model: 'm', messages: [{ role: 'user', content: 'hi' }], max_tokens: 10, temperature: 0.5 };
    it.each<[string, Partial<Conversation>, object]>([
      ['tools where there are some', { tools: [tool] }, { tools: [tool] }],
      ['no tools where there are none', { tools: [] }, {}],
      [
        'a format instead of tools',
        { format, tools: [tool] },
        { response_format: { type: 'json_schema', json_schema: { ...format, strict: true } } },
      ],
    ])('sends %s', async (_title, more, want) => {
      await ask([fine], more);
      expect(bodies.map((body) => JSON.parse(body) as unknown)).toEqual([{ ...terms, ...want }]);
    });

    const thinking = json(reply({ content: '<think>hm</think>{}', reasoning_content: 'hm, hm' }));
    it('takes thoughts out of a text, and leaves them in JSON to those who read it; a field of thoughts is never text', async () => {
      expect(await ask([thinking])).toMatchObject({ text: '{}' });
      expect(await ask([thinking], { format })).toMatchObject({ text: '<think>hm</think>{}' });
    });

    const ended = (finish_reason: string): Answer =>
      json(reply({}, { choices: [{ index: 0, message: { role: 'assistant', content: 'So' }, finish_reason }] }));
    it.each<[string, Answer, object]>([
      ['was cut', ended('length'), { text: 'So', cut: true }],
      ['was filtered', ended('content_filter'), { text: 'So', cut: false, refusal: expect.stringContaining('filter') as string }],
      ['is a refusal', json(reply({ content: null, refusal: 'I will not.' })), { text: '', refusal: 'I will not.' }],
    ])('tells of an answer that it %s', async (_title, given, want) => {
      expect(await ask([given])).toMatchObject({ kind: 'reply', ...want });
    });

    it.each<[string, (end: AbortController) => Answer]>([
      ['while it lasts', (end) => () => end.abort()],
      [
        'before its next try',
        (end) =>
          (...args) => (setTimeout(() => end.abort(), 50), wrong(503, 'x')(...args)),
      ],
    ])('ends a call on a signal %s', async (_title, answer) => {
      const end = new AbortController();
      expect(await ask([answer(end), fine], { signal: end.signal })).toMatchObject({ kind: 'unavailable', lasting: false });
      expect(seen).toHaveLength(1);
    });

    it('gives up when the time does not reach for another try', async () => {
      expect(await ask([wrong(503, 'x'), wrong(503, 'x'), wrong(503, 'x')], { timeoutMs: 600 })).toMatchObject({
        kind: 'unavailable',
        lasting: false,
      });
    });
  });

  describe('the proxy for set-up commands', () => {
    let proxy: EgressProxy;
    const heads: string[] = [];
    beforeAll(async () => {
      server.on('connect', (request: IncomingMessage, socket: Socket) => {
        heads.push(`${request.url} ${request.headers['proxy-authorization']}`);
        if (request.url !== 'registry.example:443') return void socket.end('HTTP/1.1 403 Forbidden\r\n\r\n');
        socket.write('HTTP/1.1 200 Connection Established\r\n\r\n');
        socket.pipe(socket);
      });
      proxy = await startEgressProxy(place, () => client.token());
    });
    afterAll(() => proxy.close());
    beforeEach(() => void (heads.length = 0));

    const tunnel = async (host: string): Promise<{ status: number | undefined; echo: string }> =>
      new Promise((resolve, reject) => {
        const outgoing = httpRequest(proxy.url, { method: 'CONNECT', path: host });
        outgoing.on('error', reject);
        outgoing.on('connect', (response, socket) => {
          if (response.statusCode !== 200) return resolve({ status: response.statusCode, echo: '' });
          socket.on('data', (chunk: Buffer) => (socket.destroy(), resolve({ status: 200, echo: chunk.toString() })));
          socket.write('through');
        });
        outgoing.end();
      });

    it('passes a tunnel on with the step’s token, and bytes both ways', async () => {
      expect(await tunnel('registry.example:443')).toEqual({ status: 200, echo: 'through' });
      expect(heads).toEqual(['registry.example:443 Bearer first-token']);
    });

    it('passes a refusal of the gateway on', async () => {
      expect(await tunnel('elsewhere.example:443')).toEqual({ status: 403, echo: '' });
    });

    it.each(['registry.example', 'a b:443', 'x:443:443', '[::1]:443'])('refuses %s by itself', async (host) => {
      const socket = connect(Number(new URL(proxy.url).port), '127.0.0.1');
      socket.write(`CONNECT ${host} HTTP/1.1\r\nHost: x\r\n\r\n`);
      const said = await new Promise<string>((resolve) => socket.once('data', (chunk: Buffer) => resolve(chunk.toString())));
      expect(said).toMatch(/^HTTP\/1\.1 400/);
      expect(heads).toEqual([]);
      socket.destroy();
    });

    it('listens on the loopback alone and does not fetch plain pages', async () => {
      expect(proxy.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
      const status = await new Promise((resolve) => httpRequest(proxy.url, (response) => resolve(response.statusCode)).end());
      expect(status).toBe(405);
    });
  });

  describe('reachable', () => {
    it('names exactly the addresses that answer', async () => {
      const open = { host: '127.0.0.1', port };
      expect(await reachable([open, { host: '127.0.0.1', port: 1 }])).toEqual([open]);
      expect(await reachable([])).toEqual([]);
    });
  });
});
