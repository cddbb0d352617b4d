// What is written down of an agent's loop: JSON lines up to a size, and a short line for people. Kept in memory, out of the reach of what
// the agent runs, until the loop has ended.
import type { ModelEnd, ToolCall } from '../../agent/model.ts';

interface ToolRecord {
  readonly call: ToolCall;
  readonly ok: boolean;
  readonly result: string;
  readonly durationMs: number;
}

export interface LoopLog {
  /** The JSON lines so far. */
  text(): string;
  answer(iteration: number, end: ModelEnd & { kind: 'reply' }): void;
  tool(iteration: number, record: ToolRecord): void;
}

const MAX_FIELD_CHARACTERS = 4_000;

export interface LoopLogOptions {
  readonly maxBytes: number;
  readonly say: (line: string) => void;
}

export const loopLog = ({ maxBytes, say }: LoopLogOptions): LoopLog => {
  const room = { bytes: maxBytes };
  const lines: string[] = [];
  const write = (entry: Readonly<Record<string, unknown>>): void => {
    const line = `${JSON.stringify({ at: new Date().toISOString(), ...entry })}\n`;
    room.bytes -= Buffer.byteLength(line);
    if (room.bytes >= 0) lines.push(line);
  };
  return {
    text: () => lines.join(''),
    answer: (iteration, end) => {
      write({ event: 'answer', iteration, text: cut(end.text), calls: end.calls.length, tokens: end.tokens });
      say(
        `[${iteration}] ${end.calls.length === 0 ? 'the model ends' : end.calls.map((call) => call.name).join(', ')} (${end.tokens} tokens)`,
      );
    },
    tool: (iteration, { call, ok, result, durationMs }) => {
      write({
        event: 'tool',
        iteration,
        tool: call.name.slice(0, 80),
        args: cut(call.args),
        ok,
        result: cut(result),
        durationMs,
      });
      const first = result.split('\n', 1)[0] ?? '';
      say(`[${iteration}]   ${call.name.slice(0, 80)} ${ok ? 'ok' : 'refused'} (${durationMs} ms): ${first.slice(0, 160)}`);
    },
  };
};

const cut = (text: string): string => (text.length > MAX_FIELD_CHARACTERS ? `${text.slice(0, MAX_FIELD_CHARACTERS)}…` : text);
