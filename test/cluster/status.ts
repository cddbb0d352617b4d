/**
 * What the supervisor of a box tells about it, as a file that anybody may read, and how a death is put into words.
 */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import type { ComponentName } from './components.ts';

export interface ComponentDeath {
  /** Such as `exit status 1` or `signal SIGKILL`. */
  readonly how: string;
  readonly at: string;
  readonly livedMs: number;
  readonly log: string;
  readonly lastLines: readonly string[];
}

export interface ComponentStatus {
  readonly name: ComponentName;
  /** The process id inside the box. */
  readonly pid: number;
  readonly startedAt: string;
  /** Present once it has ended without being asked to. */
  readonly death?: ComponentDeath;
}

export interface BoxStatus {
  readonly phase: 'starting' | 'ready' | 'failed';
  /** The supervisor's own process id inside the box. */
  readonly supervisorPid: number;
  /** The revision of the parameters that phase is about. */
  readonly revision: number;
  readonly bootedAt: string;
  /** What it is at, while it starts; what went wrong, when it failed. */
  readonly message: string;
  readonly components: readonly ComponentStatus[];
}

const TAIL_BYTES = 8_192;

/** The last lines of a file, [] when there is none. */
export const lastLines = (path: string, count: number): readonly string[] => {
  let file: number;
  try {
    file = openSync(path, 'r');
  } catch {
    return [];
  }
  try {
    const size = fstatSync(file).size;
    const buffer = Buffer.alloc(Math.min(size, TAIL_BYTES));
    readSync(file, buffer, 0, buffer.length, size - buffer.length);
    return buffer.toString().trimEnd().split('\n').slice(-count);
  } finally {
    closeSync(file);
  }
};

export const describeDeath = (component: ComponentStatus): string => {
  const { death } = component;
  if (death === undefined) return `${component.name} runs`;
  const lines = death.lastLines.map((line) => `    ${line}`).join('\n');
  return `${component.name} died at ${death.at} (${death.how}). Last lines of ${death.log}:\n${lines === '' ? '    (none)' : lines}`;
};

export const deaths = (status: BoxStatus): readonly ComponentStatus[] =>
  status.components.filter((component) => component.death !== undefined);
