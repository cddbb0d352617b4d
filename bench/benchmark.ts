// What every benchmark is: rows that it declares, and a run that tells a figure for each of them as soon as it has it.

import type { Log } from '../test/cluster/progress.ts';
import type { Figure, Goal } from './rows.ts';

export interface Run {
  readonly log: Log;
  /** A figure for the declared row of that name. What was told stays, whatever fails later. */
  readonly tell: (row: string, figure: Figure) => void;
  /** To be done when the run has ended, however it did; the last one first. */
  readonly defer: (cleanUp: () => Promise<void>) => void;
}

export interface Benchmark {
  /** For `--only`. */
  readonly name: string;
  readonly what: string;
  readonly rows: readonly Goal[];
  readonly run: (run: Run) => Promise<void>;
}
