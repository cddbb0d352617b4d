// Reads what a model counted, out of an answer that passes by. It never changes a byte and never keeps more than a line.

/** Tokens of one call. */
export interface Usage {
  readonly prompt: number;
  readonly completion: number;
}

const isCount = (value: unknown): value is number => typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;

/** The usage in an answer or a chunk of one; undefined when it names none. */
export const usageOf = (answer: unknown): Usage | undefined => {
  const usage = (answer as { readonly usage?: unknown } | null)?.usage as Record<string, unknown> | null | undefined;
  const { prompt_tokens: prompt, completion_tokens: completion } = usage ?? {};
  return isCount(prompt) && isCount(completion) ? { prompt, completion } : undefined;
};

const MAX_LINE_CHARS = 1024 * 1024;

/** Watches a stream of server-sent events for the usage that its last chunk carries. */
export class UsageWatch {
  readonly #decoder = new TextDecoder();
  #line = '';
  #usage: Usage | undefined;

  /** The last usage seen. */
  get usage(): Usage | undefined {
    return this.#usage;
  }

  readonly see = (chunk: Buffer): void => {
    const lines = (this.#line + this.#decoder.decode(chunk, { stream: true })).split('\n');
    const rest = lines.pop() ?? '';
    for (const line of lines) this.#read(line);
    this.#line = rest.length > MAX_LINE_CHARS ? '' : rest;
  };

  #read(line: string): void {
    if (!line.startsWith('data:') || !line.includes('"usage"')) return;
    try {
      this.#usage = usageOf(JSON.parse(line.slice(5))) ?? this.#usage;
    } catch {
      // a line that is no JSON carries no usage; the client will judge it
    }
  }
}
