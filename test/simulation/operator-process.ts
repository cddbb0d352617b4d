// One operator process of a simulation: the real controllers, interpreter, overlay, wiring and snapshot over caches that are filled
// when the simulation says so. A crash is forgetting it and starting another.

import type { Controller } from '../../controllers/contract.ts';
import type { Snapshot } from '../../controllers/snapshot.ts';
import type { CommandAnswer, GatewayCommand } from '../../crds/contracts/commands.ts';
import type { PlatformConfig } from '../../crds/contracts/platform.ts';
import { Cache, type IndexBy } from '../../kube/cache.ts';
import { keyOf, type KubeObject } from '../../kube/object.ts';
import { watched, OBJECT_KINDS, type ObjectKind } from '../../operator/state/watched-kinds.ts';
import { Overlay } from '../../operator/state/overlay.ts';
import type { Next } from '../../runtime/queue.ts';
import { reconcile, type PassRecord, type ReconcilePorts } from '../../operator/reconcile/reconcile.ts';
import { makeSnapshot } from '../../operator/state/snapshot.ts';
import { splitWorkKey, wokenBy, wokenByAnswer, wokenByFailure, wokenByStore } from '../../operator/reconcile/wakes.ts';
import type { World as OperatorWorld } from '../../operator/state/caches.ts';
import type { ApiServer, WatchEvent } from './api-server.ts';

export interface ProcessPorts {
  readonly server: ApiServer;
  readonly controllers: readonly Controller<unknown, unknown>[];
  readonly platform: PlatformConfig;
  readonly nowMs: () => number;
  /** Called for every request; the request is made when the returned promise resolves, and is lost when it never does. */
  readonly request: <T>(label: string, call: () => T) => Promise<T>;
  readonly send: (command: GatewayCommand) => void;
  readonly answer: (id: string) => CommandAnswer | undefined;
  /** The last published event of an object. */
  readonly cursor: (uid: string) => number | undefined;
  readonly isStoreAvailable: () => boolean;
  readonly onPass: (record: PassRecord) => void;
}

interface Kept {
  readonly cache: Cache<KubeObject>;
  readonly overlay: Overlay<KubeObject>;
  /** Events of the kind's history that were read. */
  read: number;
}

export class OperatorProcess {
  readonly #ports: ProcessPorts;
  readonly #kept = new Map<ObjectKind, Kept>();
  readonly #reconcilePorts: ReconcilePorts;
  readonly #running = new Set<string>();
  readonly #pending = new Set<string>();
  readonly #timers = new Map<string, number>();
  readonly #failures = new Map<string, number>();
  readonly #sent = new Set<string>();

  /** `lag` says up to which version the process has read each kind when it begins to act. */
  constructor(ports: ProcessPorts, lag: (kind: string) => number) {
    this.#ports = ports;
    for (const kind of OBJECT_KINDS) {
      const indexes = (watched[kind].indexes ?? {}) as Readonly<Record<string, IndexBy<KubeObject>>>;
      const cache = new Cache<KubeObject>({ indexes });
      this.#kept.set(kind, { cache, overlay: new Overlay(cache, ports.nowMs, indexes), read: 0 });
    }
    this.#reconcilePorts = this.#makePorts();
    for (const kind of OBJECT_KINDS) this.#catchUp(kind, lag(kind));
    for (const kind of OBJECT_KINDS)
      this.#of(kind).cache.onChange((change) => this.#wake(wokenBy(kind, change as never, this.#world())));
    for (const kind of ['Story', 'Plan', 'Task', 'Council', 'Deliberation'] as const)
      for (const object of this.#of(kind).cache.values()) this.#pending.add(`${kind} ${keyOf(object.metadata)}`);
  }

  /** Kinds of which something happened that the process has not read yet. */
  behind(): readonly ObjectKind[] {
    return OBJECT_KINDS.filter((kind) => this.#ports.server.history(kind).length > this.#of(kind).read);
  }

  /** Reads one more watch event of that kind. */
  deliver(kind: ObjectKind): void {
    const event = this.#ports.server.history(kind)[this.#of(kind).read];
    if (event !== undefined) this.#take(kind, event);
  }

  /** Keys that could be worked on now. */
  ready(): readonly string[] {
    return [...this.#pending].filter((key) => !this.#running.has(key));
  }

  answered(commandId: string): void {
    this.#wake(wokenByAnswer(commandId, this.#world()));
  }

  storeChanged(): void {
    this.#wake(wokenByStore(this.#world()));
  }

  /** Duplicate wake-ups of everything: a resync. */
  resync(): void {
    for (const kind of ['Story', 'Plan', 'Task', 'Council'] as const)
      for (const object of this.#of(kind).cache.values()) this.#pending.add(`${kind} ${keyOf(object.metadata)}`);
  }

  nextDateMs(): number | undefined {
    return this.#timers.size === 0 ? undefined : Math.min(...this.#timers.values());
  }

  /** Wakes the keys whose date has come. */
  tick(): void {
    for (const [key, atMs] of [...this.#timers])
      if (atMs <= this.#ports.nowMs()) {
        this.#timers.delete(key);
        this.#pending.add(key);
      }
  }

  /** Starts a pass; it ends when its requests were answered. */
  start(key: string): void {
    this.#pending.delete(key);
    this.#running.add(key);
    this.#timers.delete(key);
    const { kind, key: name } = splitWorkKey(key);
    const controller = this.#ports.controllers.find((each) => each.kind === kind);
    if (controller === undefined) throw new Error(`no controller for ${key}`);
    void reconcile(controller, name, this.#reconcilePorts).then((next) => {
      this.#running.delete(key);
      if (next.kind === 'retry') this.#wake(wokenByFailure(key, this.#world()).filter((woken) => !this.#failures.has(woken)));
      this.#schedule(key, next);
    });
  }

  #schedule(key: string, next: Next): void {
    if (next.kind !== 'retry') this.#failures.delete(key);
    if (next.kind === 'after') this.#setTimer(key, next.delayMs);
    if (next.kind !== 'retry') return;
    const failures = this.#failures.get(key) ?? 0;
    this.#failures.set(key, failures + 1);
    this.#setTimer(key, Math.max(next.minMs ?? 0, 100 * 2 ** Math.min(failures, 10)));
  }

  #setTimer(key: string, delayMs: number): void {
    const atMs = this.#ports.nowMs() + delayMs;
    this.#timers.set(key, Math.min(atMs, this.#timers.get(key) ?? Number.POSITIVE_INFINITY));
  }

  #wake(keys: readonly string[]): void {
    for (const key of keys)
      if (this.#ports.controllers.some(({ kind }) => kind === splitWorkKey(key).kind)) this.#pending.add(key);
  }

  #of(kind: ObjectKind): Kept {
    const kept = this.#kept.get(kind);
    if (kept === undefined) throw new Error(`kind ${kind} is not watched`);
    return kept;
  }

  #catchUp(kind: ObjectKind, version: number): void {
    for (const event of this.#ports.server.history(kind)) {
      if (event.version > version) return;
      this.#take(kind, event);
    }
  }

  #take(kind: ObjectKind, { version, type, object }: WatchEvent): void {
    const kept = this.#of(kind);
    kept.read += 1;
    kept.cache.advance(String(version));
    if (type === 'put') kept.cache.upsert(object);
    else kept.cache.remove(keyOf(object.metadata), object.metadata.uid);
  }

  /** What wiring and snapshot need of the operator's world, without its reflectors. */
  #world(): OperatorWorld {
    const world = {
      cache: (kind: ObjectKind) => this.#of(kind).cache,
      overlay: (kind: ObjectKind) => this.#of(kind).overlay,
    };
    return world as unknown as OperatorWorld;
  }

  #makePorts(): ReconcilePorts {
    const { server, request, send, nowMs, onPass } = this.#ports;
    const who = 'operator';
    const api = {
      create: (_resource: unknown, object: KubeObject) => request(`create ${object.kind}`, () => server.create(who, object)),
      apply: (_resource: unknown, object: KubeObject, options: { readonly subresource?: string }) =>
        request(options.subresource === 'status' ? 'status' : `apply ${object.kind}`, () =>
          options.subresource === 'status' ? server.applyStatus(who, object) : server.apply(who, object),
        ),
      delete: (
        resource: { readonly kind: string },
        ref: { readonly namespace?: string; readonly name: string },
        options: { readonly preconditions?: { readonly uid?: string } },
      ) => request(`delete ${resource.kind}`, () => server.delete(who, resource.kind, keyOf(ref), options.preconditions?.uid)),
      get: (resource: { readonly kind: string }, ref: { readonly namespace?: string; readonly name: string }) =>
        request(`get ${resource.kind}`, () => server.get(resource.kind, keyOf(ref))),
    };
    return {
      api: api as unknown as ReconcilePorts['api'],
      resourceOf: (_apiVersion, kind) => watched[kind as ObjectKind].resource,
      overlayOf: (kind) => this.#of(kind as ObjectKind).overlay,
      commands: {
        isSent: (id) => this.#sent.has(id),
        send: async (command) => {
          await request('command', () => send(command));
          this.#sent.add(command.id);
        },
      },
      instance: 'simulation',
      nowMs,
      snapshot: this.#snapshot(),
      onPass,
      onDecided: () => undefined,
    };
  }

  #snapshot(): Snapshot {
    const { platform, answer, cursor, isStoreAvailable, nowMs } = this.#ports;
    return makeSnapshot({
      world: this.#world(),
      platform,
      answers: { get: answer },
      cursors: { get: cursor },
      ledger: { get: () => undefined },
      storeAvailable: isStoreAvailable,
      gatewayCa: () => 'PEM',
      nowMs,
    });
  }
}
