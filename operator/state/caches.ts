// What the operator knows of the cluster: a cache, a reflector and an overlay of own writes for each watched kind.

import type { PlatformConfig } from '../../crds/contracts/platform.ts';
import { Cache } from '../../kube/cache.ts';
import type { ApiClient } from '../../kube/client.ts';
import { apiVersionOf, type KubeObject, type Resource } from '../../kube/object.ts';
import type { Fields } from '../../kube/projection.ts';
import { Reflector, type Report } from '../../kube/reflector.ts';
import type { Clock } from '../../runtime/clock.ts';
import { OBJECT_KINDS, watched, type ObjectKind, type Objects } from './watched-kinds.ts';
import { Overlay } from './overlay.ts';
import { EffectRefused } from '../reconcile/problem.ts';

export interface CachesOptions {
  readonly client: Pick<ApiClient, 'listPage' | 'watch'>;
  readonly platform: PlatformConfig;
  /** undefined: all. The gateway's Service is seen wherever it is. */
  readonly namespace: string | undefined;
  readonly clock: Clock;
  readonly onReport: (report: Report) => void;
  /** A listener or an index threw: a bug of ours, the cache goes on. */
  readonly onBug: (error: unknown) => void;
}

interface Kept<T extends KubeObject> {
  readonly cache: Cache<T>;
  readonly overlay: Overlay<T>;
  readonly reflector: Reflector<T>;
}

const keep = <K extends ObjectKind>(kind: K, options: CachesOptions): Kept<Objects[K]> => {
  const { resource, select, indexes = {}, pageSize, fields, check } = watched[kind];
  const cache = new Cache<Objects[K]>({ indexes, onListenerError: options.onBug });
  const reflector = new Reflector<Objects[K]>({
    ...{ client: options.client, resource, cache, onReport: options.onReport, clock: options.clock },
    namespace: options.namespace,
    ...select?.(options.platform),
    ...(pageSize !== undefined && { pageSize }),
    ...(fields !== undefined && { fields: fields as Fields }),
    ...(check !== undefined && { check }),
  });
  return { cache, reflector, overlay: new Overlay(cache, () => options.clock.nowMs(), indexes) };
};

export class Caches {
  readonly #kept: { readonly [K in ObjectKind]: Kept<Objects[K]> };

  constructor(options: CachesOptions) {
    this.#kept = Object.fromEntries(OBJECT_KINDS.map((kind) => [kind, keep(kind, options)])) as unknown as {
      readonly [K in ObjectKind]: Kept<Objects[K]>;
    };
  }

  cache<K extends ObjectKind>(kind: K): Cache<Objects[K]> {
    return this.#kept[kind].cache;
  }

  overlay<K extends ObjectKind>(kind: K): Overlay<Objects[K]> {
    return this.#kept[kind].overlay;
  }

  /** By a name that comes from an effect. Throws EffectRefused for a kind that is not watched. */
  overlayOf(kind: string): Overlay<KubeObject> {
    const kept = (this.#kept as unknown as Readonly<Record<string, Kept<KubeObject> | undefined>>)[kind];
    if (kept === undefined) throw new EffectRefused(`kind ${kind} is not watched`);
    return kept.overlay;
  }

  /** Throws EffectRefused for what is not watched. */
  resourceOf(apiVersion: string, kind: string): Resource {
    const resource = OBJECT_KINDS.map((each) => watched[each].resource).find((each) => each.kind === kind);
    if (resource === undefined || apiVersionOf(resource) !== apiVersion)
      throw new EffectRefused(`${apiVersion} ${kind} is not watched`);
    return resource;
  }

  /** Kinds that were not listed yet. */
  unsynced(): readonly ObjectKind[] {
    return OBJECT_KINDS.filter((kind) => !this.#kept[kind].reflector.isSynced);
  }

  /** Kinds whose list or watch is broken: what the caches show of them may be old. */
  broken(): readonly ObjectKind[] {
    return OBJECT_KINDS.filter((kind) => this.#kept[kind].reflector.isBroken);
  }

  async synced(): Promise<void> {
    await Promise.all(OBJECT_KINDS.map((kind) => this.#kept[kind].reflector.synced));
  }

  /** Runs until the signal aborts; never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    await Promise.all(OBJECT_KINDS.map((kind) => this.#kept[kind].reflector.run(signal)));
  }
}
