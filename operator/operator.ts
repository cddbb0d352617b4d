// One operator process, assembled: caches, JetStream, queues and the passes between them. `main.ts` gives it its ports and its life.
//
//   caches ─ changes ─► wiring ─► work queue ─► reconcile ─► API server          (leader only)
//      └──── outboxes ───────────► mirror queue ─► publisher ─► JetStream         (leader only)
//   JetStream ─ answers, ledger, cursors ─► views ─► wiring

import type { Controller } from '../controllers/contract.ts';
import { KV_BUCKETS, LEDGER_MAX_AGE_MS } from '../crds/contracts/commands.ts';
import type { ApiClient } from '../kube/client.ts';
import type { Clock } from '../runtime/clock.ts';
import { makeCommands, type Commands } from './reconcile/commands.ts';
import type { Config } from './config.ts';
import { JetStreamLink } from '../runtime/bus/link.ts';
import { errorFields, type Log } from '../runtime/log.ts';
import type { Metrics } from '../runtime/metrics.ts';
import { OBJECT_KINDS } from './state/watched-kinds.ts';
import { makeObservers } from './telemetry.ts';
import { publishOutbox, unpublished, type Publishing } from './publish/publisher.ts';
import { Queue } from '../runtime/queue.ts';
import { reconcile, type ReconcilePorts } from './reconcile/reconcile.ts';
import { makeSnapshot } from './state/snapshot.ts';
import { jetStreamDefinitions, makeViews, type Views } from './state/feeds.ts';
import {
  PUBLISHING_KINDS,
  splitWorkKey,
  wokenBy,
  wokenByAnswer,
  wokenByCursor,
  wokenByFailure,
  wokenByStore,
  wokenByUsage,
  workKey,
  type PublishingKind,
} from './reconcile/wakes.ts';
import { World } from './state/caches.ts';

export type AnyController = Controller<unknown, unknown>;

export interface OperatorPorts {
  readonly config: Config;
  readonly client: ApiClient;
  readonly controllers: readonly AnyController[];
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  /** PEM; undefined until it was read. */
  readonly gatewayCa: () => string | undefined;
}

/** Usage moves with every model call; a Story need not look at each. */
const USAGE_DELAY_MS = 2_000;
const BACKOFF = { baseMs: 100, maxMs: 300_000 };
const MIRROR_BACKOFF = { baseMs: 200, maxMs: 30_000 };
const MIRROR_WORKERS = 4;

export class Operator {
  readonly #ports: OperatorPorts;
  readonly #world: World;
  readonly #views: Views;
  readonly #link: JetStreamLink;
  readonly #commands: Commands;
  readonly #work: Queue;
  readonly #mirror: Queue;
  readonly #reconcilePorts: ReconcilePorts;
  readonly #controllers: ReadonlyMap<string, AnyController>;

  constructor(ports: OperatorPorts) {
    const { config, client, clock, log, metrics } = ports;
    const observers = makeObservers(log, metrics);
    this.#ports = ports;
    this.#controllers = new Map(ports.controllers.map((controller) => [controller.kind, controller]));
    const nowMs = (): number => clock.nowMs();
    this.#world = new World({
      ...{ client, platform: config.platform, namespace: config.watchNamespace, nowMs },
      ...{ onReport: observers.onReport, onBug: observers.onBug },
    });
    this.#views = makeViews({
      onAnswer: (commandId) => this.#wake(wokenByAnswer(commandId, this.#world)),
      onUsage: (account) => wokenByUsage(account, this.#world).forEach((key) => this.#work.addAfter(key, USAGE_DELAY_MS)),
      onCursor: (uid) => this.#cursorMoved(uid),
      onMalformed: observers.onMalformedMessage,
    });
    this.#link = this.#makeLink();
    this.#commands = makeCommands(this.#link, nowMs);
    this.#reconcilePorts = this.#makeReconcilePorts(observers);
    const queue = { clock, onThrown: observers.onThrown };
    this.#work = new Queue({ ...queue, work: (key) => this.#pass(key), workers: config.workers, backoff: BACKOFF });
    this.#mirror = new Queue({ ...queue, work: (key) => this.#publish(key), workers: MIRROR_WORKERS, backoff: MIRROR_BACKOFF });
    this.#wire();
    this.#measure();
  }

  /** What keeps it from doing its work; empty: ready. Being a standby, or without JetStream, keeps it from nothing. */
  missing(): readonly string[] {
    return this.#world.unsynced().map((kind) => `${kind} was not listed yet`);
  }

  /** Resolves when the caches are whole and JetStream was tried: then a first decision does not rest on what is about to change. */
  async synced(): Promise<void> {
    await Promise.all([this.#world.synced(), this.#link.tried]);
  }

  /** Fills caches and views until the signal aborts; decides nothing by itself. Never rejects. */
  async watch(signal: AbortSignal): Promise<void> {
    await Promise.all([this.#world.run(signal), this.#link.run(signal)]);
  }

  /** From now on this process acts. */
  lead(): void {
    this.#work.open();
    this.#mirror.open();
  }

  /** Ends what is under way and starts nothing more. */
  async drain(): Promise<void> {
    await Promise.all([this.#work.drain(), this.#mirror.drain()]);
  }

  #makeLink(): JetStreamLink {
    const { config, log } = this.#ports;
    const { url } = config.platform.nats;
    return new JetStreamLink({
      ...{ url, ...config.nats, name: config.instance },
      caFile: config.caFile,
      streams: jetStreamDefinitions(),
      buckets: [{ name: KV_BUCKETS.ledger, maxAgeMs: LEDGER_MAX_AGE_MS }, { name: KV_BUCKETS.cursor }],
      feeds: Object.values(this.#views),
      onAvailable: (available) => this.#storeChanged(available),
      onFailed: (error) => log.warn('JetStream is not available', errorFields(error)),
    });
  }

  #storeChanged(available: boolean): void {
    if (available) this.#ports.log.info('JetStream is available');
    this.#commands.forget();
    this.#wake(wokenByStore(this.#world));
    if (!available) return;
    for (const kind of PUBLISHING_KINDS) for (const object of this.#world.cache(kind).values()) this.#mirrored(kind, object);
  }

  #makeReconcilePorts(observers: ReturnType<typeof makeObservers>): ReconcilePorts {
    const { client, config, clock, gatewayCa } = this.#ports;
    const world = this.#world;
    return {
      api: client,
      resourceOf: (apiVersion, kind) => world.resourceOf(apiVersion, kind),
      overlayOf: (kind) => world.overlayOf(kind),
      commands: this.#commands,
      instance: config.instance,
      nowMs: () => clock.nowMs(),
      snapshot: makeSnapshot({
        ...{ world, platform: config.platform, gatewayCa, ...this.#views },
        storeAvailable: () => this.#link.available,
        nowMs: () => clock.nowMs(),
      }),
      onPass: observers.onPass,
      onDecided: observers.onDecided,
    };
  }

  #wire(): void {
    for (const kind of OBJECT_KINDS) this.#world.cache(kind).onChange((change) => this.#wake(wokenBy(kind, change, this.#world)));
    for (const kind of PUBLISHING_KINDS)
      this.#world.cache(kind).onChange((change) => {
        if (change.type !== 'deleted') this.#mirrored(kind, change.object);
      });
  }

  #wake(keys: readonly string[]): void {
    for (const key of keys) if (this.#controllers.has(splitWorkKey(key).kind)) this.#work.add(key);
  }

  /** The gateway's CA was read, or changed. */
  caChanged(): void {
    this.#wake(wokenByStore(this.#world));
  }

  #mirrored(kind: PublishingKind, object: Publishing): void {
    if (unpublished(object, this.#views.cursors).length > 0) this.#mirror.add(workKey(kind, object));
  }

  #cursorMoved(uid: string): void {
    this.#wake(wokenByCursor(uid, this.#world));
  }

  async #pass(workKeyText: string): ReturnType<typeof reconcile> {
    const { kind, key } = splitWorkKey(workKeyText);
    const controller = this.#controllers.get(kind);
    if (controller === undefined) return { kind: 'settled' };
    const next = await reconcile(controller, key, this.#reconcilePorts);
    // those that fail themselves have their date: two of them must not wake each other for ever
    if (next.kind === 'retry')
      this.#wake(wokenByFailure(workKeyText, this.#world).filter((woken) => !this.#work.isFailing(woken)));
    return next;
  }

  async #publish(workKeyText: string): ReturnType<typeof publishOutbox> {
    const { kind, key } = splitWorkKey(workKeyText);
    const { log, metrics } = this.#ports;
    const object = PUBLISHING_KINDS.includes(kind as PublishingKind)
      ? this.#world.cache(kind as PublishingKind).get(key)
      : undefined;
    return publishOutbox(object, {
      publish: (publication) => this.#link.publish(publication),
      cursors: this.#views.cursors,
      onUnpublishable: (_key, event) =>
        log.error('an event cannot be published and is skipped', { kind, key, type: event.type, seq: event.seq }),
      onPublished: (subject) => metrics.count('events_published_total', 'Events acknowledged by JetStream.', { subject }),
    });
  }

  #measure(): void {
    const { metrics } = this.#ports;
    metrics.gauge('queue_depth', 'Keys that could be worked on now.', () => this.#work.depth);
    metrics.gauge('queue_running', 'Keys being worked on.', () => this.#work.running);
    metrics.gauge('mirror_queue_depth', 'Objects with events to publish.', () => this.#mirror.depth);
    metrics.gauge('bus_available', '1 while JetStream can be used.', () => (this.#link.available ? 1 : 0));
    for (const kind of OBJECT_KINDS)
      metrics.gauge('cached_objects', 'Objects in the cache, by kind.', () => this.#world.cache(kind).size, { kind });
  }
}
