// The whole status of a Deliberation.
// May: compose. May not: pretend to deliberate.

import type { DeliberationStatus } from '../../crds/kinds/deliberation.ts';
import { compose } from '../compose.ts';
import type { Decision } from '../contract.ts';
import type { DeliberationSeen } from './seen.ts';

export type DeliberationDecision = Decision<DeliberationStatus>;

export const unserved = ({ deliberation, cursor }: DeliberationSeen, now: number): DeliberationDecision => {
  const message = 'this version does not serve deliberations: the Deliberation waits for a version that does';
  return compose<DeliberationStatus, 'Deliberation'>(
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
