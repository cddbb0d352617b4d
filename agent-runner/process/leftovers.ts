// Ends every process that a step's commands left behind, before the step believes what lies in its volumes.
// May: signal processes. Acts only as process 1 of a container, where "everybody else" is exactly the step's own offspring.
import { readdir, readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';

const ROUNDS = 200;
const PAUSE_MS = 10;

/**
 * Kills until nobody else runs. Elsewhere than in process 1 there is nothing to do here: each command's process group was ended with it.
 * Zombies stay, as Node reaps only its own children; they run nothing. Throws if something survives two seconds of SIGKILL.
 */
export const endLeftovers = async (): Promise<void> => {
  if (process.pid !== 1) return;
  for (let round = 0; round < ROUNDS; round += 1) {
    killEverybodyElse();
    if (!(await anybodyElseRuns())) return;
    await delay(PAUSE_MS);
  }
  throw new Error('a process of the step survived SIGKILL');
};

const killEverybodyElse = (): void => {
  try {
    process.kill(-1, 'SIGKILL'); // Linux spares the caller
  } catch {
    // ESRCH: nobody is there
  }
};

const anybodyElseRuns = async (): Promise<boolean> => {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name) && name !== '1');
  const states = await Promise.all(pids.map(stateOf));
  return states.some((state) => state !== undefined && state !== 'Z' && state !== 'X');
};

const stateOf = async (pid: string): Promise<string | undefined> => {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2, stat.lastIndexOf(')') + 3);
  } catch {
    return undefined; // it ended meanwhile
  }
};
