// What of an agent's chat request goes to the model. Pure. The body is the agent's own, hence hostile: fields are copied from a list,
// sizes bounded, and what the Council decides is set here, whatever was asked for.

import { z } from 'zod';
import { Refusal } from '../http/refusal.ts';

/** What the Council fixed for this agent. Temperature as the number that its decimal string means. */
export interface ModelTerms {
  readonly model: string;
  readonly temperature?: number | undefined;
  readonly maxTokens: number;
}

export interface ChatRequest {
  readonly body: string;
  readonly stream: boolean;
  /** Upper estimate of all tokens that the call can cost. */
  readonly estimate: number;
  readonly maxTokens: number;
}

const MAX_MESSAGES = 2_000;
const MAX_TOOLS = 128;

// an image or file part would make the model server fetch an address of the agent's choice
const textPart = z.object({ type: z.enum(['text', 'refusal']), text: z.string().optional(), refusal: z.string().optional() });
const content = z.union([z.string(), z.array(textPart).max(200), z.null()]);

const toolCall = z.object({
  id: z.string().max(256),
  type: z.literal('function'),
  function: z.object({ name: z.string().max(256), arguments: z.string() }),
});

const message = z.object({
  role: z.enum(['system', 'developer', 'user', 'assistant', 'tool']),
  content: content.optional(),
  name: z.string().max(256).optional(),
  tool_call_id: z.string().max(256).optional(),
  tool_calls: z.array(toolCall).max(128).optional(),
  refusal: z.string().nullable().optional(),
  reasoning_content: z.string().nullable().optional(),
});

const tool = z.object({
  type: z.literal('function'),
  function: z.object({
    name: z.string().max(256),
    description: z.string().optional(),
    parameters: z.record(z.string(), z.unknown()).optional(),
    strict: z.boolean().nullable().optional(),
  }),
});

const responseFormat = z.discriminatedUnion('type', [
  z.object({ type: z.literal('text') }),
  z.object({ type: z.literal('json_object') }),
  z.object({
    type: z.literal('json_schema'),
    json_schema: z.object({
      name: z.string().max(256),
      description: z.string().optional(),
      schema: z.record(z.string(), z.unknown()).optional(),
      strict: z.boolean().nullable().optional(),
    }),
  }),
]);

const toolChoice = z.union([
  z.enum(['none', 'auto', 'required']),
  z.object({ type: z.literal('function'), function: z.object({ name: z.string().max(256) }) }),
]);

const asked = z.object({
  messages: z.array(message).min(1).max(MAX_MESSAGES),
  tools: z.array(tool).max(MAX_TOOLS).optional(),
  tool_choice: toolChoice.optional(),
  parallel_tool_calls: z.boolean().optional(),
  response_format: responseFormat.optional(),
  stop: z
    .union([z.string().max(256), z.array(z.string().max(256)).max(8)])
    .nullable()
    .optional(),
  seed: z.number().int().nullable().optional(),
  top_p: z.number().min(0).max(1).nullable().optional(),
  presence_penalty: z.number().min(-2).max(2).nullable().optional(),
  frequency_penalty: z.number().min(-2).max(2).nullable().optional(),
  temperature: z.number().min(0).max(2).nullable().optional(),
  max_tokens: z.number().int().positive().nullable().optional(),
  max_completion_tokens: z.number().int().positive().nullable().optional(),
  stream: z.boolean().nullable().optional(),
});

/** Bytes of text that make one token at the least, in the languages and code that models see: an estimate that errs upwards. */
const BYTES_PER_TOKEN = 3;

export const estimateTokens = (bytes: number): number => Math.ceil(bytes / BYTES_PER_TOKEN);

const parse = (bytes: Buffer): z.infer<typeof asked> => {
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString('utf8'));
  } catch (cause) {
    throw new Refusal(400, 'BodyInvalid', 'the body is no JSON', { cause });
  }
  const result = asked.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw new Refusal(400, 'BodyInvalid', `${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'invalid'}`.slice(0, 300));
};

const least = (...values: readonly (number | null | undefined)[]): number =>
  Math.min(...values.filter((value): value is number => typeof value === 'number'));

const serialised = (value: object): string => {
  try {
    return JSON.stringify(value);
  } catch (cause) {
    // nested so deeply that it can be read but not walked
    throw new Refusal(400, 'BodyInvalid', 'the body is nested too deeply', { cause });
  }
};

/** Throws Refusal 400 for a body that is no chat request of ours. */
export const chatRequest = (bytes: Buffer, terms: ModelTerms): ChatRequest => {
  const { temperature, max_tokens, max_completion_tokens, stream, ...rest } = parse(bytes);
  const maxTokens = least(terms.maxTokens, max_tokens, max_completion_tokens);
  const warmth = terms.temperature === undefined ? temperature : least(terms.temperature, temperature);
  const body = serialised({
    ...rest,
    model: terms.model,
    n: 1,
    max_tokens: maxTokens,
    ...(typeof warmth === 'number' && { temperature: warmth }),
    ...(stream === true && { stream: true, stream_options: { include_usage: true } }),
  });
  return { body, stream: stream === true, maxTokens, estimate: estimateTokens(Buffer.byteLength(body)) + maxTokens };
};
