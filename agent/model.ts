// One completion of the model, through the gateway, with the `openai` package. Tries again what may pass by itself; every other end is data.
// May: call the gateway's OpenAI route. Knows no tools and no prompt.
import { randomInt } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { APIConnectionError, APIError, OpenAI } from 'openai';
import type { ChatCompletion, ChatCompletionFunctionTool, ChatCompletionMessageParam } from 'openai/resources/chat/completions';
import { fetch as undiciFetch, type Dispatcher } from 'undici';

export interface ModelPlace {
  readonly gatewayUrl: string;
  readonly dispatcher: Dispatcher;
  readonly token: () => Promise<string>;
  readonly model: string;
  readonly temperature: number | undefined;
  readonly maxTokens: number;
  /** How long to wait for one whole answer. */
  readonly callMs?: number;
}

export interface ToolCall {
  readonly id: string;
  readonly name: string;
  /** JSON text, as the model wrote it. */
  readonly args: string;
}

export type ModelEnd =
  | {
      readonly kind: 'reply';
      readonly text: string;
      readonly calls: readonly ToolCall[];
      readonly tokens: number;
      readonly cut: boolean;
    }
  | { readonly kind: 'budget'; readonly message: string }
  /** The conversation has outgrown the model's window. */
  | { readonly kind: 'tooLong'; readonly message: string }
  | { readonly kind: 'unavailable'; readonly message: string };

interface Conversation {
  readonly messages: readonly ChatCompletionMessageParam[];
  readonly tools: readonly ChatCompletionFunctionTool[];
  readonly timeoutMs: number;
}

export type Model = (conversation: Conversation) => Promise<ModelEnd>;

const MAX_TRIES = 6;
/** Longer than the gateway works on any call: from then on nobody is there. */
const CALL_MS = 780_000;
const LONGEST_PAUSE_MS = 20_000;

export const gatewayModel = (place: ModelPlace): Model => {
  const client = new OpenAI({
    baseURL: `${place.gatewayUrl}/openai/v1`,
    apiKey: place.token,
    organization: null,
    project: null,
    maxRetries: 0,
    logLevel: 'off',
    fetch: dispatched(place.dispatcher),
  });
  return async (conversation) => {
    const endsAt = Date.now() + conversation.timeoutMs;
    for (let tries = 1; ; tries += 1) {
      const end = await once(client, place, conversation, Math.max(1, endsAt - Date.now()));
      if (!('again' in end)) return end;
      const pauseMs = Math.min(LONGEST_PAUSE_MS, end.afterMs ?? 500 * 2 ** (tries - 1)) + randomInt(250);
      if (tries >= MAX_TRIES || Date.now() + pauseMs >= endsAt) return { kind: 'unavailable', message: end.again };
      await delay(pauseMs);
    }
  };
};

/** The package speaks the platform's fetch types; undici's own differ only in name. */
const dispatched = (dispatcher: Dispatcher): typeof fetch => {
  const call = undiciFetch as unknown as (input: unknown, init: unknown) => Promise<Response>;
  return (input, init) => call(input, { ...init, dispatcher });
};

interface TryAgain {
  readonly again: string;
  readonly afterMs: number | undefined;
}

const once = async (
  client: OpenAI,
  place: ModelPlace,
  { messages, tools }: Conversation,
  timeoutMs: number,
): Promise<ModelEnd | TryAgain> => {
  try {
    const completion = await client.chat.completions.create(
      {
        model: place.model,
        messages: [...messages],
        tools: [...tools],
        max_tokens: place.maxTokens,
        ...(place.temperature === undefined ? {} : { temperature: place.temperature }),
      },
      { timeout: Math.min(timeoutMs, place.callMs ?? CALL_MS) },
    );
    return reply(completion, messages);
  } catch (error) {
    return failure(error);
  }
};

const reply = (completion: ChatCompletion, messages: readonly ChatCompletionMessageParam[]): ModelEnd | TryAgain => {
  const choice = completion.choices?.[0];
  if (choice === undefined) return { again: 'the model answered without a choice', afterMs: undefined };
  const calls = (choice.message.tool_calls ?? []).flatMap((call) =>
    call.type === 'function' ? [{ id: call.id, name: call.function.name, args: call.function.arguments }] : [],
  );
  const tokens = completion.usage?.total_tokens ?? Math.ceil(JSON.stringify(messages).length / 4);
  return {
    kind: 'reply',
    text: withoutThinking(choice.message.content ?? ''),
    calls,
    tokens,
    cut: choice.finish_reason === 'length',
  };
};

/** Reasoning models write their thoughts into the text; these are neither history nor summary. An unclosed block runs to the end. */
export const withoutThinking = (text: string): string =>
  text
    .replace(/<think>[\s\S]*?(<\/think>|$)/g, '')
    .replace(/^[\s\S]*?<\/think>/, '')
    .trim();

const failure = (error: unknown): ModelEnd | TryAgain => {
  if (error instanceof APIError && typeof error.status === 'number') return refused(error.status, error as APIError);
  const message = describe(error);
  const passing =
    error instanceof APIConnectionError || error instanceof TypeError || error instanceof SyntaxError || isNetwork(error);
  if (passing) return { again: message, afterMs: undefined };
  throw error;
};

const refused = (status: number, error: APIError): ModelEnd | TryAgain => {
  const message = `${status}: ${error.message}`.slice(0, 300);
  if (status === 413) return { kind: 'tooLong', message };
  if (status === 402) return { kind: 'budget', message };
  if (error.code === 'context_length_exceeded' || (status === 400 && /context length|maximum context|too long/i.test(message)))
    return { kind: 'tooLong', message };
  if (status !== 408 && status !== 409 && status !== 429 && status < 500) return { kind: 'unavailable', message };
  const seconds = Number(error.headers?.get('retry-after') ?? '');
  return { again: message, afterMs: seconds > 0 ? seconds * 1_000 : undefined };
};

const isNetwork = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && /^(UND_ERR|E[A-Z]+)/.test(String(error.code));

const describe = (error: unknown): string => {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause instanceof Error ? `: ${error.cause.message}` : '';
  return `${error.message}${cause}`.slice(0, 300);
};
