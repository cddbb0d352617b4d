// The agent loop: the model answers, its tool calls are run, their results go back, until it hands in, gives up or a limit is reached.
// May: call the model and the tools it is given. Whatever the model does wrong is told to it; whatever ends the loop is data.
import type { ChatCompletionFunctionTool, ChatCompletionMessageParam } from 'openai/resources/chat/completions';
import { doneArgs, giveUpArgs } from '../tools/end.ts';
import { bounded, type Tool, type Workbench } from '../tools/tool.ts';
import type { LoopLog } from './loop-log.ts';
import type { Model, ModelEnd, ToolCall } from '../../agent/model.ts';
import type { Prompt } from '../../agent/prompt.ts';

export interface LoopLimits {
  readonly iterations: number;
  readonly tokens: number;
}

export interface LoopPorts {
  readonly model: Model;
  readonly tools: readonly Tool[];
  readonly bench: Workbench;
  readonly log: LoopLog;
}

export interface LoopEnd {
  readonly reason: 'Done' | 'GaveUp' | 'BudgetSpent' | 'ModelUnavailable';
  readonly message: string;
  readonly iterations: number;
  readonly tokens: number;
}

/** So many answers in a row without one usable tool call, and the attempt is given up. */
const MAX_STUMBLES = 5;
/** What is left of old tool results when the conversation has outgrown the model's window. */
const REMOVED = '[removed: the conversation was getting too long]';
const RECENT_MESSAGES = 8;

interface State {
  messages: ChatCompletionMessageParam[];
  iterations: number;
  tokens: number;
  stumbles: number;
  shortened: number;
}

type Ending = Pick<LoopEnd, 'reason' | 'message'>;

export const runLoop = async (prompt: Prompt, limits: LoopLimits, ports: LoopPorts): Promise<LoopEnd> => {
  const state: State = {
    messages: [
      { role: 'system', content: prompt.system },
      { role: 'user', content: prompt.user },
    ],
    iterations: 0,
    tokens: 0,
    stumbles: 0,
    shortened: 0,
  };
  const tools = ports.tools.map(toolForModel);
  for (;;) {
    const ending = spent(state, limits, ports) ?? (await iterate(state, tools, ports));
    if (ending !== undefined) return { ...ending, iterations: state.iterations, tokens: state.tokens };
  }
};

const spent = (state: State, limits: LoopLimits, { bench }: LoopPorts): Ending | undefined => {
  if (state.iterations >= limits.iterations)
    return { reason: 'BudgetSpent', message: `all ${limits.iterations} iterations are used up` };
  if (state.tokens >= limits.tokens)
    return { reason: 'BudgetSpent', message: `${state.tokens} of ${limits.tokens} tokens are used up` };
  if (bench.remainingMs() <= 0) return { reason: 'BudgetSpent', message: 'the time of the attempt is used up' };
  return undefined;
};

const iterate = async (
  state: State,
  tools: readonly ChatCompletionFunctionTool[],
  ports: LoopPorts,
): Promise<Ending | undefined> => {
  const end = await ports.model({ messages: state.messages, tools, timeoutMs: ports.bench.remainingMs() });
  if (end.kind === 'tooLong') return shorten(state, end.message);
  if (end.kind === 'budget') return { reason: 'BudgetSpent', message: end.message };
  if (end.kind === 'unavailable')
    return ports.bench.remainingMs() <= 0 ? undefined : { reason: 'ModelUnavailable', message: end.message };
  state.iterations += 1;
  state.tokens += end.tokens;
  ports.log.answer(state.iterations, end);
  return answered(state, end, ports);
};

const answered = async (state: State, end: ModelEnd & { kind: 'reply' }, ports: LoopPorts): Promise<Ending | undefined> => {
  if (end.calls.length === 0 && end.cut) {
    state.messages.push({ role: 'assistant', content: end.text });
    state.messages.push({
      role: 'user',
      content: 'Your answer was cut off at the length limit. Go on in smaller steps, with tool calls.',
    });
    return stumbled(state);
  }
  if (end.calls.length === 0) return { reason: 'Done', message: end.text };
  const parsed = end.calls.map((call) => ({ call, args: jsonObject(call.args) }));
  state.messages.push({
    role: 'assistant',
    content: end.text === '' ? null : end.text,
    // What is not JSON would make some servers refuse the whole conversation from now on.
    tool_calls: parsed.map(({ call, args }) => ({
      id: call.id,
      type: 'function',
      function: { name: call.name, arguments: args === undefined ? '{}' : call.args },
    })),
  });
  const ending = await runCalls(state, parsed, ports);
  return ending;
};

interface ParsedCall {
  readonly call: ToolCall;
  readonly args: Readonly<Record<string, unknown>> | undefined;
}

/** Runs the calls in their order; those after an ending are not run. */
const runCalls = async (state: State, calls: readonly ParsedCall[], ports: LoopPorts): Promise<Ending | undefined> => {
  let usable = false;
  for (const { call, args } of calls) {
    const tool = ports.tools.find((candidate) => candidate.name === call.name);
    const startedAt = Date.now();
    const result = await resultOf(tool, call, args, ports);
    ports.log.tool(state.iterations, { call, ok: result.ok, result: result.text, durationMs: Date.now() - startedAt });
    if (result.ok && tool?.group === 'end') return endingOf(tool, args);
    usable ||= tool !== undefined && args !== undefined;
    state.messages.push({ role: 'tool', tool_call_id: call.id, content: result.text });
  }
  if (usable) state.stumbles = 0;
  return usable ? undefined : stumbled(state);
};

interface ToolResult {
  readonly ok: boolean;
  readonly text: string;
}

const resultOf = async (
  tool: Tool | undefined,
  call: ToolCall,
  args: ParsedCall['args'],
  { tools, bench }: LoopPorts,
): Promise<ToolResult> => {
  if (tool === undefined)
    return {
      ok: false,
      text: `error: there is no tool ${call.name.slice(0, 80)}; there are ${tools.map((known) => known.name).join(', ')}`,
    };
  if (args === undefined) return { ok: false, text: 'error: the arguments are not a JSON object; write them again, complete' };
  try {
    return { ok: true, text: bounded(await tool.call(args, bench), bench.outputBytes + 1_000) };
  } catch (error) {
    return { ok: false, text: `error: ${error instanceof Error ? error.message : String(error)}`.slice(0, 4_000) };
  }
};

const endingOf = (tool: Tool, args: ParsedCall['args']): Ending =>
  tool.name === 'done'
    ? { reason: 'Done', message: doneArgs.parse(args).summary }
    : { reason: 'GaveUp', message: giveUpArgs.parse(args).reason };

const stumbled = (state: State): Ending | undefined => {
  state.stumbles += 1;
  if (state.stumbles < MAX_STUMBLES) return undefined;
  return { reason: 'GaveUp', message: `${MAX_STUMBLES} answers in a row had no usable tool call` };
};

/** Empties old tool results, more of them each time; nothing left to empty is the end of the budget. */
const shorten = (state: State, message: string): Ending | undefined => {
  state.shortened += 1;
  const keep = Math.max(2, RECENT_MESSAGES - 2 * (state.shortened - 1));
  const old = state.messages.slice(0, -keep).filter((entry) => entry.role === 'tool' && entry.content !== REMOVED);
  if (old.length === 0)
    return { reason: 'BudgetSpent', message: `the conversation is longer than the model's window: ${message}` };
  const isOld = new Set<ChatCompletionMessageParam>(old);
  state.messages = state.messages.map((entry) =>
    isOld.has(entry) && entry.role === 'tool' ? { ...entry, content: REMOVED } : entry,
  );
  return undefined;
};

const jsonObject = (text: string): Readonly<Record<string, unknown>> | undefined => {
  try {
    const value: unknown = JSON.parse(text === '' ? '{}' : text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
};

const toolForModel = (tool: Tool): ChatCompletionFunctionTool => ({
  type: 'function',
  function: { name: tool.name, description: tool.description, parameters: tool.parameters },
});
