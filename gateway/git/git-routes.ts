// The routes of git: the repository is the caller's Story's, the branch is the Story's, the commit is the one that its merge step made.

import { branchOf } from '../../crds/names.ts';
import type { Call, Route } from '../http/door.ts';
import { Refusal } from '../http/refusal.ts';
import type { StepCaller } from '../identity/caller.ts';
import { stepOf } from '../identity/rights.ts';
import { matchRepository } from '../upstream/repository-url.ts';
import type { ClusterView } from '../cluster/cluster-view.ts';
import { mergeFindingOf } from './merge-finding.ts';
import type { ExpectedPush } from './ref-update.ts';
import type { Exchange, GitProxy, GitService, Repository } from './smart-http.ts';

/** The kubelet reports the end of a step about a second after it; the next step may be faster. */
const FINDING_WAIT_MS = 20_000;
const FETCH_MS = 900_000;

export class GitRoutes {
  readonly #proxy: GitProxy;
  readonly #view: ClusterView;

  constructor(proxy: GitProxy, view: ClusterView) {
    this.#proxy = proxy;
    this.#view = view;
  }

  routes(): readonly Route[] {
    const git = { errors: 'fleet', timeoutMs: FETCH_MS } as const;
    const refs = { ...git, method: 'GET', path: /^\/git\/info\/refs$/ } as const;
    return [
      {
        ...{ ...refs, name: 'git-fetch-refs', right: 'git-fetch', query: 'service=git-upload-pack' },
        handle: (call) => this.#advertise(call, 'git-upload-pack'),
      },
      {
        ...{ ...refs, name: 'git-push-refs', right: 'git-push', query: 'service=git-receive-pack' },
        handle: (call) => this.#advertise(call, 'git-receive-pack'),
      },
      {
        ...{ ...git, name: 'git-fetch', method: 'POST', path: /^\/git\/git-upload-pack$/, right: 'git-fetch' },
        handle: (call) => this.#proxy.uploadPack(this.#exchange(call)),
      },
      {
        ...{ ...git, name: 'git-push', method: 'POST', path: /^\/git\/git-receive-pack$/, right: 'git-push' },
        handle: (call) => this.#push(call),
      },
    ];
  }

  async #advertise(call: Call, service: GitService): Promise<void> {
    await this.#proxy.advertise(this.#exchange(call), service);
  }

  async #push(call: Call): Promise<void> {
    const exchange = this.#exchange(call);
    await this.#proxy.receivePack(exchange, await this.#ruleFor(stepOf(call.caller)));
  }

  #exchange(call: Call): Exchange {
    const { request, response, signal } = call;
    return { request, response, signal, repository: this.#repositoryOf(stepOf(call.caller)) };
  }

  #repositoryOf({ story, namespace }: StepCaller): Repository {
    const matched = matchRepository(story.spec.repository.url, namespace, this.#view.platform.upstreams);
    if (!matched.ok) throw new Refusal(403, 'RepositoryNotListed', matched.message);
    return matched;
  }

  async #ruleFor({ podUid, namespace, story }: StepCaller): Promise<ExpectedPush> {
    const pod = await this.#view.podWhen(podUid, (seen) => mergeFindingOf(seen) !== undefined, FINDING_WAIT_MS);
    const finding = pod === undefined ? undefined : mergeFindingOf(pod);
    if (finding === undefined)
      throw new Refusal(503, 'NotListedYet', 'the finding of the merge step has not been seen yet', { retryAfterSeconds: 1 });
    const { outcome, commit, head } = finding;
    if (outcome !== 'ok' || commit === undefined) throw new Refusal(403, 'NothingToPush', 'the merge step made no commit');
    return { ref: `refs/heads/${branchOf(namespace, story.metadata.name)}`, commit, head };
  }
}
