// What a Deliberation's beginning and end tell the outside.

import type { Result } from '../../crds/deliberation/scores.ts';
import { timeline } from '../../crds/deliberation/timeline.ts';
import { proposers } from '../../crds/deliberation/seats.ts';
import { timestamp } from '../../crds/time.ts';
import type { WantedEvent } from '../outbox.ts';
import { wireId } from '../wire-names.ts';
import type { DeliberationSeen } from './seen.ts';
import type { Words } from './status.ts';

/** Old clients read a score from 0 to 1, and this one's events hold no fractions: thousandths, in a field that says so. */
const decisionOf = ({ agent, score, rank, digest }: Result) => ({
  id: agent,
  type: 'proposal',
  score_thousandths: score,
  rank,
  digest,
});

type Told = Pick<Words, 'phase' | 'reason' | 'message' | 'fields'>;

const started = ({ council }: DeliberationSeen, { fields }: Told) => ({
  role: council?.spec.role ?? '',
  num_agents: fields?.pinned === undefined ? 0 : proposers(fields.pinned).length,
});

const completed = ({ deliberation }: DeliberationSeen, { fields = {} }: Told, now: number) => ({
  decisions: (fields.results ?? []).map(decisionOf),
  winner_agent_id: fields.winner ?? '',
  rationale: fields.rationale ?? '',
  duration_ms: timeline(deliberation)?.activeMs(now) ?? 0,
});

export const deliberationEvents = (seen: DeliberationSeen, told: Told, now: number): readonly WantedEvent[] => {
  const { deliberation, story, task } = seen;
  const { phase, reason, message } = told;
  if (phase === (deliberation.status?.phase ?? 'Pending')) return [];
  const subject = {
    deliberation_id: wireId(deliberation),
    task_id: wireId(task ?? deliberation),
    ...(story !== undefined && { story_id: wireId(story) }),
    timestamp: timestamp(now),
  };
  switch (phase) {
    case 'Pending':
      return [];
    case 'InProgress':
      return [{ type: 'orchestration.deliberation.started', data: { ...subject, ...started(seen, told) } }];
    case 'Completed':
      return [{ type: 'orchestration.deliberation.completed', data: { ...subject, ...completed(seen, told, now) } }];
    case 'Failed':
    case 'TimedOut':
      return [
        { type: 'orchestration.deliberation.failed', data: { ...subject, status: phase, error: message, error_type: reason } },
      ];
  }
};
