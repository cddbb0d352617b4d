// The pool's way to the gateway, against a TLS server on the loopback: what each answer means for a turn.

import { writeFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { GatewayClient } from '../../../agent-pool/gateway-client.ts';
import { sha256 } from '../../../crds/canonical.ts';
import { newAuthority, newServerCertificate } from '../../../install/certificates.ts';
import { temporaryFolder } from '../agent-runner/folder.ts';

interface Reply {
  readonly status: number;
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
}

const TURN = 'uid.1000100';
const json = (body: object, status = 200): Reply => ({ status, body: JSON.stringify(body) });
const refusal = (status: number, code: string, headers: Reply['headers'] = {}): Reply => ({
  ...json({ error: { code, message: 'because' } }, status),
  headers,
});

const BRIEF = {
  id: TURN,
  place: { kind: 'Proposal', round: 0, seat: 0 },
  shared: {
    ...{ kind: 'Proposals', subject: 'how', requirements: [], fileScope: [], protectedPaths: [] },
    rubric: [{ criterion: 'correct', weight: 1, text: '' }],
    context: { digest: sha256('c'), text: 'c' },
  },
  own: { agent: 'a', role: 'DEV', part: 'Proposer', persona: '' },
  terms: { model: 'm', temperature: '0.7', maxTokens: 1 },
};

describe('the way to the gateway', () => {
  const tokenFile = join(temporaryFolder(), 'token');
  const never = new AbortController().signal;
  const seen: string[] = [];
  let reply: Reply | undefined;
  let server: Server;
  let client: GatewayClient;
  let url: string;
  let ca: string;

  const answer = (request: IncomingMessage, response: ServerResponse): void => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      seen.push(`${request.method} ${request.url} ${request.headers.authorization} ${body}`.trim());
      if (reply === undefined) request.socket.destroy();
      else response.writeHead(reply.status, { ...reply.headers }).end(reply.body);
    });
  };

  beforeAll(async () => {
    const now = Date.now();
    const authority = await newAuthority('pool test', now, 1);
    const { certificate: cert, key } = await newServerCertificate(authority, { names: ['localhost'], now, days: 1 });
    server = createServer({ cert, key }, answer).listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    url = `https://localhost:${(server.address() as AddressInfo).port}`;
    ca = authority.certificate;
    client = new GatewayClient({ url, ca, tokenFile });
  });
  afterAll(async () => {
    await client.close();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  beforeEach(() => {
    seen.length = 0;
    writeFileSync(tokenFile, 'first\n');
  });

  it('asks with the token of that moment', async () => {
    reply = json(BRIEF);
    expect(await client.brief(TURN, never)).toEqual({ kind: 'brief', brief: BRIEF });
    writeFileSync(tokenFile, 'second');
    await client.brief(TURN, never);
    expect(seen).toEqual([`GET /v1/turns/${TURN}/brief Bearer first`, `GET /v1/turns/${TURN}/brief Bearer second`]);
  });

  it.each([
    { given: refusal(404, 'TurnUnknown'), want: { kind: 'over', code: 'TurnUnknown' } },
    { given: refusal(409, 'DeliberationEnded'), want: { kind: 'over', code: 'DeliberationEnded' } },
    { given: refusal(409, 'TurnNotAsked'), want: { kind: 'over', code: 'TurnNotAsked' } },
    { given: refusal(404, 'NoSuchRoute'), want: { later: '404 NoSuchRoute: because' } },
    { given: refusal(503, 'NotListedYet', { 'retry-after': '2' }), want: { later: '503 NotListedYet: because', afterMs: 2_000 } },
    { given: refusal(401, 'TokenInvalid'), want: { later: '401 TokenInvalid: because' } },
    { given: json({ id: TURN }), want: { later: 'the gateway gives a brief of another version' } },
    { given: { status: 500, body: '<html>' }, want: { later: '500 500: <html>' } },
  ])('takes $given.status $given.body for a brief as $want', async ({ given, want }) => {
    reply = given;
    expect(await client.brief(TURN, never)).toEqual(want);
  });

  it.each([
    { given: { status: 200, body: 'hello' }, want: { kind: 'text', text: 'hello' } },
    { given: { status: 200, body: 'other' }, want: { kind: 'lost', message: `${sha256('hello')} came with other bytes` } },
    { given: refusal(404, 'ArtifactLost'), want: { kind: 'lost', message: `${sha256('hello')}: ArtifactLost: because` } },
    { given: refusal(410, 'Gone'), want: { kind: 'lost', message: `${sha256('hello')}: Gone: because` } },
    { given: refusal(503, 'StoreUnavailable'), want: { later: '503 StoreUnavailable: because' } },
  ])('takes $given.status $given.body for a text as $want', async ({ given, want }) => {
    reply = given;
    expect(await client.text(TURN, sha256('hello'), never)).toEqual(want);
  });

  it.each([
    { given: json({ stored: true }, 201), want: { kind: 'stored' } },
    { given: json({ stored: false }), want: { kind: 'stored' } },
    { given: refusal(413, 'TooLarge'), want: { kind: 'refused', message: 'TooLarge: because' } },
    { given: refusal(409, 'DeliberationEnded'), want: { kind: 'over', code: 'DeliberationEnded' } },
    { given: refusal(429, 'Busy'), want: { later: '429 Busy: because' } },
  ])('takes $given.status $given.body for a text that is put as $want', async ({ given, want }) => {
    reply = given;
    const artifact = { digest: sha256('hello'), bytes: Buffer.from('hello') };
    expect(await client.put(TURN, artifact, never)).toEqual(want);
    expect(seen).toEqual([`PUT /v1/turns/${TURN}/artifacts/${sha256('hello')} Bearer first hello`]);
  });

  it('takes a gateway that cannot be reached, or hangs up, as one to be asked later', async () => {
    reply = undefined;
    expect(await client.brief(TURN, never)).toHaveProperty('later');
    const nobody = new GatewayClient({ url: 'https://localhost:1', ca, tokenFile });
    expect(await nobody.brief(TURN, never)).toHaveProperty('later');
    await nobody.close();
  });

  it('takes a token that is not there yet as one to be read later', async () => {
    const bare = new GatewayClient({ url, ca, tokenFile: '/nowhere/token' });
    expect(await bare.brief(TURN, never)).toHaveProperty('later');
    await bare.close();
  });

  it('trusts the authority that it is told of, and no other', async () => {
    reply = json(BRIEF);
    const other = new GatewayClient({ url, ca: (await newAuthority('other', Date.now(), 1)).certificate, tokenFile });
    expect(await other.brief(TURN, never)).toHaveProperty('later');
    other.trust(ca);
    expect(await other.brief(TURN, never)).toHaveProperty('kind', 'brief');
    await other.close();
  });

  it('rejects what is called off', async () => {
    await expect(client.brief(TURN, AbortSignal.abort())).rejects.toThrow();
  });

  it('names the OpenAI routes of a turn', () => {
    expect(client.modelUrl(TURN)).toBe(`${url}/v1/turns/${TURN}/openai/v1`);
  });
});
