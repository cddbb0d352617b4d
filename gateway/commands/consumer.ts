// Takes commands from JetStream and stores their answers. All replicas share one durable consumer; a command is acknowledged after its
// answer is stored, so a killed replica's command comes to another one. The answer's subject takes one message: of two replicas
// that answer the same command, the store keeps the first.

import { AckPolicy, DeliverPolicy, type Consumer, type ConsumerMessages, type JsMsg } from '@nats-io/jetstream';
import { wordsOf, type Log } from '../log.ts';
import { isSubjectTaken, type JetStream } from '../store/jetstream.ts';

/** What the consumer carries: opaque but for its id. */
export interface Incoming<Command> {
  readonly id: string;
  readonly command: Command;
}

export interface CommandConsumerOptions<Command> {
  readonly jetstream: () => JetStream | undefined;
  readonly stream: string;
  readonly resultStream: string;
  readonly durable: string;
  readonly filterSubject: string;
  readonly resultSubject: (id: string) => string;
  /** Undefined: not a command; it is thrown away and logged. */
  readonly parse: (subject: string, text: string) => Incoming<Command> | undefined;
  /** Never rejects for what can be expected: a failure is an answer too. */
  readonly answer: (command: Command, signal: AbortSignal) => Promise<object>;
  /** The answer for a command that was delivered too often without one. */
  readonly giveUp: (command: Command) => object;
  readonly log: Log;
  readonly concurrent?: number;
  readonly ackWaitMs?: number;
}

const MAX_DELIVERIES = 8;
const RESTART_MS = 1_000;
const NANOS_PER_MS = 1_000_000;

export class CommandConsumer<Command> {
  readonly #options: Required<CommandConsumerOptions<Command>>;
  readonly #running = new Set<Promise<void>>();

  constructor(options: CommandConsumerOptions<Command>) {
    this.#options = { concurrent: 8, ackWaitMs: 30_000, ...options };
  }

  /** Runs until `signal` aborts, then ends what is under way; never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        const consumer = await this.#open();
        if (consumer !== undefined) await this.#consume(consumer, signal);
      } catch (error) {
        this.#options.log.write('warn', 'commands interrupted', { error: wordsOf(error) });
      }
      await pause(RESTART_MS, signal);
    }
    await Promise.all(this.#running);
  }

  async #open(): Promise<Consumer | undefined> {
    const jetstream = this.#options.jetstream();
    if (jetstream === undefined) return undefined;
    const { stream, durable, filterSubject, ackWaitMs } = this.#options;
    await jetstream.manager.consumers.add(stream, {
      durable_name: durable,
      filter_subject: filterSubject,
      ack_policy: AckPolicy.Explicit,
      deliver_policy: DeliverPolicy.All,
      ack_wait: ackWaitMs * NANOS_PER_MS,
      max_ack_pending: 256,
    });
    return jetstream.client.consumers.get(stream, durable);
  }

  async #consume(consumer: Consumer, signal: AbortSignal): Promise<void> {
    const messages = await consumer.consume({ max_messages: this.#options.concurrent, expires: 30_000 });
    const stop = (): void => void messages.close();
    signal.addEventListener('abort', stop, { once: true });
    try {
      await this.#take(messages, signal);
    } finally {
      signal.removeEventListener('abort', stop);
      await messages.close();
    }
  }

  async #take(messages: ConsumerMessages, signal: AbortSignal): Promise<void> {
    for await (const message of messages) {
      if (signal.aborted) return message.nak();
      const task: Promise<void> = this.#handle(message, signal).finally(() => this.#running.delete(task));
      this.#running.add(task);
      if (this.#running.size >= this.#options.concurrent) await Promise.race(this.#running);
    }
  }

  async #handle(message: JsMsg, signal: AbortSignal): Promise<void> {
    const { parse, log, ackWaitMs } = this.#options;
    const working = setInterval(() => message.working(), ackWaitMs / 3);
    try {
      const incoming = parse(message.subject, message.string());
      if (incoming === undefined) {
        log.write('error', 'command not understood', { subject: message.subject });
        message.term('not a command');
        return;
      }
      await this.#store(incoming.id, await this.#answerTo(incoming, message, signal));
      await message.ackAck();
    } catch (error) {
      log.write('warn', 'command not answered', { subject: message.subject, error: wordsOf(error) });
      message.nak(RESTART_MS);
    } finally {
      clearInterval(working);
    }
  }

  async #answerTo(incoming: Incoming<Command>, message: JsMsg, signal: AbortSignal): Promise<object> {
    const { answer, giveUp } = this.#options;
    return message.info.deliveryCount > MAX_DELIVERIES ? giveUp(incoming.command) : answer(incoming.command, signal);
  }

  async #store(id: string, answer: object): Promise<void> {
    const { jetstream, resultSubject, resultStream } = this.#options;
    const client = jetstream()?.client;
    if (client === undefined) throw new Error('not connected to NATS');
    try {
      await client.publish(resultSubject(id), JSON.stringify(answer), { expect: { streamName: resultStream } });
    } catch (error) {
      if (!isSubjectTaken(error)) throw error;
    }
  }
}

const pause = (ms: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const timer = setTimeout(done, ms);
    function done(): void {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    }
    signal.addEventListener('abort', done, { once: true });
    return undefined;
  });
