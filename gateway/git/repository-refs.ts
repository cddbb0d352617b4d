// Asks a repository what a ref points to, through the same table, guard and credentials as a workspace's fetch.

import { answerLimit, readLimited } from '../http/body.ts';
import { Refusal } from '../http/refusal.ts';
import type { Outside, UpstreamRequest } from '../upstream/http-upstream.ts';
import { commitOf, lsRefsRequest, parseAdvertisement, parseLsRefs, type AdvertisedRef } from './ls-refs.ts';
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
    try {
      return commitOf(ref, await this.#list(repository, ref, signal));
    } catch (error) {
      if (error instanceof MalformedPktLine)
        throw new Refusal(502, 'RepositoryUnavailable', 'the git server gave no usable answer', { cause: error });
      throw error;
    }
  }

  async #list(repository: Repository, ref: string, signal: AbortSignal): Promise<readonly AdvertisedRef[]> {
    const opened = await this.#ask(
      repository,
      { method: 'GET', path: '/info/refs?service=git-upload-pack', headers: {}, signal },
      { contentType: 'application/x-git-upload-pack-advertisement', bytes: MAX_ADVERTISEMENT_BYTES },
    );
    const advertisement = parseAdvertisement(opened);
    if (advertisement.version === 0) return advertisement.refs;
    const body = lsRefsRequest(ref, advertisement.objectFormat);
    const headers = { 'content-type': 'application/x-git-upload-pack-request' };
    const answer = await this.#ask(
      repository,
      { method: 'POST', path: '/git-upload-pack', headers, body, signal },
      { contentType: 'application/x-git-upload-pack-result', bytes: MAX_LS_REFS_BYTES },
    );
    return parseLsRefs(answer);
  }

  async #ask(
    repository: Repository,
    request: Omit<UpstreamRequest, 'timeoutMs'>,
    expected: { readonly contentType: string; readonly bytes: number },
  ): Promise<Buffer> {
    const answer = await this.#outside.send(repository.upstream, {
      ...request,
      path: `${repository.path}${request.path}`,
      headers: { ...request.headers, accept: expected.contentType, 'git-protocol': 'version=2' },
      timeoutMs: this.#timeoutMs,
    });
    expectGit(answer, expected.contentType);
    return readLimited(answer.body, answerLimit(expected.bytes));
  }
}
