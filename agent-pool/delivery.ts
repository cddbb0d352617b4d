// A turn in hand: its message is kept from every other worker until the turn is done with, given back or dropped.
// May: tell JetStream how it stands. May not: work on the turn.

import type { JsMsg } from '@nats-io/jetstream';
import { turnCommand, turnCommandSubject, turnIdOf, type TurnCommand } from '../crds/contracts/turns.ts';

/** The turn that the message asks for; undefined: it counts only under its own subject, and as what the schema says. */
export const commandOf = (subject: string, text: string): TurnCommand | undefined => {
  try {
    const { success, data } = turnCommand.safeParse(JSON.parse(text));
    const isItself = success && turnCommandSubject(data) === subject && turnIdOf(data.deliberationUid, data.n) === data.id;
    return isItself ? data : undefined;
  } catch {
    return undefined;
  }
};

/** A message cannot be told anything once its connection is gone; the server then delivers it again by itself. */
const tell = (say: () => void): void => {
  try {
    say();
  } catch {
    // nothing to do: the connection's end is reported where it is followed
  }
};

export interface DeliveryOptions {
  /** A message of which nothing is heard for so long goes to another worker. */
  readonly ackWaitMs: number;
  readonly receivedMs: number;
  /** It is in hand no more. */
  readonly onEnd: () => void;
}

export class Delivery {
  readonly command: TurnCommand;
  readonly receivedMs: number;
  #message: JsMsg;
  readonly #options: DeliveryOptions;
  readonly #beat: NodeJS.Timeout;

  constructor(command: TurnCommand, message: JsMsg, options: DeliveryOptions) {
    this.command = command;
    this.receivedMs = options.receivedMs;
    this.#message = message;
    this.#options = options;
    this.#beat = setInterval(() => tell(() => this.#message.working()), options.ackWaitMs / 3);
  }

  /** How often it was delivered, this time included. */
  get count(): number {
    return this.#message.info.deliveryCount;
  }

  /** The store had more of its priority when it was delivered. */
  get hasMoreBehind(): boolean {
    return this.#message.info.pending > 0;
  }

  /** The same turn came again while it is in hand, as the connection was gone for a while: from now on that message counts. */
  follow(message: JsMsg): void {
    this.#message = message;
  }

  /** Never comes again. Rejects when the server does not say so: then it does, and is found answered. */
  async finish(): Promise<void> {
    try {
      await this.#message.ackAck();
    } finally {
      this.#end();
    }
  }

  /** Nobody waits for it. */
  drop(reason: string): void {
    tell(() => this.#message.term(reason));
    this.#end();
  }

  /** Another worker may take it, at once or after a while. */
  giveBack(afterMs?: number): void {
    tell(() => this.#message.nak(afterMs));
    this.#end();
  }

  #end(): void {
    clearInterval(this.#beat);
    this.#options.onEnd();
  }
}
