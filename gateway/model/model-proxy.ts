// Model calls of an agent: reserve on the ledger, take a slot of the endpoint, call, pass the answer on as it comes, settle what was
// used. Nothing is retried here: the agent's client does that, and each of its tries is paid for.

import type { ServerResponse } from 'node:http';
import type { Upstream } from '../../crds/contracts/platform.ts';
import { pause } from '../../runtime/clock.ts';
import { errorFields, type Fields, type Log } from '../../runtime/log.ts';
import { answerLimit, readLimited } from '../http/body.ts';
import { Refusal } from '../http/refusal.ts';
import { relay } from '../http/relay.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { Slot, Slots } from '../ledger/slots.ts';
import { headerOf, type Outside, type UpstreamAnswer } from '../upstream/http-upstream.ts';
import { withoutCredential } from '../upstream/secrets.ts';
import type { ChatRequest } from './chat-request.ts';
import { UsageWatch, usageOf, type Usage } from './usage.ts';

export interface ModelLimits {
  readonly requestBytes: number;
  readonly answerBytes: number;
  /** A whole call, its wait for a slot not included. */
  readonly callMs: number;
  /** From the call to the first byte of the answer: it may queue, and think. */
  readonly firstByteMs: number;
  /** Silence of the model server within its answer. */
  readonly idleMs: number;
  readonly slotWaitMs: number;
}

export const MODEL_LIMITS: ModelLimits = {
  requestBytes: 8 * 1024 * 1024,
  answerBytes: 16 * 1024 * 1024,
  callMs: 600_000,
  firstByteMs: 300_000,
  idleMs: 120_000,
  slotWaitMs: 120_000,
};

/** Whose tokens a call costs, and how many there are in all. */
export interface Payer {
  readonly account: string;
  readonly limit: number;
  /** What the objects know to be spent, for a ledger that was lost. */
  readonly spentBefore: number;
}

/** A bound on calls at one time: of an endpoint, or of one Council on it. */
export interface SlotAccount {
  readonly account: string;
  readonly slots: number;
}

export interface ModelCall {
  readonly id: string;
  readonly upstream: Upstream;
  readonly slots: readonly SlotAccount[];
  readonly payers: readonly Payer[];
  readonly chat: ChatRequest;
  readonly response: ServerResponse;
  readonly signal: AbortSignal;
}

export interface ModelProxyOptions {
  readonly outside: Outside;
  readonly ledger: Ledger;
  readonly slots: Slots;
  readonly limits: ModelLimits;
  readonly log: Log;
  readonly onUsage?: (upstream: Upstream, usage: Usage) => void;
}

interface Held {
  readonly account: string;
  readonly until: number;
}

/** Added to a reservation's life beyond the call's longest, so that it never ends before its call. */
const GRACE_MS = 60_000;
const MAX_MESSAGE = 400;

/** What the model never started on costs nothing. Any other failure, a caller who hangs up included, costs what was reserved. */
const NOT_SERVED = new Set([
  'UpstreamMisconfigured',
  'UpstreamRefused',
  'UpstreamRedirects',
  'UpstreamUnavailable',
  'ModelRefused',
  'ModelBusy',
  'ModelUnavailable',
]);

const SETTLE_TRIES_MS = [0, 250, 1_000, 4_000];

export const modelPath = (upstream: Upstream, route: string): string => `${upstream.prefix.replace(/\/$/, '')}${route}`;

const storeAway = (error: unknown): Refusal =>
  new Refusal(503, 'StoreUnavailable', 'the ledger cannot be reached', { cause: error, retryAfterSeconds: 2 });

export class ModelProxy {
  readonly #options: ModelProxyOptions;

  constructor(options: ModelProxyOptions) {
    this.#options = options;
  }

  /** Throws Refusal (402 `BudgetSpent`, 429, 502, 503, 504) as long as nothing was answered. */
  async chat(call: ModelCall): Promise<void> {
    const held: Slot[] = [];
    try {
      for (const account of call.slots) held.push(await this.#slot(call, account));
      await this.#pay(call);
    } finally {
      await Promise.all(held.map((slot) => slot.release().catch((error: unknown) => this.#warn('slot not released', error))));
    }
  }

  async #pay(call: ModelCall): Promise<void> {
    // side by side: each is a write that the caller waits for
    const asked = await Promise.allSettled(call.payers.map((payer) => this.#reserve(call, payer)));
    const held = asked.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
    let used = 0;
    try {
      for (const each of asked) if (each.status === 'rejected') throw each.reason;
      used = call.chat.estimate;
      used = (await this.#call(call)) ?? used;
    } catch (error) {
      if (error instanceof Refusal && NOT_SERVED.has(error.code) && !call.signal.aborted) used = 0;
      throw error;
    } finally {
      await Promise.all(held.map((reservation) => this.#settle(call.id, reservation, used)));
    }
  }

  async #slot(call: ModelCall, { account, slots }: SlotAccount): Promise<Slot> {
    const { limits } = this.#options;
    const { id, signal } = call;
    const request = { id, account, slots, signal, holdMs: limits.callMs + GRACE_MS, waitMs: limits.slotWaitMs };
    const slot = await this.#options.slots.acquire(request).catch((error: unknown) => {
      throw storeAway(error);
    });
    if (slot === undefined)
      throw new Refusal(429, 'EndpointBusy', 'the model endpoint has no free slot', { retryAfterSeconds: 5 });
    return slot;
  }

  async #reserve(call: ModelCall, payer: Payer): Promise<Held> {
    const { ledger, limits } = this.#options;
    const { account, limit, spentBefore } = payer;
    const until = Date.now() + limits.callMs + GRACE_MS;
    const amount = call.chat.estimate;
    const seeded = spentBefore > 0 ? ledger.change(account, { verb: 'seed', spent: spentBefore }) : Promise.resolve();
    const reserved = seeded.then(() => ledger.change(account, { verb: 'reserve', id: call.id, amount, limit, until }));
    const { granted, available } = await reserved.catch((error: unknown) => {
      throw storeAway(error);
    });
    if (granted) return { account, until };
    throw new Refusal(402, 'BudgetSpent', `the call may need ${amount} tokens and ${available} are left of the budget`);
  }

  /** Tried for a few seconds: an unsettled reservation would be forgotten at its end, and what was used with it. */
  async #settle(id: string, { account, until }: Held, amount: number): Promise<void> {
    for (const waitMs of SETTLE_TRIES_MS)
      try {
        if (waitMs > 0) await pause(waitMs);
        await this.#options.ledger.change(account, { verb: 'settle', id, amount, until });
        return;
      } catch (error) {
        this.#warn('settlement failed', error, { account, amount });
      }
  }

  #warn(message: string, error: unknown, fields: Fields = {}): void {
    this.#options.log.warn(message, { ...fields, ...errorFields(error) });
  }

  /** Returns the tokens that the model counted, or undefined when it did not say. */
  async #call(call: ModelCall): Promise<number | undefined> {
    const { outside, limits } = this.#options;
    const answer = await outside.send(call.upstream, {
      method: 'POST',
      path: modelPath(call.upstream, '/chat/completions'),
      headers: {
        'content-type': 'application/json',
        accept: call.chat.stream ? 'text/event-stream' : 'application/json',
      },
      body: call.chat.body,
      signal: AbortSignal.any([call.signal, AbortSignal.timeout(limits.callMs)]),
      timeoutMs: limits.firstByteMs,
      idleMs: limits.idleMs,
    });
    if (answer.status !== 200) throw await modelRefusal(call.upstream, answer);
    const type = (headerOf(answer.headers, 'content-type') ?? '').split(';')[0]?.trim();
    if (call.chat.stream && type === 'text/event-stream') return this.#stream(call, answer);
    if (type === 'application/json') return this.#whole(call, answer);
    answer.body.destroy();
    throw new Refusal(502, 'ModelUnavailable', 'the model server gave no usable answer', {
      detail: `content type ${type ?? 'none'}`,
    });
  }

  async #stream(call: ModelCall, answer: UpstreamAnswer): Promise<number | undefined> {
    const watch = new UsageWatch();
    const maxBytes = this.#options.limits.answerBytes;
    await relay(answer.body, call.response, { contentType: 'text/event-stream', maxBytes, watch: watch.see });
    return this.#counted(call, watch.usage);
  }

  async #whole(call: ModelCall, answer: UpstreamAnswer): Promise<number | undefined> {
    const bytes = await readLimited(answer.body, answerLimit(this.#options.limits.answerBytes));
    call.response.writeHead(200, { 'content-type': 'application/json', 'cache-control': 'no-store' }).end(bytes);
    return this.#counted(call, usageOf(parsed(bytes)));
  }

  #counted(call: ModelCall, usage: Usage | undefined): number | undefined {
    if (usage === undefined) return undefined;
    this.#options.onUsage?.(call.upstream, usage);
    return usage.prompt + usage.completion;
  }
}

const parsed = (bytes: Buffer): unknown => {
  try {
    return JSON.parse(bytes.toString('utf8')) as unknown;
  } catch {
    return undefined;
  }
};

const messageIn = (value: unknown): string => {
  const { error, message, detail } = (value ?? {}) as Record<string, unknown>;
  const inner = (error as { readonly message?: unknown } | null | undefined)?.message;
  const text = [inner, message, detail, error].find((one) => typeof one === 'string');
  return typeof text === 'string' ? text.replace(/[^\x20-\x7e]+/g, ' ').slice(0, MAX_MESSAGE) : 'no reason given';
};

/**
 * A model server's refusal, in our words. Only what the agent can act on (its request was too long or wrong) is passed on, short and
 * without the credential, as servers like to quote it.
 */
export const modelRefusal = async (upstream: Upstream, answer: UpstreamAnswer): Promise<Refusal> => {
  const bytes = await readLimited(answer.body, answerLimit(64 * 1024)).catch(() => Buffer.alloc(0));
  const said = withoutCredential(messageIn(parsed(bytes)), answer.authorization);
  const detail = `upstream ${upstream.name} answered ${answer.status}: ${said}`;
  switch (answer.status) {
    case 400:
    case 413:
    case 422:
      return new Refusal(400, 'ModelRefused', `the model server refused the request: ${said}`, { detail });
    case 429: {
      const seconds = Number(headerOf(answer.headers, 'retry-after'));
      return new Refusal(429, 'ModelBusy', 'the model server asks to slow down', {
        detail,
        retryAfterSeconds: seconds >= 1 && seconds <= 300 ? Math.ceil(seconds) : 5,
      });
    }
    default:
      return new Refusal(502, 'ModelUnavailable', 'the model server cannot serve this request', { detail });
  }
};
