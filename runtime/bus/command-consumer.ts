// Takes commands from JetStream and stores their answers. All replicas share one durable consumer; a command is acknowledged after its
// answer is stored, so a killed replica's command comes to another one. The answer's subject takes one message: of two replicas
// that answer the same command, the store keeps the first.

import { AckPolicy, DeliverPolicy, type Consumer, type ConsumerMessages, type JsMsg } from '@nats-io/jetstream';
import { pause } from '../clock.ts';
import { errorFields, type Log } from '../log.ts';
import { HEARTBEAT_MS } from './feed.ts';
import type { JetStreamLink, Session } from './link.ts';

/** What the consumer carries: opaque but for where its answer goes. */
export interface Incoming<Command> {
  readonly command: Command;
  readonly answerSubject: string;
}

export interface CommandConsumerOptions<Command> {
  readonly link: Pick<JetStreamLink, 'connected' | 'publish'>;
  readonly stream: string;
  readonly answerStream: string;
  readonly durable: string;
  readonly filterSubject: string;
  /** undefined: not a command; it is thrown away and logged. */
  readonly parse: (subject: string, text: string) => Incoming<Command> | undefined;
  /** Never rejects for what can be expected: a failure is an answer too. */
  readonly answer: (command: Command, signal: AbortSignal) => Promise<object>;
  /** The answer for a command that was delivered too often without one. */
  readonly giveUp: (command: Command) => object;
  readonly log: Log;
  /** Commands under way at one time. */
  readonly concurrent?: number;
  /** A command whose replica says nothing for so long goes to another one. */
  readonly ackWaitMs?: number;
  readonly maxDeliveries?: number;
}

const RESTART_MS = 1_000;
const NANOS_PER_MS = 1_000_000;

/** A message cannot be answered to once its connection is gone; the server then delivers it again by itself. */
const tell = (say: () => void): void => {
  try {
    say();
  } catch {
    // nothing to do: the connection's end is reported where it is followed
  }
};

export class CommandConsumer<Command> {
  readonly #options: Required<CommandConsumerOptions<Command>>;
  readonly #running = new Set<Promise<void>>();

  constructor(options: CommandConsumerOptions<Command>) {
    this.#options = { concurrent: 8, ackWaitMs: 30_000, maxDeliveries: 8, ...options };
  }

  /** Runs until `signal` aborts, then ends what is under way; never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    const { link, log } = this.#options;
    for (let complaint: string | undefined; !signal.aborted; await pause(RESTART_MS, signal)) {
      const session = await link.connected(signal);
      if (session === undefined) break;
      try {
        const consumer = await this.#open(session);
        complaint = undefined;
        await this.#consume(consumer, signal, session.ended);
      } catch (cause) {
        const { error } = errorFields(cause);
        if (error !== complaint) log.warn('commands are not taken, trying again', { error });
        complaint = error;
      }
    }
    await Promise.all(this.#running);
  }

  /** Makes the durable consumer if there is none. */
  async #open({ manager, client }: Session): Promise<Consumer> {
    const { stream, durable, filterSubject, ackWaitMs } = this.#options;
    await manager.consumers.add(stream, {
      durable_name: durable,
      filter_subject: filterSubject,
      ack_policy: AckPolicy.Explicit,
      deliver_policy: DeliverPolicy.All,
      ack_wait: ackWaitMs * NANOS_PER_MS,
      max_ack_pending: 256,
    });
    return client.consumers.get(stream, durable);
  }

  /** Rejects when the durable consumer or its stream has vanished. */
  async #consume(consumer: Consumer, signal: AbortSignal, ended: AbortSignal): Promise<void> {
    const messages = await consumer.consume({
      ...{ max_messages: this.#options.concurrent, expires: 30_000, idle_heartbeat: HEARTBEAT_MS },
      // without it the client waits in silence for what nobody brings back
      abort_on_missing_resource: true,
    });
    const over = AbortSignal.any([signal, ended]);
    const stop = (): void => void messages.close();
    over.addEventListener('abort', stop, { once: true });
    if (over.aborted) stop();
    try {
      await this.#take(messages, signal);
    } finally {
      over.removeEventListener('abort', stop);
    }
  }

  async #take(messages: ConsumerMessages, signal: AbortSignal): Promise<void> {
    for await (const message of messages) {
      if (signal.aborted) {
        tell(() => message.nak());
        continue;
      }
      const task: Promise<void> = this.#handle(message, signal).finally(() => this.#running.delete(task));
      this.#running.add(task);
      if (this.#running.size >= this.#options.concurrent) await Promise.race(this.#running);
    }
  }

  async #handle(message: JsMsg, signal: AbortSignal): Promise<void> {
    const { parse, log, ackWaitMs } = this.#options;
    const working = setInterval(() => tell(() => message.working()), ackWaitMs / 3);
    try {
      const incoming = parse(message.subject, message.string());
      if (incoming === undefined) {
        log.error('command not understood', { subject: message.subject });
        message.term('not a command');
        return;
      }
      await this.#answer(incoming, message, signal);
      await message.ackAck();
    } catch (error) {
      log.warn('command not answered', { subject: message.subject, ...errorFields(error) });
      tell(() => message.nak(RESTART_MS));
    } finally {
      clearInterval(working);
    }
  }

  async #answer({ command, answerSubject }: Incoming<Command>, message: JsMsg, signal: AbortSignal): Promise<void> {
    const { answer, giveUp, link, answerStream, maxDeliveries } = this.#options;
    const given = message.info.deliveryCount > maxDeliveries ? giveUp(command) : await answer(command, signal);
    // refused: another replica's answer is there
    await link.publish({ subject: answerSubject, data: JSON.stringify(given), stream: answerStream });
  }
}
