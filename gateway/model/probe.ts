// Whether an endpoint can serve a Council: it lists the model, calls a tool when it must, and answers by a JSON schema when asked to.
// Servers are known to claim both and do neither, so each is tried.

import { z } from 'zod';
import type { Upstream } from '../../crds/contracts/platform.ts';
import { answerLimit, readLimited } from '../http/body.ts';
import type { Outside } from '../upstream/http-upstream.ts';
import { modelPath, modelRefusal } from './model-proxy.ts';

export interface ProbeResult {
  readonly models: readonly string[];
  readonly listed: boolean;
  readonly toolCalls: boolean;
  readonly structuredOutput: boolean;
}

const TIMEOUT_MS = 60_000;
const MAX_ANSWER_BYTES = 2 * 1024 * 1024;
const MAX_MODELS = 100;

const modelList = z.object({ data: z.array(z.object({ id: z.string().max(512) })).max(10_000) });

const completion = z.object({
  choices: z
    .array(
      z.object({
        message: z.object({
          content: z.string().nullish(),
          tool_calls: z.array(z.object({ function: z.object({ name: z.string(), arguments: z.string() }) })).nullish(),
        }),
      }),
    )
    .min(1),
});

type Message = z.infer<typeof completion>['choices'][number]['message'];

const TOOL = {
  type: 'function',
  function: {
    name: 'report_word',
    description: 'Report the word that the user named.',
    parameters: { type: 'object', properties: { word: { type: 'string' } }, required: ['word'], additionalProperties: false },
  },
} as const;

const SCHEMA = {
  type: 'json_schema',
  json_schema: {
    name: 'answer',
    strict: true,
    schema: {
      type: 'object',
      properties: { word: { type: 'string' }, letters: { type: 'integer' } },
      required: ['word', 'letters'],
      additionalProperties: false,
    },
  },
} as const;

const parsedBy = (schema: z.ZodType, text: string | null | undefined): boolean => {
  try {
    return schema.safeParse(JSON.parse(text ?? '')).success;
  } catch {
    return false;
  }
};

const calledTool = (message: Message): boolean =>
  (message.tool_calls ?? []).some(
    (call) => call.function.name === TOOL.function.name && parsedBy(z.object({ word: z.string() }), call.function.arguments),
  );

const keptSchema = (message: Message): boolean =>
  parsedBy(z.strictObject({ word: z.string(), letters: z.number().int() }), message.content);

export class EndpointProbe {
  readonly #outside: Outside;

  constructor(outside: Outside) {
    this.#outside = outside;
  }

  /** Throws Refusal when the endpoint cannot be reached or refuses to list its models. */
  async probe(upstream: Upstream, model: string, signal: AbortSignal): Promise<ProbeResult> {
    const models = await this.#models(upstream, signal);
    const shown = models.slice(0, MAX_MODELS);
    if (!models.includes(model)) return { models: shown, listed: false, toolCalls: false, structuredOutput: false };
    const user = { role: 'user', content: 'The word is fleet.' };
    const base = { model, max_tokens: 512, temperature: 0, messages: [user] };
    const [tool, structured] = await Promise.all([
      this.#chat(
        upstream,
        { ...base, tools: [TOOL], tool_choice: 'auto', messages: [{ role: 'system', content: USE_TOOL }, user] },
        signal,
      ),
      this.#chat(
        upstream,
        { ...base, response_format: SCHEMA, messages: [{ role: 'system', content: USE_SCHEMA }, user] },
        signal,
      ),
    ]);
    return {
      models: shown,
      listed: true,
      toolCalls: tool !== undefined && calledTool(tool),
      structuredOutput: structured !== undefined && keptSchema(structured),
    };
  }

  async #models(upstream: Upstream, signal: AbortSignal): Promise<readonly string[]> {
    const answer = await this.#outside.send(upstream, {
      method: 'GET',
      path: modelPath(upstream, '/models'),
      headers: { accept: 'application/json' },
      signal,
      timeoutMs: TIMEOUT_MS,
    });
    if (answer.status !== 200) throw await modelRefusal(upstream, answer);
    const text = (await readLimited(answer.body, answerLimit(MAX_ANSWER_BYTES))).toString('utf8');
    const list = modelList.safeParse(parsedJson(text));
    return list.success ? list.data.data.map(({ id }) => id) : [];
  }

  /** The message, or undefined when the server refused or answered nonsense: that is what the probe is to find out. */
  async #chat(upstream: Upstream, body: object, signal: AbortSignal): Promise<Message | undefined> {
    const answer = await this.#outside.send(upstream, {
      method: 'POST',
      path: modelPath(upstream, '/chat/completions'),
      headers: { accept: 'application/json', 'content-type': 'application/json' },
      body: JSON.stringify(body),
      signal,
      timeoutMs: TIMEOUT_MS,
    });
    if (answer.status >= 500 || answer.status === 429) throw await modelRefusal(upstream, answer);
    const bytes = await readLimited(answer.body, answerLimit(MAX_ANSWER_BYTES));
    const result = answer.status === 200 ? completion.safeParse(parsedJson(bytes.toString('utf8'))) : undefined;
    return result?.success === true ? result.data.choices[0]?.message : undefined;
  }
}

const USE_TOOL = 'Call the tool report_word with the word that the user names. Answer with the tool call only.';
const USE_SCHEMA = 'Answer in JSON: the word that the user names, and how many letters it has.';

const parsedJson = (text: string): unknown => {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
};
