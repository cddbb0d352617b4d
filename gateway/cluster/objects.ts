// Pods and Jobs as far as the gateway reads them: who they are, whose they are, whether they live, and what a fleet step found.

import type { KubeObject } from '../../kube/object.ts';

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
