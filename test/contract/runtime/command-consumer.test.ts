// Commands on a real JetStream: what happens to them when a replica, the consumer or the whole store goes.

import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { ANSWER_WITHIN_MS, commandSubject, STREAMS } from '../../../crds/contracts/commands.ts';
import { makeCommands } from '../../../operator/reconcile/commands.ts';
import { jetStreamDefinitions } from '../../../operator/state/feeds.ts';
import { CommandConsumer, type CommandConsumerOptions } from '../../../runtime/bus/command-consumer.ts';
import type { JetStreamLink, StreamDefinition } from '../../../runtime/bus/link.ts';
import { recordedLog, silentLog } from '../../unit/runtime/recorded-log.ts';
import { startNats, type NatsServer } from '../nats.ts';

const onePerSubject = { max_msgs_per_subject: 1, discard: 'new', discard_new_per_subject: true } as const;
const streams: readonly StreamDefinition[] = [
  { name: 'COMMANDS', subjects: ['cmd.>'], ...onePerSubject },
  { name: 'ANSWERS', subjects: ['answer.>'], ...onePerSubject },
];

type Options = CommandConsumerOptions<string>;
type Given = Partial<Options> & Pick<Options, 'link' | 'durable' | 'filterSubject'>;

describe('a consumer of commands', () => {
  let nats: NatsServer;
  let sender: JetStreamLink;
  const stops: AbortController[] = [];
  const runs: Promise<void>[] = [];

  beforeAll(async () => {
    nats = await startNats();
    ({ link: sender } = await nats.connect('sender', { streams }));
  });
  afterEach(async () => {
    for (const stop of stops.splice(0)) stop.abort();
    await Promise.all(runs.splice(0));
  });
  afterAll(async () => nats.stop());

  /** Runs until the test ends. The answer of `cmd.x` goes to `answer.x`. */
  const consume = (given: Given): void => {
    const stop = new AbortController();
    const consumer = new CommandConsumer<string>({
      ...{ stream: 'COMMANDS', answerStream: 'ANSWERS', log: silentLog },
      parse: (subject, text) => ({ command: text, answerSubject: subject.replace('cmd', 'answer') }),
      answer: async (command) => ({ done: command }),
      giveUp: (command) => ({ gaveUp: command }),
      ...given,
    });
    stops.push(stop);
    runs.push(consumer.run(stop.signal));
  };
  const send = (subject: string): Promise<unknown> => sender.publish({ subject: `cmd.${subject}`, data: subject });
  const answerTo = async (subject: string): Promise<unknown> => {
    const bytes = await sender.lastMessage('ANSWERS', `answer.${subject}`).catch(() => undefined);
    return bytes === undefined ? undefined : JSON.parse(Buffer.from(bytes).toString('utf8'));
  };
  const answered = (subject: string) => expect.poll(() => answerTo(subject), { timeout: 60_000 });

  it('leaves a command to another replica when it dies with it in hand, and one answer is stored', async () => {
    const taken: string[] = [];
    const common = { durable: 'dying', filterSubject: 'cmd.dying.*', ackWaitMs: 1_000 };
    const first = await nats.connect('first');
    const second = await nats.connect('second');
    const release = Promise.withResolvers<object>();
    consume({
      ...{ ...common, link: first.link },
      answer: (command) => {
        taken.push(`first ${command}`);
        return release.promise;
      },
    });
    await send('dying.one');
    await expect.poll(() => taken).toEqual(['first dying.one']);
    await first.close();
    consume({
      ...{ ...common, link: second.link },
      answer: async (command) => {
        taken.push(`second ${command}`);
        return { by: 'second' };
      },
    });
    await answered('dying.one').toEqual({ by: 'second' });
    expect(taken).toEqual(['first dying.one', 'second dying.one']);
    release.resolve({ by: 'first' });
  });

  it('acknowledges a command that was answered by another replica, whose answer stays', async () => {
    await sender.publish({ subject: 'answer.acking.two', data: JSON.stringify({ by: 'dead' }) });
    const { link } = await nats.connect('third');
    consume({ link, durable: 'acking', filterSubject: 'cmd.acking.*', answer: async () => ({ by: 'living' }) });
    await send('acking.two');
    const acknowledged = async (): Promise<number> =>
      (await (await sender.session()).manager.consumers.info('COMMANDS', 'acking').catch(() => undefined))?.ack_floor
        .stream_seq ?? 0;
    await expect.poll(acknowledged, { timeout: 10_000 }).toBeGreaterThan(0);
    expect(await answerTo('acking.two')).toEqual({ by: 'dead' });
  });

  it('gives up a command that was delivered too often', async () => {
    const { link } = await nats.connect('giving-up');
    const answer = async (): Promise<object> => {
      throw new Error('nobody knows why');
    };
    consume({ link, durable: 'hopeless', filterSubject: 'cmd.hopeless.*', maxDeliveries: 2, answer });
    await send('hopeless.one');
    await answered('hopeless.one').toEqual({ gaveUp: 'hopeless.one' });
  });

  it('keeps a long command by saying that it is at work', async () => {
    const { link } = await nats.connect('slow');
    const release = Promise.withResolvers<object>();
    let taken = 0;
    const answer = (): Promise<object> => {
      taken += 1;
      return release.promise;
    };
    consume({ link, durable: 'slow', filterSubject: 'cmd.slow.*', ackWaitMs: 1_000, answer });
    await send('slow.one');
    const redelivered = async (): Promise<number | undefined> =>
      (await (await sender.session()).manager.consumers.info('COMMANDS', 'slow')).num_redelivered;
    await expect.poll(() => taken).toBe(1);
    // three times as long as a silent replica would have kept it
    await new Promise((resolve) => setTimeout(resolve, 3_000));
    expect([taken, await redelivered()]).toEqual([1, 0]);
    release.resolve({ done: true });
    await answered('slow.one').toEqual({ done: true });
  });

  it('notices that its durable consumer has vanished, and makes it anew', async () => {
    const { link } = await nats.connect('robbed');
    const log = recordedLog();
    consume({ link, log, durable: 'robbed', filterSubject: 'cmd.robbed.*' });
    await send('robbed.one');
    await answered('robbed.one').toEqual({ done: 'robbed.one' });
    await (await sender.session()).manager.consumers.delete('COMMANDS', 'robbed');
    await send('robbed.two');
    await answered('robbed.two').toEqual({ done: 'robbed.two' });
    expect(log.lines.map(({ message }) => message)).toContain('commands are not taken, trying again');
  });

  it('notices that the stream has vanished, and goes on once it is back', async () => {
    const { link } = await nats.connect('streamless');
    consume({ link, durable: 'streamless', filterSubject: 'cmd.streamless.*' });
    await send('streamless.one');
    await answered('streamless.one').toEqual({ done: 'streamless.one' });
    const { manager } = await sender.session();
    await manager.streams.delete('COMMANDS');
    await manager.streams.add({ ...streams[0], name: 'COMMANDS' });
    await send('streamless.two');
    await answered('streamless.two').toEqual({ done: 'streamless.two' });
  });

  it('answers again what is asked again after its answer was lost', async () => {
    const { link } = await nats.connect('forgetful');
    const { manager } = await sender.session();
    const definitions = jetStreamDefinitions().filter(({ name }) => name === STREAMS.commands.name);
    for (const definition of definitions) await manager.streams.add(definition);
    let answers = 0;
    consume({
      ...{ link, durable: 'forgetful', stream: STREAMS.commands.name, filterSubject: commandSubject('*') },
      parse: (_subject, text) => ({ command: text, answerSubject: 'answer.again' }),
      answer: async () => ({ nth: (answers += 1) }),
    });
    let nowMs = 0;
    const commands = makeCommands(sender, () => nowMs);
    const command = { id: 'resolve-u-0', kind: 'resolve', namespace: 'ns', storyUid: 'u' } as const;
    await commands.send(command);
    await answered('again').toEqual({ nth: 1 });
    await sender.purge('ANSWERS', 'answer.again');
    // a process that knows of nothing asks: the store has the command, and whoever took it is done with it
    commands.forget();
    await commands.send(command);
    expect([commands.isSent(command), await answerTo('again')]).toEqual([true, undefined]);
    nowMs = ANSWER_WITHIN_MS;
    expect(commands.isSent(command)).toBe(false);
    await commands.send(command);
    await answered('again').toEqual({ nth: 2 });
  });

  it('goes on when the server comes back with an empty store', async () => {
    const { link } = await nats.connect('emptied');
    consume({ link, durable: 'emptied', filterSubject: 'cmd.emptied.*' });
    await send('emptied.one');
    await answered('emptied.one').toEqual({ done: 'emptied.one' });
    await nats.wipe();
    await nats.start();
    await sender.connected(new AbortController().signal);
    await expect.poll(() => send('emptied.two').catch(() => undefined), { timeout: 30_000 }).toBeDefined();
    await answered('emptied.two').toEqual({ done: 'emptied.two' });
  });
});
