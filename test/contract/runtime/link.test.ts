import { jetstreamManager, type JetStreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { expect, test } from 'vitest';
import { JetStreamLink, type StreamDefinition } from '../../../runtime/bus/link.ts';
import { StoreUnavailable } from '../../../runtime/bus/errors.ts';
import { LatestValues } from '../../../runtime/bus/latest-values.ts';
import type { Clock } from '../../../runtime/clock.ts';
import { makeNats, type NatsServer } from '../nats.ts';

const onePerSubject = { max_msgs_per_subject: 1, discard: 'new', discard_new_per_subject: true } as const;
const streams: readonly StreamDefinition[] = [
  { name: 'ANSWERS', subjects: ['answers.>'], ...onePerSubject },
  { name: 'EVENTS', subjects: ['events.>'] },
];

interface Stage {
  readonly nats: NatsServer;
  readonly link: JetStreamLink;
  readonly answers: LatestValues<string>;
  readonly cursors: LatestValues<number>;
  readonly malformed: string[];
  /** Resolves when the statement holds; looked at on each change of a view and of availability. */
  readonly until: (holds: () => boolean) => Promise<void>;
}

const text = (json: unknown): string => {
  if (typeof json !== 'string') throw new Error('not a string');
  return json;
};

const it = test.extend<{ readonly stage: Stage }>({
  stage: async ({}, use) => {
    const nats = await makeNats();
    const waits = new Set<() => void>();
    const look = (): void => waits.forEach((wait) => wait());
    const malformed: string[] = [];
    const common = { maxEntries: 5, onChange: look, onMalformed: (key: string) => malformed.push(key) };
    const answers = new LatestValues<string>({ stream: 'ANSWERS', filter: 'answers.>', parse: text, ...common });
    const cursors = new LatestValues<number>({ stream: 'KV_cursor', filter: '$KV.cursor.>', parse: Number, ...common });
    const link = new JetStreamLink({
      ...{ url: nats.url, user: undefined, password: undefined, caFile: undefined, name: 'test' },
      ...{
        streams,
        buckets: [{ name: 'cursor' }, { name: 'ledger', maxAgeMs: 90 * 86_400_000 }],
        feeds: [answers, cursors],
        onAvailable: look,
        onFailed: () => undefined,
      },
    });
    const stop = new AbortController();
    const running = link.run(stop.signal);
    await use({
      ...{ nats, link, answers, cursors, malformed },
      until: (holds) =>
        new Promise((resolve) => {
          const wait = (): void => {
            if (!holds()) return;
            waits.delete(wait);
            resolve();
          };
          waits.add(wait);
          wait();
        }),
    });
    stop.abort();
    await running;
    await nats.stop();
  },
});

/** On a connection of its own: the link closes its own as soon as it notices what was done. */
const asAdministrator = async <T>(nats: NatsServer, work: (manager: JetStreamManager) => Promise<T>): Promise<T> => {
  const connection = await connect({ servers: nats.url });
  try {
    return await work(await jetstreamManager(connection));
  } finally {
    await connection.close();
  }
};

it('says that the store is unavailable until it is there, then makes its streams and buckets', async ({ stage }) => {
  const { link, nats, until } = stage;
  await expect(link.publish({ subject: 'events.a', data: '1' })).rejects.toThrow(StoreUnavailable);
  await nats.start();
  await until(() => link.available);
  expect(await link.publish({ subject: 'events.a', data: '1' })).toBe('published');
});

it('makes buckets that keep the last value of a key, for ever or for as long as it was told', async ({
  stage: { link, nats, until },
}) => {
  await nats.start();
  await until(() => link.available);
  const configs = await asAdministrator(nats, ({ streams: made }) =>
    Promise.all(['KV_cursor', 'KV_ledger'].map(async (name) => (await made.info(name)).config)),
  );
  expect(configs.map(({ max_age, max_msgs_per_subject }) => [max_age, max_msgs_per_subject])).toEqual([
    [0, 1],
    [90 * 86_400 * 1e9, 1],
  ]);
});

it('takes a second message on a subject of one message for one that was sent already', async ({
  stage: { link, nats, until },
}) => {
  await nats.start();
  await until(() => link.available);
  expect(await link.publish({ subject: 'answers.a', data: '"1"' })).toBe('published');
  expect(await link.publish({ subject: 'answers.a', data: '"2"' })).toBe('refused');
});

it('fails a publication to a subject that no stream has', async ({ stage: { link, nats, until } }) => {
  await nats.start();
  await until(() => link.available);
  await expect(link.publish({ subject: 'nobody.listens', data: '1' })).rejects.toThrow(StoreUnavailable);
});

it('writes a key only over the revision that it knows', async ({ stage: { link, nats, cursors, until } }) => {
  await nats.start();
  await until(() => link.available);
  const put = (data: string, expectedSeq: number) => link.publish({ subject: '$KV.cursor.uid', data, expectedSeq });
  expect(await put('1', 0)).toBe('published');
  expect(await put('2', 0)).toBe('outrun');
  await until(() => cursors.get('uid') === 1);
  expect(await put('2', cursors.seq('uid'))).toBe('published');
  await until(() => cursors.get('uid') === 2);
});

it('drops a malformed answer alone, and holds no more entries than its bound', async ({ stage }) => {
  const { link, nats, answers, malformed, until } = stage;
  await nats.start();
  await until(() => link.available);
  await link.publish({ subject: 'answers.bad', data: '{"no": "string"' });
  for (const n of [1, 2, 3, 4, 5, 6]) await link.publish({ subject: `answers.a${n}`, data: `"${n}"` });
  await until(() => answers.get('a6') === '6');
  expect(malformed).toEqual(['bad']);
  expect([answers.size, answers.get('a1'), answers.get('a2')]).toEqual([5, undefined, '2']);
});

it('comes back by itself after the server was killed, with the views as they are on the server', async ({ stage }) => {
  const { link, nats, answers, until } = stage;
  await nats.start();
  await until(() => link.available);
  await link.publish({ subject: 'answers.before', data: '"kept"' });
  await until(() => answers.get('before') === 'kept');
  await nats.kill();
  await until(() => !link.available);
  expect(answers.get('before')).toBe('kept');
  await expect(link.publish({ subject: 'answers.lost', data: '"x"' })).rejects.toThrow(StoreUnavailable);
  await nats.start();
  await until(() => link.available);
  expect(answers.get('before')).toBe('kept');
  await link.publish({ subject: 'answers.after', data: '"new"' });
  await until(() => answers.get('after') === 'new');
});

it('forgets what a store that lost its data no longer has', async ({ stage: { link, nats, answers, until } }) => {
  await nats.start();
  await until(() => link.available);
  await link.publish({ subject: 'answers.a', data: '"1"' });
  await until(() => answers.get('a') === '1');
  await nats.wipe();
  await until(() => !link.available);
  await nats.start();
  await until(() => link.available);
  expect(answers.get('a')).toBeUndefined();
  expect(await link.publish({ subject: 'answers.a', data: '"again"' })).toBe('published');
});

it('notices that the stream of a feed has vanished, makes it anew and follows that', async ({ stage }) => {
  const { link, nats, answers, until } = stage;
  await nats.start();
  await until(() => link.available);
  await link.publish({ subject: 'answers.a', data: '"1"' });
  await until(() => answers.get('a') === '1');
  await asAdministrator(nats, ({ streams: made }) => made.delete('ANSWERS'));
  await until(() => !link.available);
  await until(() => link.available);
  expect(answers.get('a')).toBeUndefined();
  await link.publish({ subject: 'answers.b', data: '"2"' });
  await until(() => answers.get('b') === '2');
});

it('notices that the consumer of a feed has vanished, and misses nothing', async ({ stage }) => {
  const { link, nats, answers, until } = stage;
  await nats.start();
  await until(() => link.available);
  await asAdministrator(nats, async ({ consumers }) => {
    for await (const { name } of consumers.list('ANSWERS')) await consumers.delete('ANSWERS', name);
  });
  await until(() => !link.available);
  await until(() => link.available);
  await link.publish({ subject: 'answers.a', data: '"1"' });
  await until(() => answers.get('a') === '1');
});

it('reads the last message of a subject, and knows when there is none', async ({ stage: { link, nats, until } }) => {
  await nats.start();
  await until(() => link.available);
  expect(await link.lastMessage('ANSWERS', 'answers.a')).toBeUndefined();
  await link.publish({ subject: 'answers.a', data: Buffer.from('bytes'), stream: 'ANSWERS' });
  expect(Buffer.from((await link.lastMessage('ANSWERS', 'answers.a')) ?? []).toString()).toBe('bytes');
  await expect(link.publish({ subject: 'answers.b', data: 'x', stream: 'EVENTS' })).rejects.toThrow(StoreUnavailable);
});

it('tells of its session when there is one, and of its end', async ({ stage: { link, nats, until } }) => {
  expect(await link.connected(AbortSignal.abort())).toBeUndefined();
  const waiting = link.connected(new AbortController().signal);
  await nats.start();
  const session = await waiting;
  expect(link.maxPayloadBytes).toBe(6_291_456);
  expect(session?.ended.aborted).toBe(false);
  await nats.kill();
  await until(() => !link.available);
  expect(session?.ended.aborted).toBe(true);
  await expect(link.session()).rejects.toThrow(StoreUnavailable);
});

it('with patience lets nobody notice that the server was started anew', async ({ stage: { nats, until, link } }) => {
  await nats.start();
  await until(() => link.available);
  const patient = await nats.connect('patient', { patienceMs: 30_000 });
  await nats.kill();
  await until(() => !link.available);
  await expect.poll(() => patient.link.available).toBe(false);
  const publishing = patient.link.publish({ subject: 'events.a', data: '1' });
  await nats.start();
  expect(await publishing).toBe('published');
});

it('with patience gives up in the end', async ({ stage: { nats, until, link } }) => {
  await nats.start();
  await until(() => link.available);
  const patient = await nats.connect('patient', { patienceMs: 50 });
  await nats.kill();
  await expect.poll(() => patient.link.available).toBe(false);
  await expect(patient.link.publish({ subject: 'events.a', data: '1' })).rejects.toThrow(StoreUnavailable);
});

it('ends at once when it is stopped while it connects', async ({ stage: { nats } }) => {
  await nats.start();
  const stop = new AbortController();
  const failures: unknown[] = [];
  const link = new JetStreamLink({
    ...{ url: nats.url, user: undefined, password: undefined, caFile: undefined, name: 'stopped' },
    ...{ onAvailable: () => undefined, onFailed: (error: unknown) => failures.push(error) },
  });
  const running = link.run(stop.signal);
  stop.abort();
  await running;
  expect([link.available, failures]).toEqual([false, []]);
});

it('tries for an hour without a server, waits a few seconds at the most, and is there when the server is', async () => {
  const nats = await makeNats();
  const waits: number[] = [];
  let goOn: (() => void) | undefined;
  let waiting = Promise.withResolvers<void>();
  const clock: Clock = {
    nowMs: () => 0,
    random: () => 0.999,
    yield: (then) => void setImmediate(then),
    after: (delayMs, then) => {
      waits.push(delayMs);
      goOn = then;
      waiting.resolve();
      return () => undefined;
    },
  };
  const link = new JetStreamLink({
    ...{ url: nats.url, user: undefined, password: undefined, caFile: undefined, name: 'test', streams, clock },
    ...{ onAvailable: () => undefined, onFailed: () => undefined },
  });
  const stop = new AbortController();
  const running = link.run(stop.signal);
  while (waits.reduce((sum, ms) => sum + ms, 0) < 3_600_000) {
    await waiting.promise;
    waiting = Promise.withResolvers();
    goOn?.();
  }
  expect(Math.max(...waits)).toBeLessThanOrEqual(5_000);
  await waiting.promise;
  await nats.start();
  goOn?.();
  expect(await link.connected(AbortSignal.timeout(30_000))).toBeDefined();
  stop.abort();
  goOn?.();
  await running;
  await nats.stop();
});
