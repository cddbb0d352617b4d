// Throws away what the store keeps for objects that are gone. Absence proves little: a cache may be young, its watch broken, the API
// server restored or back with nothing. So an object counts as gone only after the cluster was seen without it, beyond doubt, for
// hours. Every replica does it by itself; twice is once.

import { pause, systemClock, type Clock } from '../../runtime/clock.ts';
import { errorFields, type Log } from '../../runtime/log.ts';

export interface LeavingsStore {
  /** Of all objects for which something is kept. Throws StoreUnavailable. */
  uids(): Promise<ReadonlySet<string>>;
  purge(uid: string): Promise<void>;
}

/**
 * certain    what is not seen is not there
 * blind      what is seen may be old, or not all there is: nothing follows from it
 * another    what is seen is not the cluster that was seen before, or holds no Story at all: earlier absences prove nothing either
 */
export type Sight = 'certain' | 'blind' | 'another';

export interface SweptCluster {
  exists(uid: string): boolean;
  sight(): Sight;
}

export interface SweepOptions {
  readonly store: LeavingsStore;
  readonly cluster: SweptCluster;
  readonly log: Log;
  readonly clock?: Clock;
  readonly onPurged?: () => void;
}

const SWEEP_MS = 1_800_000;
/** An object that was not seen for so long is gone. */
const GONE_AFTER_MS = 6 * 3_600_000;

export class Sweep {
  readonly #options: SweepOptions;
  readonly #clock: Clock;
  /** When each was first not seen. */
  #absent = new Map<string, number>();

  constructor(options: SweepOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
  }

  /** Runs until the signal aborts; never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    for (;;) {
      await pause(SWEEP_MS * (0.75 + this.#clock.random() / 2), signal, this.#clock);
      if (signal.aborted) return;
      await this.once().catch((error: unknown) =>
        this.#options.log.warn('what is left of objects that are gone was not purged', errorFields(error)),
      );
    }
  }

  async once(): Promise<void> {
    const uids = await this.#options.store.uids();
    // looked at after the wait, and again before each purge
    if (!this.#isCertain()) return;
    const nowMs = this.#clock.nowMs();
    const gone = [...uids].filter((uid) => !this.#options.cluster.exists(uid));
    this.#absent = new Map(gone.map((uid) => [uid, this.#absent.get(uid) ?? nowMs]));
    for (const [uid, sinceMs] of this.#absent) if (nowMs - sinceMs >= GONE_AFTER_MS) await this.#purge(uid);
  }

  async #purge(uid: string): Promise<void> {
    const { store, cluster, log, onPurged } = this.#options;
    if (!this.#isCertain() || cluster.exists(uid)) return;
    await store.purge(uid);
    this.#absent.delete(uid);
    onPurged?.();
    log.info('purged what was left of an object that is gone', { uid });
  }

  #isCertain(): boolean {
    const sight = this.#options.cluster.sight();
    if (sight === 'another') this.#absent.clear();
    return sight === 'certain';
  }
}
