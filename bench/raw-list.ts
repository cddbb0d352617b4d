// Lists what the operator lists, in pages of the same size and all kinds at once, and keeps nothing: `raw-list.mjs KUBECONFIG`. The floor of
// its start, as a process of its own.

import { LABEL_MANAGED_BY, LABEL_WORKSPACE, MANAGED_BY } from '../crds/labels.ts';
import { ApiClient } from '../kube/client.ts';
import { loadConnection } from '../kube/connection.ts';
import { jobs, networkPolicies, pods, serviceAccounts } from '../kube/resources.ts';
import type { Resource } from '../kube/object.ts';
import { KINDS, resourceOf } from './watch.ts';

const PAGE = 500;
/** Of Jobs and pods, as the operator. */
const HEAVY_PAGE = 100;

const labelOf = (resource: Resource): string | undefined => {
  if (resource === jobs || resource === pods) return LABEL_WORKSPACE;
  return resource === serviceAccounts || resource === networkPolicies ? `${LABEL_MANAGED_BY}=${MANAGED_BY}` : undefined;
};

const client = new ApiClient(await loadConnection(process.argv[2]), { userAgent: 'raw-list' });

const list = async (resource: Resource): Promise<void> => {
  const limit = resource === jobs || resource === pods ? HEAVY_PAGE : PAGE;
  let continueToken: string | undefined;
  do ({ continueToken } = await client.listPage(resource, { limit, continueToken, labelSelector: labelOf(resource) }));
  while (continueToken !== undefined);
};

await Promise.all([...KINDS.map(resourceOf), jobs, pods, serviceAccounts, networkPolicies].map(list));
await client.close();
