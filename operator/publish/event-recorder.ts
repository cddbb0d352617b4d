// Kubernetes Events about our objects, for `kubectl describe` and `kubectl events`. They are sent beside the passes, on a queue of
// their own: an Event that cannot be written is tried a few times and dropped, and nothing else waits for it or is told.
// The same Event of the same object is one object: it is told again as a series with a count, at most once a minute.

import { createHash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { ObjectEvent } from '../../controllers/object-events.ts';
import { microTimestamp } from '../../crds/time.ts';
import type { ApiClient } from '../../kube/client.ts';
import { ApiError, isAlreadyExists, isNotFound } from '../../kube/error.ts';
import type { KubeObject, Stored } from '../../kube/object.ts';
import { events } from '../../kube/resources.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Next, Queue, QueueOptions } from '../../runtime/queue.ts';

export interface EventRecorderOptions {
  readonly api: Pick<ApiClient, 'create' | 'patch'>;
  readonly clock: Clock;
  /** Names this process in the Events. */
  readonly instance: string;
  readonly makeQueue: (options: Pick<QueueOptions, 'work' | 'workers' | 'backoff'>) => Queue;
  readonly onDropped: (error: unknown) => void;
}

/** Names an object; the object itself is not kept. */
interface Reference {
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace?: string;
  readonly name: string;
  readonly uid: string;
  readonly resourceVersion: string;
}

interface Told {
  readonly regarding: Reference;
  readonly event: ObjectEvent;
  readonly firstAtMs: number;
  lastAtMs: number;
  /** Times it happened. */
  count: number;
  /** Times of these that the API server knows of; undefined: the Event was not created yet. */
  sent: number | undefined;
  sentAtMs: number;
  failures: number;
}

const MAX_KEPT = 2_000;
const MAX_TRIES = 4;
const SERIES_EVERY_MS = 60_000;
const NAME_PREFIX_LENGTH = 230;

const keyOf = ({ metadata }: Stored<KubeObject>, { type, reason, note }: ObjectEvent): string => {
  const hash = createHash('sha256')
    .update(JSON.stringify([metadata.uid, type, reason, note]))
    .digest('hex');
  return `${metadata.name.slice(0, NAME_PREFIX_LENGTH)}.${hash.slice(0, 16)}`;
};

const referenceTo = ({ apiVersion, kind, metadata }: Stored<KubeObject>): Reference => {
  const { namespace, name, uid, resourceVersion } = metadata;
  return { apiVersion, kind, ...(namespace !== undefined && { namespace }), name, uid, resourceVersion };
};

export class EventRecorder {
  readonly #options: EventRecorderOptions;
  readonly #queue: Queue;
  /** By the name of the Event. */
  readonly #told = new LRUCache<string, Told>({ max: MAX_KEPT });
  #isOpen = false;

  constructor(options: EventRecorderOptions) {
    this.#options = options;
    const work = (name: string): Promise<Next> => this.#send(name);
    this.#queue = options.makeQueue({ work, workers: 2, backoff: { baseMs: 500, maxMs: 30_000 } });
  }

  /** Returns at once. Before `open` it does nothing: what a standby sees is told by the process that leads. */
  record(regarding: Stored<KubeObject>, event: ObjectEvent): void {
    if (!this.#isOpen) return;
    const nowMs = this.#options.clock.nowMs();
    const name = keyOf(regarding, event);
    const told = this.#told.get(name);
    if (told === undefined) {
      const fresh = {
        regarding: referenceTo(regarding),
        event,
        firstAtMs: nowMs,
        lastAtMs: nowMs,
        count: 1,
        sent: undefined,
        sentAtMs: 0,
        failures: 0,
      };
      this.#told.set(name, fresh);
      this.#queue.add(name);
      return;
    }
    told.count += 1;
    told.lastAtMs = nowMs;
    this.#queue.addAfter(name, Math.max(0, told.sentAtMs + SERIES_EVERY_MS - nowMs));
  }

  open(): void {
    this.#isOpen = true;
    this.#queue.open();
  }

  drain(): Promise<void> {
    return this.#queue.drain();
  }

  async #send(name: string): Promise<Next> {
    const told = this.#told.get(name);
    if (told === undefined || told.count === told.sent) return { kind: 'done' };
    const { count } = told;
    try {
      await (told.sent === undefined ? this.#create(name, told) : this.#count(name, told));
    } catch (error) {
      return this.#failed(told, name, error);
    }
    Object.assign(told, { sent: count, sentAtMs: this.#options.clock.nowMs(), failures: 0 });
    return { kind: 'done' };
  }

  #failed(told: Told, name: string, error: unknown): Next {
    told.failures += 1;
    const mayPass = error instanceof ApiError && error.sort === 'transient';
    if (mayPass && told.failures < MAX_TRIES) return { kind: 'retry', minMs: error.retryAfterMs };
    this.#told.delete(name);
    this.#options.onDropped(error);
    return { kind: 'done' };
  }

  async #create(name: string, { regarding, event, firstAtMs }: Told): Promise<void> {
    const { namespace } = regarding;
    const body = {
      apiVersion: 'events.k8s.io/v1',
      kind: 'Event',
      metadata: { name, ...(namespace !== undefined && { namespace }) },
      eventTime: microTimestamp(firstAtMs),
      reportingController: 'swefleet.io/operator',
      reportingInstance: this.#options.instance,
      regarding,
      action: 'Reconcile',
      ...event,
    };
    await this.#options.api.create(events, body).catch((error: unknown) => {
      // the operator before this one told it
      if (!isAlreadyExists(error)) throw error;
    });
  }

  async #count(name: string, told: Told): Promise<void> {
    const { namespace } = told.regarding;
    const series = { count: told.count, lastObservedTime: microTimestamp(told.lastAtMs) };
    try {
      await this.#options.api.patch(events, { namespace, name }, { series });
    } catch (error) {
      // the API server keeps Events for an hour
      if (!isNotFound(error)) throw error;
      await this.#create(name, { ...told, firstAtMs: told.lastAtMs });
    }
  }
}
