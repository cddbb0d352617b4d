// The log of every process: one JSON object a line on stdout (docs/observability.md has the schema), or a line for people when stdout
// is a terminal. Whatever a caller passes, no token, header or password is written.

import { pino } from 'pino';
import { redacted } from './redaction.ts';

export type Level = 'debug' | 'info' | 'warn' | 'error';
/** The names that every line has already cannot be fields. */
export type Fields = Readonly<Record<string, unknown>> & {
  readonly time?: never;
  readonly level?: never;
  readonly process?: never;
  readonly message?: never;
};

export interface Log {
  debug(message: string, fields?: Fields): void;
  info(message: string, fields?: Fields): void;
  warn(message: string, fields?: Fields): void;
  error(message: string, fields?: Fields): void;
}

export interface LogOptions {
  /** Which program writes: `operator`, `gateway` … */
  readonly process: string;
  readonly level: Level;
  readonly human: boolean;
  /** Takes a line without its end. */
  readonly write: (line: string) => void;
  readonly nowMs: () => number;
}

const MAX_CAUSES = 5;

const sentenceOf = (error: Error): string => {
  const code = 'code' in error && typeof error.code === 'string' && !error.message.includes(error.code) ? ` (${error.code})` : '';
  return `${error.name}: ${error.message}${code}`;
};

/** An error as fields: its message and its causes', never its own fields (a client's error may carry headers); the stack for what is a bug. */
export const errorFields = (error: unknown, withStack = false): { readonly error: string; readonly stack?: string } => {
  const causes: string[] = [];
  for (let each: unknown = error; each instanceof Error && causes.length < MAX_CAUSES; each = each.cause)
    causes.push(sentenceOf(each));
  return {
    error: causes.length === 0 ? String(error) : causes.join(' ← '),
    ...(withStack && error instanceof Error && error.stack !== undefined && { stack: error.stack }),
  };
};

const humanValue = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));

const humanLine = (line: string): string => {
  const { time, level, process: _, message, ...fields } = JSON.parse(line) as Readonly<Record<string, unknown>>;
  const rest = Object.entries(fields).filter(([, value]) => !(Array.isArray(value) && value.length === 0));
  const head = `${String(time).slice(11, 23)} ${String(level).padEnd(5)} ${String(message)}`;
  return `${head} ${rest.map(([name, value]) => `${name}=${humanValue(value)}`).join(' ')}`.trimEnd();
};

export const makeLog = ({ process, level, human, write, nowMs }: LogOptions): Log => {
  const logger = pino(
    {
      level,
      base: { process },
      timestamp: () => `,"time":"${new Date(nowMs()).toISOString()}"`,
      formatters: { level: (label) => ({ level: label }), log: redacted },
    },
    { write: (line) => write(human ? humanLine(line) : line.trimEnd()) },
  );
  // the message goes in as the first field, so that it stands before the others
  const at =
    (each: Level) =>
    (message: string, fields: Fields = {}): void =>
      logger[each]({ message, ...fields });
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
};

/** The log of this process on its stdout. */
export const makeProcessLog = (name: string, level: Level): Log =>
  makeLog({
    ...{ process: name, level, human: process.stdout.isTTY },
    write: (line) => void process.stdout.write(`${line}\n`),
    nowMs: () => Date.now(),
  });
