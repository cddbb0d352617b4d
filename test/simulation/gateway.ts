// The gateway of a simulation, as far as the operator hears of it: it answers commands, sooner or later, well or not.

import { timestamp } from '../../crds/time.ts';
import { answerSubject, commandSubject, type CommandAnswer, type GatewayCommand } from '../../crds/contracts/commands.ts';
import type { Receipt } from '../../crds/contracts/receipts.ts';
import { receiptSubject } from '../../operator/state/feeds.ts';
import type { Store } from './link.ts';
import type { Repository } from './repository.ts';
import type { Move } from './scenario.ts';

interface GatewayPorts {
  readonly store: Store;
  readonly repository: Repository;
  readonly nowMs: () => number;
  /** Why it cannot answer well this time. */
  readonly failure: () => Failure | undefined;
}

export interface Failure {
  readonly reason: string;
  readonly message: string;
  readonly retryable: boolean;
}

const COMMANDS = commandSubject('');

export class Gateway {
  readonly #ports: GatewayPorts;
  #open: { readonly version: number; readonly commands: readonly GatewayCommand[] } | undefined;

  constructor(ports: GatewayPorts) {
    this.#ports = ports;
  }

  moves(): readonly Move[] {
    if (!this.#ports.store.isUp) return [];
    return this.#unanswered().map((command) => ({ what: 'answer', make: () => this.#answer(command) }));
  }

  /** A report or a push, if JetStream takes the receipt for it. */
  serve(jobUid: string, receipt: Receipt): boolean {
    const { store } = this.#ports;
    if (store.isUp) store.take({ subject: receiptSubject(jobUid), data: JSON.stringify(receipt) });
    return store.isUp;
  }

  /** Commands without an answer; looked up anew only when the store took or lost something. */
  #unanswered(): readonly GatewayCommand[] {
    const { store } = this.#ports;
    if (this.#open?.version === store.version) return this.#open.commands;
    const commands = store
      .last(COMMANDS)
      .filter(([subject]) => store.get(answerSubject(subject.slice(COMMANDS.length))) === undefined)
      .map(([, { data }]) => JSON.parse(Buffer.from(data).toString()) as GatewayCommand);
    this.#open = { version: store.version, commands };
    return commands;
  }

  #answer(command: GatewayCommand): void {
    const { store, repository, nowMs, failure } = this.#ports;
    const { id, kind } = command;
    const at = timestamp(nowMs());
    const failed = failure();
    const well: CommandAnswer =
      command.kind === 'resolve'
        ? { id, kind: 'resolve', at, ok: true, commit: repository.base }
        : { id, kind: 'probe', at, ok: true, models: [command.model], toolCalls: true, structuredOutput: true };
    const answer = failed === undefined ? well : { id, kind, at, ok: false, ...failed };
    store.take({ subject: answerSubject(id), data: JSON.stringify(answer) });
  }
}
