// What people have said at the gates scope, test and docs. A verdict counts for what it names: the scope's digest, or the head commit.

import type { Approval } from '../../crds/kinds/story.ts';
import { AUTO_APPROVER } from '../plan/approval.ts';
import type { StorySeen } from './observe.ts';
import { pinnedGates } from './verdicts.ts';

export type GateVerdict =
  | { readonly kind: 'open'; readonly by: string }
  | { readonly kind: 'undecided' }
  | { readonly kind: 'rejected'; readonly by: string; readonly reason: string };

/** A rejection stands whatever the gate's mode; without any verdict an Auto gate is open. */
export const gateVerdict = (seen: StorySeen, gate: Approval['gate'], digest: string | undefined): GateVerdict => {
  const verdict = (seen.story.spec.approvals ?? []).find((each) => each.gate === gate && each.digest === digest);
  if (verdict?.verdict === 'Rejected') return { kind: 'rejected', by: verdict.by, reason: verdict.reason ?? 'no reason given' };
  if (verdict !== undefined) return { kind: 'open', by: verdict.by };
  return pinnedGates(seen)[gate] === 'Auto' ? { kind: 'open', by: AUTO_APPROVER } : { kind: 'undecided' };
};
