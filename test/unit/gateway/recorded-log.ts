// Logs of the gateway, kept for assertions.

import type { Fields, Level, Log } from '../../../gateway/log.ts';

export interface Line {
  readonly level: Level;
  readonly event: string;
  readonly fields: Fields;
}

export interface RecordedLog extends Log {
  readonly lines: readonly Line[];
}

export const recordedLog = (): RecordedLog => {
  const lines: Line[] = [];
  return { lines, write: (level, event, fields = {}) => void lines.push({ level, event, fields }) };
};

export const silentLog: Log = { write: () => undefined };
