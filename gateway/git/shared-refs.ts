// Equal questions for a ref share one call: three hundred new Stories of one repository ask its server once. One server has a bounded
// number of calls at a time and of questions that wait, so that a slow one holds up nobody else's.

import { systemClock, type Clock } from '../../runtime/clock.ts';
import { Refusal } from '../http/refusal.ts';
import type { RepositoryRefs } from './repository-refs.ts';
import type { Repository } from './smart-http.ts';

export type Refs = Pick<RepositoryRefs, 'commitAt'>;

export interface SharingLimits {
  /** Calls at a time to one server. */
  readonly perHost: number;
  /** Questions that wait for one server. */
  readonly waitingPerHost: number;
  readonly clock?: Clock;
}

export const SHARING_LIMITS: SharingLimits = { perHost: 8, waitingPerHost: 120 };

/** An answer, good or bad, serves equal questions for so long after it came. */
const KEEP_MS = 1_000;
/** A call goes on when those who asked went away, but not for ever. */
const CALL_MS = 60_000;

interface Host {
  running: number;
  readonly waiting: (() => void)[];
}

/** Rejects as soon as the signal aborts; the work goes on for whoever else waits for it. */
const orAborted = async <T>(work: Promise<T>, signal: AbortSignal): Promise<T> => {
  const { promise: left, reject } = Promise.withResolvers<never>();
  const leave = (): void => reject(signal.reason as Error);
  if (signal.aborted) leave();
  signal.addEventListener('abort', leave, { once: true });
  try {
    return await Promise.race([work, left]);
  } finally {
    signal.removeEventListener('abort', leave);
  }
};

export class SharedRefs implements Refs {
  readonly #inner: Refs;
  readonly #limits: SharingLimits;
  readonly #clock: Clock;
  readonly #answers = new Map<string, Promise<string | undefined>>();
  readonly #hosts = new Map<string, Host>();

  constructor(inner: Refs, limits: SharingLimits = SHARING_LIMITS) {
    this.#inner = inner;
    this.#limits = limits;
    this.#clock = limits.clock ?? systemClock;
  }

  /** As of the inner; besides, Refusal 503 `RepositoryBusy` when too many questions wait for its server. */
  async commitAt(repository: Repository, ref: string, signal: AbortSignal): Promise<string | undefined> {
    const { upstream, path } = repository;
    const key = JSON.stringify([upstream.name, upstream.scheme, upstream.host, path, ref]);
    return orAborted(this.#answers.get(key) ?? this.#ask(key, repository, ref), signal);
  }

  #ask(key: string, repository: Repository, ref: string): Promise<string | undefined> {
    const answer = this.#inTurn(repository.upstream.host, () =>
      this.#inner.commitAt(repository, ref, AbortSignal.timeout(CALL_MS)),
    );
    this.#answers.set(key, answer);
    const forget = (): void => void this.#clock.after(KEEP_MS, () => this.#answers.delete(key));
    answer.then(forget, forget);
    return answer;
  }

  async #inTurn<T>(name: string, call: () => Promise<T>): Promise<T> {
    const host = this.#hosts.get(name) ?? { running: 0, waiting: [] };
    this.#hosts.set(name, host);
    if (host.running >= this.#limits.perHost) await this.#turn(host);
    else host.running += 1;
    try {
      return await call();
    } finally {
      const next = host.waiting.shift();
      if (next !== undefined) next();
      else host.running -= 1;
      if (host.running === 0) this.#hosts.delete(name);
    }
  }

  /** Resolves when a call that ends hands over its place. */
  #turn(host: Host): Promise<void> {
    if (host.waiting.length >= this.#limits.waitingPerHost)
      throw new Refusal(503, 'RepositoryBusy', 'the git server has too many questions to answer at the moment');
    return new Promise((resolve) => host.waiting.push(resolve));
  }
}
