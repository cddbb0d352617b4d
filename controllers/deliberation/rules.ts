// The specification of a Deliberation: the first rule that applies decides. In this version there is one.

import type { DeliberationStatus } from '../../crds/kinds/deliberation.ts';
import type { Rules } from '../rules.ts';
import type { DeliberationSeen } from './seen.ts';
import { unserved } from './status.ts';

export const rules: Rules<[DeliberationSeen, number], DeliberationStatus> = [
  ['a Deliberation is accepted and kept, and says that this version does not serve it', unserved],
];
