// One completion of the model, through the gateway, with the `openai` package. Tries again what may pass by itself; every other end is data.
// May: call the gateway's OpenAI route. Knows no tools, no prompt and no schema of its own.
import { randomInt } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { OpenAI } from 'openai';
import type {
  ChatCompletion,
  ChatCompletionCreateParamsNonStreaming,
  ChatCompletionFunctionTool,
  ChatCompletionMessageParam,
} from 'openai/resources/chat/completions';
import { fetch as undiciFetch, type Dispatcher } from 'undici';
import { failure, type TryAgain } from './model-failure.ts';

export interface ModelPlace {
  /** Base URL of the gateway's OpenAI routes. */
  readonly baseUrl: string;
  readonly dispatcher: Dispatcher;
  readonly token: () => Promise<string>;
  readonly model: string;
  readonly temperature: number | undefined;
  readonly maxTokens: number;
  /** How long to wait for one whole answer. */
  readonly callMs?: number;
  /** How often to try what may pass by itself, within the time; Infinity: the time alone ends it. */
  readonly maxTries?: number;
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
      /** Why the model, or whoever filters for it, would not say more. */
      readonly refusal?: string;
    }
  | { readonly kind: 'budget'; readonly message: string }
  /** The conversation has outgrown the model's window. */
  | { readonly kind: 'tooLong'; readonly message: string }
  /** `lasting`: asked again, it would be refused again. */
  | { readonly kind: 'unavailable'; readonly message: string; readonly lasting: boolean };

/** JSON that the answer has to be: the server lets its model write nothing else. */
export interface AnswerFormat {
  readonly name: string;
  readonly schema: Readonly<Record<string, unknown>>;
}

export interface Conversation {
  readonly messages: readonly ChatCompletionMessageParam[];
  readonly tools?: readonly ChatCompletionFunctionTool[];
  /** Instead of tools. Thoughts stay in such an answer: only who reads its JSON can tell them from a text that speaks of them. */
  readonly format?: AnswerFormat;
  readonly timeoutMs: number;
  /** Ends the call, and the wait for another try. */
  readonly signal?: AbortSignal;
}

export type Model = (conversation: Conversation) => Promise<ModelEnd>;

const MAX_TRIES = 6;
/** Longer than the gateway works on any call: from then on nobody is there. */
const CALL_MS = 780_000;
const LONGEST_PAUSE_MS = 20_000;

export const gatewayModel = (place: ModelPlace): Model => {
  const client = new OpenAI({
    baseURL: place.baseUrl,
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
      const isLast = tries >= (place.maxTries ?? MAX_TRIES) || Date.now() + pauseMs >= endsAt;
      if (isLast || !(await paused(pauseMs, conversation.signal)))
        return { kind: 'unavailable', message: end.again, lasting: false };
    }
  };
};

/** False: the signal came first. */
const paused = async (pauseMs: number, signal: AbortSignal | undefined): Promise<boolean> => {
  await delay(pauseMs, undefined, signal && { signal }).catch(() => undefined);
  return signal?.aborted !== true;
};

/** The package speaks the platform's fetch types; undici's own differ only in name. */
const dispatched = (dispatcher: Dispatcher): typeof fetch => {
  const call = undiciFetch as unknown as (input: unknown, init: unknown) => Promise<Response>;
  return (input, init) => call(input, { ...init, dispatcher });
};

const once = async (
  client: OpenAI,
  place: ModelPlace,
  conversation: Conversation,
  timeoutMs: number,
): Promise<ModelEnd | TryAgain> => {
  const { messages, signal } = conversation;
  try {
    const completion = await client.chat.completions.create(
      {
        model: place.model,
        messages: [...messages],
        ...asked(conversation),
        max_tokens: place.maxTokens,
        ...(place.temperature === undefined ? {} : { temperature: place.temperature }),
      },
      { timeout: Math.min(timeoutMs, place.callMs ?? CALL_MS), ...(signal && { signal }) },
    );
    return reply(completion, conversation);
  } catch (error) {
    return signal?.aborted === true ? { kind: 'unavailable', message: 'the call was given up', lasting: false } : failure(error);
  }
};

type Asked = Pick<ChatCompletionCreateParamsNonStreaming, 'tools' | 'response_format'>;

/** Some servers refuse an empty list of tools. */
const asked = ({ tools = [], format }: Conversation): Asked => {
  if (format === undefined) return tools.length === 0 ? {} : { tools: [...tools] };
  const { name, schema } = format;
  return { response_format: { type: 'json_schema', json_schema: { name, schema: { ...schema }, strict: true } } };
};

const reply = (completion: ChatCompletion, { messages, format }: Conversation): ModelEnd | TryAgain => {
  const choice = completion.choices?.[0];
  if (choice === undefined) return { again: 'the model answered without a choice', afterMs: undefined };
  const { content, tool_calls } = choice.message;
  const calls = (tool_calls ?? []).flatMap((call) =>
    call.type === 'function' ? [{ id: call.id, name: call.function.name, args: call.function.arguments }] : [],
  );
  const tokens = completion.usage?.total_tokens ?? Math.ceil(JSON.stringify(messages).length / 4);
  return {
    kind: 'reply',
    text: format === undefined ? withoutThinking(content ?? '') : (content ?? ''),
    calls,
    tokens,
    cut: choice.finish_reason === 'length',
    ...refusalIn(choice),
  };
};

const refusalIn = ({ finish_reason, message }: ChatCompletion.Choice): { readonly refusal?: string } => {
  if (typeof message.refusal === 'string' && message.refusal !== '') return { refusal: message.refusal.slice(0, 300) };
  return finish_reason === 'content_filter' ? { refusal: 'a filter of the model server ended the answer' } : {};
};

/** Reasoning models write their thoughts into the text; these are neither history nor summary. An unclosed block runs to the end. */
export const withoutThinking = (text: string): string =>
  text
    .replace(/<think>[\s\S]*?(<\/think>|$)/g, '')
    .replace(/^[\s\S]*?<\/think>/, '')
    .trim();
