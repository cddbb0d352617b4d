// The Jobs of a Task as the operator makes them, but without an owner: what a bare client sends for the same work.

import type { JobKind } from '../crds/contracts/steps.ts';
import type { KubeObject } from '../kube/object.ts';
import { taskJob } from '../controllers/task/children.ts';
import { jobInput } from '../test/builders/workspaces.ts';

export interface BareJob {
  readonly namespace: string;
  readonly name: string;
  readonly kind?: JobKind;
  /** Starts no pod. */
  readonly suspend?: boolean;
}

export const bareJob = ({
  namespace,
  name,
  kind = 'attempt',
  suspend = false,
}: BareJob): KubeObject & { readonly spec: object } => {
  const { metadata, ...job } = taskJob(jobInput(), { kind, n: 1, candidate: 1, courierTry: 1 });
  return { ...job, metadata: { namespace, name, labels: metadata.labels ?? {} }, spec: { ...job.spec, suspend } };
};
