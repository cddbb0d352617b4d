// Replicas of the agent pool on a real JetStream, with a gateway and a model that do what the test says.

import { randomUUID } from 'node:crypto';
import { connect, type Msg } from '@nats-io/transport-node';
import { expect } from 'vitest';
import { startPool, type Pool, type PoolPorts, type PoolSettings } from '../../../agent-pool/pool.ts';
import { consumerName } from '../../../agent-pool/puller.ts';
import type { TakeTurn, TurnAsked, TurnGiven } from '../../../agent-pool/take-turn.ts';
import type { TurnGateway } from '../../../agent-pool/turn-gateway.ts';
import { sha256 } from '../../../crds/canonical.ts';
import { STREAMS } from '../../../crds/contracts/commands.ts';
import type { TurnBrief } from '../../../crds/contracts/turn-brief.ts';
import {
  TURN_PRIORITIES,
  turnCommandSubject,
  turnIdOf,
  turnNumber,
  turnResult,
  turnResultSubject,
  type TurnCommand,
  type TurnResult,
} from '../../../crds/contracts/turns.ts';
import { jetStreamDefinitions } from '../../../operator/state/feeds.ts';
import type { JetStreamLink } from '../../../runtime/bus/link.ts';
import { makeMetrics } from '../../../runtime/metrics.ts';
import { recordedLog, type RecordedLog } from '../../unit/runtime/recorded-log.ts';
import { startNats, type NatsServer } from '../nats.ts';

const CONTEXT = sha256('context');

const briefOf = (id: string): TurnBrief => ({
  id,
  place: { kind: 'Proposal', round: 0, seat: 0 },
  shared: {
    ...{ kind: 'Proposals', subject: 'how', requirements: [], fileScope: [], protectedPaths: [] },
    rubric: [{ criterion: 'correct', weight: 1, text: '' }],
    context: { digest: CONTEXT, text: 'context' },
  },
  own: { agent: 'agent-dev-001', role: 'DEV', part: 'Proposer', persona: '' },
  terms: { model: 'm', temperature: '0.7', maxTokens: 100 },
});

/** Knows every turn; keeps what is put. */
export interface StandIn extends TurnGateway {
  readonly texts: Map<string, string>;
}

export const standIn = (more: Partial<TurnGateway> = {}): StandIn => {
  const texts = new Map<string, string>();
  return {
    texts,
    brief: async (id) => ({ kind: 'brief', brief: briefOf(id) }),
    text: async (_id, digest) => {
      const text = texts.get(digest);
      return text === undefined ? { kind: 'lost', message: digest } : { kind: 'text', text };
    },
    put: async (_id, { digest, bytes }) => {
      texts.set(digest, bytes.toString('utf8'));
      return { kind: 'stored' };
    },
    modelUrl: (id) => `model of ${id}`,
    ...more,
  };
};

export const given = (text: string): TurnGiven => ({ ok: true, text, tokens: 7 });

/** A model that is asked and answers when the test says so. */
export interface SlowModel {
  readonly takeTurn: TakeTurn;
  readonly asked: TurnAsked[];
  answer(id: string, with_?: Awaited<ReturnType<TakeTurn>>): void;
}

export const slowModel = (): SlowModel => {
  const asked: TurnAsked[] = [];
  const open = new Map<string, (answer: Awaited<ReturnType<TakeTurn>>) => void>();
  return {
    asked,
    takeTurn: (turn) =>
      new Promise((resolve, reject) => {
        asked.push(turn);
        open.set(turn.brief.id, resolve);
        turn.signal.addEventListener('abort', () => reject(new Error('aborted')), { once: true });
      }),
    answer: (id, answer = given(`text of ${id}`)) => open.get(id)?.(answer),
  };
};

export interface Replica {
  readonly pool: Pool;
  readonly link: JetStreamLink;
  readonly log: RecordedLog;
  /** As a crash would: nobody hears of it. */
  readonly kill: () => Promise<void>;
  /** Outcomes of its turns, in their order. */
  readonly outcomes: () => readonly unknown[];
  readonly metric: (line: string) => Promise<number | undefined>;
  readonly readiness: () => Promise<string>;
}

export interface Stage {
  readonly nats: NatsServer;
  readonly link: JetStreamLink;
  /** Ready when this resolves. */
  replica(more: Partial<PoolPorts> & Pick<PoolPorts, 'takeTurn'>, settings?: Partial<PoolSettings>): Promise<Replica>;
  command(more?: Partial<TurnCommand>): TurnCommand;
  send(command: TurnCommand): Promise<void>;
  resultOf(command: TurnCommand): Promise<TurnResult | undefined>;
  /** Polls until it is there. */
  answered(command: TurnCommand): Promise<TurnResult>;
  /** Commands that were delivered and neither acknowledged nor dropped, and those that nobody has pulled. */
  left(endpoint: string): Promise<{ readonly inHand: number; readonly pending: number; readonly again: number }>;
  /** From now on: how often it was said of each message that it is worked on. */
  saidWorking(): Promise<() => readonly number[]>;
  close(): Promise<void>;
}

const HOUR_MS = 3_600_000;
export const POLL = { timeout: 60_000, interval: 50 };

export const startStage = async (): Promise<Stage> => {
  const nats = await startNats();
  const { link } = await nats.connect('operator', { streams: jetStreamDefinitions() });
  const pools: Pool[] = [];
  const closing: (() => Promise<void>)[] = [];
  let seats = 0;
  const lookUp = async (command: TurnCommand): Promise<TurnResult | undefined> => {
    const bytes = await link
      .lastMessage(STREAMS.results.name, turnResultSubject(command.rootUid, command.id))
      .catch(() => undefined);
    return bytes === undefined ? undefined : turnResult.parse(JSON.parse(Buffer.from(bytes).toString('utf8')));
  };
  return {
    nats,
    link,
    replica: async (more, settings = {}) => {
      const connected = await nats.connect('pool', { patienceMs: 200 });
      const log = recordedLog();
      const metrics = makeMetrics('agent-pool');
      const pool = await startPool(
        { link: connected.link, gateway: standIn(), prompts: 'v1', log, metrics, ...more },
        { host: '127.0.0.1', healthPort: 0, endpoints: [{ name: 'one', slots: 4 }], ackWaitMs: 1_000, ...settings },
      );
      pools.push(pool);
      const ask = async (path: string): Promise<Response> => fetch(`http://127.0.0.1:${pool.healthPort}${path}`);
      const readiness = async (): Promise<string> => {
        const answer = await ask('/readyz');
        return `${answer.status} ${await answer.text()}`;
      };
      await expect.poll(readiness, POLL).toBe('200 ok\n');
      return {
        ...{ pool, log, readiness, link: connected.link },
        kill: async () => {
          pools.splice(pools.indexOf(pool), 1);
          await connected.close();
        },
        outcomes: () => log.lines.filter(({ message }) => message === 'turn ended').map(({ fields }) => fields['outcome']),
        metric: async (line) => {
          const text = await (await ask('/metrics')).text();
          const found = text.split('\n').find((each) => each.startsWith(`swefleet_${line}`));
          return found === undefined ? undefined : Number(found.split(' ').at(-1));
        },
      };
    },
    command: (more = {}) => {
      const deliberationUid = more.deliberationUid ?? randomUUID();
      const n = more.n ?? turnNumber({ kind: 'Proposal', round: 0, seat: (seats += 1) % 9 });
      return {
        ...{
          kind: 'turn',
          id: turnIdOf(deliberationUid, n),
          namespace: 'shop',
          deliberationUid,
          rootUid: 'root',
          endpoint: 'one',
        },
        ...{ priority: 'normal', n, inputs: [], deadlineMs: Date.now() + HOUR_MS, ...more },
      };
    },
    send: async (command) => {
      await link.publish({ subject: turnCommandSubject(command), data: JSON.stringify(command) });
    },
    resultOf: lookUp,
    answered: async (command) => {
      await expect.poll(() => lookUp(command), POLL).toBeDefined();
      return (await lookUp(command)) as TurnResult;
    },
    left: async (endpoint) => {
      const { manager } = await link.session();
      const infos = await Promise.all(
        TURN_PRIORITIES.map((priority) => manager.consumers.info(STREAMS.commands.name, consumerName(endpoint, priority))),
      );
      const sum = (of: (info: (typeof infos)[number]) => number): number => infos.reduce((total, info) => total + of(info), 0);
      return {
        inHand: sum(({ num_ack_pending }) => num_ack_pending),
        pending: sum(({ num_pending }) => num_pending),
        again: sum(({ num_redelivered }) => num_redelivered),
      };
    },
    saidWorking: async () => {
      const times = new Map<string, number>();
      const connection = await connect({ servers: nats.url });
      closing.push(() => connection.close());
      const callback = (_error: Error | null, { subject, data }: Msg): void => {
        // $JS.ACK.<stream>.<consumer>.<deliveries>.<sequence in the stream>…
        const sequence = subject.split('.')[5] ?? '';
        if (Buffer.from(data).toString() === '+WPI') times.set(sequence, (times.get(sequence) ?? 0) + 1);
      };
      connection.subscribe(`$JS.ACK.${STREAMS.commands.name}.>`, { callback });
      await connection.flush();
      return () => [...times.values()];
    },
    close: async () => {
      await Promise.all(closing.map((end) => end()));
      await Promise.all(pools.map((pool) => pool.stop(0)));
      await nats.stop();
    },
  };
};
