// What the decision about a Council is made from. Plain data.

import type { ProbeAnswer } from '../../crds/contracts/commands.ts';
import type { PlatformConfig } from '../../crds/contracts/platform.ts';
import type { Council } from '../../crds/kinds/council.ts';

export interface CouncilSeen {
  readonly council: Council;
  readonly platform: PlatformConfig;
  readonly storeAvailable: boolean;
  /** Answers to the probes of its endpoint and model that are not too old to count, in no order. */
  readonly answers: readonly ProbeAnswer[];
  /** The last published event of the Council. */
  readonly cursor: number | undefined;
}
