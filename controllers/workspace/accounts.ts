// The ServiceAccounts that a namespace needs: without rights, and nobody's, so that they outlive each Story.

import { LABEL_MANAGED_BY, MANAGED_BY } from '../../crds/labels.ts';
import type { ServiceAccount } from '../kubernetes.ts';

export const fleetAccount = (name: string, namespace: string): ServiceAccount => ({
  apiVersion: 'v1',
  kind: 'ServiceAccount',
  metadata: { name, namespace, labels: { [LABEL_MANAGED_BY]: MANAGED_BY } },
  automountServiceAccountToken: false,
});
