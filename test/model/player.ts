// Chooses what the scripted model says next: a pure function of the conversation. The step is the number of answers given so far.
import { instanceOf } from './schema-instance.ts';
import type { Script, ScriptedCall, ScriptedStep } from './script.ts';

interface ChatMessage {
  readonly role: string;
  readonly content?: unknown;
}

export interface ChatRequest {
  readonly model?: unknown;
  readonly messages: readonly ChatMessage[];
  readonly tools?: readonly { readonly function?: { readonly name?: string; readonly parameters?: unknown } }[];
  readonly tool_choice?: unknown;
  readonly response_format?: { readonly type?: string; readonly json_schema?: { readonly schema?: unknown } };
  readonly stream?: boolean;
  readonly stream_options?: { readonly include_usage?: boolean };
}

export interface NextStep {
  /** For the log: the script's name and the step's number, or what was done without a script. */
  readonly title: string;
  readonly step: ScriptedStep;
}

const marker = /\[\[script:([a-z0-9-]+)\]\]/;

export const nextStep = (request: ChatRequest, scripts: readonly Script[]): NextStep => {
  const text = request.messages.map((message) => textOf(message.content)).join('\n');
  // scripts play tools: who wants structured data gets what its schema asks for
  if (request.response_format?.type === 'json_schema') return structured(request, text);
  const name = marker.exec(text)?.[1];
  if (name === undefined) return withoutScript(request);
  const script = scripts.find((candidate) => candidate.name === name);
  if (script === undefined) return { title: `${name} (unknown)`, step: { say: `There is no script named ${name}.` } };
  const play = script.plays.find((candidate) => candidate.when === undefined || text.includes(candidate.when));
  const number = request.messages.filter((message) => message.role === 'assistant').length;
  const step = play?.steps[number] ?? { say: `The script ${name} has ended.` };
  return { title: `${name}#${number}`, step };
};

/** What a probe or a turn of a Deliberation asks for. */
const structured = ({ response_format: format }: ChatRequest, text: string): NextStep => ({
  title: 'instance of a schema',
  step: { say: JSON.stringify(instanceOf(format?.json_schema?.schema, text)) },
});

/** What a probe asks for: a call of the first tool. */
const withoutScript = (request: ChatRequest): NextStep => {
  if (request.response_format?.type === 'json_object') return { title: 'json object', step: { say: '{}' } };
  const call = wantedCall(request);
  if (call !== undefined && request.messages.at(-1)?.role !== 'tool')
    return { title: `call of ${call.tool}`, step: { calls: [call] } };
  return {
    title: 'no script',
    step: { say: 'This is the scripted model. The text names no script, so there is nothing to play.' },
  };
};

const wantedCall = (request: ChatRequest): ScriptedCall | undefined => {
  if (request.tool_choice === 'none') return undefined;
  const choice = request.tool_choice as { readonly function?: { readonly name?: string } } | string | undefined;
  const named = typeof choice === 'object' ? choice.function?.name : undefined;
  const tool = (request.tools ?? []).find((candidate) => named === undefined || candidate.function?.name === named)?.function;
  if (tool?.name === undefined) return undefined;
  return { tool: tool.name, args: instanceOf(tool.parameters) as Record<string, unknown> };
};

const textOf = (content: unknown): string => {
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) return '';
  return content.map((part: { readonly text?: unknown }) => (typeof part.text === 'string' ? part.text : '')).join('');
};
