// What a Council's first status tells the outside.

import type { WantedEvent } from '../outbox.ts';
import { wireId } from '../wire-names.ts';
import type { CouncilSeen } from './seen.ts';

export const councilEvents = ({ council }: CouncilSeen, agents: number): readonly WantedEvent[] =>
  council.status?.eventSeq === undefined
    ? [
        {
          type: 'orchestration.council.created',
          data: { council_id: wireId(council), role: council.spec.role, num_agents: agents },
        },
      ]
    : [];
