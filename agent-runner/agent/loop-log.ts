// What is written down of an agent's loop: JSON lines in a bounded file, and a short line for people. May: append to one file.
import { appendFileSync } from 'node:fs';
import type { ModelEnd, ToolCall } from '../../agent/model.ts';

interface ToolRecord {
  readonly call: ToolCall;
  readonly ok: boolean;
  readonly result: string;
  readonly durationMs: number;
}

export interface LoopLog {
  answer(iteration: number, end: ModelEnd & { kind: 'reply' }): void;
  tool(iteration: number, record: ToolRecord): void;
}

const MAX_FIELD_CHARACTERS = 4_000;

export interface LoopLogPlace {
  readonly file: string;
  readonly maxBytes: number;
  readonly say: (line: string) => void;
}

export const fileLog = ({ file, maxBytes, say }: LoopLogPlace): LoopLog => {
  const room = { bytes: maxBytes };
  const write = (entry: Readonly<Record<string, unknown>>): void => {
    const line = `${JSON.stringify({ at: new Date().toISOString(), ...entry })}\n`;
    room.bytes -= Buffer.byteLength(line);
    if (room.bytes >= 0) appendFileSync(file, line);
  };
  return {
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
