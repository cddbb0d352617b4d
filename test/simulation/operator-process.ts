// One operator process of a simulation: the operator that ships, with ports that do nothing until the simulation lets them. A watch event
// is delivered, a key is worked on, and a request is made when the simulation picks it. A process that dies goes on with nothing; what it
// had sent may still arrive.

import type { Controller } from '../../controllers/contract.ts';
import type { PlatformConfig } from '../../crds/contracts/platform.ts';
import { Operator, type LinkListeners, type OperatorPorts } from '../../operator/operator.ts';
import type { PassRecord } from '../../operator/reconcile/reconcile.ts';
import { Queue, type Next } from '../../runtime/queue.ts';
import type { ApiServer } from './api-server.ts';
import { Client, type WatchEnd } from './client.ts';
import { Clock } from './clock.ts';
import { Link, type Store } from './link.ts';

export interface ProcessPorts {
  readonly server: ApiServer;
  readonly controllers: readonly Controller<unknown, unknown>[];
  readonly store: Store;
  readonly platform: PlatformConfig;
  /** By the clock of this process. */
  readonly nowMs: () => number;
  /** How far that clock is ahead. */
  readonly skewMs: number;
  /** In [0, 1). */
  readonly random: () => number;
  /** Makes a request of this process: answers, throws, or ends the run. */
  readonly perform: <T>(process: OperatorProcess, label: string, call: () => T) => T;
  readonly onPass: (record: PassRecord) => void;
  /** What nobody expected. */
  readonly onBug: (error: unknown) => void;
  readonly onMalformed: (error: unknown) => void;
}

/** Something that waits to be let go. */
export interface Parked {
  readonly what: string;
  readonly go: () => void;
}

/** Enough that only the simulation decides which key is worked on next. */
const WORKERS = 100_000;

export class OperatorProcess {
  readonly #ports: ProcessPorts;
  readonly #client: Client;
  readonly #clock: Clock;
  readonly #link: Link;
  /** The server's version when it began: what was there then, it has seen or will see. */
  readonly bornAt: number;
  #parked: Parked[] = [];
  #held: Parked[] = [];
  /** Of each queue, the keys whose last work asked for a retry that is still to come. */
  readonly #failing: Set<string>[] = [];
  #isLeading = false;
  #isDead = false;

  constructor(ports: ProcessPorts) {
    this.#ports = ports;
    this.bornAt = ports.server.version;
    const request = <T>(label: string, call: () => T): Promise<T> => this.#request(label, call);
    this.#client = new Client(ports.server, request);
    this.#clock = new Clock(ports.nowMs, ports.random);
    this.#link = new Link(ports.store, request);
    const operator = new Operator(this.#operatorPorts());
    void operator.watch(new AbortController().signal);
    void operator.synced().then(() => {
      operator.lead();
      this.#isLeading = true;
    });
  }

  get skewMs(): number {
    return this.#ports.skewMs;
  }

  /** Its caches were filled once, and it acts. */
  get isLeading(): boolean {
    return this.#isLeading;
  }

  get isDead(): boolean {
    return this.#isDead;
  }

  /** Requests that are under way. */
  get parked(): readonly Parked[] {
    return this.#parked;
  }

  /** Keys that could be worked on now. */
  get held(): readonly Parked[] {
    return this.#held;
  }

  /** Whether something failed that is to be tried again. */
  get isFailing(): boolean {
    return this.#failing.some(({ size }) => size > 0);
  }

  /** Kinds of which something happened that the process has not read yet. */
  behind(): readonly string[] {
    return this.#client.behind();
  }

  /** Reads one more watch event of that kind. */
  deliver(kind: string): void {
    this.#client.deliver(kind);
  }

  endWatch(kind: string, end: WatchEnd): void {
    this.#client.endWatch(kind, end);
  }

  get link(): Link {
    return this.#link;
  }

  /** By the right time, not by its own clock. */
  nextDateMs(): number | undefined {
    const dateMs = this.#clock.nextDateMs();
    return dateMs === undefined ? undefined : dateMs - this.#ports.skewMs;
  }

  /** Does what has come due; whether there was something. */
  tick(): boolean {
    return this.#clock.tick();
  }

  resume(parked: Parked): void {
    this.#parked = this.#parked.filter((each) => each !== parked);
    parked.go();
  }

  release(held: Parked): void {
    this.#held = this.#held.filter((each) => each !== held);
    held.go();
  }

  /** It does nothing more. Of its requests that are under way those arrive that `arrives` says. */
  die(arrives: () => boolean): void {
    this.#isDead = true;
    this.#held = [];
    this.#parked = this.#parked.filter(arrives);
  }

  #request<T>(label: string, call: () => T): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const go = (): void => {
        try {
          const result = this.#ports.perform(this, label, call);
          if (!this.#isDead) resolve(result);
        } catch (error) {
          if (!this.#isDead) reject(error instanceof Error ? error : new Error(String(error)));
        }
      };
      if (!this.#isDead) this.#parked.push({ what: label, go });
    });
  }

  #hold(key: string): Promise<void> {
    return new Promise((go) => {
      if (!this.#isDead) this.#held.push({ what: `pass ${key}`, go });
    });
  }

  #operatorPorts(): OperatorPorts {
    const { platform, controllers, onPass, onBug, onMalformed } = this.#ports;
    const clock = this.#clock;
    return {
      config: { platform, watchNamespace: undefined, workers: WORKERS, instance: 'simulation' },
      ...{ api: this.#client, controllers, clock, gatewayCa: () => 'PEM' },
      makeQueue: (options) => {
        const failing = new Set<string>();
        this.#failing.push(failing);
        const work = async (key: string): Promise<Next> => {
          await this.#hold(key);
          const next = await options.work(key);
          if (next.kind === 'retry') failing.add(key);
          else failing.delete(key);
          return next;
        };
        return new Queue({ ...options, clock, workers: WORKERS, work });
      },
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
        onEventDropped: () => undefined,
        onReport: (report) => {
          if (report.type === 'malformed') onMalformed(report.error);
        },
        onDecided: () => undefined,
        onStoreAvailable: () => undefined,
        onPublished: () => undefined,
        read: () => undefined,
      },
    };
  }
}
