// What the decision about a Task is made from: one record, nothing else. It is plain data.
//
//   TaskCore     one Task with what says whether it could start
//   PlaceSeen    what it sees of the places that all Tasks share
//   TaskSeen     the Task's core, the pods of its Jobs, its place, and the state of namespace, store and gateway

import type { Council } from '../../crds/kinds/council.ts';
import type { Plan } from '../../crds/kinds/plan.ts';
import type { PlatformConfig } from '../../crds/contracts/platform.ts';
import type { Receipt } from '../../crds/contracts/receipts.ts';
import type { Story } from '../../crds/kinds/story.ts';
import type { Task } from '../../crds/kinds/task.ts';
import type { Job, NetworkPolicy, Pod, ServiceAccount } from '../kubernetes.ts';
import type { GatewayEndpoint, Usage } from '../snapshot.ts';

/** What the gateway saw of the last steps of Jobs, by their uid. */
export type Receipts = Readonly<Record<string, Receipt>>;

/** A Task of the same Story. */
export interface Relative {
  readonly task: Task;
  /** Looked up only where they can matter: not for a Task that has begun nothing itself, and not of one that is finished. */
  readonly jobs: readonly Job[];
  /** Pods of those Jobs that have GPUs, where the Story has a budget of GPU seconds. */
  readonly gpuPods?: readonly Pod[];
}

export interface TaskCore {
  readonly task: Task;
  /** undefined: gone, or not seen yet. */
  readonly story: Story | undefined;
  /** The very Plan, by uid, that its Story has in force; whether the Task comes from it, its digest says. */
  readonly plan: Plan | undefined;
  /** The Council that serves the Task's role. */
  readonly council: Council | undefined;
  /** Jobs that the Task controls, without those being deleted. */
  readonly jobs: readonly Job[];
  /** Every Task of the Story, this one included. */
  readonly family: readonly Relative[];
  /** The Story's account of tokens. */
  readonly usage: Usage | undefined;
}

/** What must be seen in a namespace before a Job may be asked for. */
export interface NamespaceSeen {
  readonly workspaceAccount: ServiceAccount | undefined;
  readonly readerAccount: ServiceAccount | undefined;
  readonly networkPolicy: NetworkPolicy | undefined;
}

/** What is left for a Task of the places that all share (capacity.ts). */
export interface PlaceSeen {
  /** Places that others have, or get before it: of the cluster, of its namespace, of its Story. */
  readonly taken: { readonly cluster: number; readonly namespace: number; readonly story: number };
  /** Another Task of its Story has a patch or a place, or gets one before it, and may change the same files. */
  readonly overlaps: boolean;
}

export interface TaskSeen extends TaskCore {
  /** Pods of its Jobs. */
  readonly pods: readonly Pod[];
  /** The ledger's account of its newest attempt. */
  readonly attemptUsage: Usage | undefined;
  readonly place: PlaceSeen;
  /** By uid of the Job; of those that have one. */
  readonly receipts: Receipts;
  readonly namespace: NamespaceSeen;
  readonly platform: PlatformConfig;
  readonly gateway: GatewayEndpoint | undefined;
  readonly storeAvailable: boolean;
  /** The last published event of the Task. */
  readonly cursor: number | undefined;
}
