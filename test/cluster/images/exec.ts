// Runs one program to its end and returns what it printed. No shell, no retries; a failure carries the last lines of its output.
import { spawn } from 'node:child_process';

const keptLines = 15;

export interface RunOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Called with each line of stdout and stderr as it comes. */
  readonly onLine?: (line: string) => void;
}

/** Resolves with stdout. Rejects with the exit status and the last lines of both streams when the status is not 0. */
export function run(program: string, args: readonly string[], options: RunOptions = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
      ...(options.env === undefined ? {} : { env: options.env }),
    });
    const stdout: string[] = [];
    const both: string[] = [];
    const take = (text: string): void => {
      both.push(text);
      if (options.onLine === undefined) return;
      for (const line of text.split('\n')) if (line.trim() !== '') options.onLine(line);
    };
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout.push(text);
      take(text);
    });
    child.stderr.setEncoding('utf8').on('data', take);
    child.on('error', (cause) => reject(new Error(`${program} could not be started`, { cause })));
    child.on('close', (code, signal) => {
      if (code === 0) return resolve(stdout.join(''));
      const tail = both.join('').trimEnd().split('\n').slice(-keptLines).join('\n  ');
      reject(new Error(`${program} ended with ${signal ?? code}:\n  ${tail}`));
    });
  });
}
