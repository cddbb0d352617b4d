// Whether a Plan is approved: what people have said about it, and whether it counts. An approval counts for the digest that it names
// and for no other.

import type { Plan } from '../../crds/kinds/plan.ts';
import type { Gate, GateMode, Story } from '../../crds/kinds/story.ts';
import type { PlatformConfig } from '../../crds/contracts/platform.ts';

export type ApprovalState =
  | { readonly kind: 'unparsed' }
  | { readonly kind: 'undecided' }
  | { readonly kind: 'approved'; readonly by: string }
  | { readonly kind: 'rejected'; readonly by: string; readonly reason: string }
  /** Somebody decided, but it does not count. */
  | { readonly kind: 'refused'; readonly why: string };

/** Who opens a gate: as pinned in status, until a person makes it stricter. */
export const gateMode = (gate: Gate, story: Story, platform: PlatformConfig): GateMode => {
  const pinned = story.status?.gates?.[gate];
  if (pinned === undefined) return story.spec.gates[gate] ?? platform.gates[gate];
  return story.spec.gates[gate] === 'Human' ? 'Human' : pinned;
};

/** By whom a gate was opened that nobody needs to open. */
export const AUTO_APPROVER = 'auto';

export const approvalState = (plan: Plan, designGate: GateMode): ApprovalState => {
  const digest = plan.status?.digest;
  const { approval, author } = plan.spec;
  if (digest === undefined) return { kind: 'unparsed' };
  if (approval === undefined) return designGate === 'Auto' ? { kind: 'approved', by: AUTO_APPROVER } : { kind: 'undecided' };
  if (approval.digest !== digest)
    return { kind: 'refused', why: `${approval.by} decided on ${approval.digest}, but the tasks have digest ${digest}` };
  if (approval.by === author) return { kind: 'refused', why: `${author} wrote the plan and cannot decide on it` };
  if (approval.verdict === 'Rejected') return { kind: 'rejected', by: approval.by, reason: approval.reason ?? 'no reason given' };
  return { kind: 'approved', by: approval.by };
};
