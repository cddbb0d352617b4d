// One operator, assembled from its ports: what it sees, what it does, what it tells. `main.ts` gives it the real ports and its life; the
// simulation gives it others and drives this very class.
//
//   state/      caches ◄─ watches      feeds ◄─ JetStream (answers, ledger, cursors)      overlay ◄─ own writes
//                  │ changes              │
//   reconcile/     └──► wakes ◄───────────┘──► work queue ──► reconcile ──► API server, commands        (leader only)
//   publish/       └──► outboxes ──► queue ──► publisher ──► JetStream      Events ──► API server       (leader only)

import type { Controller } from '../controllers/contract.ts';
import { objectEvents, TELLING_KINDS, type TellingKind, type ToldStatus } from '../controllers/object-events.ts';
import type { Change } from '../kube/cache.ts';
import type { ApiClient } from '../kube/client.ts';
import { controllerOf } from '../crds/kinds/meta.ts';
import { lineClaimOf, type LineClaim } from '../controllers/deliberation/line.ts';
import { observeCore } from '../controllers/deliberation/observe.ts';
import { isHeld } from '../controllers/deliberation/rules.ts';
import type { DeliberationCore } from '../controllers/deliberation/seen.ts';
import { makeClaims, type Asked } from '../controllers/task/observe.ts';
import type { Snapshot } from '../controllers/snapshot.ts';
import { keyOf, refOf, type KubeObject } from '../kube/object.ts';
import type { JetStreamLink, LinkOptions } from '../runtime/bus/link.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Queue, QueueOptions } from '../runtime/queue.ts';
import type { Config } from './config.ts';
import { EventRecorder } from './publish/event-recorder.ts';
import { publishOutbox, unpublished, type Publishing } from './publish/publisher.ts';
import { makeCommands, type Commands } from './reconcile/commands.ts';
import { reconcile, type ReconcilePorts } from './reconcile/reconcile.ts';
import {
  PUBLISHING_KINDS,
  splitWorkKey,
  wokenBy,
  wokenByAnswer,
  wokenByCursor,
  wokenByFailure,
  wokenByReceipt,
  wokenByStore,
  wokenByTurn,
  wokenByUnprepared,
  wokenByUsage,
  workKey,
  type PublishingKind,
} from './reconcile/wakes.ts';
import { Caches } from './state/caches.ts';
import { makeFeeds, type Feeds } from './state/feeds.ts';
import { Lines } from './state/lines.ts';
import { Places } from './state/places.ts';
import { Refusals } from './state/refusals.ts';
import { makeSnapshot } from './state/snapshot.ts';
import { OBJECT_KINDS, type ObjectKind, type Objects } from './state/watched-kinds.ts';
import type { Telemetry } from './telemetry.ts';

export type AnyController = Controller<unknown, unknown>;

/** The API server, as far as the operator uses it. */
export type OperatorApi = Pick<ApiClient, 'listPage' | 'watch' | 'get' | 'create' | 'apply' | 'patch' | 'delete'>;

/** JetStream, as far as the operator uses it. */
export type Link = Pick<JetStreamLink, 'available' | 'tried' | 'run' | 'publish' | 'lastStored' | 'purge'>;
export type LinkListeners = Required<Pick<LinkOptions, 'feeds' | 'onAvailable'>>;

export interface OperatorPorts {
  readonly config: Pick<Config, 'platform' | 'watchNamespace' | 'workers' | 'instance'>;
  readonly api: OperatorApi;
  readonly controllers: readonly AnyController[];
  readonly clock: Clock;
  readonly makeQueue: (options: Omit<QueueOptions, 'clock'>) => Queue;
  readonly makeLink: (listeners: LinkListeners) => Link;
  readonly telemetry: Telemetry;
  /** PEM; undefined until it was read. */
  readonly gatewayCa: () => string | undefined;
}

/** Usage moves with every model call; a Story need not look at each. */
const USAGE_DELAY_MS = 2_000;
/** The key under which those are woken who get a place that became free. */
const NEXT_IN_LINE = 'Places next';
/** The key under which those are woken who may begin to deliberate. */
const NEXT_TO_DELIBERATE = 'Lines next';
const BACKOFF = { baseMs: 100, maxMs: 300_000 };
const PUBLISHING_BACKOFF = { baseMs: 200, maxMs: 30_000 };
/** Each waits for two acknowledgements: this many hide the way to a store that is not next door. */
const PUBLISHING_WORKERS = 16;

export class Operator {
  readonly #ports: OperatorPorts;
  readonly #caches: Caches;
  readonly #feeds: Feeds;
  readonly #link: Link;
  readonly #commands: Commands;
  readonly #refusals = new Refusals();
  readonly #places: Places;
  readonly #lines: Lines;
  readonly #work: Queue;
  readonly #publishing: Queue;
  readonly #events: EventRecorder;
  readonly #reconcilePorts: ReconcilePorts;
  readonly #controllers: ReadonlyMap<string, AnyController>;
  /** Keys that asked for an object, and do not know whether it was made. */
  readonly #unsure = new Set<string>();
  /** Namespaces whose accounts or policy somebody was making, and failed. */
  readonly #unprepared = new Set<string>();

  constructor(ports: OperatorPorts) {
    const { config, api, clock, telemetry, makeQueue } = ports;
    const { onThrown } = telemetry;
    this.#ports = ports;
    this.#controllers = new Map(ports.controllers.map((controller) => [controller.kind, controller]));
    const nowMs = (): number => clock.nowMs();
    this.#caches = new Caches({
      ...{ client: api, platform: config.platform, namespace: config.watchNamespace },
      clock,
      ...{ onReport: telemetry.onReport, onBug: telemetry.onBug },
    });
    this.#feeds = makeFeeds({
      onAnswer: (commandId) => this.#wake(wokenByAnswer(commandId, this.#caches)),
      onUsage: (account) => wokenByUsage(account, this.#caches).forEach((key) => this.#work.addAfter(key, USAGE_DELAY_MS)),
      onCursor: (uid) => this.#wake(wokenByCursor(uid, this.#feeds.cursors.get(uid) ?? 0, this.#caches)),
      onReceipt: (jobUid) => this.#wake(wokenByReceipt(jobUid, this.#caches)),
      onTurn: (key) => this.#wake(wokenByTurn(key, this.#caches)),
      nowMs,
      onMalformed: telemetry.onMalformedMessage,
    });
    const onAvailable = (available: boolean): void => this.#storeChanged(available);
    this.#link = ports.makeLink({ feeds: Object.values(this.#feeds), onAvailable });
    this.#commands = makeCommands(this.#link, nowMs);
    this.#reconcilePorts = this.#makeReconcilePorts();
    this.#places = this.#makePlaces(this.#reconcilePorts.snapshot);
    this.#lines = this.#makeLines(this.#reconcilePorts.snapshot);
    const work = (key: string): ReturnType<typeof reconcile> => this.#pass(key);
    const publish = (key: string): ReturnType<typeof publishOutbox> => this.#publish(key);
    this.#work = makeQueue({ work, workers: config.workers, backoff: BACKOFF, onThrown });
    this.#publishing = makeQueue({ work: publish, workers: PUBLISHING_WORKERS, backoff: PUBLISHING_BACKOFF, onThrown });
    this.#events = new EventRecorder({
      ...{ api, clock, instance: config.instance, onDropped: telemetry.onEventDropped },
      makeQueue: (options) => makeQueue({ ...options, onThrown }),
    });
    this.#listen();
    telemetry.read(this.#readings());
  }

  /** What keeps it from doing its work; empty: ready. Being a standby, or without JetStream, keeps it from nothing. */
  missing(): readonly string[] {
    return this.#caches.unsynced().map((kind) => `${kind} was not listed yet`);
  }

  /** Resolves when the caches are whole and JetStream was tried: then a first decision does not rest on what is about to change. */
  async synced(): Promise<void> {
    await Promise.all([this.#caches.synced(), this.#link.tried]);
  }

  /** Fills caches and feeds until the signal aborts; decides nothing by itself. Never rejects. */
  async watch(signal: AbortSignal): Promise<void> {
    await Promise.all([this.#caches.run(signal), this.#link.run(signal)]);
  }

  /** From now on this process acts. */
  lead(): void {
    for (const part of [this.#work, this.#publishing, this.#events]) part.open();
  }

  /** Ends what is under way and starts nothing more. */
  async drain(): Promise<void> {
    await Promise.all([this.#work, this.#publishing, this.#events].map((part) => part.drain()));
  }

  /** The gateway's CA was read, or changed. */
  caChanged(): void {
    this.#wake(wokenByStore(this.#caches));
  }

  #storeChanged(available: boolean): void {
    this.#commands.forget();
    this.#wake(wokenByStore(this.#caches));
    if (!available) return;
    this.#ports.telemetry.onStoreAvailable();
    for (const kind of PUBLISHING_KINDS) for (const object of this.#caches.cache(kind).values()) this.#outboxSeen(kind, object);
  }

  #makeReconcilePorts(): ReconcilePorts {
    const { api, config, clock, gatewayCa, telemetry } = this.#ports;
    const caches = this.#caches;
    const snapshot = makeSnapshot({
      ...{ caches, platform: config.platform, gatewayCa, ...this.#feeds },
      places: () => this.#places,
      lines: () => this.#lines,
      storeAvailable: () => this.#link.available,
      nowMs: () => clock.nowMs(),
    });
    return {
      api,
      snapshot,
      resourceOf: (apiVersion, kind) => caches.resourceOf(apiVersion, kind),
      overlayOf: (kind) => caches.overlayOf(kind),
      commands: this.#commands,
      refusals: this.#refusals,
      onUnsure: (workKeyText) => this.#unsure.add(workKeyText),
      onSure: (workKeyText) => this.#sure(workKeyText),
      nowMs: () => clock.nowMs(),
      onPass: telemetry.onPass,
      onDecided: telemetry.onDecided,
    };
  }

  #makePlaces(snapshot: Snapshot): Places {
    const asked: Asked = {
      isRefused: (key) => this.#refusals.untilMs(`Task ${key}`, this.#ports.clock.nowMs()) !== undefined,
      isUnsure: (key) => this.#unsure.has(`Task ${key}`),
    };
    return new Places({
      capacity: this.#ports.config.platform.capacity,
      makeClaims: () => makeClaims(snapshot, this.#ports.clock.nowMs(), asked),
      onTouched: () => this.#work.add(NEXT_IN_LINE),
    });
  }

  #makeLines(snapshot: Snapshot): Lines {
    const claimOf = (core: DeliberationCore): LineClaim | undefined =>
      lineClaimOf(core, {
        isHeld: isHeld(core, this.#ports.clock.nowMs()),
        shown: this.#caches.cache('Deliberation').get(keyOf(core.deliberation.metadata)),
      });
    return new Lines({
      platform: this.#ports.config.platform,
      claimOf,
      claimAt: (key) => {
        const core = observeCore(key, snapshot);
        return core === undefined ? undefined : claimOf(core);
      },
      onTouched: () => this.#work.add(NEXT_TO_DELIBERATE),
    });
  }

  #listen(): void {
    this.#caches.overlay('Deliberation').onMoved(({ metadata }) => this.#lines.touch(keyOf(metadata)));
    this.#caches.overlay('Task').onMoved((task) => this.#places.touch(keyOf(task.metadata)));
    this.#caches.overlay('Job').onMoved((job) => this.#touchOwner(job));
    for (const kind of ['ServiceAccount', 'NetworkPolicy'] as const)
      this.#caches.overlay(kind).onFallen(({ metadata }) => this.#unprepared.add(metadata.namespace ?? ''));
    for (const kind of OBJECT_KINDS) {
      this.#caches.cache(kind).onChange((change) => this.#seen(kind, change));
      const overlay = this.#caches.overlayOf(kind);
      overlay.onVanished((old) => this.#seen(kind, { type: 'deleted', old }));
      overlay.onSkipped((old, object) => this.#seen(kind, { type: 'changed', old, object }));
    }
    for (const kind of PUBLISHING_KINDS)
      this.#caches.cache(kind).onChange((change) => {
        if (change.type !== 'deleted') this.#outboxSeen(kind, change.object);
      });
    for (const kind of TELLING_KINDS) this.#caches.cache(kind).onChange((change) => this.#tell(kind, change));
  }

  /** What it has is seen again, or assumed. */
  #sure(workKeyText: string): void {
    if (!this.#unsure.delete(workKeyText)) return;
    const { kind, key } = splitWorkKey(workKeyText);
    if (kind === 'Task') this.#places.touch(key);
  }

  #failed(workKeyText: string): void {
    const unprepared = [...this.#unprepared];
    this.#unprepared.clear();
    // those that fail themselves have their date: two of them must not wake each other for ever
    const isAsleep = (key: string): boolean => key !== workKeyText && !this.#work.isFailing(key);
    this.#wake(wokenByFailure(workKeyText, this.#caches).filter(isAsleep));
    for (const namespace of unprepared) {
      this.#wake(wokenByUnprepared(namespace, this.#caches).filter(isAsleep));
      this.#places.retell((key) => refOf(key).namespace === namespace && isAsleep(`Task ${key}`));
    }
  }

  #seen<K extends ObjectKind>(kind: K, change: Change<Objects[K]>): void {
    const woken = wokenBy(kind, change, this.#caches);
    // no claim to a place hangs on a pod, of whose changes there are most
    if (kind !== 'Pod') this.#touch(woken, kind === 'Task' || kind === 'Job');
    this.#add(woken);
  }

  #wake(keys: readonly string[]): void {
    this.#touch(keys, false);
    this.#add(keys);
  }

  #touch(keys: readonly string[], isItself: boolean): void {
    for (const { kind, key } of keys.map(splitWorkKey))
      if (kind === 'Task' && isItself) this.#places.touch(key);
      else if (kind === 'Task') this.#places.touchLater(key);
      else if (kind === 'Deliberation') this.#lines.touch(key);
  }

  #add(keys: readonly string[]): void {
    for (const key of keys) if (this.#controllers.has(splitWorkKey(key).kind)) this.#work.add(key);
  }

  /** A Job was asked for, or is not any more. */
  #touchOwner(job: KubeObject): void {
    const owner = controllerOf(job);
    if (owner?.kind === 'Task') this.#places.touch(keyOf({ namespace: job.metadata.namespace, name: owner.name }));
  }

  #outboxSeen(kind: PublishingKind, object: Publishing): void {
    if (unpublished(object, this.#feeds.cursors).length > 0) this.#publishing.add(workKey(kind, object));
  }

  /** What was there when this process began was told by the one before it. */
  #tell(kind: TellingKind, change: Change<KubeObject & { readonly status?: ToldStatus }>): void {
    if (change.type !== 'changed' || change.object.status === undefined) return;
    for (const event of objectEvents(kind, change.old.status, change.object.status)) this.#events.record(change.object, event);
  }

  async #pass(workKeyText: string): ReturnType<typeof reconcile> {
    if (workKeyText === NEXT_IN_LINE) {
      for (const key of this.#places.next()) this.#work.add(`Task ${key}`);
      return { kind: 'done' };
    }
    if (workKeyText === NEXT_TO_DELIBERATE) {
      for (const key of this.#lines.next()) this.#work.add(`Deliberation ${key}`);
      return { kind: 'done' };
    }
    const { kind, key } = splitWorkKey(workKeyText);
    const controller = this.#controllers.get(kind);
    if (controller === undefined) return { kind: 'done' };
    const next = await reconcile(controller, key, this.#reconcilePorts);
    if (next.kind === 'retry') this.#failed(workKeyText);
    return next;
  }

  async #publish(workKeyText: string): ReturnType<typeof publishOutbox> {
    const { kind, key } = splitWorkKey(workKeyText);
    const publishing = PUBLISHING_KINDS.find((each) => each === kind);
    const object = publishing === undefined ? undefined : this.#caches.cache(publishing).get(key);
    return publishOutbox(object, {
      publish: (publication) => this.#link.publish(publication),
      lastStored: (stream, subject) => this.#link.lastStored(stream, subject),
      cursors: this.#feeds.cursors,
      onUnpublishable: (_key, event) => this.#ports.telemetry.onUnpublishable(workKeyText, event),
      onPublished: this.#ports.telemetry.onPublished,
    });
  }

  #readings(): Parameters<Telemetry['read']>[0] {
    const sizes = OBJECT_KINDS.map((kind) => [kind, () => this.#caches.cache(kind).size] as const);
    return {
      queueDepth: () => this.#work.depth,
      queueRunning: () => this.#work.running,
      publishingDepth: () => this.#publishing.depth,
      isStoreAvailable: () => this.#link.available,
      isApiAvailable: () => this.#caches.unsynced().length === 0 && this.#caches.broken().length === 0,
      cachedObjects: Object.fromEntries(sizes) as Record<ObjectKind, () => number>,
    };
  }
}
