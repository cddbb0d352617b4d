// What the decision about a Deliberation is made from. Plain data.

import type { Deliberation } from '../../crds/kinds/deliberation.ts';

export interface DeliberationSeen {
  readonly deliberation: Deliberation;
  /** The last published event of the Deliberation. */
  readonly cursor: number | undefined;
}
