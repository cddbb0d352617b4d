/**
 * Small JSON files that several processes read while one writes them: a reader sees the old or the new content, never a part.
 */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

export const writeState = (path: string, value: unknown): void => {
  mkdirSync(dirname(path), { recursive: true });
  const next = `${path}.${process.pid}.next`;
  writeFileSync(next, `${JSON.stringify(value, null, 2)}\n`);
  renameSync(next, path);
};

/** What `writeState` wrote, or undefined when nothing (or nothing whole) is there. */
export const readState = <T>(path: string): T | undefined => {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as T;
  } catch {
    return undefined;
  }
};
