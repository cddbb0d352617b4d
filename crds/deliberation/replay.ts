// Whether a Deliberation replays: its outcome is worked out again from what it pinned and recorded, and compared with what its status says.
// May: compare, byte for byte in canonical form. May not: ask for anything else; the object alone says how it came about.
import { canonicalJson } from '../canonical.ts';
import type { Deliberation } from '../kinds/deliberation.ts';
import { deliberate, type Deliberated } from './deliberate.ts';
import { clip } from './outcome.ts';
import { RULES_VERSION } from './rigor.ts';
import type { Pinned } from './seats.ts';

/** One value that is not what comes out; each as canonical JSON, undefined where there is none. */
export interface Difference {
  /** `winner`, `results.2.score` */
  readonly path: string;
  readonly recorded: string | undefined;
  readonly again: string | undefined;
}

export type Replay =
  | { readonly kind: 'same' }
  | { readonly kind: 'differs'; readonly differences: readonly Difference[] }
  | { readonly kind: 'notEnded' }
  /** It was ended before its turns came to anything: cancelled, out of time, or never begun. */
  | { readonly kind: 'noOutcome' }
  /** Made by rules of another version than these. */
  | { readonly kind: 'otherRules'; readonly rules: string };

type Replayed = Pick<Deliberation, 'spec' | 'status'>;
type Outcome = Readonly<Record<string, unknown>>;

/** Why it ended as it did. */
export const endReason = ({ status }: Pick<Deliberation, 'status'>): string | undefined =>
  status?.conditions?.find(({ type }) => type === 'Succeeded')?.reason;

const recordedOutcome = (deliberation: Replayed): Outcome => {
  const { phase, results, winner, rationale, dissent, usage, message } = deliberation.status ?? {};
  const why = phase === 'Failed' ? { reason: endReason(deliberation), message } : {};
  return { phase, results: results ?? [], winner, rationale, dissent, usage, ...why };
};

const outcomeAgain = ({ stand, usage }: Deliberated): Outcome => {
  if (stand.kind === 'open') return { phase: 'InProgress', results: [], usage };
  const { end } = stand;
  if (end.kind === 'failed')
    return { phase: 'Failed', results: end.results, usage, reason: end.reason, message: clip(end.message) };
  const { agent, rationale, dissent } = end.choice;
  return { phase: 'Completed', results: end.results, winner: agent, rationale, dissent, usage };
};

const isBranch = (value: unknown): value is Readonly<Record<string, unknown>> => typeof value === 'object' && value !== null;
const jsonOf = (value: unknown): string | undefined => (value === undefined ? undefined : canonicalJson(value));

/** The smallest values that differ. */
const differencesOf = (path: readonly string[], recorded: unknown, again: unknown): readonly Difference[] => {
  if (jsonOf(recorded) === jsonOf(again)) return [];
  const isWhole = !isBranch(recorded) || !isBranch(again) || Array.isArray(recorded) !== Array.isArray(again);
  if (isWhole) return [{ path: path.join('.'), recorded: jsonOf(recorded), again: jsonOf(again) }];
  const names = [...new Set([...Object.keys(recorded), ...Object.keys(again)])];
  return names.flatMap((name) => differencesOf([...path, name], recorded[name], again[name]));
};

const workedOut = (pinned: Pinned, { spec, status }: Replayed): Deliberated =>
  deliberate({
    ...{ pinned, select: spec.select, contributions: status?.contributions ?? [] },
    // times decide when a turn is given up, which is on record already, and nothing else
    ...{ startedMs: 0, answers: new Map() },
  });

export const replayed = (deliberation: Replayed): Replay => {
  const { status } = deliberation;
  if (status?.finishedAt === undefined) return { kind: 'notEnded' };
  const { pinned, phase } = status;
  if (pinned === undefined || phase === 'TimedOut' || (phase === 'Failed' && endReason(deliberation) === 'Cancelled'))
    return { kind: 'noOutcome' };
  if (pinned.rules !== RULES_VERSION) return { kind: 'otherRules', rules: pinned.rules };
  const differences = differencesOf([], recordedOutcome(deliberation), outcomeAgain(workedOut(pinned, deliberation)));
  return differences.length === 0 ? { kind: 'same' } : { kind: 'differs', differences };
};
