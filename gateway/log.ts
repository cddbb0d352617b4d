// The log: one JSON object a line on standard output. Callers pass plain fields; tokens, headers and bodies are never among them.

export type Level = 'debug' | 'info' | 'warn' | 'error';
export type Fields = Readonly<Record<string, string | number | boolean | undefined>>;

/** Writes one line; a port, so that tests read what was logged. */
export interface Log {
  write(level: Level, event: string, fields?: Fields): void;
}

const MAX_FIELD = 1_000;
const ORDER: readonly Level[] = ['debug', 'info', 'warn', 'error'];

const shortened = (fields: Fields): Fields =>
  Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [name, typeof value === 'string' ? value.slice(0, MAX_FIELD) : value]),
  );

export const jsonLog = (least: Level, output: (line: string) => void = (line) => process.stdout.write(line)): Log => ({
  write(level, event, fields = {}) {
    if (ORDER.indexOf(level) < ORDER.indexOf(least)) return;
    output(`${JSON.stringify({ at: new Date().toISOString(), level, event, ...shortened(fields) })}\n`);
  },
});

/** What is said of an error in the log: its own words and its cause's, never its fields (a client's error may carry headers). */
export const wordsOf = (error: unknown): string => {
  if (!(error instanceof Error)) return String(error).slice(0, MAX_FIELD);
  const code = 'code' in error && typeof error.code === 'string' ? ` (${error.code})` : '';
  const cause = error.cause === undefined ? '' : `: ${wordsOf(error.cause)}`;
  return `${error.name}: ${error.message}${code}${cause}`.slice(0, MAX_FIELD);
};
