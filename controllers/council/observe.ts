// Gathers what the decision about a Council is made from: the Council, the platform's tables, and the answers to probes.
// May: ask the snapshot. May not: judge.

import type { Snapshot } from '../snapshot.ts';
import type { CouncilSeen } from './seen.ts';

export const observeCouncil = (key: string, snapshot: Snapshot): CouncilSeen | undefined => {
  const council = snapshot.council(key);
  if (council === undefined) return undefined;
  const { endpoint, name } = council.spec.model;
  return {
    council,
    platform: snapshot.platform,
    storeAvailable: snapshot.storeAvailable,
    answers: snapshot.probeAnswers(endpoint, name),
    cursor: snapshot.eventCursor(council.metadata.uid),
  };
};
