// The routes of the agent pool: a turn's brief, the texts of its Deliberation, and its call of a model. The path says which turn; what that turn may
// is what its Deliberation pinned, and nothing after it has ended.

import type { Deliberation } from '../../crds/kinds/deliberation.ts';
import { bodyOf, readLimited, requestLimit } from '../http/body.ts';
import type { Call, Route } from '../http/door.ts';
import { Refusal } from '../http/refusal.ts';
import type { Artifacts } from '../artifacts/artifacts.ts';
import type { ClusterView } from '../cluster/cluster-view.ts';
import { chatRequest } from '../model/chat-request.ts';
import { MODEL_LIMITS, type ModelProxy } from '../model/model-proxy.ts';
import { slotAccounts } from '../model/slot-accounts.ts';
import { hasBegun, payerOf, turnOf, upstreamOf, type Turn } from './turn.ts';
import { turnBriefOf } from './turn-brief.ts';

const TURN = String.raw`^/v1/turns/([A-Za-z0-9-]{1,64}\.[1-9][0-9]{0,6})`;
const BRIEF = new RegExp(`${TURN}/brief$`);
const CHAT = new RegExp(`${TURN}/openai/v1/chat/completions$`);
const ARTIFACT = new RegExp(`${TURN}/artifacts/(sha256:[0-9a-f]{64})$`);

/** A command can be faster than the watch. */
const SEEN_WITHIN_MS = 5_000;
/** A proposal is a text of some pages. */
const MAX_TEXT_BYTES = 512 * 1024;

export interface TurnPorts {
  readonly models: ModelProxy;
  readonly artifacts: Artifacts;
  readonly view: ClusterView;
}

const decodedPath = ({ url }: Call): string => {
  try {
    return decodeURIComponent(url.pathname);
  } catch {
    return '';
  }
};

export class TurnRoutes {
  readonly #ports: TurnPorts;

  constructor(ports: TurnPorts) {
    this.#ports = ports;
  }

  routes(): readonly Route[] {
    const fleet = { right: 'turn', errors: 'fleet', timeoutMs: 30_000 } as const;
    return [
      { ...fleet, name: 'turn-brief', method: 'GET', path: BRIEF, handle: (call) => this.#brief(call) },
      { ...fleet, name: 'turn-artifact-put', method: 'PUT', path: ARTIFACT_PATH, handle: (call) => this.#put(call) },
      { ...fleet, name: 'turn-artifact-get', method: 'GET', path: ARTIFACT_PATH, handle: (call) => this.#get(call) },
      {
        ...{ name: 'turn-chat', method: 'POST', path: CHAT, right: 'turn', errors: 'openai' },
        timeoutMs: MODEL_LIMITS.callMs + MODEL_LIMITS.slotWaitMs + 30_000,
        handle: (call) => this.#chat(call),
      },
    ];
  }

  async #turn(call: Call, path: RegExp): Promise<Turn> {
    const id = path.exec(decodedPath(call))?.[1] ?? '';
    const uid = id.slice(0, id.indexOf('.'));
    const isReady = (found: Deliberation): boolean => hasBegun(found);
    return turnOf(id, await this.#ports.view.deliberationWhen(uid, isReady, SEEN_WITHIN_MS));
  }

  async #brief(call: Call): Promise<void> {
    const turn = await this.#turn(call, BRIEF);
    const { view } = this.#ports;
    const { storyUid, taskUid } = turn.pinned;
    const story = storyUid === undefined ? undefined : view.story(storyUid);
    const brief = turnBriefOf(turn, {
      story,
      task: taskUid === undefined ? undefined : view.task(taskUid),
      siblings: storyUid === undefined ? [] : view.tasksOf(storyUid),
      platform: view.platform,
    });
    call.response.writeHead(200, { 'content-type': 'application/json', 'cache-control': 'no-store' }).end(JSON.stringify(brief));
  }

  async #put(call: Call): Promise<void> {
    const { pinned } = await this.#turn(call, ARTIFACT);
    const { artifacts } = this.#ports;
    const bytes = await readLimited(bodyOf(call.request), requestLimit(Math.min(MAX_TEXT_BYTES, artifacts.limit())));
    const digest = digestOf(call);
    const result = await artifacts.put(pinned.rootUid, digest, bytes);
    call.response.writeHead(result === 'stored' ? 201 : 200, { 'content-type': 'application/json' });
    call.response.end(JSON.stringify({ digest, stored: result === 'stored' }));
  }

  async #get(call: Call): Promise<void> {
    const { pinned } = await this.#turn(call, ARTIFACT);
    const bytes = await this.#ports.artifacts.get(pinned.rootUid, digestOf(call));
    call.response.writeHead(200, { 'content-type': 'application/octet-stream', 'x-content-type-options': 'nosniff' }).end(bytes);
  }

  async #chat(call: Call): Promise<void> {
    const turn = await this.#turn(call, CHAT);
    const { view, models } = this.#ports;
    const { pinned, seat, deliberation } = turn;
    const upstream = upstreamOf(turn, view.platform);
    const story = pinned.storyUid === undefined ? undefined : view.story(pinned.storyUid);
    const payers = [payerOf(turn, story, view.platform, new Date().toISOString().slice(0, 'yyyy-mm-dd'.length))];
    const council = view.councilsIn(deliberation.metadata.namespace).find(({ metadata }) => metadata.name === seat.council);
    const bytes = await readLimited(bodyOf(call.request), requestLimit(MODEL_LIMITS.requestBytes));
    const { model, maxTokens } = seat;
    const chat = chatRequest(bytes, { model, temperature: Number(seat.temperature), maxTokens });
    const { id, response, signal } = call;
    await models.chat({ id, response, signal, chat, upstream, slots: slotAccounts(upstream, council), payers });
  }
}

/** The colon of a digest may come escaped. */
const ARTIFACT_PATH = new RegExp(`${TURN}/artifacts/sha256(?::|%3[Aa])[0-9a-f]{64}$`);

const digestOf = (call: Call): string => {
  const digest = ARTIFACT.exec(decodedPath(call))?.[2];
  if (digest === undefined) throw new Refusal(400, 'DigestInvalid', 'a digest is sha256: and 64 hexadecimal digits');
  return digest;
};
