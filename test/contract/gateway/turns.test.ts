// The turns of Deliberations through the gateway: what the agent pool is told, what it may store and read, and which calls of a model it may make.

import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { canonicalJson, sha256 } from '../../../crds/canonical.ts';
import { KV_BUCKETS, namespaceAccount, storyAccount } from '../../../crds/contracts/commands.ts';
import type { PlatformConfig } from '../../../crds/contracts/platform.ts';
import type { TurnBrief } from '../../../crds/contracts/turn-brief.ts';
import { turnIdOf, turnNumber, type TurnPlace } from '../../../crds/contracts/turns.ts';
import type { Deliberation, DeliberationStatus } from '../../../crds/kinds/deliberation.ts';
import { KvAccounts } from '../../../gateway/store/kv-accounts.ts';
import { deliberation, story } from '../../builders/objects.ts';
import { pins } from '../../unit/crds/deliberation/play.ts';
import { openStage, taskWith, type Answer, type Ask, type Stage } from './stage.ts';

const POOL = { namespace: 'fleet-system', serviceAccount: 'fleet-agent-pool' } as const;
const STORY = story();
const UID = deliberation().metadata.uid;
const PINNED = {
  ...pins({ proposers: 2 }),
  storyUid: STORY.metadata.uid,
  taskUid: taskWith().metadata.uid,
  rootUid: STORY.metadata.uid,
};
const seats = PINNED.seats.map((seat) => ({ ...seat, endpoint: 'model', persona: `persona of ${seat.agent}` }));

const living = (pinned: Partial<typeof PINNED> = {}, status: Partial<DeliberationStatus> = {}): Deliberation => ({
  ...deliberation(),
  status: { phase: 'InProgress', startedAt: '2026-11-21T02:15:00Z', pinned: { ...PINNED, seats, ...pinned }, ...status },
});

const FIRST: TurnPlace = { kind: 'Proposal', round: 0, seat: 0 };
const turn = (place: TurnPlace = FIRST, uid = UID): string => `/v1/turns/${turnIdOf(uid, turnNumber(place))}`;
const codeOf = ({ status, json }: Answer): string => {
  const { error } = (json ?? {}) as { readonly error?: { readonly code?: string } };
  return `${status} ${error?.code ?? ''}`.trim();
};

describe('turns through the gateway', () => {
  let stage: Stage;
  let model: Server;
  let accounts: KvAccounts;
  let platform: PlatformConfig;
  const heard: Record<string, unknown>[] = [];

  const poolToken = (
    account: { readonly namespace: string; readonly serviceAccount: string } = POOL,
    pod: string | undefined = 'uid-pool-1',
  ): string =>
    stage.tokenOf({
      username: `system:serviceaccount:${account.namespace}:${account.serviceAccount}`,
      ...{ audiences: ['swefleet.io/agent-pool'], podUid: pod, podName: pod },
    });
  const ask = (path: string, options: Ask = {}): Promise<Answer> => stage.ask(path, { token: poolToken(), ...options });
  const chat = (place: TurnPlace = FIRST): Promise<Answer> =>
    ask(`${turn(place)}/openai/v1/chat/completions`, {
      method: 'POST',
      body: JSON.stringify({
        model: 'another',
        temperature: 2,
        max_tokens: 100_000,
        messages: [{ role: 'user', content: 'Which way?' }],
      }),
    });

  beforeAll(async () => {
    model = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        heard.push(JSON.parse(Buffer.concat(chunks).toString()) as Record<string, unknown>);
        const message = { role: 'assistant', content: '{}' };
        const usage = { prompt_tokens: 11, completion_tokens: 7, total_tokens: 18 };
        response.writeHead(200, { 'content-type': 'application/json' }).end(
          JSON.stringify({
            id: 'c',
            object: 'chat.completion',
            created: 1,
            model: 'm',
            choices: [{ index: 0, message, finish_reason: 'stop' }],
            usage,
          }),
        );
      });
    });
    await new Promise<void>((resolve) => model.listen(0, '127.0.0.1', resolve));
    const host = `127.0.0.1:${(model.address() as AddressInfo).port}`;
    stage = await openStage({
      upstreams: [
        {
          ...{ name: 'model', kind: 'model', scheme: 'http', host, prefix: '/v1', namespaces: ['shop'] },
          ...{ credentials: true, ca: false, allowPrivate: true, concurrency: 4 },
        },
      ],
    });
    platform = { ...stage.platform, agentPool: POOL };
    const { link } = await stage.nats.connect('operator');
    accounts = new KvAccounts(link, KV_BUCKETS.ledger);
  }, 60_000);

  afterAll(async () => {
    await stage.close();
    model.close();
  });

  beforeEach(() => {
    stage.platform = platform;
    stage.seen(living());
    heard.length = 0;
  });

  describe('a brief', () => {
    it('says what was pinned, and what the objects say', async () => {
      const { status, json } = await ask(`${turn()}/brief`);
      expect([status, json]).toMatchObject([
        200,
        {
          place: FIRST,
          own: { agent: 'agent-dev-001', role: 'DEV', part: 'Proposer', persona: 'persona of agent-dev-001' },
          terms: { model: 'qwen', temperature: '0.7', maxTokens: 2048 },
          shared: {
            subject: 'Which way?',
            story: { title: STORY.spec.title },
            task: { id: 'api' },
            rubric: PINNED.rubric,
          },
        },
      ]);
    });

    it('is the same for everybody in all that is shared', async () => {
      const briefs = await Promise.all(
        (
          [
            FIRST,
            { kind: 'Score', round: 0, seat: 1 },
            { kind: 'Critique', round: 1, seat: 0, target: 1 },
            { kind: 'Selection', round: 1, seat: 2 },
          ] as const
        ).map(async (place) => (await ask(`${turn(place)}/brief`)).json as TurnBrief),
      );
      expect(new Set(briefs.map(({ shared }) => canonicalJson(shared))).size).toBe(1);
      expect(briefs.map(({ own }) => own.part)).toEqual(['Proposer', 'Proposer', 'Proposer', 'Architect']);
    });

    it('of a Deliberation that is not seen yet waits for it', async () => {
      const later = { ...living(), metadata: { ...deliberation().metadata, name: 'later', uid: 'uid-later' } };
      const asked = ask(`${turn(FIRST, 'uid-later')}/brief`);
      stage.seen({ ...later, status: { phase: 'Pending' } });
      stage.seen(later);
      expect((await asked).status).toBe(200);
    });

    it.each<[string, Deliberation, TurnPlace, string]>([
      ['of a Deliberation that has ended', living({}, { finishedAt: '2026-11-21T02:16:00Z' }), FIRST, '409 DeliberationEnded'],
      [
        'of one that was cancelled',
        { ...living(), spec: { ...deliberation().spec, cancel: true } },
        FIRST,
        '409 DeliberationEnded',
      ],
      ['of a seat that nobody has', living(), { kind: 'Proposal', round: 0, seat: 9 }, '404 TurnUnknown'],
      ['of a proposal by the architect', living(), { kind: 'Proposal', round: 0, seat: 2 }, '404 TurnUnknown'],
      ['of a round that there is not', living(), { kind: 'Revision', round: 2, seat: 0 }, '404 TurnUnknown'],
      ['of a critique of oneself', living(), { kind: 'Critique', round: 1, seat: 0, target: 0 }, '404 TurnUnknown'],
    ])('%s is not given', async (_, object, place, want) => {
      stage.seen(object);
      expect(codeOf(await ask(`${turn(place)}/brief`))).toBe(want);
    });
  });

  describe('is for the agent pool alone', () => {
    it.each([
      ['another account of its namespace', { ...POOL, serviceAccount: 'default' }, 'uid-pod', '403 AccountNotAllowed'],
      ['an account of that name elsewhere', { ...POOL, namespace: 'shop' }, 'uid-pod', '403 AccountNotAllowed'],
    ] as const)('%s', async (_, account, pod, want) => {
      expect(codeOf(await stage.ask(`${turn()}/brief`, { token: poolToken(account, pod) }))).toBe(want);
    });

    it('a token that is bound to no pod', async () => {
      const token = stage.tokenOf({
        username: `system:serviceaccount:${POOL.namespace}:${POOL.serviceAccount}`,
        ...{ audiences: ['swefleet.io/agent-pool'], podUid: undefined, podName: undefined },
      });
      expect(codeOf(await stage.ask(`${turn()}/brief`, { token }))).toBe('403 NotAPodToken');
    });

    it('where the platform names no pool', async () => {
      const { agentPool, ...without } = platform;
      stage.platform = without;
      expect([agentPool, codeOf(await ask(`${turn()}/brief`))]).toEqual([POOL, '403 AccountNotAllowed']);
    });

    it.each(['work', 'report', 'push'] as const)('the step %s', async (step) => {
      expect(codeOf(await stage.ask(`${turn()}/brief`, { token: stage.token(step) }))).toBe('403 StepNotAllowed');
    });

    it.each(['/v1/brief', '/v1/context', `/v1/artifacts/sha256:${'0'.repeat(64)}`, '/openai/v1/models'])(
      'which gets nothing of a step: %s',
      async (path) => {
        expect(codeOf(await ask(path))).toMatch(/^403/);
      },
    );
  });

  describe('a call of a model', () => {
    it('is the pinned one, whatever was asked for', async () => {
      expect((await chat()).status).toBe(200);
      expect(heard).toMatchObject([{ model: 'qwen', temperature: 0.7, max_tokens: 2048 }]);
    });

    it('is paid by the namespace and its day, or by the Story that it was made for', async () => {
      const day = new Date().toISOString().slice(0, 10);
      const spent = async (account: string): Promise<number> => (await accounts.read(account)).account.spent;
      const before = [await spent(namespaceAccount('shop', day)), await spent(storyAccount(STORY.metadata.uid))];
      await chat();
      stage.seen(living({ payer: 'Story' }));
      await chat();
      await chat({ kind: 'Score', round: 0, seat: 1 });
      // a call is settled after its answer
      await expect
        .poll(async () => {
          const now = [await spent(namespaceAccount('shop', day)), await spent(storyAccount(STORY.metadata.uid))];
          return now.map((tokens, index) => tokens - (before[index] ?? 0));
        })
        .toEqual([18, 36]);
    });

    it('beyond what the namespace has for a day is refused before the model is asked', async () => {
      stage.platform = { ...platform, deliberation: { ...platform.deliberation, namespaceTokensPerDay: 1 } };
      expect([codeOf(await chat()).slice(0, 3), heard.length]).toEqual(['402', 0]);
    });

    it('goes on when its Council is gone, and ends with the row of its endpoint', async () => {
      stage.seen(living({ councilUid: 'uid-of-nobody', seats: seats.map((seat) => ({ ...seat, council: 'gone' })) }));
      expect((await chat()).status).toBe(200);
      stage.platform = { ...platform, upstreams: platform.upstreams.filter(({ kind }) => kind !== 'model') };
      expect((await chat()).status).toBe(403);
    });

    it('ends with the Deliberation', async () => {
      stage.seen(living({}, { finishedAt: '2026-11-21T02:16:00Z' }));
      expect([(await chat()).status, heard.length]).toEqual([409, 0]);
    });
  });

  describe('a text', () => {
    const text = Buffer.from('{"summary":"this way"}');
    const path = `${turn()}/artifacts/${sha256(text)}`;

    it('is stored once under the root, and read again', async () => {
      const statuses = [];
      for (let time = 0; time < 2; time += 1) statuses.push((await ask(path, { method: 'PUT', body: text })).status);
      const found = await ask(path);
      expect([statuses, found.status, found.body.toString()]).toEqual([[201, 200], 200, text.toString()]);
    });

    it('of another root is not found', async () => {
      await ask(path, { method: 'PUT', body: text });
      stage.seen(living({ rootUid: 'uid-other-root' }));
      expect(codeOf(await ask(path))).toBe('404 ArtifactLost');
    });

    it.each([
      ['other bytes than its digest says', Buffer.from('other'), '400 DigestMismatch'],
      ['more than a text may have', Buffer.alloc(600 * 1024), '413 BodyTooLarge'],
    ])('of %s is refused', async (_, body, want) => {
      expect(codeOf(await ask(path, { method: 'PUT', body }))).toBe(want);
    });
  });
});
