// The runs of a Task: one for each attempt and candidate, with its record (as `status.attempts` lists it) and how far it is.
// May: answer questions about runs. May not: read Jobs; that is run-reading.ts. Whoever wants to know which attempt is the current one, or
// which run is in which stage, asks here, so that several candidates of one attempt are a matter of this file.
//
//   working ─► delivered ─► carrying ─► integrated
//      │           ▲           │
//      ▼           └ failed ───┤
//    ended ◄───────────────────┘
//   besides: `missing` (a listed Job is not seen) and `unread` (it ended, its pod is not seen yet)
//   and `unreceipted` (it says that it ended well, the gateway's receipt is not seen yet)

import type { JobKind } from '../../crds/contracts/steps.ts';
import type { Attempt } from '../../crds/kinds/task.ts';
import type { JobEnd } from './job-reading.ts';
import { latestRecord } from './records.ts';
import type { Progress } from './workspace-progress.ts';

export interface Delivered {
  readonly kind: 'delivered';
  readonly nextTry: number;
  readonly notBeforeMs: number;
  /** The last courier failed, and the status does not say so yet. */
  readonly isNewlyFailed: boolean;
}

export type Stage =
  | { readonly kind: 'missing'; readonly what: JobKind }
  | { readonly kind: 'unread'; readonly what: JobKind }
  | { readonly kind: 'unreceipted'; readonly what: JobKind }
  | { readonly kind: 'working'; readonly progress: Progress }
  | Delivered
  | { readonly kind: 'carrying'; readonly progress: Progress }
  | { readonly kind: 'integrated'; readonly end: JobEnd }
  | { readonly kind: 'ended' };

export interface Run {
  /** Number of the attempt. */
  readonly n: number;
  readonly candidate: number;
  /** As the status should list it. */
  readonly record: Attempt;
  readonly stage: Stage;
  /** It ended, and the status does not say so yet. */
  readonly newlyEnded: boolean;
}

export const recordsOf = (runs: readonly Run[]): readonly Attempt[] => runs.map(({ record }) => record);

/** 0: there was none. */
export const currentAttempt = (runs: readonly Run[]): number => Math.max(0, ...runs.map(({ n }) => n));

type StageOf<K extends Stage['kind']> = Extract<Stage, { readonly kind: K }>;

const isIn = <K extends Stage['kind']>(stage: Stage, kind: K): stage is StageOf<K> => stage.kind === kind;

export interface RunIn<K extends Stage['kind']> {
  readonly run: Run;
  readonly stage: StageOf<K>;
}

/** The runs of the current attempt that are in that stage. */
const runsIn = <K extends Stage['kind']>(runs: readonly Run[], kind: K): readonly RunIn<K>[] => {
  const current = currentAttempt(runs);
  return runs.flatMap((run) => (run.n === current && isIn(run.stage, kind) ? [{ run, stage: run.stage }] : []));
};

/** The first run of the current attempt that is in that stage. */
export const runIn = <K extends Stage['kind']>(runs: readonly Run[], kind: K): RunIn<K> | undefined => runsIn(runs, kind)[0];

/** Whether the current attempt has a run whose Job of that kind is in that stage. */
export const isJobIn = (runs: readonly Run[], kind: 'missing' | 'unread' | 'unreceipted', what: JobKind): boolean =>
  runsIn(runs, kind).some(({ stage }) => stage.what === what);

/** The record that the Task as a whole speaks of: what landed, or else what began last. */
export const leadingRecord = (runs: readonly Run[]): Attempt | undefined =>
  runIn(runs, 'integrated')?.run.record ?? latestRecord(recordsOf(runs));
