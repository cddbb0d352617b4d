// Gathers what the decision about a Deliberation is made from: the Deliberation.
// May: ask the snapshot. May not: judge.

import type { Snapshot } from '../snapshot.ts';
import type { DeliberationSeen } from './seen.ts';

export const observeDeliberation = (key: string, snapshot: Snapshot): DeliberationSeen | undefined => {
  const deliberation = snapshot.deliberation(key);
  if (deliberation === undefined) return undefined;
  return { deliberation, cursor: snapshot.eventCursor(deliberation.metadata.uid) };
};
