// One thread of `npm run simulate`: judges its share of the schedules, and tells of each that breaks.

import { parentPort, workerData } from 'node:worker_threads';
import { controllers } from '../../controllers/registry.ts';
import { judge } from './court.ts';
import { Coverage, type Counts } from './coverage.ts';
import type { Schedule } from './schedule.ts';

export interface Share {
  readonly schedules: readonly Schedule[];
}

export type Told =
  | { readonly kind: 'judged'; readonly schedules: number }
  | { readonly kind: 'broke'; readonly schedule: Schedule; readonly broke: string; readonly message: string }
  | { readonly kind: 'ended'; readonly counts: Counts };

const TELL_EVERY = 50;

const work = async ({ schedules }: Share, tell: (told: Told) => void): Promise<void> => {
  const coverage = new Coverage();
  const counted = coverage.around(controllers);
  for (const [index, schedule] of schedules.entries()) {
    const verdict = await judge(schedule, counted);
    if (verdict !== undefined) tell({ kind: 'broke', schedule, broke: verdict.broke, message: messageOf(verdict.error) });
    if ((index + 1) % TELL_EVERY === 0) tell({ kind: 'judged', schedules: TELL_EVERY });
  }
  tell({ kind: 'judged', schedules: schedules.length % TELL_EVERY });
  tell({ kind: 'ended', counts: coverage.counts });
};

const messageOf = (error: unknown): string =>
  error instanceof Error ? (error.name === 'Broken' ? error.message : (error.stack ?? error.message)) : String(error);

if (parentPort !== null) {
  const port = parentPort;
  await work(workerData as Share, (told) => port.postMessage(told));
}
