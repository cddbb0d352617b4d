// What a change of a Plan's phase tells the outside. Every change is told; the wire's own subject is that of the approval.

import type { PlanPhase } from '../../crds/kinds/plan.ts';
import type { WantedEvent } from '../outbox.ts';
import { timestamp } from '../../crds/time.ts';
import { wireId } from '../wire-names.ts';
import type { PlanSeen } from './seen.ts';

export interface PhaseChange {
  readonly phase: PlanPhase;
  /** Who approved it, where the phase is Approved. */
  readonly approvedBy?: string | undefined;
}

export const planEvents = ({ plan, story }: PlanSeen, change: PhaseChange, now: number): readonly WantedEvent[] => {
  const { phase, approvedBy } = change;
  if (plan.status?.phase === phase) return [];
  const ids = {
    story_id: story === undefined ? plan.spec.storyRef.name : wireId(story),
    plan_id: wireId(plan),
    timestamp: timestamp(now),
  };
  const type = `planning.plan.${phase.toLowerCase()}`;
  if (approvedBy === undefined) return [{ type, data: { ...ids, revision: plan.spec.revision } }];
  const tasks = plan.status?.tasks ?? [];
  const roles = [...new Set(tasks.map(({ role }) => role))].sort();
  return [{ type, data: { ...ids, approved_by: approvedBy, roles, subtasks_count: tasks.length } }];
};
