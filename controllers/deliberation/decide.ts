// A Deliberation in this version: it is accepted, kept, and says that it is not served.
// May: say so. May not: pretend to deliberate.

import type { Deliberation, DeliberationStatus } from '../../crds/kinds/deliberation.ts';
import type { Decision } from '../contract.ts';
import { leave, settle } from '../settle.ts';
import type { Snapshot } from '../snapshot.ts';

export interface DeliberationSeen {
  readonly deliberation: Deliberation;
  readonly cursor: number | undefined;
}

export const observeDeliberation = (key: string, snapshot: Snapshot): DeliberationSeen | undefined => {
  const deliberation = snapshot.deliberation(key);
  if (deliberation === undefined) return undefined;
  return { deliberation, cursor: snapshot.eventCursor(deliberation.metadata.uid) };
};

export const decideDeliberation = ({ deliberation, cursor }: DeliberationSeen, now: number): Decision<DeliberationStatus> => {
  if (deliberation.metadata.deletionTimestamp !== undefined) return leave('the Deliberation is being deleted', { kind: 'done' });
  const message = 'this version does not serve deliberations: it waits for one that does';
  return settle<DeliberationStatus, 'Deliberation'>(
    deliberation,
    {
      outcome: { kind: 'waiting' },
      why: message,
      fields: { phase: 'Pending', message },
      conditions: [{ type: 'Served', status: 'False', reason: 'NotServed', message }],
    },
    { now, cursor },
  );
};
