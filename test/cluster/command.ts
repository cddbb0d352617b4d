/**
 * Runs a program and waits for its end. Output is kept in memory; a failure carries the command and its last lines.
 */
import { spawn } from 'node:child_process';

export interface CommandOptions {
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  readonly input?: string;
  /** Called with each line of standard error as it comes. */
  readonly onErrorLine?: (line: string) => void;
  /** Called with each line of standard output as it comes. */
  readonly onOutputLine?: (line: string) => void;
}

export interface CommandEnd {
  /** Exit status; 127 when the program is not there, 128 + n after signal n (128 when the number is unknown). */
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

const KEPT_LINES = 20;

export class CommandError extends Error {
  readonly end: CommandEnd;

  constructor(argv: readonly string[], end: CommandEnd) {
    const said = (end.stderr.trim() === '' ? end.stdout : end.stderr).trim().split('\n').slice(-KEPT_LINES).join('\n');
    super(`"${argv.join(' ')}" ended with status ${end.status}${said === '' ? '' : `:\n${said}`}`);
    this.name = 'CommandError';
    this.end = end;
  }
}

/** Takes what comes, and tells `onLine` of every line that is whole. */
const keeping = (kept: Buffer[], onLine: ((line: string) => void) | undefined): ((chunk: Buffer) => void) => {
  let rest = '';
  return (chunk) => {
    kept.push(chunk);
    if (onLine === undefined) return;
    const lines = (rest + chunk.toString()).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) onLine(line);
  };
};

/** Runs to the end and reports it, whatever it is. */
export const attempt = async (argv: readonly [string, ...string[]], options: CommandOptions = {}): Promise<CommandEnd> => {
  const [program, ...args] = argv;
  const child = spawn(program, args, { cwd: options.cwd, env: options.env, stdio: ['pipe', 'pipe', 'pipe'] });
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  child.stdout.on('data', keeping(out, options.onOutputLine));
  child.stderr.on('data', keeping(err, options.onErrorLine));
  child.stdin.on('error', () => undefined); // a program that reads nothing closes its end
  child.stdin.end(options.input ?? '');
  return new Promise((resolve) => {
    const finish = (status: number, note: string): void =>
      resolve({ status, stdout: Buffer.concat(out).toString(), stderr: Buffer.concat(err).toString() + note });
    child.on('error', (error) => finish(127, error.message));
    child.on('close', (code, signal) => finish(code ?? 128, signal === null ? '' : `\nended by ${signal}`));
  });
};

/** Runs to a successful end and returns standard output. @throws {CommandError} on any other end */
export const run = async (argv: readonly [string, ...string[]], options: CommandOptions = {}): Promise<string> => {
  const end = await attempt(argv, options);
  if (end.status !== 0) throw new CommandError(argv, end);
  return end.stdout;
};
