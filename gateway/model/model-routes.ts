// The routes of models, in OpenAI's shapes. Which endpoint, model, temperature and budget a call has is the Council's, the Story's and the
// platform's to say; the request says only what to talk about.

import { attemptAccount, storyAccount } from '../../crds/contracts/commands.ts';
import type { Council } from '../../crds/kinds/council.ts';
import type { Upstream } from '../../crds/contracts/platform.ts';
import { agentOf, councilFor, type Agent } from '../../crds/rules/councils.ts';
import { foundRow, modelUpstream, offersModel } from '../../crds/rules/platform-rows.ts';
import { bodyOf, readLimited, requestLimit } from '../http/body.ts';
import type { Call, Route } from '../http/door.ts';
import { Refusal } from '../http/refusal.ts';
import type { StepCaller } from '../identity/caller.ts';
import { stepOf } from '../identity/rights.ts';
import type { ClusterView } from '../cluster/cluster-view.ts';
import { chatRequest } from './chat-request.ts';
import { MODEL_LIMITS, type ModelProxy, type Payer } from './model-proxy.ts';
import { slotAccounts } from './slot-accounts.ts';

interface Terms {
  readonly council: Council;
  readonly agent: Agent;
  readonly upstream: Upstream;
}

export class ModelRoutes {
  readonly #proxy: ModelProxy;
  readonly #view: ClusterView;

  constructor(proxy: ModelProxy, view: ClusterView) {
    this.#proxy = proxy;
    this.#view = view;
  }

  routes(): readonly Route[] {
    const shared = { right: 'model', errors: 'openai' } as const;
    return [
      {
        ...{ ...shared, name: 'chat', method: 'POST', path: /^\/openai\/v1\/chat\/completions$/ },
        timeoutMs: MODEL_LIMITS.callMs + MODEL_LIMITS.slotWaitMs + 30_000,
        handle: (call) => this.#chat(call),
      },
      {
        ...{ ...shared, name: 'models', method: 'GET', path: /^\/openai\/v1\/models$/, timeoutMs: 30_000 },
        handle: async (call) => this.#models(call),
      },
    ];
  }

  async #chat(call: Call): Promise<void> {
    const caller = stepOf(call.caller);
    const { council, agent, upstream } = this.#termsOf(caller);
    const bytes = await readLimited(bodyOf(call.request), requestLimit(MODEL_LIMITS.requestBytes));
    const chat = chatRequest(bytes, {
      model: agent.model,
      temperature: Number(agent.temperature),
      maxTokens: agent.maxTokens,
    });
    const { id, response, signal } = call;
    const slots = slotAccounts(upstream, council);
    await this.#proxy.chat({ id, response, signal, chat, upstream, slots, payers: this.#payersOf(caller) });
  }

  /** The one model that this agent may use: what else the endpoint has is no business of an agent's. */
  #models(call: Call): void {
    const { agent } = this.#termsOf(stepOf(call.caller));
    const data = [{ id: agent.model, object: 'model', created: 0, owned_by: 'swe-fleet' }];
    call.response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ object: 'list', data }));
  }

  #termsOf({ task, story, attempt, namespace }: StepCaller): Terms {
    const council = councilFor(task.spec.task.role, story, this.#view.councilsIn(namespace));
    if (council === undefined) throw new Refusal(409, 'CouncilMissing', 'no Council serves the role of this task');
    const agent = agentOf(council, attempt.agent);
    if (agent === undefined) throw new Refusal(409, 'AgentMissing', 'the Council has no agent of this name any more');
    const upstream = foundRow(modelUpstream(council.spec.model.endpoint, namespace, this.#view.platform.upstreams));
    if (upstream === undefined)
      throw new Refusal(403, 'EndpointNotListed', 'the platform serves no such model endpoint to this namespace');
    if (!offersModel(upstream, agent.model))
      throw new Refusal(403, 'ModelNotAllowed', 'the platform does not offer this model on the endpoint');
    return { council, agent, upstream };
  }

  /** The Story pays out of its budget, and no attempt may spend more than the platform's share of one task. */
  #payersOf({ story, task, attempt }: StepCaller): readonly Payer[] {
    return [
      {
        account: storyAccount(story.metadata.uid),
        limit: story.spec.budget?.tokens ?? Number.MAX_SAFE_INTEGER,
        spentBefore: story.status?.usage?.tokens ?? 0,
      },
      {
        account: attemptAccount(task.metadata.uid, attempt.n),
        limit: this.#view.platform.limits.tokensPerTask,
        spentBefore: attempt.tokens ?? 0,
      },
    ];
  }
}
