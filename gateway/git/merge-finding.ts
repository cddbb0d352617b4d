// What the merge step of a courier's pod found, as the kubelet reports it in the pod's status. The step runs our image and nothing of the
// repository's, so its finding is believed; the push is held to it.

import { parseFinding, type Findings } from '../../crds/contracts/findings.ts';
import type { Pod } from '../cluster/objects.ts';

/** Undefined while the step has not ended, and for a finding that cannot be read. */
export const mergeFindingOf = (pod: Pod): Findings['merge'] | undefined => {
  const statuses = [...(pod.status?.initContainerStatuses ?? []), ...(pod.status?.containerStatuses ?? [])];
  const message = statuses.find(({ name }) => name === 'merge')?.state?.terminated?.message;
  return message === undefined ? undefined : parseFinding('merge', message);
};
