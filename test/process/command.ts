// Starts other programs for demo, tests and tooling: argv arrays, never a shell; output collected, streamed or both.
import { spawn } from 'node:child_process';

export interface CommandOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly input?: string;
  /** Receives every complete line of stdout and stderr. */
  readonly onLine?: (line: string) => void;
  /** Return a result for any exit code instead of throwing for a non-zero one. */
  readonly allowFailure?: boolean;
  readonly timeoutMs?: number;
}

export interface CommandResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A command that ended with a non-zero exit code; the message holds its last lines. */
export class CommandFailed extends Error {
  override readonly name = 'CommandFailed';
  readonly result: CommandResult;
  constructor(argv: readonly string[], result: CommandResult) {
    const tail = (result.stderr.trim() === '' ? result.stdout : result.stderr).trim().split('\n').slice(-15).join('\n');
    super(`${argv.slice(0, 6).join(' ')} ended with code ${result.code}:\n${tail}`);
    this.result = result;
  }
}

export async function command(argv: readonly [string, ...string[]], options: CommandOptions = {}): Promise<CommandResult> {
  const [program, ...args] = argv;
  const child = spawn(program, args, {
    cwd: options.cwd,
    env: { ...process.env, ...options.env },
    stdio: ['pipe', 'pipe', 'pipe'],
    timeout: options.timeoutMs,
  });
  child.stdin.on('error', () => undefined); // a program may end without reading its input
  child.stdin.end(options.input ?? '');
  const stdout = collect(child.stdout, options.onLine);
  const stderr = collect(child.stderr, options.onLine);
  const code = await new Promise<number>((resolve, reject) => {
    child.once('error', (error) => reject(new Error(`cannot start ${program}: ${error.message}`, { cause: error })));
    child.once('close', (exitCode, signal) => resolve(exitCode ?? (signal === null ? 1 : 128)));
  });
  const result = { code, stdout: stdout(), stderr: stderr() };
  if (code !== 0 && options.allowFailure !== true) throw new CommandFailed(argv, result);
  return result;
}

function collect(stream: NodeJS.ReadableStream, onLine: ((line: string) => void) | undefined): () => string {
  let text = '';
  let rest = '';
  stream.setEncoding('utf8');
  stream.on('data', (chunk: string) => {
    text += chunk;
    if (onLine === undefined) return;
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) onLine(line);
  });
  return () => text;
}
