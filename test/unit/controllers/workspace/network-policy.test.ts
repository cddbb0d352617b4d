import { describe, expect, it } from 'vitest';
import { isIntact, networkHash, networkPolicy, networkPolicyName } from '../../../../controllers/workspace/network-policy.ts';
import { platform } from '../../../builders/objects.ts';

const fleet = platform();
const policy = networkPolicy(fleet, 'shop');

describe('the policy that contains a workspace', () => {
  it('lets out to the gateway pods on their one port and nowhere else, and lets nothing in', () => {
    expect(policy.spec).toEqual({
      podSelector: { matchLabels: { 'swefleet.io/network': networkHash(fleet) } },
      policyTypes: ['Egress', 'Ingress'],
      egress: [
        {
          to: [
            {
              namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'swe-fleet' } },
              podSelector: { matchLabels: { 'app.kubernetes.io/name': 'swe-fleet', 'app.kubernetes.io/component': 'gateway' } },
            },
          ],
          ports: [{ protocol: 'TCP', port: 8443 }],
        },
      ],
    });
  });

  it('has no owner, so that garbage collection never takes it away from a running pod', () => {
    expect(policy.metadata.ownerReferences).toBeUndefined();
  });

  it('has a name that holds the hash of its spec: another gateway makes another policy', () => {
    const moved = platform({ gateway: { serviceName: 'gw', namespace: 'elsewhere', port: 8443, canaryPort: 8444 } });
    expect(networkPolicyName(fleet)).toBe(`fleet-workspace-${networkHash(fleet)}`);
    expect(networkPolicyName(moved)).not.toBe(networkPolicyName(fleet));
  });

  const altered: readonly (readonly [string, object])[] = [
    ['another port', { egress: [{ ...policy.spec?.egress?.[0], ports: [{ protocol: 'TCP', port: 443 }] }] }],
    ['any pod of the namespace', { egress: [{ ...policy.spec?.egress?.[0], to: [{ namespaceSelector: { matchLabels: {} } }] }] }],
    ['another rule', { egress: [...(policy.spec?.egress ?? []), { to: [], ports: [] }] }],
    ['something in', { ingress: [{}] }],
    ['no policy on what goes out', { policyTypes: ['Ingress'] }],
  ];
  it.each(altered)('is not intact when it allows %s', (_, change) => {
    expect(isIntact(fleet, policy)).toBe(true);
    expect(isIntact(fleet, { ...policy, spec: { ...policy.spec, ...change } as never })).toBe(false);
  });
});
