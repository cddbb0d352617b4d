// Asks a repository what a ref points to and whether it holds a commit, through the same table, guard and credentials as a workspace's fetch.

import { answerLimit, readLimited } from '../http/body.ts';
import { Refusal } from '../http/refusal.ts';
import type { Outside, UpstreamAnswer, UpstreamRequest } from '../upstream/http-upstream.ts';
import { ancestryRequest, isReady } from './ancestry.ts';
import { commitOf, lsRefsRequest, parseAdvertisement, parseLsRefs, type AdvertisedRef, type Advertisement } from './ls-refs.ts';
import { MalformedPktLine } from './pkt-line.ts';
import { expectGit, GIT_LIMITS, type Repository } from './smart-http.ts';

/** A v0 server lists every ref it has; this is some hundred thousand of them. */
const MAX_ADVERTISEMENT_BYTES = 32 * 1024 * 1024;
const MAX_LS_REFS_BYTES = 1024 * 1024;

export class RepositoryRefs {
  readonly #outside: Outside;
  readonly #timeoutMs: number;

  constructor(outside: Outside, timeoutMs = GIT_LIMITS.refsMs) {
    this.#outside = outside;
    this.#timeoutMs = timeoutMs;
  }

  /** The commit id, or undefined when the repository has no such ref. Throws Refusal. */
  async commitAt(repository: Repository, ref: string, signal: AbortSignal): Promise<string | undefined> {
    if (/^(?:[0-9a-f]{40}|[0-9a-f]{64})$/.test(ref)) return ref;
    return usable(async () => {
      const asking = { repository, signal };
      return commitOf(ref, await this.#list(asking, await this.#advertisement(asking), ref));
    });
  }

  /** Whether the ref is that commit, or has it below. False, too, when the repository has no such ref. Throws Refusal. */
  async holds(
    repository: Repository,
    { ref, commit }: { readonly ref: string; readonly commit: string },
    signal: AbortSignal,
  ): Promise<boolean> {
    return usable(async () => {
      const asking = { repository, signal };
      const advertisement = await this.#advertisement(asking);
      const head = commitOf(ref, await this.#list(asking, advertisement, ref));
      if (head === undefined || head === commit) return head === commit;
      const wanted = { head, commit };
      const answer = await this.#post(asking, ancestryRequest(wanted, advertisement));
      return isReady(answer.body, wanted);
    });
  }

  async #advertisement(asking: Asking): Promise<Advertisement> {
    const contentType = 'application/x-git-upload-pack-advertisement';
    const request = { method: 'GET', path: '/info/refs?service=git-upload-pack', headers: {} } as const;
    const answer = await this.#send(asking, request, contentType);
    return parseAdvertisement(await readLimited(answer.body, answerLimit(MAX_ADVERTISEMENT_BYTES)));
  }

  async #list(asking: Asking, advertisement: Advertisement, ref: string): Promise<readonly AdvertisedRef[]> {
    if (advertisement.version === 0) return advertisement.refs;
    const answer = await this.#post(asking, lsRefsRequest(ref, advertisement.objectFormat));
    return parseLsRefs(await readLimited(answer.body, answerLimit(MAX_LS_REFS_BYTES)));
  }

  #post(asking: Asking, body: Buffer): Promise<UpstreamAnswer> {
    const headers = { 'content-type': 'application/x-git-upload-pack-request' };
    const request = { method: 'POST', path: '/git-upload-pack', headers, body } as const;
    return this.#send(asking, request, 'application/x-git-upload-pack-result');
  }

  async #send(
    { repository, signal }: Asking,
    request: Omit<UpstreamRequest, 'timeoutMs' | 'signal'>,
    contentType: string,
  ): Promise<UpstreamAnswer> {
    const answer = await this.#outside.send(repository.upstream, {
      ...{ ...request, signal, timeoutMs: this.#timeoutMs },
      path: `${repository.path}${request.path}`,
      headers: { ...request.headers, accept: contentType, 'git-protocol': 'version=2' },
    });
    expectGit(answer, contentType);
    return answer;
  }
}

interface Asking {
  readonly repository: Repository;
  readonly signal: AbortSignal;
}

/** An answer that cannot be read is a fault of the git server. */
const usable = async <T>(ask: () => Promise<T>): Promise<T> => {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof MalformedPktLine)
      throw new Refusal(502, 'RepositoryUnavailable', 'the git server gave no usable answer', { cause: error });
    throw error;
  }
};
