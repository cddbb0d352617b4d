// One operator process of a simulation: the operator that ships, with ports that do nothing until the simulation lets them. A watch event
// is delivered, a key is worked on, and a request is made when the simulation picks it. A crash is forgetting the process.

import type { Controller } from '../../controllers/contract.ts';
import type { PlatformConfig } from '../../crds/contracts/platform.ts';
import { Operator, type LinkListeners, type OperatorPorts } from '../../operator/operator.ts';
import type { PassRecord } from '../../operator/reconcile/reconcile.ts';
import { Queue } from '../../runtime/queue.ts';
import type { ApiServer } from './api-server.ts';
import { Client, type Request } from './client.ts';
import { Clock } from './clock.ts';
import { Link, type Store } from './link.ts';

export interface ProcessPorts {
  readonly server: ApiServer;
  readonly controllers: readonly Controller<unknown, unknown>[];
  readonly store: Store;
  readonly platform: PlatformConfig;
  readonly nowMs: () => number;
  /** In [0, 1). */
  readonly random: () => number;
  readonly request: Request;
  /** Holds the work on a key until it is picked. */
  readonly hold: (key: string) => Promise<void>;
  /** The version of which a kind's first list is. */
  readonly listedAt: () => number;
  readonly onPass: (record: PassRecord) => void;
  /** What nobody expected. */
  readonly onBug: (error: unknown) => void;
}

/** Enough that only the simulation decides which key is worked on next. */
const WORKERS = 100_000;

export class OperatorProcess {
  readonly #client: Client;
  readonly #clock: Clock;
  readonly #link: Link;
  #isLeading = false;

  constructor(ports: ProcessPorts) {
    this.#client = new Client(ports.server, ports.request, ports.listedAt);
    this.#clock = new Clock(ports.nowMs, ports.random);
    this.#link = new Link(ports.store, ports.request);
    const operator = new Operator(this.#operatorPorts(ports));
    void operator.watch(new AbortController().signal);
    void operator.synced().then(() => {
      operator.lead();
      this.#isLeading = true;
    });
  }

  /** Its caches were filled once, and it acts. */
  get isLeading(): boolean {
    return this.#isLeading;
  }

  /** Kinds of which something happened that the process has not read yet. */
  behind(): readonly string[] {
    return this.#client.behind();
  }

  /** Reads one more watch event of that kind. */
  deliver(kind: string): void {
    this.#client.deliver(kind);
  }

  /** The store took a message of this subject. */
  stored(subject: string): void {
    this.#link.stored(subject);
  }

  nextDateMs(): number | undefined {
    return this.#clock.nextDateMs();
  }

  /** Does what has come due. */
  tick(): void {
    this.#clock.tick();
  }

  #operatorPorts(ports: ProcessPorts): OperatorPorts {
    const { platform, controllers, hold, onPass, onBug } = ports;
    const clock = this.#clock;
    return {
      config: { platform, watchNamespace: undefined, workers: WORKERS, instance: 'simulation' },
      ...{ api: this.#client, controllers, clock, gatewayCa: () => 'PEM' },
      makeQueue: (options) =>
        new Queue({
          ...options,
          ...{ clock, workers: WORKERS },
          work: (key) => hold(key).then(() => options.work(key)),
        }),
      makeLink: (listeners: LinkListeners) => {
        this.#link.listen(listeners);
        return this.#link;
      },
      telemetry: {
        onPass,
        onBug,
        onThrown: (_key, error) => onBug(error),
        onMalformedMessage: (_key, error) => onBug(error),
        onUnpublishable: (key, event) => onBug(new Error(`${key}: event ${event.type} cannot be published`)),
        onEventDropped: onBug,
        onReport: (report) => {
          if (report.type === 'malformed') onBug(report.error);
        },
        onDecided: () => undefined,
        onStoreAvailable: () => undefined,
        onPublished: () => undefined,
        read: () => undefined,
      },
    };
  }
}
