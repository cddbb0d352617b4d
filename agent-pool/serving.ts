// What is served: a desk for each endpoint and a puller for each of its priorities, as the platform's table says at this moment.
// May: open and close them. May not: know how a turn is worked on.

import type { JsMsg } from '@nats-io/jetstream';
import type { PlatformConfig } from '../crds/contracts/platform.ts';
import { TURN_PRIORITIES, type TurnPriority } from '../crds/contracts/turns.ts';
import type { JetStreamLink } from '../runtime/bus/link.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Log } from '../runtime/log.ts';
import { commandOf, Delivery } from './delivery.ts';
import { Desk } from './desk.ts';
import { Puller } from './puller.ts';

export interface ServingOptions {
  readonly link: Pick<JetStreamLink, 'connected'>;
  /** Never rejects. */
  readonly work: (delivery: Delivery) => Promise<void>;
  readonly log: Log;
  readonly clock: Clock;
  readonly ackWaitMs: number;
  readonly maxDeliveries: number;
}

export interface Endpoint {
  readonly name: string;
  /** Turns at work at one time. */
  readonly slots: number;
}

/** The model rows of the table. */
export const endpointsOf = ({ upstreams }: PlatformConfig, slots: number): readonly Endpoint[] =>
  upstreams.filter(({ kind }) => kind === 'model').map(({ name, concurrency }) => ({ name, slots: concurrency ?? slots }));

interface Served {
  readonly desk: Desk<Delivery>;
  readonly pullers: readonly Puller[];
  readonly closing: AbortController;
  /** Resolves when nothing is pulled any more. */
  readonly pulling: Promise<unknown>;
}

export class Serving {
  readonly #options: ServingOptions;
  readonly #served = new Map<string, Served>();
  /** By the turn's id. */
  readonly #inHand = new Map<string, Delivery>();
  readonly #atWork = new Set<Promise<void>>();

  constructor(options: ServingOptions) {
    this.#options = options;
  }

  get atWork(): number {
    return this.#atWork.size;
  }

  /** Turns in hand without a slot. */
  get waiting(): number {
    return this.#inHand.size - this.#atWork.size;
  }

  /** Consumers that are not open. */
  closed(): readonly string[] {
    const pullers = [...this.#served.values()].flatMap((served) => served.pullers);
    return pullers.filter(({ isOpen }) => !isOpen).map(({ name }) => name);
  }

  /** From now on these and no others; what is at work for one that is gone goes on. */
  serve(endpoints: readonly Endpoint[]): void {
    const wanted = new Set(endpoints.map(({ name }) => name));
    for (const [name, served] of this.#served) if (!wanted.has(name)) this.#close(name, served);
    for (const { name, slots } of endpoints) {
      const served = this.#served.get(name);
      if (served === undefined) this.#served.set(name, this.#open(name, slots));
      else served.desk.resize(slots);
    }
  }

  /** Pulls nothing more and gives back what waits; resolves when nothing is at work any more. */
  async end(): Promise<void> {
    const pulling = [...this.#served.values()].map((served) => served.pulling);
    this.serve([]);
    await Promise.all([...pulling, ...this.#atWork]);
  }

  #open(endpoint: string, slots: number): Served {
    const { link, log, clock, ackWaitMs, maxDeliveries } = this.#options;
    const desk = new Desk<Delivery>({ slots, clock, work: (delivery) => this.#work(delivery) });
    const pullers = TURN_PRIORITIES.map((priority) => {
      const onMessage = (message: JsMsg): Promise<void> => this.#receive(desk, priority, message);
      return new Puller({ endpoint, priority, link, log, ackWaitMs, maxDeliveries, onMessage });
    });
    const closing = new AbortController();
    const pulling = Promise.all(pullers.map((puller) => puller.run(closing.signal)));
    return { desk, pullers, closing, pulling };
  }

  #close(name: string, { desk, closing }: Served): void {
    this.#served.delete(name);
    closing.abort(new Error(`endpoint ${name} is not served any more`));
    desk.close();
  }

  /** Resolves when the next may be pulled. */
  async #receive(desk: Desk<Delivery>, priority: TurnPriority, message: JsMsg): Promise<void> {
    const { log, clock, ackWaitMs } = this.#options;
    const command = commandOf(message.subject, message.string());
    if (command === undefined) {
      log.error('command not understood', { subject: message.subject });
      message.term('not a turn');
      return;
    }
    const held = this.#inHand.get(command.id);
    if (held !== undefined) return held.follow(message);
    const onEnd = (): void => void this.#inHand.delete(command.id);
    const delivery = new Delivery(command, message, { ackWaitMs, receivedMs: clock.nowMs(), onEnd });
    this.#inHand.set(command.id, delivery);
    await desk.offer(priority, delivery);
  }

  #work(delivery: Delivery): Promise<void> {
    const work: Promise<void> = this.#options.work(delivery).finally(() => this.#atWork.delete(work));
    this.#atWork.add(work);
    return work;
  }
}
