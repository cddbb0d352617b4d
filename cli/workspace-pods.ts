// Workspace pods as far as their logs go: whose they are, which steps they have and how far those are. Pure.

import { LABEL_ATTEMPT, LABEL_TASK, LABEL_WORKSPACE } from '../crds/labels.ts';
import type { KubeObject } from '../kube/object.ts';

interface ContainerState {
  readonly waiting?: object;
  readonly running?: object;
  readonly terminated?: object;
}
interface ContainerStatus {
  readonly name: string;
  readonly state?: ContainerState;
}

export interface WorkspacePod extends KubeObject {
  readonly spec: {
    readonly initContainers?: readonly { readonly name: string }[];
    readonly containers: readonly { readonly name: string }[];
  };
  readonly status?: {
    readonly phase?: string;
    readonly initContainerStatuses?: readonly ContainerStatus[];
    readonly containerStatuses?: readonly ContainerStatus[];
  };
}

export const attemptOf = (pod: WorkspacePod): number => Number(pod.metadata.labels?.[LABEL_ATTEMPT] ?? '0');
export const isCourier = (pod: WorkspacePod): boolean => pod.metadata.labels?.[LABEL_WORKSPACE] === 'courier';
export const taskOf = (pod: WorkspacePod): string => pod.metadata.labels?.[LABEL_TASK] ?? '?';

/** The steps in their order. */
export const stepsOf = ({ spec }: WorkspacePod): readonly string[] =>
  [...(spec.initContainers ?? []), ...spec.containers].map(({ name }) => name);

export const hasEnded = ({ status }: WorkspacePod): boolean => status?.phase === 'Succeeded' || status?.phase === 'Failed';

/** absent: it has printed nothing and, in a pod that ended, never will. */
export const stateOf = ({ status }: WorkspacePod, step: string): 'absent' | 'running' | 'ended' => {
  const all = [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])];
  const state = all.find(({ name }) => name === step)?.state;
  if (state?.terminated !== undefined) return 'ended';
  return state?.running === undefined ? 'absent' : 'running';
};

const rank = (pod: WorkspacePod): readonly [string, number, number, string] => [
  taskOf(pod),
  attemptOf(pod),
  isCourier(pod) ? 1 : 0,
  pod.metadata.creationTimestamp ?? '',
];

/** By task, attempt, then the attempt before its couriers, then age. */
export const inOrder = (pods: readonly WorkspacePod[]): readonly WorkspacePod[] =>
  [...pods].sort((a, b) => {
    const [left, right] = [rank(a), rank(b)];
    return left[0].localeCompare(right[0]) || left[1] - right[1] || left[2] - right[2] || left[3].localeCompare(right[3]);
  });

/** What stands before each line: `a2/verify`, with the task's name where there are several. */
export const prefixOf = (pod: WorkspacePod, step: string, withTask: boolean): string =>
  `${withTask ? `${taskOf(pod)} ` : ''}${isCourier(pod) ? 'c' : 'a'}${attemptOf(pod)}/${step}`;
