// The client against an HTTP server of the test's own, for what a real API server does not do on demand.

import { promises as files } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { KubeConfig } from '@kubernetes/client-node';
import { describe, expect, it } from 'vitest';
import { ApiClient, pathOf } from '../../../kube/client.ts';
import { connectionFrom } from '../../../kube/connection.ts';
import { ApiError } from '../../../kube/error.ts';
import { namespaces, pods } from '../../../kube/resources.ts';

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

const withServer = async <T>(handler: Handler, use: (url: string) => Promise<T>): Promise<T> => {
  const server = createServer(handler);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    return await use(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  } finally {
    server.closeAllConnections();
    server.close();
  }
};

const ask = (handler: Handler, requestTimeoutMs = 5_000): Promise<unknown> =>
  withServer(handler, async (server) => {
    const connection = { server, tls: {}, identity: async () => ({}) };
    const client = new ApiClient(connection, { userAgent: 'test', requestTimeoutMs });
    const answer = await client.raw({ method: 'GET', path: '/x' }).catch((error: unknown) => error);
    await client.close();
    return answer;
  });

const json = (code: number, body: object, headers: Readonly<Record<string, string>> = {}): Handler => {
  return (_request, response) => void response.writeHead(code, headers).end(JSON.stringify(body));
};

describe('errors are sorted', () => {
  const cases: readonly { readonly name: string; readonly given: Handler; readonly want: Partial<ApiError> }[] = [
    { name: 'a conflict', given: json(409, { reason: 'Conflict' }), want: { sort: 'conflict', code: 409, reason: 'Conflict' } },
    { name: 'an expired version', given: json(410, { reason: 'Expired' }), want: { sort: 'gone', code: 410 } },
    { name: 'a refusal', given: json(422, { reason: 'Invalid' }), want: { sort: 'terminal', code: 422, reason: 'Invalid' } },
    { name: 'no right', given: json(403, { reason: 'Forbidden' }), want: { sort: 'terminal', code: 403 } },
    {
      name: 'an ill server',
      given: json(500, { reason: 'InternalError' }),
      want: { sort: 'transient', code: 500, retryAfterMs: undefined },
    },
    {
      name: 'a busy server',
      given: json(429, {}, { 'retry-after': '3' }),
      want: { sort: 'transient', code: 429, retryAfterMs: 3_000 },
    },
    {
      name: 'a wish in the body',
      given: json(503, { details: { retryAfterSeconds: 2 } }),
      want: { sort: 'transient', retryAfterMs: 2_000 },
    },
    {
      name: 'a proxy that speaks HTML',
      given: (_, response) => void response.writeHead(502).end('<html>'),
      want: { sort: 'transient', code: 502 },
    },
    {
      name: 'a success that is no JSON',
      given: (_, response) => void response.end('{"cut'),
      want: { sort: 'transient', code: undefined },
    },
    {
      name: 'a connection that is cut',
      given: (request) => void request.socket.destroy(),
      want: { sort: 'transient', code: undefined },
    },
    {
      name: 'an answer that breaks off',
      given: (_, response) => void response.writeHead(200, { 'content-length': '100' }).write('{', () => response.destroy()),
      want: { sort: 'transient', code: undefined },
    },
  ];
  for (const { name, given, want } of cases)
    it(name, async () => {
      const error = await ask(given);
      expect(error).toBeInstanceOf(ApiError);
      expect(error).toMatchObject(want);
    });

  it('a server that does not answer in time', async () => {
    expect(await ask(() => undefined, 200)).toMatchObject({ sort: 'transient', code: undefined });
  });

  it('keeps the words of the API', async () => {
    const error = await ask(json(403, { reason: 'Forbidden', message: 'exceeded quota: pods' }));
    expect((error as Error).message).toBe('GET /x: 403 Forbidden exceeded quota: pods');
  });
});

describe('an answer that should hold an object', () => {
  const pod = { metadata: { name: 'a', namespace: 'n', uid: 'u', resourceVersion: '1' } };
  const got = (body: object): Promise<unknown> =>
    withServer(json(200, body), async (server) => {
      const client = new ApiClient({ server, tls: {}, identity: async () => ({}) }, { userAgent: 'test' });
      const written = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'a', namespace: 'n' } };
      const answers = [
        client.get(pods, { namespace: 'n', name: 'a' }),
        client.create(pods, written),
        client.apply(pods, written, { fieldManager: 'test' }),
      ].map((answer) => answer.catch((error: unknown) => (error instanceof ApiError ? error.sort : error)));
      const all = await Promise.all(answers);
      await client.close();
      return all;
    });

  it('is the object, frozen and without what no reader needs, whichever verb asked', async () => {
    const want = { ...pod, apiVersion: 'v1', kind: 'Pod' };
    expect(await got({ metadata: { ...pod.metadata, managedFields: [{}] } })).toEqual([want, want, want]);
  });

  it('and holds none cannot be read: the same request may succeed later', async () => {
    expect(await got({ metadata: { name: 'a' } })).toEqual(['transient', 'transient', 'transient']);
  });
});

describe('a token in a file', () => {
  it('is read again at once when the server no longer takes it, and the request is asked again only once', async () => {
    const folder = await files.mkdtemp(join(tmpdir(), 'swe-fleet-token-'));
    const tokenFile = join(folder, 'token');
    const asked: string[] = [];
    const state = { valid: 'old' };
    const handler: Handler = (request, response) => {
      asked.push(request.headers.authorization ?? 'nothing');
      const isValid = request.headers.authorization === `Bearer ${state.valid}`;
      response.writeHead(isValid ? 200 : 401).end('{}');
    };
    await withServer(handler, async (server) => {
      await files.writeFile(tokenFile, 'old\n');
      const config = new KubeConfig();
      config.loadFromClusterAndUser(
        { name: 'c', server, skipTLSVerify: true },
        { name: 'u', authProvider: { name: 'tokenFile', config: { tokenFile } } },
      );
      const client = new ApiClient(await connectionFrom(config), { userAgent: 'test' });
      const get = () =>
        client.raw({ method: 'GET', path: '/x' }).then(
          () => 'ok',
          (error: ApiError) => error.code,
        );
      expect(await get()).toBe('ok');
      await files.writeFile(tokenFile, 'new\n');
      state.valid = 'new';
      expect([await get(), await get()]).toEqual(['ok', 'ok']);
      state.valid = 'another';
      expect(await get()).toBe(401);
      await client.close();
    });
    await files.rm(folder, { recursive: true });
    expect(asked).toEqual(['old', 'old', 'new', 'new', 'new', 'new'].map((token) => `Bearer ${token}`));
  });
});

describe('paths', () => {
  const cases = [
    { given: pathOf(pods, { namespace: 'ns', name: 'p' }), want: '/api/v1/namespaces/ns/pods/p' },
    { given: pathOf(pods, {}), want: '/api/v1/pods' },
    { given: pathOf(namespaces, { namespace: 'ignored', name: 'n' }), want: '/api/v1/namespaces/n' },
    {
      given: pathOf({ ...pods, group: 'batch', plural: 'jobs' }, { namespace: 'a/b', name: '../c' }),
      want: '/apis/batch/v1/namespaces/a%2Fb/jobs/..%2Fc',
    },
  ];
  for (const { given, want } of cases)
    it(want, () => {
      expect(given).toBe(want);
    });
});
