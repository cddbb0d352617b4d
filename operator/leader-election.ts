// Leader election on one Lease, by the rules of client-go: a lease is valid as long as its holder was seen to renew it, measured by
// our own clock only. Election does not fence: deterministic names, preconditions and the push's expected value do.

import { microTimestamp } from '../crds/time.ts';
import { ApiError } from '../kube/error.ts';
import type { ApiClient } from '../kube/client.ts';
import type { KubeObject, Stored } from '../kube/object.ts';
import { leases } from '../kube/resources.ts';
import { pause, type Clock } from '../runtime/clock.ts';

interface LeaseSpec {
  readonly holderIdentity?: string | null;
  readonly leaseDurationSeconds?: number;
  readonly acquireTime?: string;
  readonly renewTime?: string;
  readonly leaseTransitions?: number;
}

export interface Lease extends KubeObject {
  readonly spec?: LeaseSpec;
}

export interface ElectorOptions {
  readonly api: Pick<ApiClient, 'get' | 'create' | 'patch'>;
  readonly ref: { readonly namespace: string; readonly name: string };
  /** Names this process; no two that live may share one. Who comes back under the name of a dead one takes up its lease. */
  readonly identity: string;
  readonly clock: Clock;
  /** Others wait this long after the last renewal they saw. */
  readonly durationMs: number;
  /** A leader that could not renew for this long stops leading; shorter than durationMs. */
  readonly renewDeadlineMs: number;
  readonly retryMs: number;
  readonly onError?: (error: unknown) => void;
}

/** What was last seen of the lease, and when we saw it change. */
interface Observation {
  readonly record: string;
  readonly atMs: number;
}

export class Elector {
  readonly #options: ElectorOptions;
  #observed: Observation | undefined;
  #leading = false;
  #renewedAtMs = 0;
  #holder: string | undefined;

  constructor(options: ElectorOptions) {
    this.#options = options;
  }

  get leading(): boolean {
    return this.#leading;
  }

  /** Resolves when this process leads, or with false when the signal aborted first. */
  async acquire(signal: AbortSignal): Promise<boolean> {
    while (!signal.aborted) {
      if (await this.#tryOnce()) {
        this.#leading = true;
        return true;
      }
      await this.#pause(signal);
    }
    return false;
  }

  /** Renews until the signal aborts (resolves with `stopped`) or the lease is lost or could not be renewed in time (`lost`). */
  async hold(signal: AbortSignal): Promise<'stopped' | 'lost'> {
    const { clock, renewDeadlineMs } = this.#options;
    for (;;) {
      await this.#pause(signal);
      if (signal.aborted) return 'stopped';
      const held = await this.#tryOnce();
      if (!held && (this.#isHeldByOther() || clock.nowMs() - this.#renewedAtMs >= renewDeadlineMs)) {
        this.#leading = false;
        return 'lost';
      }
    }
  }

  /** Lets another take over at once. Call it when nothing of ours acts any more. */
  async release(): Promise<void> {
    if (!this.#leading) return;
    this.#leading = false;
    const { api, ref, identity, clock } = this.#options;
    try {
      const lease = await api.get<Lease>(leases, ref);
      if (lease?.spec?.holderIdentity !== identity) return;
      const spec = { holderIdentity: null, leaseDurationSeconds: 1, renewTime: microTimestamp(clock.nowMs()) };
      await api.patch(leases, ref, { metadata: { resourceVersion: lease.metadata.resourceVersion }, spec });
    } catch (error) {
      this.#options.onError?.(error);
    }
  }

  #isHeldByOther(): boolean {
    return this.#holder !== undefined && this.#holder !== this.#options.identity;
  }

  async #tryOnce(): Promise<boolean> {
    try {
      const held = await this.#write();
      if (held) this.#renewedAtMs = this.#options.clock.nowMs();
      return held;
    } catch (error) {
      const raced = error instanceof ApiError && error.sort === 'conflict';
      if (!raced) this.#options.onError?.(error);
      return false;
    }
  }

  async #write(): Promise<boolean> {
    const { api, ref, identity, clock, durationMs } = this.#options;
    const lease = await api.get<Lease>(leases, ref);
    const now = microTimestamp(clock.nowMs());
    const renewal = { holderIdentity: identity, leaseDurationSeconds: Math.ceil(durationMs / 1_000), renewTime: now };
    if (lease === undefined) {
      const spec = { ...renewal, acquireTime: now, leaseTransitions: 0 };
      await api.create<Lease>(leases, { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: ref, spec });
      this.#holder = identity;
      return true;
    }
    this.#observe(lease);
    const mine = lease.spec?.holderIdentity === identity;
    if (!mine && this.#isValid(lease)) return false;
    const taken = mine ? {} : { acquireTime: now, leaseTransitions: (lease.spec?.leaseTransitions ?? 0) + 1 };
    const { resourceVersion } = lease.metadata;
    await api.patch(leases, ref, { metadata: { resourceVersion }, spec: { ...renewal, ...taken } });
    this.#holder = identity;
    return true;
  }

  #observe(lease: Stored<Lease>): void {
    const record = JSON.stringify(lease.spec ?? {});
    this.#holder = lease.spec?.holderIdentity ?? undefined;
    if (this.#observed?.record !== record) this.#observed = { record, atMs: this.#options.clock.nowMs() };
  }

  /** Held by somebody whose last renewal we saw less than the lease's own duration ago. */
  #isValid(lease: Stored<Lease>): boolean {
    const { holderIdentity, leaseDurationSeconds } = lease.spec ?? {};
    if (holderIdentity === undefined || holderIdentity === null || holderIdentity === '') return false;
    const durationMs = (leaseDurationSeconds ?? 0) * 1_000;
    return this.#observed !== undefined && this.#options.clock.nowMs() - this.#observed.atMs < durationMs;
  }

  #pause(signal: AbortSignal): Promise<void> {
    const { clock, retryMs } = this.#options;
    return pause(retryMs * (0.9 + clock.random() / 5), signal, clock);
  }
}
