// The words of a chaos run. A point is one kind of fault at one moment of a walk; a round is one walk of the pair with one or several
// points, one after the other.
import type { Pair, Walking } from './pair.ts';
import type { StepProcess } from './pod-processes.ts';
import type { Rig } from './rig.ts';

/** Steps are named as on the runner's command line, with the kind of their Job. */
export const MOMENTS = [
  'Story applied',
  'Plan approved',
  'attempt runner',
  'attempt checkout',
  'attempt setup',
  'attempt work',
  'model asked',
  'attempt verify-setup',
  'attempt verify',
  'attempt report',
  'patch accepted',
  'courier runner',
  'courier merge',
  'courier setup',
  'courier verify',
  'courier push',
  'commit pushed',
  'Task succeeded',
] as const;
export type Moment = (typeof MOMENTS)[number];

export interface Point {
  readonly kind: string;
  readonly moment: Moment;
}

/** A moment that has come. What it caught stands still until `release`. */
export interface Reached {
  readonly what: string;
  /** The step that is held, and whose it is. */
  readonly step?: StepProcess;
  readonly walking?: Walking;
  release(): void;
}

export interface Scene {
  readonly rig: Rig;
  readonly pair: Pair;
  readonly reached: Reached;
  /** Aborts when the round is over: whoever waits for the fault to be felt waits no longer. */
  readonly signal: AbortSignal;
}

export interface Struck {
  readonly what: string;
  /** Resolves once the fault was felt, was taken away, and what it hit serves again. @throws when it was never felt */
  heal(): Promise<void>;
}

/** What a fault may leave behind that the undisturbed walk has not. Failures of the infrastructure are always allowed. */
export interface Traces {
  /** Attempts that count against the agent, with that reason. */
  readonly agentReason?: string;
  /** Files that the fault itself put on a story branch, by a commit of its own. */
  readonly foreignFile?: string;
}

export interface Fault {
  readonly moments: readonly Moment[];
  readonly traces?: Traces;
  /** Whether it can be made there; a moment where it cannot is let pass. */
  readonly fits?: (reached: Reached) => boolean;
  strike(scene: Scene): Promise<Struck>;
}
