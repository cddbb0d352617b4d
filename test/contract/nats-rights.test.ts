// The chart's NATS configuration, run by the real server with the certificates and passwords that the install hook makes:
// what each process must be able to do, and what it must not.

import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AckPolicy, DeliverPolicy, jetstream, jetstreamManager } from '@nats-io/jetstream';
import { Kvm } from '@nats-io/kv';
import { connect, type NatsConnection, type NodeConnectionOptions } from '@nats-io/transport-node';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { answerSubject, artifactSubject, commandSubject, KV_BUCKETS, STREAMS } from '../../crds/contracts/commands.ts';
import { TURN_RESULTS, turnCommandFilter, turnCommandSubject, turnResultSubject } from '../../crds/contracts/turns.ts';
import { LEAVINGS } from '../../crds/contracts/leavings.ts';
import { install, type Data, type Store } from '../../install/install.ts';
import { programs, render } from './chart.ts';
import { freePort } from './nats.ts';

type User = 'operator' | 'gateway' | 'pool' | 'admin';

const stage = {} as { dir: string; port: number; server: ChildProcess; log: string; ca: string; passwords: Data };

/** What the hook would have put into the cluster. */
const installed = async (): Promise<ReadonlyMap<string, Data>> => {
  const objects = new Map<string, Data>();
  const store: Store = {
    read: async ({ name }) => objects.get(name),
    write: async ({ name }, data) => void objects.set(name, data),
    restart: async () => undefined,
  };
  const config = { release: 'fleet', namespace: 'swe-fleet', ownNats: true, certificateDays: 30, caDays: 60 };
  await install(config, { store, now: Date.now(), log: () => undefined });
  return objects;
};

const natsConfiguration = async (): Promise<string> => {
  const objects = await render({ name: 'fleet', namespace: 'swe-fleet' });
  const found = objects.find(({ kind, metadata }) => kind === 'ConfigMap' && metadata.name === 'fleet-nats');
  const configuration = (found as { readonly data?: Data } | undefined)?.data?.['nats.conf'];
  if (configuration === undefined) throw new Error('the chart has no nats.conf');
  return configuration
    .replace('port: 4222', `port: ${stage.port}\nhost: "127.0.0.1"`)
    .replace('http: "0.0.0.0:8222"', '')
    .replaceAll('/etc/nats/tls', stage.dir)
    .replace('store_dir: "/data"', `store_dir: "${join(stage.dir, 'data')}"`);
};

const door = (): NodeConnectionOptions => {
  const tls = { ca: stage.ca, servername: 'fleet-nats.swe-fleet.svc' };
  return { servers: `tls://127.0.0.1:${stage.port}`, tls, reconnect: false };
};

const connectAs = (user: User): Promise<NatsConnection> =>
  connect({ ...door(), user, pass: stage.passwords[user] ?? '', inboxPrefix: `_INBOX_${user}` });

beforeAll(async () => {
  stage.dir = mkdtempSync(join(tmpdir(), 'nats-'));
  stage.port = await freePort();
  const objects = await installed();
  for (const [file, text] of Object.entries(objects.get('fleet-nats-tls') ?? {})) writeFileSync(join(stage.dir, file), text);
  stage.ca = objects.get('fleet-ca')?.['ca.crt'] ?? '';
  stage.passwords = objects.get('fleet-nats-users') ?? {};
  const file = join(stage.dir, 'nats.conf');
  writeFileSync(file, await natsConfiguration());
  const env = Object.fromEntries(
    Object.entries(stage.passwords).map(([user, password]) => [`FLEET_NATS_${user.toUpperCase()}`, password]),
  );
  stage.log = '';
  stage.server = spawn(join(await programs('nats-server'), 'nats-server'), ['--config', file], {
    env: { ...process.env, ...env },
  });
  stage.server.stderr?.on('data', (chunk: Buffer) => (stage.log += chunk.toString()));
  await vi.waitFor(() => expect(stage.log).toContain('Server is ready'), { timeout: 10_000 });
  const operator = await connectAs('operator');
  const manager = await jetstreamManager(operator);
  for (const { name, subjects, onePerSubject } of Object.values(STREAMS))
    await manager.streams.add({
      name,
      subjects: [...subjects],
      ...(onePerSubject && { max_msgs_per_subject: 1, discard: 'new', discard_new_per_subject: true, allow_direct: true }),
    });
  for (const bucket of Object.values(KV_BUCKETS)) await new Kvm(jetstream(operator)).create(bucket, { history: 1 });
  await operator.close();
});

afterAll(() => {
  stage.server.kill('SIGKILL');
  rmSync(stage.dir, { recursive: true, force: true });
});

/** Runs it as that user and says how it ended: `done`, or the complaint of server or client. */
const as = async (user: User, work: (connection: NatsConnection) => Promise<unknown>): Promise<string> => {
  const connection = await connectAs(user);
  try {
    await work(connection);
    await connection.flush();
    return 'done';
  } catch (error) {
    return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  } finally {
    await connection.close();
  }
};

const publish = (subject: string) => (connection: NatsConnection) =>
  jetstream(connection, { timeout: 2_000 }).publish(subject, 'x');
const read = (stream: string, subject: string) => (connection: NatsConnection) =>
  jetstream(connection)
    .consumers.get(stream, { filter_subjects: subject, deliver_policy: DeliverPolicy.LastPerSubject })
    .then((consumer) => consumer.next({ expires: 1_000 }));
const durable = (stream: string, filter: string) => async (connection: NatsConnection) => {
  const manager = await jetstreamManager(connection, { checkAPI: false });
  await manager.consumers.add(stream, { durable_name: 'worker', filter_subject: filter, ack_policy: AckPolicy.Explicit });
  const message = await (await jetstream(connection).consumers.get(stream, 'worker')).next({ expires: 1_000 });
  message?.working();
  await message?.ackAck();
  await manager.consumers.delete(stream, 'worker');
};
/** As the pool does it: made, asked, kept for a while, done with. */
const turnConsumer = (name: string, filter: string) => async (connection: NatsConnection) => {
  const manager = await jetstreamManager(connection, { checkAPI: false, timeout: 2_000 });
  await manager.consumers.add(STREAMS.commands.name, {
    ...{ durable_name: name, filter_subject: filter, ack_policy: AckPolicy.Explicit },
  });
  const pull = { max_messages: 1, expires: 1_000 };
  const messages = await (await jetstream(connection).consumers.get(STREAMS.commands.name, name)).fetch(pull);
  for await (const message of messages) {
    message.working();
    await message.ackAck();
  }
};
const pullFrom = (name: string) => (connection: NatsConnection) =>
  connection.request(`$JS.API.CONSUMER.MSG.NEXT.${STREAMS.commands.name}.${name}`, '{"batch":1,"no_wait":true}', {
    timeout: 2_000,
  });
const updateOf = (name: string) => async (connection: NatsConnection) =>
  (await jetstreamManager(connection, { checkAPI: false, timeout: 2_000 })).consumers.update(STREAMS.commands.name, name, {
    ack_wait: 20_000_000_000,
  });
const lookUpDirectly = (stream: string, subject: string) => async (connection: NatsConnection) =>
  (await jetstreamManager(connection, { checkAPI: false, timeout: 2_000 })).direct.getMessage(stream, { last_by_subj: subject });
const get = (stream: string, subject: string) => async (connection: NatsConnection) =>
  (await jetstreamManager(connection, { checkAPI: false })).streams.getMessage(stream, { last_by_subj: subject });
const put = (bucket: string, key: string) => async (connection: NatsConnection) => {
  const kv = await new Kvm(jetstream(connection)).open(bucket);
  const now = await kv.get(key);
  await (now === null ? kv.create(key, 'x') : kv.update(key, 'x', now.revision));
};
const subscribe = (subject: string) => async (connection: NatsConnection) => {
  const refused = new Promise<never>((_, reject) => {
    connection.subscribe(subject, { callback: (error) => void (error !== null && reject(error)) });
  });
  await Promise.race([refused, connection.flush().then(() => connection.flush())]);
};
const purge = (stream: string) => async (connection: NatsConnection) =>
  (await jetstreamManager(connection, { checkAPI: false })).streams.purge(stream);
const deleteConsumer = (name: string) => async (connection: NatsConnection) =>
  (await jetstreamManager(connection, { checkAPI: false, timeout: 2_000 })).consumers.delete(STREAMS.commands.name, name);
const acknowledge = (name: string) => (connection: NatsConnection) =>
  connection.request(`$JS.ACK.${STREAMS.commands.name}.${name}.1.1.1.1.0`, '+ACK', { timeout: 2_000 });
const lookThrough = (stream: string, filter: string) => async (connection: NatsConnection) =>
  (await jetstreamManager(connection, { checkAPI: false })).streams.info(stream, { subjects_filter: filter });
const createStream = async (connection: NatsConnection): Promise<unknown> =>
  (await jetstreamManager(connection, { checkAPI: false })).streams.add({ name: 'OTHER', subjects: ['other'] });
const deleteStream = (stream: string) => async (connection: NatsConnection) =>
  (await jetstreamManager(connection, { checkAPI: false })).streams.delete(stream);

const TURN = turnResultSubject('root', 'uid.1000100');
const TURNS = turnCommandFilter('vllm', 'high');
const ARTIFACT = artifactSubject('root', `sha256:${'a'.repeat(64)}`);

interface Case {
  readonly user: User;
  readonly does: string;
  readonly work: (connection: NatsConnection) => Promise<unknown>;
}

const allowed: readonly Case[] = [
  { user: 'operator', does: 'sends a command', work: publish(commandSubject('resolve-1')) },
  { user: 'operator', does: 'publishes an event of planning', work: publish('planning.story.transitioned') },
  { user: 'operator', does: 'publishes an event of orchestration', work: publish('orchestration.task.completed') },
  { user: 'operator', does: 'keeps its cursor', work: put(KV_BUCKETS.cursor, 'uid-1') },
  {
    user: 'gateway',
    does: 'takes commands from a durable consumer',
    work: durable(STREAMS.commands.name, 'fleet.gateway.cmd.*'),
  },
  { user: 'gateway', does: 'answers a command', work: publish(answerSubject('resolve-1')) },
  { user: 'operator', does: 'reads answers', work: read(STREAMS.results.name, 'fleet.gateway.result.*') },
  { user: 'gateway', does: 'stores an artifact', work: publish(ARTIFACT) },
  { user: 'gateway', does: 'gets an artifact', work: get(STREAMS.artifacts.name, ARTIFACT) },
  { user: 'gateway', does: 'writes the ledger', work: put(KV_BUCKETS.ledger, 'story.uid-1') },
  { user: 'operator', does: 'reads the ledger', work: read(`KV_${KV_BUCKETS.ledger}`, '$KV.fleet-ledger.>') },
  { user: 'operator', does: 'throws away a command that nobody answered', work: purge(STREAMS.commands.name) },
  {
    user: 'operator',
    does: 'reads a cursor that its view let go',
    work: get(`KV_${KV_BUCKETS.cursor}`, '$KV.fleet-cursor.uid-1'),
  },
  ...LEAVINGS.flatMap(({ stream, filter }): readonly Case[] => [
    {
      user: 'gateway',
      does: `looks through ${stream} for what is left of objects that are gone`,
      work: lookThrough(stream, filter),
    },
    { user: 'gateway', does: `purges what is left in ${stream}`, work: purge(stream) },
  ]),
  { user: 'gateway', does: 'keeps a receipt', work: put(KV_BUCKETS.receipts, 'uid-job') },
  { user: 'operator', does: 'reads receipts', work: read(`KV_${KV_BUCKETS.receipts}`, '$KV.fleet-receipts.>') },
  {
    user: 'operator',
    does: 'asks for a turn',
    work: publish(turnCommandSubject({ endpoint: 'vllm', priority: 'high', id: 'uid.1000100' })),
  },
  { user: 'pool', does: 'takes turns from a durable consumer of theirs', work: turnConsumer('pool-vllm-high', TURNS) },
  { user: 'pool', does: 'changes a consumer of turns', work: updateOf('pool-vllm-high') },
  { user: 'pool', does: 'answers a turn', work: publish(TURN) },
  { user: 'pool', does: 'looks up whether a turn is answered', work: lookUpDirectly(STREAMS.results.name, TURN) },
  { user: 'operator', does: 'reads answers of turns', work: read(STREAMS.results.name, TURN_RESULTS) },
  { user: 'admin', does: 'looks at everything', work: subscribe('>') },
];

const refused: readonly Case[] = [
  { user: 'operator', does: 'answers a command', work: publish(answerSubject('forged')) },
  { user: 'operator', does: 'stores an artifact', work: publish(ARTIFACT) },
  { user: 'operator', does: 'writes the ledger', work: put(KV_BUCKETS.ledger, 'story.uid-1') },
  { user: 'operator', does: 'purges artifacts', work: purge(STREAMS.artifacts.name) },
  { user: 'operator', does: 'purges the ledger', work: purge(`KV_${KV_BUCKETS.ledger}`) },
  { user: 'operator', does: 'gives itself a receipt', work: put(KV_BUCKETS.receipts, 'uid-job') },
  { user: 'pool', does: 'gives a receipt', work: put(KV_BUCKETS.receipts, 'uid-job') },
  { user: 'operator', does: 'deletes a stream', work: deleteStream(STREAMS.results.name) },
  { user: 'gateway', does: 'sends a command', work: publish(commandSubject('forged')) },
  { user: 'gateway', does: 'publishes an event', work: publish('planning.plan.approved') },
  { user: 'gateway', does: "moves the operator's cursor", work: put(KV_BUCKETS.cursor, 'uid-1') },
  { user: 'gateway', does: 'makes a stream', work: createStream },
  { user: 'gateway', does: 'purges answers', work: purge(STREAMS.results.name) },
  { user: 'gateway', does: 'purges commands', work: purge(STREAMS.commands.name) },
  { user: 'gateway', does: 'purges events', work: purge(STREAMS.planningEvents.name) },
  { user: 'gateway', does: "reads the operator's replies", work: subscribe('_INBOX_operator.>') },
  { user: 'gateway', does: 'listens to everything', work: subscribe('>') },
  { user: 'pool', does: 'writes the ledger', work: put(KV_BUCKETS.ledger, 'story.uid-1') },
  { user: 'pool', does: 'reads the ledger', work: read(`KV_${KV_BUCKETS.ledger}`, '$KV.fleet-ledger.>') },
  { user: 'pool', does: 'answers a command of the gateway', work: publish(answerSubject('forged')) },
  { user: 'pool', does: 'stores an artifact', work: publish(ARTIFACT) },
  { user: 'pool', does: 'reads an artifact', work: lookUpDirectly(STREAMS.artifacts.name, ARTIFACT) },
  {
    user: 'pool',
    does: 'asks for a turn',
    work: publish(turnCommandSubject({ endpoint: 'vllm', priority: 'low', id: 'uid.2' })),
  },
  { user: 'pool', does: 'sends a command', work: publish(commandSubject('forged')) },
  { user: 'pool', does: "reads the gateway's answers", work: lookUpDirectly(STREAMS.results.name, answerSubject('resolve-1')) },
  { user: 'pool', does: "reads the gateway's answers by message", work: get(STREAMS.results.name, answerSubject('resolve-1')) },
  { user: 'pool', does: 'follows answers', work: read(STREAMS.results.name, TURN_RESULTS) },
  { user: 'pool', does: "makes a consumer of the gateway's commands", work: turnConsumer('pool-stray', commandSubject('*')) },
  { user: 'pool', does: "makes the gateway's consumer its own", work: turnConsumer('gateway', TURNS) },
  { user: 'pool', does: "takes the gateway's commands", work: pullFrom('gateway') },
  { user: 'pool', does: "acknowledges the gateway's commands", work: acknowledge('gateway') },
  { user: 'pool', does: 'deletes a consumer', work: deleteConsumer('pool-vllm-high') },
  { user: 'pool', does: 'purges answers', work: purge(STREAMS.results.name) },
  { user: 'pool', does: 'makes a stream', work: createStream },
  { user: 'pool', does: 'publishes an event', work: publish('planning.plan.approved') },
  { user: 'pool', does: "reads the gateway's replies", work: subscribe('_INBOX_gateway.>') },
  { user: 'pool', does: 'listens to turns', work: subscribe('fleet.turn.>') },
  { user: 'gateway', does: 'answers a turn', work: publish(TURN) },
];

describe('what each process may do in NATS', () => {
  it.each(allowed)('$user $does', async ({ user, work }) => {
    expect(await as(user, work)).toBe('done');
  });

  it.each(refused)('$user never $does', async ({ user, work }) => {
    expect(await as(user, work)).toMatch(/permission|timeout/i);
  });
});

describe('the door of NATS', () => {
  it('is shut to a wrong password', async () => {
    await expect(connect({ ...door(), user: 'gateway', pass: 'nothing' })).rejects.toThrow(/authorization/i);
  });

  it('is shut to nobody in particular', async () => {
    await expect(connect(door())).rejects.toThrow(/authorization/i);
  });

  it('is shut to one who does not know the authority', async () => {
    await expect(connect({ ...door(), user: 'gateway', pass: stage.passwords['gateway'] ?? '', tls: {} })).rejects.toThrow();
  });

  it('takes messages of four mebibytes, as artifacts need', async () => {
    const big = (connection: NatsConnection): Promise<unknown> =>
      jetstream(connection).publish(artifactSubject('root', `sha256:${'b'.repeat(64)}`), new Uint8Array(4 * 1024 * 1024));
    expect(await as('gateway', big)).toBe('done');
  });
});
