// A program under measurement: its log goes to a file, so that it costs this process nothing; what it used is read from /proc.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { openSync, closeSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { plainEnvironment } from '../test/cluster/config.ts';

export interface Running {
  readonly pid: number;
  readonly startedAtMs: number;
  readonly logFile: string;
  readonly name: string;
  /** Exit code; null when a signal ended it. */
  readonly ended: Promise<readonly [code: number | null]>;
  hasEnded(): boolean;
  /** Whether it was asked to end. */
  wasStopped(): boolean;
  /** CPU time it took so far, in its own and the kernel's code. */
  cpuMs(): number;
  /** Bytes of memory that it holds now. */
  rssBytes(): number;
  /** The most that it ever held. */
  peakRssBytes(): number;
  /** Ends it, and waits until it has. */
  stop(): Promise<void>;
}

export interface ProcessOptions {
  readonly name: string;
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly folder: string;
}

/** The kernel's unit of CPU times in /proc, on every Linux that Node runs on. */
const TICK_MS = 10;

const ticksOf = (pid: number): number => {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return Number(fields[11]) + Number(fields[12]); // utime and stime
};

const kibibytesOf = (pid: number, field: 'VmRSS' | 'VmHWM'): number => {
  const found = new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  if (found === null) throw new Error(`process ${pid} has ended`);
  return Number(found[1]);
};

export const startProcess = ({ name, argv, env, folder }: ProcessOptions): Running => {
  const startedAtMs = performance.timeOrigin + performance.now();
  const logFile = join(folder, `${name}-${Math.round(startedAtMs)}.log`);
  const log = openSync(logFile, 'w');
  const [program = '', ...rest] = argv;
  const child = spawn(program, rest, { env: plainEnvironment(env), stdio: ['ignore', log, log] });
  closeSync(log);
  const { pid } = child;
  if (pid === undefined) throw new Error(`${program} does not start`);
  const ended = once(child, 'exit') as Promise<[number | null]>;
  const stopped = { was: false };
  const hasEnded = (): boolean => child.exitCode !== null || child.signalCode !== null;
  return {
    ...{ pid, name, startedAtMs, logFile, ended, hasEnded },
    wasStopped: () => stopped.was,
    cpuMs: () => ticksOf(pid) * TICK_MS,
    rssBytes: () => kibibytesOf(pid, 'VmRSS') * 1024,
    peakRssBytes: () => kibibytesOf(pid, 'VmHWM') * 1024,
    stop: async () => {
      stopped.was = true;
      if (!hasEnded()) child.kill('SIGTERM');
      await ended;
    },
  };
};
