// The built-in kinds as far as a decision reads or writes them. Times are the strings of the wire, never `Date`.
// May: name fields. May not: hold anything that no controller uses: what is not named here does not enter a cache (operator/state/kept.ts).

import type { ObjectMeta, StoredMeta } from '../crds/kinds/meta.ts';

export interface JobCondition {
  readonly type: string;
  readonly status: string;
  readonly reason?: string;
  readonly message?: string;
  readonly lastTransitionTime?: string;
}

/** A Job as seen. Its pod template is written by `workspace/` and never read back. */
export interface Job {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: StoredMeta;
  readonly status?: {
    readonly startTime?: string;
    readonly completionTime?: string;
    readonly active?: number;
    readonly conditions?: readonly JobCondition[];
  };
}

export interface ContainerTermination {
  readonly exitCode: number;
  readonly reason?: string;
  readonly message?: string;
  readonly startedAt?: string;
  readonly finishedAt?: string;
}

export interface ContainerStatus {
  readonly name: string;
  readonly state?: {
    readonly terminated?: ContainerTermination;
    readonly running?: object;
    readonly waiting?: { readonly reason?: string; readonly message?: string };
  };
}

export interface PodCondition {
  readonly type: string;
  readonly status: string;
  readonly reason?: string;
  readonly message?: string;
}

export interface Pod {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: StoredMeta;
  readonly spec?: { readonly activeDeadlineSeconds?: number; readonly serviceAccountName?: string };
  readonly status?: {
    readonly phase?: string;
    readonly reason?: string;
    readonly message?: string;
    /** When the kubelet took it on, by the clock of its node. */
    readonly startTime?: string;
    readonly conditions?: readonly PodCondition[];
    readonly initContainerStatuses?: readonly ContainerStatus[];
    readonly containerStatuses?: readonly ContainerStatus[];
  };
}

export interface ServiceAccount {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: ObjectMeta;
  readonly automountServiceAccountToken?: boolean;
}

export interface NetworkPolicyPeer {
  readonly podSelector?: { readonly matchLabels: Readonly<Record<string, string>> };
  readonly namespaceSelector?: { readonly matchLabels: Readonly<Record<string, string>> };
}

export interface NetworkPolicySpec {
  readonly podSelector: { readonly matchLabels: Readonly<Record<string, string>> };
  readonly policyTypes: readonly string[];
  readonly ingress?: readonly object[];
  readonly egress?: readonly {
    readonly to: readonly NetworkPolicyPeer[];
    readonly ports: readonly { readonly protocol: string; readonly port: number }[];
  }[];
}

export interface NetworkPolicy {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: ObjectMeta;
  readonly spec?: NetworkPolicySpec;
}
