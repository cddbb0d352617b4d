// One line per thing worth knowing: JSON, or for people when stdout is a terminal. Never a secret: values come from us, not from objects' data.

export type Level = 'debug' | 'info' | 'warn' | 'error';
export type Fields = Readonly<Record<string, unknown>>;

export interface Log {
  debug(message: string, fields?: Fields): void;
  info(message: string, fields?: Fields): void;
  warn(message: string, fields?: Fields): void;
  error(message: string, fields?: Fields): void;
}

export interface LogOptions {
  readonly level: Level;
  readonly human: boolean;
  readonly write: (line: string) => void;
  readonly nowMs: () => number;
}

const ORDER: readonly Level[] = ['debug', 'info', 'warn', 'error'];

/** An error as fields: its message, its own properties that we set, its causes, and the stack for what is a bug. */
export const errorFields = (error: unknown, withStack = false): Fields => {
  const causes: string[] = [];
  for (let each: unknown = error; each instanceof Error && causes.length < 5; each = each.cause)
    causes.push(`${each.name}: ${each.message}`);
  return {
    error: causes.length === 0 ? String(error) : causes.join(' ← '),
    ...(withStack && error instanceof Error && { stack: error.stack }),
  };
};

const humanValue = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));

const humanLine = (at: string, level: Level, message: string, fields: Fields): string => {
  const rest = Object.entries(fields).filter(([, value]) => value !== undefined && !(Array.isArray(value) && value.length === 0));
  return `${at.slice(11, 23)} ${level.padEnd(5)} ${message} ${rest.map(([name, value]) => `${name}=${humanValue(value)}`).join(' ')}`.trimEnd();
};

export const makeLog = ({ level, human, write, nowMs }: LogOptions): Log => {
  const at =
    (each: Level) =>
    (message: string, fields: Fields = {}): void => {
      if (ORDER.indexOf(each) < ORDER.indexOf(level)) return;
      const time = new Date(nowMs()).toISOString();
      write(human ? humanLine(time, each, message, fields) : JSON.stringify({ time, level: each, message, ...fields }));
    };
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
};
