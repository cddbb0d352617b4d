// Pulls the turns of one endpoint and priority, one at a time: the next is asked for when the one before has begun. All replicas share the
// durable consumer, so a killed replica's turn comes to another one. When consumer, stream or connection go, it is opened anew.
// May: pull. May not: decide what begins, or know how a turn is worked on.

import { AckPolicy, DeliverPolicy, type Consumer, type JsMsg } from '@nats-io/jetstream';
import { STREAMS } from '../crds/contracts/commands.ts';
import { turnCommandFilter, type TurnPriority } from '../crds/contracts/turns.ts';
import { pause } from '../runtime/clock.ts';
import { isApiError } from '../runtime/bus/errors.ts';
import { HEARTBEAT_MS } from '../runtime/bus/feed.ts';
import type { JetStreamLink, Session } from '../runtime/bus/link.ts';
import { errorFields, type Log } from '../runtime/log.ts';

export interface PullerOptions {
  readonly endpoint: string;
  readonly priority: TurnPriority;
  readonly link: Pick<JetStreamLink, 'connected'>;
  /** Resolves when the next may be pulled; never rejects. */
  readonly onMessage: (message: JsMsg) => Promise<void>;
  readonly log: Log;
  /** A turn whose worker says nothing for so long goes to another one. */
  readonly ackWaitMs: number;
  /** Deliveries of one turn, the last of which is only for saying that it failed. */
  readonly maxDeliveries: number;
}

const STREAM = STREAMS.commands.name;
const RESTART_MS = 1_000;
const PULL_MS = 30_000;
const NANOS_PER_MS = 1_000_000;
/** More than can be at work and waiting, whatever the number of replicas. */
const MAX_ACK_PENDING = 50_000;

export const consumerName = (endpoint: string, priority: TurnPriority): string => `pool-${endpoint}-${priority}`;

export class Puller {
  readonly name: string;
  readonly #options: PullerOptions;
  #isOpen = false;

  constructor(options: PullerOptions) {
    this.#options = options;
    this.name = consumerName(options.endpoint, options.priority);
  }

  /** The durable consumer is there and is asked. */
  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** Runs until `signal` aborts; never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    const { link, log } = this.#options;
    for (let complaint: string | undefined; !signal.aborted; await pause(RESTART_MS, signal)) {
      const session = await link.connected(signal);
      if (session === undefined) return;
      try {
        const consumer = await this.#open(session);
        complaint = undefined;
        await this.#pull(consumer, AbortSignal.any([signal, session.ended]));
      } catch (cause) {
        const { error } = errorFields(cause);
        if (error !== complaint) log.warn('turns are not taken, trying again', { consumer: this.name, error });
        complaint = error;
      } finally {
        this.#isOpen = false;
      }
    }
  }

  /** Makes the durable consumer, or has it as it is here. One that nobody asks for as long as a command lives goes by itself. */
  async #open({ manager, client }: Session): Promise<Consumer> {
    const { endpoint, priority, ackWaitMs, maxDeliveries } = this.#options;
    const config = {
      filter_subject: turnCommandFilter(endpoint, priority),
      ack_wait: ackWaitMs * NANOS_PER_MS,
      max_deliver: maxDeliveries,
      max_ack_pending: MAX_ACK_PENDING,
      inactive_threshold: STREAMS.commands.maxAgeMs * NANOS_PER_MS,
    };
    const fixed = { durable_name: this.name, ack_policy: AckPolicy.Explicit, deliver_policy: DeliverPolicy.All };
    try {
      await manager.consumers.add(STREAM, { ...fixed, ...config });
    } catch (error) {
      if (!isApiError(error, 'consumerExists')) throw error;
      await manager.consumers.update(STREAM, this.name, config);
    }
    return client.consumers.get(STREAM, this.name);
  }

  /** Rejects when the durable consumer or its stream has vanished. */
  async #pull(consumer: Consumer, over: AbortSignal): Promise<void> {
    this.#isOpen = true;
    while (!over.aborted) {
      const message = await next(consumer, over);
      if (message !== undefined) await this.#options.onMessage(message);
    }
  }
}

/** The next message; undefined when there was none for a while, or it is over. */
const next = async (consumer: Consumer, over: AbortSignal): Promise<JsMsg | undefined> => {
  const messages = await consumer.fetch({ max_messages: 1, expires: PULL_MS, idle_heartbeat: HEARTBEAT_MS });
  const stop = (): void => void messages.close();
  over.addEventListener('abort', stop, { once: true });
  if (over.aborted) stop();
  try {
    let taken: JsMsg | undefined;
    // to its end, which comes with the one message: a pull that is left open counts heartbeats while its turn waits for a slot
    for await (const message of messages) taken = message;
    return taken;
  } finally {
    over.removeEventListener('abort', stop);
  }
};
