// A log that is kept for assertions, and one that is not kept at all.

import type { Fields, Level, Log } from '../../../runtime/log.ts';

export interface Line {
  readonly level: Level;
  readonly message: string;
  readonly fields: Fields;
}

export interface RecordedLog extends Log {
  readonly lines: readonly Line[];
}

export const recordedLog = (): RecordedLog => {
  const lines: Line[] = [];
  const at =
    (level: Level): Log[Level] =>
    (message, fields = {}) =>
      void lines.push({ level, message, fields });
  return { lines, debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
};

const silent = (): void => undefined;
export const silentLog: Log = { debug: silent, info: silent, warn: silent, error: silent };
