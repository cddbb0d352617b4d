// What a Task says while something has to happen first.
// May: word. May not: find out whether it holds; that is what blockers, capacity, turns and rules do.

export interface Blocked {
  readonly phase: 'Pending' | 'Queued' | 'Integrating';
  readonly reason: string;
  /** Whole, as a person reads it in the status, with the next step where somebody has one. */
  readonly sentence: string;
  /** A date that no watch announces. */
  readonly afterMs?: number;
  /** A person has to change something. */
  readonly stalled?: true;
}

/**
 * Reasons for which something outside of the Story has to change: its Story passes them on to whoever looks at it. What passes by itself
 * as work goes on (a dependency, a phase, a turn) is not among them.
 */
const OUTSIDE_REASONS = [
  'Suspended',
  'PlanMissing',
  'CouncilMissing',
  'ImageProfileMissing',
  'CouncilNotReady',
  'StoreUnavailable',
  'GatewayUnknown',
  'WorkspaceWaiting',
] as const;
type OutsideReason = (typeof OUTSIDE_REASONS)[number];

export const isOutsideReason = (reason: string): boolean => (OUTSIDE_REASONS as readonly string[]).includes(reason);

/** Time has to pass: worth telling only while nothing of the Story is at work. */
export const isIdleReason = (reason: string): boolean => reason === 'BackOff';

/** Other Stories have the places: worth telling only until the first Task of the Story got one. */
export const isPlaceReason = (reason: string): boolean => reason === 'ClusterFull' || reason === 'NamespaceFull';

export const pending = (reason: string, sentence: string): Blocked => ({ phase: 'Pending', reason, sentence });
export const outside = (reason: OutsideReason, sentence: string): Blocked => pending(reason, sentence);
export const stalled = (reason: string, sentence: string): Blocked => ({ ...pending(reason, sentence), stalled: true });
