// The NetworkPolicy that contains workspace pods: out to the gateway's pods on its one port, nothing else out, nothing in.
// May: build the policy and judge one that was seen. May not: change or delete one; it is created where it is absent and then left alone.
//
// Its name holds the hash of its spec and the pods carry the same hash as a label, so that a policy of another version selects only
// the pods that were started under it, and an upgrade never loosens or cuts off a running pod.

import { canonicalJson, shortHash } from '../../crds/canonical.ts';
import { remember } from '../../crds/remember.ts';
import { LABEL_MANAGED_BY, LABEL_NETWORK, MANAGED_BY } from '../../crds/labels.ts';
import type { PlatformConfig } from '../../crds/contracts/platform.ts';
import type { NetworkPolicy, NetworkPolicySpec } from '../kubernetes.ts';

const HASH_LENGTH = 10;

const policySpec = (platform: PlatformConfig, selector: Readonly<Record<string, string>>): NetworkPolicySpec => ({
  podSelector: { matchLabels: selector },
  policyTypes: ['Egress', 'Ingress'],
  egress: [
    {
      to: [
        {
          namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': platform.gateway.namespace } },
          podSelector: { matchLabels: { 'app.kubernetes.io/name': 'swe-fleet', 'app.kubernetes.io/component': 'gateway' } },
        },
      ],
      ports: [{ protocol: 'TCP', port: platform.gateway.port }],
    },
  ],
});

/** The label value of pods under the policy of this platform. */
export const networkHash = remember((platform: PlatformConfig): string =>
  shortHash([canonicalJson(policySpec(platform, {}))], HASH_LENGTH),
);

export const networkPolicyName = (platform: PlatformConfig): string => `fleet-workspace-${networkHash(platform)}`;

export const networkPolicy = (platform: PlatformConfig, namespace: string): NetworkPolicy => ({
  apiVersion: 'networking.k8s.io/v1',
  kind: 'NetworkPolicy',
  metadata: {
    name: networkPolicyName(platform),
    namespace,
    labels: { [LABEL_MANAGED_BY]: MANAGED_BY },
  },
  spec: policySpec(platform, { [LABEL_NETWORK]: networkHash(platform) }),
});

const specOf = remember((seen: NetworkPolicy): string => canonicalJson(seen.spec ?? null));
const wantedSpec = remember((platform: PlatformConfig): string => canonicalJson(networkPolicy(platform, '').spec));

/** False for a policy of our name that somebody has changed: nothing is started under it. */
export const isIntact = (platform: PlatformConfig, seen: NetworkPolicy): boolean => specOf(seen) === wantedSpec(platform);
