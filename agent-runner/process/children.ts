// Runs commands with limits on time and output, each in a process group of its own, and can end all of them.
// May: spawn and kill. Knows nothing of what the commands are for; a command that fails is data, only a broken call throws.
import { spawn, type ChildProcess } from 'node:child_process';
import { BoundedOutput } from './bounded-output.ts';

export interface CommandOptions {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  /** How much of stdout and stderr together is kept: the beginning and the end of it. */
  readonly outputBytes: number;
  readonly stdin?: string;
}

export interface CommandResult {
  /** `undefined` when a signal or the time limit ended it, or it could not be started. */
  readonly exitCode: number | undefined;
  readonly timedOut: boolean;
  readonly durationMs: number;
  readonly output: string;
}

/** How long a child's pipes may stay open after it ended, because something that it left behind holds them. */
const PIPE_GRACE_MS = 500;

export class Children {
  readonly #live = new Set<ChildProcess>();

  async run(argv: readonly string[], options: CommandOptions): Promise<CommandResult> {
    const [file = '', ...args] = argv;
    const startedAt = Date.now();
    const output = new BoundedOutput(options.outputBytes);
    const child = spawn(file, args, { cwd: options.cwd, env: options.env, detached: true, stdio: ['pipe', 'pipe', 'pipe'] });
    this.#live.add(child);
    child.stdin.on('error', () => undefined); // a command may end without reading what it was given
    child.stdin.end(options.stdin ?? '');
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => output.add(chunk));
    const clock = { timedOut: false };
    const timer = setTimeout(() => {
      clock.timedOut = true;
      killGroup(child);
    }, options.timeoutMs);
    const exitCode = await ended(child, output);
    clearTimeout(timer);
    this.#live.delete(child);
    return {
      exitCode: clock.timedOut ? undefined : exitCode,
      timedOut: clock.timedOut,
      durationMs: Date.now() - startedAt,
      output: output.text(),
    };
  }

  /** Ends what still runs, with everything in its process groups. */
  endAll(): void {
    for (const child of this.#live) killGroup(child);
  }
}

const ended = async (child: ChildProcess, output: BoundedOutput): Promise<number | undefined> =>
  new Promise((resolve) => {
    child.once('error', (error) => {
      output.add(Buffer.from(`${error.message}\n`));
      resolve(undefined);
    });
    child.once('exit', (code) => {
      killGroup(child);
      const grace = setTimeout(() => {
        child.stdout?.destroy();
        child.stderr?.destroy();
      }, PIPE_GRACE_MS);
      child.once('close', () => {
        clearTimeout(grace);
        resolve(code ?? undefined);
      });
    });
  });

const killGroup = (child: ChildProcess): void => {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch {
    // nobody is left in the group
  }
};
