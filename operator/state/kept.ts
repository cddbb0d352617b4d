// What of the built-in kinds enters a cache: the fields of `controllers/kubernetes.ts`, each of which the compiler wants to be named here.

import type { Job, NetworkPolicy, Pod, ServiceAccount } from '../../controllers/kubernetes.ts';
import { KEPT_META, type FieldsOf } from '../../kube/projection.ts';

const CONTAINERS: FieldsOf<NonNullable<NonNullable<Pod['status']>['containerStatuses']>> = {
  name: true,
  state: {
    terminated: { exitCode: true, reason: true, message: true, startedAt: true, finishedAt: true },
    running: true,
    waiting: { reason: true, message: true },
  },
};

export const KEPT_JOB: FieldsOf<Job> = {
  ...{ apiVersion: true, kind: true, metadata: KEPT_META },
  status: { startTime: true, completionTime: true, active: true, conditions: true },
};

export const KEPT_POD: FieldsOf<Pod> = {
  ...{ apiVersion: true, kind: true, metadata: KEPT_META },
  spec: { activeDeadlineSeconds: true, serviceAccountName: true },
  status: {
    ...{ phase: true, reason: true, message: true, startTime: true },
    conditions: { type: true, status: true, reason: true, message: true },
    initContainerStatuses: CONTAINERS,
    containerStatuses: CONTAINERS,
  },
};

export const KEPT_SERVICE_ACCOUNT: FieldsOf<ServiceAccount> = {
  ...{ apiVersion: true, kind: true, metadata: KEPT_META },
  automountServiceAccountToken: true,
};

export const KEPT_NETWORK_POLICY: FieldsOf<NetworkPolicy> = {
  ...{ apiVersion: true, kind: true, metadata: KEPT_META },
  spec: true,
};
