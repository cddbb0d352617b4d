// The routes of git: the repository is the caller's Story's, the branch is the Story's, the commit is the one that its merge step made.

import type { Call, Route } from '../http/door.ts';
import type { StepCaller } from '../identity/caller.ts';
import { stepOf } from '../identity/rights.ts';
import type { ClusterView } from '../cluster/cluster-view.ts';
import type { ExpectedPush } from './ref-update.ts';
import type { Exchange, GitProxy, GitService } from './smart-http.ts';
import { mergedBy, repositoryOf, storyRef } from './story-branch.ts';

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
    return { request, response, signal, repository: repositoryOf(stepOf(call.caller), this.#view) };
  }

  async #ruleFor(caller: StepCaller): Promise<ExpectedPush> {
    const { commit, head } = await mergedBy(caller, this.#view);
    return { ref: storyRef(caller), commit, head };
  }
}
