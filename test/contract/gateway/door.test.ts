// The door itself: who is let in, what is said to whom, tunnels, certificates, ports, the end.

import { readFile, writeFile } from 'node:fs/promises';
import { createServer, connect as connectTcp, type AddressInfo, type Server, type Socket } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { brief as briefSchema } from '../../../crds/contracts/brief.ts';
import { newAuthority, newServerCertificate } from '../../../install/certificates.ts';
import { at, COMMIT, DIGEST, story, storyStatus } from '../../builders/objects.ts';
import { pod } from '../../builders/workspaces.ts';
import {
  ATTEMPT_JOB,
  ATTEMPT_POD,
  COURIER_JOB,
  councilOf,
  openStage,
  taskWith,
  tokenFor,
  WORKSPACE_ACCOUNT,
  type Stage,
} from './stage.ts';

const { name: podName, uid: podUid } = ATTEMPT_POD.metadata;

const tlsTo = (stage: Stage, ca = stage.ca): Promise<TLSSocket> =>
  new Promise((resolve, reject) => {
    const socket = connectTls({ host: '127.0.0.1', port: stage.gateway.port, servername: 'localhost', ca }, () =>
      resolve(socket),
    );
    socket.once('error', reject);
  });

const untilClosed = (socket: Socket): Promise<string> =>
  new Promise((resolve) => {
    let text = '';
    socket.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')));
    socket.on('error', () => undefined);
    socket.once('close', () => resolve(text));
  });

describe('the door', () => {
  let stage: Stage;
  let echo: Server;

  beforeAll(async () => {
    echo = createServer((socket) => socket.on('error', () => undefined).pipe(socket));
    await new Promise<void>((resolve) => echo.listen(0, '127.0.0.1', resolve));
    const { port } = echo.address() as AddressInfo;
    const egress = { kind: 'egress', scheme: 'https', prefix: '/', credentials: false, ca: false } as const;
    stage = await openStage({
      upstreams: [
        { ...egress, name: 'registry', host: `localhost:${port}`, namespaces: ['shop'], allowPrivate: true },
        { ...egress, name: 'public', host: `127.0.0.1:${port}`, namespaces: ['shop'], allowPrivate: false },
        { ...egress, name: 'closed', host: 'localhost:1', namespaces: ['shop'], allowPrivate: true },
        { ...egress, name: 'others', host: `localhost:${port + 1}`, namespaces: ['elsewhere'], allowPrivate: true },
      ],
    });
  });

  afterAll(async () => {
    await stage.close();
    echo.close();
  });

  beforeEach(() => {
    stage.seen(story({}, storyStatus()));
    stage.seen(taskWith());
    stage.seen(councilOf());
    stage.seen(ATTEMPT_POD);
  });

  describe('lets a step in', () => {
    it('to its brief', async () => {
      const answer = await stage.ask('/v1/brief', { token: stage.token('checkout') });
      expect(answer.status).toBe(200);
      const brief = briefSchema.parse(answer.json);
      expect(brief).toMatchObject({
        ...{ attempt: 1, planDigest: DIGEST, repository: { baseCommit: COMMIT, branch: 'fleet/shop/login' } },
        ...{ setup: { commands: ['npm ci'] }, verify: { commands: ['npm test'] }, task: { id: 'api', role: 'DEV' } },
      });
      expect(brief.courier).toBeUndefined();
    });

    it('to a brief with the patch, for a courier', async () => {
      expect(await stage.ask('/v1/brief', { token: stage.token('merge') })).toMatchObject({
        status: 503,
        json: { error: { code: 'NotListedYet' } },
      });
      stage.seenAttempt({ patch: DIGEST, evidence: DIGEST, base: COMMIT });
      const answer = await stage.ask('/v1/brief', { token: stage.token('merge') });
      expect(answer).toMatchObject({ status: 200, json: { courier: { patch: DIGEST, evidence: DIGEST, base: COMMIT } } });
    });

    it('to its context, which is not sent again while it is the same', async () => {
      const first = await stage.ask('/v1/context', { token: stage.token('work') });
      const etag = String(first.headers['etag']);
      expect(first).toMatchObject({ status: 200, json: { digest: etag.replaceAll('"', '') } });
      const again = await stage.ask('/v1/context', { token: stage.token('work'), headers: { 'if-none-match': etag } });
      expect(again).toMatchObject({ status: 304, headers: { etag } });
      stage.seen(story({ decisions: [{ id: 'D1', title: 'Plain text only' }] }, storyStatus()));
      expect((await stage.ask('/v1/context', { token: stage.token('work'), headers: { 'if-none-match': etag } })).status).toBe(
        200,
      );
    });
  });

  describe('refuses', () => {
    const refused = async (token: string | undefined, path = '/v1/brief'): Promise<readonly [number, unknown]> => {
      const answer = await stage.ask(path, token === undefined ? {} : { token });
      return [answer.status, (answer.json as { error?: { code?: string } } | undefined)?.error?.code];
    };
    const reviewed = (change: object = {}): string =>
      stage.tokenOf({
        ...{ username: WORKSPACE_ACCOUNT, audiences: ['swefleet.io/checkout'], podUid, podName },
        ...change,
      });

    it('no token, with a challenge', async () => {
      expect(await refused(undefined)).toEqual([401, 'TokenMissing']);
      expect((await stage.ask('/v1/brief')).headers['www-authenticate']).toContain('Basic');
    });

    it.each([
      ['a token of no shape', 'nothing'],
      ['an empty token', ''],
      ['a token of the right shape that the API server does not know', tokenFor('swefleet.io/checkout', 'x')],
      ['a token for the API server itself', tokenFor('https://kubernetes.default.svc', 'x')],
    ])('%s', async (_what, token) => {
      expect((await refused(token))[0]).toBe(401);
    });

    it.each([
      ['another account of the namespace', { username: 'system:serviceaccount:shop:default' }, 403, 'AccountNotAllowed'],
      ["a person's token", { username: 'alice' }, 403, 'AccountNotAllowed'],
      ['a token of no pod', { podUid: undefined }, 403, 'NotAPodToken'],
      ['a token with two audiences of ours', { audiences: ['swefleet.io/checkout', 'swefleet.io/push'] }, 403, 'AudienceInvalid'],
      ['a token for no audience of ours', { audiences: [] }, 401, 'TokenUnknown'],
      ['a pod of another namespace', { username: 'system:serviceaccount:other:fleet-workspace' }, 403, 'PodMismatch'],
      ['a pod of another name', { podName: 'fleet-ws-other' }, 403, 'PodMismatch'],
      ['a pod that nobody has seen', { podUid: 'unseen' }, 503, 'NotListedYet'],
      ['a step of the courier in a pod of the attempt', { audiences: ['swefleet.io/push'] }, 403, 'StepMismatch'],
      ['a step that has no right to it', { audiences: ['swefleet.io/work'] }, 403, 'StepNotAllowed'],
    ])('%s', async (_what, change, status, code) => {
      // a token's text and what the API server makes of it are two things: the text always names one of our audiences here
      const token = tokenFor('swefleet.io/checkout', 'x');
      stage.tokens.set(token, {
        ...{ username: WORKSPACE_ACCOUNT, audiences: ['swefleet.io/checkout'], podUid, podName },
        ...change,
      });
      expect(await refused(token)).toEqual([status, code]);
    });

    it('a Job that the Task does not list, with a hint to come again', async () => {
      stage.seenAttempt({ jobUid: 'another-job' });
      expect(await refused(reviewed())).toEqual([503, 'NotListedYet']);
      expect((await stage.ask('/v1/brief', { token: reviewed() })).headers['retry-after']).toBe('1');
    });

    it('a Job whose attempt has ended', async () => {
      stage.seenAttempt({ finishedAt: at(60) });
      expect(await refused(reviewed())).toEqual([403, 'AttemptFinished']);
    });

    it('a pod that has ended', async () => {
      stage.seen(pod(ATTEMPT_JOB, { work: { exitCode: 1 } }));
      expect(await refused(reviewed())).toEqual([403, 'PodEnded']);
    });

    it('an attempt of an agent that the Council does not have any more', async () => {
      stage.seenAttempt({ agent: 'agent-dev-009' });
      expect(await refused(reviewed())).toEqual([409, 'AgentMissing']);
    });

    it.each([
      '/',
      '/v1',
      '/v1/brief/',
      '/v1//brief',
      '/v1/brief%2f',
      '/metrics',
      '/healthz',
      '/openai/v1/files',
      '/git/HEAD',
      `/${'x'.repeat(3_000)}`,
    ])('the path %s, which there is not', async (path) => {
      expect((await refused(stage.token('checkout'), path))[0]).toBe(404);
    });

    it('and says so in the log, with who it was and without the token', async () => {
      const known = stage.token('work');
      await refused(known);
      const said = stage.log.lines.map(({ fields }) => fields);
      expect(said.find((fields) => fields['code'] === 'StepNotAllowed' && fields['step'] === 'work')).toMatchObject({
        ...{
          status: 403,
          address: '127.0.0.1',
          namespace: 'shop',
          step: 'work',
          pod: podName,
          podUid,
          jobUid: ATTEMPT_JOB.metadata.uid,
        },
      });
      expect(JSON.stringify(stage.log.lines)).not.toContain(known.split('.').at(-1));
    });
  });

  describe('opens a tunnel', () => {
    const tunnel = async (target: string, token: string): Promise<{ readonly socket: TLSSocket; readonly head: string }> => {
      const socket = await tlsTo(stage);
      const basic = Buffer.from(`fleet:${token}`).toString('base64');
      socket.write(`CONNECT ${target} HTTP/1.1\r\nHost: ${target}\r\nProxy-Authorization: Basic ${basic}\r\n\r\n`);
      const head = await new Promise<string>((resolve) =>
        socket.once('data', (chunk: Buffer) => resolve(chunk.toString('latin1'))),
      );
      return { socket, head };
    };
    const echoPort = (): number => (echo.address() as AddressInfo).port;
    const sockets: TLSSocket[] = [];
    afterEach(() => {
      for (const socket of sockets.splice(0)) socket.destroy();
    });
    const status = async (target: string, token: string): Promise<string> => {
      const { socket, head } = await tunnel(target, token);
      sockets.push(socket);
      return head.split('\r\n')[0] ?? '';
    };

    it('to a listed host, and bytes pass both ways until one side ends', async () => {
      const { socket, head } = await tunnel(`localhost:${echoPort()}`, stage.token('setup'));
      expect(head).toMatch(/^HTTP\/1\.1 200 /);
      const echoed = new Promise<string>((resolve) => socket.once('data', (chunk: Buffer) => resolve(chunk.toString())));
      socket.write('over and back');
      expect(await echoed).toBe('over and back');
      const end = untilClosed(socket);
      socket.end();
      await end;
    });

    it.each([
      ['a host that is not listed', 'example.com:443', 'setup', /403 EgressNotListed/],
      ['a listed host on another port', 'localhost:22', 'setup', /403 EgressNotListed/],
      ['a target that is none', 'localhost', 'setup', /400 TargetInvalid/],
      ['a target with a user in it', 'user@localhost:443', 'setup', /400/],
      ['a host that does not answer', 'localhost:1', 'verify-setup', /502 EgressUnavailable/],
      ['anything, for the step of the agent', 'example.com:443', 'work', /403 StepNotAllowed/],
      ['anything, for checkout', 'example.com:443', 'checkout', /403 StepNotAllowed/],
    ] as const)('but not to %s', async (_what, target, step, want) => {
      expect(await status(target, stage.token(step))).toMatch(want);
    });

    it('but not to a private address where the row does not allow it', async () => {
      expect(await status(`127.0.0.1:${echoPort()}`, stage.token('setup'))).toMatch(/403 EgressRefused/);
    });

    it("but not to another namespace's host", async () => {
      expect(await status(`localhost:${echoPort() + 1}`, stage.token('setup'))).toMatch(/403 EgressNotListed/);
    });

    it('but not without a token, and asks for one', async () => {
      const socket = await tlsTo(stage);
      const text = untilClosed(socket);
      socket.write('CONNECT localhost:443 HTTP/1.1\r\nHost: localhost\r\n\r\n');
      expect(await text).toMatch(/^HTTP\/1\.1 407 [\s\S]*Proxy-Authenticate: Basic/);
    });
  });

  describe('takes care of itself', () => {
    it('answers health, readiness and metrics on a plain port of its own', async () => {
      const get = async (path: string) => {
        const answer = await fetch(`http://127.0.0.1:${stage.gateway.healthPort}${path}`);
        return { status: answer.status, text: await answer.text() };
      };
      expect(await get('/healthz')).toEqual({ status: 200, text: 'ok\n' });
      expect(await get('/readyz')).toEqual({ status: 200, text: 'ok\n' });
      expect((await get('/metrics')).text).toMatch(/swefleet_requests_total\{route="brief",status="200",process="gateway"\} \d+/);
      expect((await get('/metrics')).text).toContain('swefleet_bus_available{process="gateway"} 1');
      expect((await get('/v1/brief')).status).toBe(404);
    });

    it('accepts and closes on the canary port', async () => {
      const socket = connectTcp(stage.gateway.canaryPort, '127.0.0.1');
      expect(await untilClosed(socket)).toBe('');
      expect(socket.bytesRead).toBe(0);
    });

    it('refuses a request whose headers are too large or too slow to be any', async () => {
      const socket = await tlsTo(stage);
      const text = untilClosed(socket);
      socket.write(`GET /v1/brief HTTP/1.1\r\nHost: x\r\nX: ${'x'.repeat(40_000)}\r\n\r\n`);
      expect(await text).toMatch(/^HTTP\/1\.1 4/);
    });

    it('does not speak plain HTTP', async () => {
      const socket = connectTcp(stage.gateway.port, '127.0.0.1');
      const text = untilClosed(socket);
      socket.write('GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n');
      expect(await text).not.toContain('HTTP/1.1 200');
    });

    it('stops listening to an address that sends many bad tokens', async () => {
      const own = await openStage();
      try {
        const statuses = new Set<number>();
        for (let at = 0; at < 65; at += 1) statuses.add((await own.ask('/v1/brief', { token: 'nothing' })).status);
        expect([...statuses]).toEqual([401, 429]);
        expect(await own.ask('/v1/brief', { token: own.token('checkout') })).toMatchObject({
          status: 429,
          json: { error: { code: 'TooManyFailures' } },
        });
      } finally {
        await own.close();
      }
    });

    it('takes a new certificate from its files, and keeps the old one when the new is bad', async () => {
      const [certFile, keyFile] = [join(stage.folder, 'tls/tls.crt'), join(stage.folder, 'tls/tls.key')];
      const before = await readFile(certFile, 'utf8');
      await writeFile(certFile, 'not a certificate');
      const complaint = (): boolean =>
        stage.log.lines.some(({ message }) => message === 'a new version of the certificate is not usable and is not taken');
      await expect.poll(complaint, { timeout: 30_000 }).toBe(true);
      (await tlsTo(stage)).destroy();
      const now = Date.now();
      const authority = await newAuthority('another authority', now, 1);
      const pair = await newServerCertificate(authority, { names: ['localhost'], now, days: 1 });
      await writeFile(certFile, pair.certificate);
      await writeFile(keyFile, pair.key);
      const taken = (): Promise<boolean> =>
        tlsTo(stage, authority.certificate).then(
          (socket) => {
            socket.destroy();
            return true;
          },
          () => false,
        );
      await expect.poll(taken, { timeout: 30_000 }).toBe(true);
      expect(before).not.toBe(pair.certificate);
    });
  });

  it('ends what is under way in its time and nothing later', async () => {
    const own = await openStage();
    const open = own.ask('/git/git-receive-pack', { method: 'POST', token: own.token('push'), body: '0000' });
    await expect.poll(() => metricOf(own, 'swefleet_in_flight')).toBe(1);
    const stopped = own.gateway.stop(60_000);
    own.seen(pod(COURIER_JOB, { merge: { finding: { commit: COMMIT } } }, { phase: 'Running' }));
    expect((await open).status).toBe(200);
    await stopped;
    await expect(own.ask('/v1/brief', { token: own.token('checkout') })).rejects.toThrow();
    await own.nats.stop();
  });
});

const metricOf = async (stage: Stage, name: string): Promise<number> => {
  const text = await (await fetch(`http://127.0.0.1:${stage.gateway.healthPort}/metrics`)).text();
  return Number(new RegExp(`^${name}\\{process="gateway"\\} (\\d+)$`, 'm').exec(text)?.[1]);
};
