/**
 * Locks between processes. The kernel holds them (flock of util-linux), so a lock never outlives a killed process.
 */
import { spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';

/** Runs `work` while holding the lock on `path`; `onWait` is told once when another process holds it. */
export const withLock = async <T>(path: string, work: () => Promise<T>, onWait: () => void = () => undefined): Promise<T> => {
  mkdirSync(dirname(path), { recursive: true });
  // in a session of its own, so that Ctrl-C does not end it before us; `cat` ends when this process closes the pipe or dies, and the lock ends with it
  const holder = spawn('flock', [path, 'sh', '-c', 'echo held; exec cat >/dev/null'], {
    stdio: ['pipe', 'pipe', 'ignore'],
    detached: true,
  });
  holder.stdin.on('error', () => undefined);
  const ended = new Promise<void>((resolve) => holder.once('close', () => resolve()));
  const waiting = setTimeout(onWait, 500);
  try {
    await new Promise<void>((resolve, reject) => {
      holder.stdout.once('data', () => resolve());
      holder.once('error', (cause) => reject(new Error('cannot lock: is the program "flock" of util-linux there?', { cause })));
      holder.once('close', () => reject(new Error(`cannot lock ${path}`)));
    });
    clearTimeout(waiting);
    return await work();
  } finally {
    clearTimeout(waiting);
    holder.stdin.end();
    await ended;
  }
};
