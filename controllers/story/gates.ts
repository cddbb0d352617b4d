// Which gates of a Story are open: what people have said at the gates scope, test and docs. A verdict counts for what it names: the
// scope's digest, or the head commit.

import { GATES, type Approval, type Gate, type GateMode } from '../../crds/kinds/story.ts';
import { AUTO_APPROVER, gateMode } from '../plan/approval.ts';
import type { StorySeen } from './seen.ts';

/** The gates as they hold from the first look on; a person can only make them stricter. */
export const pinnedGates = ({ story, platform }: StorySeen): Readonly<Record<Gate, GateMode>> => ({
  ...(Object.fromEntries(GATES.map((gate) => [gate, gateMode(gate, story, platform)])) as Record<Gate, GateMode>),
});

export type GateState =
  | { readonly kind: 'open'; readonly by: string }
  | { readonly kind: 'undecided' }
  | { readonly kind: 'rejected'; readonly by: string; readonly reason: string };

/** A rejection stands whatever the gate's mode; without any verdict an Auto gate is open. */
export const gateState = (seen: StorySeen, gate: Approval['gate'], digest: string | undefined): GateState => {
  const verdict = (seen.story.spec.approvals ?? []).find((each) => each.gate === gate && each.digest === digest);
  if (verdict?.verdict === 'Rejected') return { kind: 'rejected', by: verdict.by, reason: verdict.reason ?? 'no reason given' };
  if (verdict !== undefined) return { kind: 'open', by: verdict.by };
  return pinnedGates(seen)[gate] === 'Auto' ? { kind: 'open', by: AUTO_APPROVER } : { kind: 'undecided' };
};
