// The routes that tell a step what it is to do: the brief for fleet steps, the context alone for the agent's.

import type { Brief } from '../../crds/contracts/brief.ts';
import type { Call, Route } from '../http/door.ts';
import { Refusal } from '../http/refusal.ts';
import type { StepCaller } from '../identity/caller.ts';
import { stepOf } from '../identity/rights.ts';
import type { World } from '../cluster/cluster-view.ts';
import { buildBrief } from './brief.ts';
import { contextOf } from '../../agent/context.ts';

export class BriefRoutes {
  readonly #world: World;

  constructor(world: World) {
    this.#world = world;
  }

  routes(): readonly Route[] {
    const shared = { method: 'GET', errors: 'fleet', timeoutMs: 30_000 } as const;
    return [
      { ...shared, name: 'brief', path: /^\/v1\/brief$/, right: 'brief', handle: async (call) => this.#brief(call) },
      { ...shared, name: 'context', path: /^\/v1\/context$/, right: 'context', handle: async (call) => this.#context(call) },
    ];
  }

  #brief({ caller, response }: Call): void {
    const step = stepOf(caller);
    const brief = this.#built(step);
    response.writeHead(200, { 'content-type': 'application/json', 'cache-control': 'no-store' }).end(JSON.stringify(brief));
  }

  #built({ story, task, attempt, step, namespace }: StepCaller): Brief {
    const result = buildBrief({
      ...{ story, task, attempt, courier: step === 'merge' },
      siblings: this.#world.tasksOf(story.metadata.uid),
      councils: this.#world.councilsIn(namespace),
      platform: this.#world.platform,
    });
    switch (result.kind) {
      case 'brief':
        return result.brief;
      case 'later':
        throw new Refusal(503, 'NotListedYet', result.message, { retryAfterSeconds: 1 });
      case 'broken':
        throw new Refusal(409, result.code, result.message);
    }
  }

  #context({ caller, request, response }: Call): void {
    const { story, task } = stepOf(caller);
    const siblings = this.#world.tasksOf(story.metadata.uid);
    const context = contextOf({ story, task, siblings });
    const etag = `"${context.digest}"`;
    if (request.headers['if-none-match'] === etag) response.writeHead(304, { etag }).end();
    else response.writeHead(200, { 'content-type': 'application/json', etag }).end(JSON.stringify(context));
  }
}
