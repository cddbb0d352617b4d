// What a person sees while something long runs: one line when it starts, ticks with elapsed time from 3 s on, one line when it ends.
// May write to the given stream, nothing else. Colours only on a terminal.
export interface ProgressOutput {
  readonly write: (text: string) => unknown;
  readonly isTTY?: boolean | undefined;
}

export interface Progress {
  /** Runs `work` under a label; what it logs becomes the detail behind the elapsed time. */
  step<T>(label: string, work: (detail: (text: string) => void) => Promise<T>): Promise<T>;
  say(text: string): void;
}

const FIRST_TICK_MS = 3_000;
const TICK_MS = { terminal: 1_000, log: 10_000 };

export const progressOn = (output: ProgressOutput = process.stderr): Progress => {
  const terminal = output.isTTY === true;
  return {
    say: (text) => void output.write(`${text}\n`),
    step: async (label, work) => {
      const startedAt = Date.now();
      const line = new TickingLine(output, terminal, label, startedAt);
      try {
        const result = await work((text) => line.detail(text));
        line.end(terminal ? '\u001b[32m✓\u001b[0m' : 'ok');
        return result;
      } catch (error) {
        line.end(terminal ? '\u001b[31m✗\u001b[0m' : 'FAILED');
        throw error;
      }
    },
  };
};

export const seconds = (sinceMs: number): string => `${((Date.now() - sinceMs) / 1000).toFixed(1)} s`;

class TickingLine {
  readonly #output: ProgressOutput;
  readonly #terminal: boolean;
  readonly #label: string;
  readonly #startedAt: number;
  readonly #timer: NodeJS.Timeout;
  #detail = '';
  #lastTickAt: number;

  constructor(output: ProgressOutput, terminal: boolean, label: string, startedAt: number) {
    this.#output = output;
    this.#terminal = terminal;
    this.#label = label;
    this.#startedAt = startedAt;
    this.#lastTickAt = startedAt;
    if (terminal) output.write(`  … ${label}`);
    this.#timer = setInterval(() => this.#tick(), TICK_MS.terminal);
    this.#timer.unref();
  }

  detail(text: string): void {
    this.#detail = text.split('\n', 1)[0]?.slice(0, 90) ?? '';
  }

  #tick(): void {
    const now = Date.now();
    const wait = this.#terminal ? TICK_MS.terminal : TICK_MS.log;
    if (now - this.#startedAt < FIRST_TICK_MS || now - this.#lastTickAt < wait) return;
    this.#lastTickAt = now;
    const text = `${this.#label} (${seconds(this.#startedAt)})${this.#detail === '' ? '' : `: ${this.#detail}`}`;
    this.#output.write(this.#terminal ? `\r\u001b[2K  … ${text}` : `  … ${text}\n`);
  }

  end(mark: string): void {
    clearInterval(this.#timer);
    this.#output.write(`${this.#terminal ? '\r\u001b[2K' : ''}  ${mark} ${this.#label} (${seconds(this.#startedAt)})\n`);
  }
}
