// Gathers what the decision about a Council is made from: the Council, the platform's tables, and the answers to probes.
// May: ask the snapshot. May not: judge.

import type { ProbeAnswer } from '../../crds/contracts/commands.ts';
import type { Council } from '../../crds/kinds/council.ts';
import type { PlatformConfig } from '../../crds/contracts/platform.ts';
import type { Snapshot } from '../snapshot.ts';

export interface CouncilSeen {
  readonly council: Council;
  readonly platform: PlatformConfig;
  readonly storeAvailable: boolean;
  /** By the id of the probe; ids hold the time, which only the decision knows. */
  readonly answer: (commandId: string) => ProbeAnswer | undefined;
  readonly cursor: number | undefined;
}

export const observeCouncil = (key: string, snapshot: Snapshot): CouncilSeen | undefined => {
  const council = snapshot.council(key);
  if (council === undefined) return undefined;
  return {
    council,
    platform: snapshot.platform,
    storeAvailable: snapshot.storeAvailable,
    answer: (commandId) => {
      const answer = snapshot.answer(commandId);
      return answer?.kind === 'probe' ? answer : undefined;
    },
    cursor: snapshot.eventCursor(council.metadata.uid),
  };
};
