// The gateway's CA, which the install hook writes: kept in memory and read again when the file changes.

import { readFileSync, unwatchFile, watchFile } from 'node:fs';

export interface CaFile {
  /** PEM; undefined while there is none. */
  readonly current: () => string | undefined;
  readonly close: () => void;
}

/** A mounted ConfigMap is replaced by renaming links, which only looking at the file itself shows on every file system. */
const LOOK_EVERY_MS = 10_000;

const readPem = (path: string): string | undefined => {
  try {
    const text = readFileSync(path, 'utf8');
    return text.includes('-----BEGIN CERTIFICATE-----') ? text : undefined;
  } catch {
    return undefined;
  }
};

export const openCaFile = (path: string, onChange: () => void): CaFile => {
  let pem = readPem(path);
  const look = (): void => {
    const next = readPem(path);
    if (next === pem) return;
    pem = next;
    onChange();
  };
  watchFile(path, { interval: LOOK_EVERY_MS, persistent: false }, look);
  return { current: () => pem, close: () => unwatchFile(path, look) };
};
