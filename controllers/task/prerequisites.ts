// What a namespace must have before a workspace may run in it: two ServiceAccounts without rights and the NetworkPolicy.
// May: ask for what is absent. May not: change or delete what is there; nobody owns these objects, and a policy that was altered
// is not repaired but distrusted: nothing is started under it.

import { isAssumed } from '../../crds/kinds/meta.ts';
import type { PlatformConfig } from '../../crds/contracts/platform.ts';
import { READER_ACCOUNT, WORKSPACE_ACCOUNT } from '../../crds/contracts/steps.ts';
import type { Effect } from '../contract.ts';
import { fleetAccount } from '../workspace/accounts.ts';
import { isIntact, networkPolicy } from '../workspace/network-policy.ts';
import type { NamespaceSeen } from './seen.ts';

export type Prerequisites =
  | { readonly kind: 'met' }
  | { readonly kind: 'absent'; readonly effects: readonly Effect[] }
  | { readonly kind: 'altered'; readonly name: string };

export const prerequisites = (namespace: string, seen: NamespaceSeen, platform: PlatformConfig): Prerequisites => {
  const wanted = [
    { seen: seen.workspaceAccount, object: fleetAccount(WORKSPACE_ACCOUNT, namespace) },
    { seen: seen.readerAccount, object: fleetAccount(READER_ACCOUNT, namespace) },
    { seen: seen.networkPolicy, object: networkPolicy(platform, namespace) },
  ];
  if (wanted.some((each) => each.seen === undefined || isAssumed(each.seen))) {
    const effects = wanted.flatMap((each): Effect[] =>
      each.seen === undefined ? [{ verb: 'create', object: each.object }] : [],
    );
    return { kind: 'absent', effects };
  }
  const policy = seen.networkPolicy;
  if (policy !== undefined && !isIntact(platform, policy)) return { kind: 'altered', name: policy.metadata.name };
  return { kind: 'met' };
};
