// Pods and Jobs as far as the gateway reads them: who they are, whose they are, whether they live, and what a fleet step found.

import type { KubeObject } from '../../kube/object.ts';
import { KEPT_META, type FieldsOf } from '../../kube/projection.ts';

export interface ContainerStatus {
  readonly name: string;
  readonly state?: { readonly terminated?: { readonly exitCode: number; readonly message?: string } };
}

export interface Pod extends KubeObject {
  readonly spec?: { readonly serviceAccountName?: string };
  readonly status?: {
    readonly phase?: string;
    readonly initContainerStatuses?: readonly ContainerStatus[];
    readonly containerStatuses?: readonly ContainerStatus[];
  };
}

export type Job = KubeObject;

// What enters a cache is what is named above.
const CONTAINERS: FieldsOf<ContainerStatus> = { name: true, state: { terminated: { exitCode: true, message: true } } };

export const KEPT_POD: FieldsOf<Pod> = {
  ...{ apiVersion: true, kind: true, metadata: KEPT_META },
  spec: { serviceAccountName: true },
  status: { phase: true, initContainerStatuses: CONTAINERS, containerStatuses: CONTAINERS },
};

export const KEPT_JOB: FieldsOf<Job> = { apiVersion: true, kind: true, metadata: KEPT_META };
