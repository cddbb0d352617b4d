// Asks the API server whose token this is. Nothing is believed of a token but what the review says; its own text is looked at only to
// turn away what cannot be one of ours before it costs a request.

import { createHash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { ApiClient } from '../../kube/client.ts';
import { pathOf } from '../../kube/client.ts';
import { tokenReviews } from '../../kube/resources.ts';

export interface Reviewed {
  readonly username: string;
  /** Those of the audiences asked for that the token is meant for. */
  readonly audiences: readonly string[];
  readonly podUid: string | undefined;
  readonly podName: string | undefined;
}

/** Undefined: the API server does not know this token for any of these audiences. Throws when it cannot be asked. */
export interface TokenReviewer {
  review(token: string, audiences: readonly string[]): Promise<Reviewed | undefined>;
}

interface ReviewStatus {
  readonly authenticated?: boolean;
  readonly audiences?: readonly string[];
  readonly user?: { readonly username?: string; readonly extra?: Readonly<Record<string, readonly string[]>> };
}

const POD_UID = 'authentication.kubernetes.io/pod-uid';
const POD_NAME = 'authentication.kubernetes.io/pod-name';

export class ApiTokenReviewer implements TokenReviewer {
  readonly #client: Pick<ApiClient, 'raw'>;

  constructor(client: Pick<ApiClient, 'raw'>) {
    this.#client = client;
  }

  async review(token: string, audiences: readonly string[]): Promise<Reviewed | undefined> {
    const body = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', spec: { token, audiences } };
    // shared by all who ask for the same token, so it ends by its own time and not with the first of them
    const signal = AbortSignal.timeout(5_000);
    const answer = (await this.#client.raw({ method: 'POST', path: pathOf(tokenReviews, {}), body, signal })) as
      { readonly status?: ReviewStatus } | undefined;
    const { authenticated, audiences: granted, user } = answer?.status ?? {};
    if (authenticated !== true || user?.username === undefined) return undefined;
    // an API server that does not know audiences answers without them: then the token is for none of ours
    return {
      username: user.username,
      audiences: (granted ?? []).filter((audience) => audiences.includes(audience)),
      podUid: user.extra?.[POD_UID]?.[0],
      podName: user.extra?.[POD_NAME]?.[0],
    };
  }
}

const MAX_TOKEN_CHARS = 16_384;

/** Whether the text can be a service account token for one of these audiences at all. Says nothing about whether it is genuine. */
export const looksLikeOurs = (token: string, audiences: readonly string[]): boolean => {
  if (token.length > MAX_TOKEN_CHARS || !/^[\w-]+\.[\w-]+\.[\w-]+$/.test(token)) return false;
  try {
    const claims = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8')) as {
      readonly aud?: unknown;
    } | null;
    const named = Array.isArray(claims?.aud) ? (claims.aud as readonly unknown[]) : [claims?.aud];
    return named.some((audience) => typeof audience === 'string' && audiences.includes(audience));
  } catch {
    return false;
  }
};

interface Remembered {
  readonly answer: Promise<Reviewed | undefined>;
  readonly until: number;
}

export interface ReviewCacheOptions {
  readonly ageMs: number;
  readonly entries: number;
  /** Reviews under way at one time; more wait for none and are refused by throwing. */
  readonly concurrent: number;
  readonly now: () => number;
}

export class TooManyReviews extends Error {
  override readonly name = 'TooManyReviews';
}

/** Remembers answers (by hash, never the token) for a few seconds; a failed question is not remembered. */
export class CachedReviewer implements TokenReviewer {
  readonly #inner: TokenReviewer;
  readonly #options: ReviewCacheOptions;
  readonly #answers: LRUCache<string, Remembered>;
  #running = 0;

  constructor(inner: TokenReviewer, options: Partial<ReviewCacheOptions> = {}) {
    this.#inner = inner;
    this.#options = { ageMs: 10_000, entries: 4_096, concurrent: 64, now: Date.now, ...options };
    this.#answers = new LRUCache({ max: this.#options.entries });
  }

  review(token: string, audiences: readonly string[]): Promise<Reviewed | undefined> {
    const key = createHash('sha256')
      .update(`${audiences.join(' ')}\n${token}`)
      .digest('base64');
    const now = this.#options.now();
    const held = this.#answers.get(key);
    if (held !== undefined && held.until > now) return held.answer;
    if (this.#running >= this.#options.concurrent)
      return Promise.reject(new TooManyReviews('too many token reviews are under way'));
    const answer = this.#ask(token, audiences);
    this.#answers.set(key, { answer, until: now + this.#options.ageMs });
    answer.catch(() => this.#answers.delete(key));
    return answer;
  }

  async #ask(token: string, audiences: readonly string[]): Promise<Reviewed | undefined> {
    this.#running += 1;
    try {
      return await this.#inner.review(token, audiences);
    } finally {
      this.#running -= 1;
    }
  }
}
