// Writes a step as OpenAI's chat completion: whole, or as the chunks of a stream. Pure.
import { scriptedModelName, type ScriptedCall, type ScriptedStep } from './script.ts';

export interface Answer {
  readonly id: string;
  readonly createdSeconds: number;
  readonly promptTokens: number;
  readonly step: ScriptedStep;
}

/** Roughly four characters a token: enough for budgets to be spent in proportion. */
export const tokensOf = (text: string): number => Math.ceil(text.length / 4);

export const wholeAnswer = (answer: Answer): Record<string, unknown> => {
  const calls = toolCalls(answer);
  return {
    ...head(answer, 'chat.completion'),
    choices: [
      {
        index: 0,
        message: { role: 'assistant', content: answer.step.say ?? null, ...(calls.length === 0 ? {} : { tool_calls: calls }) },
        finish_reason: calls.length === 0 ? 'stop' : 'tool_calls',
        logprobs: null,
      },
    ],
    usage: usageOf(answer),
  };
};

/** The deltas in order; arguments come in pieces, as real servers send them. */
export const chunksOf = (answer: Answer, withUsage: boolean): readonly Record<string, unknown>[] => {
  const chunk = (delta: Record<string, unknown>, finish: string | null = null): Record<string, unknown> => ({
    ...head(answer, 'chat.completion.chunk'),
    choices: [{ index: 0, delta, finish_reason: finish, logprobs: null }],
  });
  const calls = toolCalls(answer);
  const chunks = [
    chunk({ role: 'assistant', content: '' }),
    ...pieces(answer.step.say ?? '').map((content) => chunk({ content })),
  ];
  for (const [index, call] of calls.entries()) {
    chunks.push(
      chunk({ tool_calls: [{ index, id: call.id, type: 'function', function: { name: call.function.name, arguments: '' } }] }),
    );
    for (const piece of pieces(call.function.arguments))
      chunks.push(chunk({ tool_calls: [{ index, function: { arguments: piece } }] }));
  }
  chunks.push(chunk({}, calls.length === 0 ? 'stop' : 'tool_calls'));
  if (withUsage) chunks.push({ ...head(answer, 'chat.completion.chunk'), choices: [], usage: usageOf(answer) });
  return chunks;
};

const head = (answer: Answer, object: string): Record<string, unknown> => ({
  id: answer.id,
  object,
  created: answer.createdSeconds,
  model: scriptedModelName,
  system_fingerprint: 'scripted',
});

const toolCalls = (answer: Answer): readonly { id: string; type: 'function'; function: { name: string; arguments: string } }[] =>
  (answer.step.calls ?? []).map((call, index) => ({
    id: `call-${answer.id}-${index}`,
    type: 'function',
    function: { name: call.tool, arguments: argumentsOf(call) },
  }));

const argumentsOf = (call: ScriptedCall): string => call.raw ?? JSON.stringify(call.args ?? {});

const usageOf = (answer: Answer): Record<string, number> => {
  const said = (answer.step.say ?? '') + (answer.step.calls ?? []).map((call) => call.tool + argumentsOf(call)).join('');
  const completion = tokensOf(said);
  return { prompt_tokens: answer.promptTokens, completion_tokens: completion, total_tokens: answer.promptTokens + completion };
};

const pieces = (text: string): readonly string[] => text.match(/[\s\S]{1,40}/g) ?? [];
