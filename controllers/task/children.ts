// The Jobs of a Task: from what was seen to the one object that an attempt or a courier is, and what ends them.
// May: build. May not: take from a user anything that reaches a pod but amounts, a node choice and a name in the platform's tables.

import type { Council } from '../../crds/kinds/council.ts';
import { LABEL_GPUS, LABEL_MANAGED_BY, LABEL_NETWORK, LABEL_STORY, LABEL_TASK, MANAGED_BY } from '../../crds/labels.ts';
import { type ObjectMeta } from '../../crds/kinds/meta.ts';
import { labelValue } from '../../crds/names.ts';
import type { ImageProfile, PlatformConfig } from '../../crds/contracts/platform.ts';
import { deadlineSeconds } from '../../crds/rules/limits.ts';
import type { Task } from '../../crds/kinds/task.ts';
import type { Effect } from '../contract.ts';
import type { Job } from '../kubernetes.ts';
import { controlledBy } from '../ownership.ts';
import type { GatewayEndpoint } from '../snapshot.ts';
import type { WorkspaceSetting } from '../workspace/container.ts';
import { workspaceJob, type BuiltJob, type Placement } from '../workspace/job.ts';
import { networkHash } from '../workspace/network-policy.ts';
import { gpuCount, toolchainResources } from '../workspace/resources.ts';
import { isLive, podsOf } from './job-reading.ts';
import type { TaskSeen } from './seen.ts';
import { identityLabels, wantedJobName, type WantedJob } from './job-identity.ts';

export interface JobInput {
  readonly task: Task;
  /** undefined: it is gone; a courier then runs with the platform's own amounts, on any node. */
  readonly council: Council | undefined;
  readonly profile: ImageProfile;
  readonly platform: PlatformConfig;
  readonly gateway: GatewayEndpoint;
}

const metadata = ({ task, council, platform }: JobInput, wanted: WantedJob): ObjectMeta => ({
  name: wantedJobName(task, wanted),
  namespace: task.metadata.namespace,
  labels: {
    ...identityLabels(wanted),
    [LABEL_STORY]: labelValue(task.spec.storyRef.name),
    [LABEL_TASK]: labelValue(task.metadata.name),
    [LABEL_NETWORK]: networkHash(platform),
    ...(gpuCount(council) === 0 ? {} : { [LABEL_GPUS]: String(gpuCount(council)) }),
    [LABEL_MANAGED_BY]: MANAGED_BY,
  },
  ownerReferences: [controlledBy('Task', task)],
});

const placement = (council: Council | undefined): Placement => {
  const { gpu, runtimeClassName } = council?.spec.workspace ?? {};
  const labels = gpu?.nodeSelector ?? [];
  const tolerations = gpu?.tolerations ?? [];
  return {
    ...(labels.length === 0 ? {} : { nodeSelector: Object.fromEntries(labels.map(({ key, value }) => [key, value])) }),
    ...(tolerations.length === 0 ? {} : { tolerations }),
    ...(runtimeClassName === undefined ? {} : { runtimeClassName }),
  };
};

const setting = (input: JobInput, { kind, n }: WantedJob): WorkspaceSetting => ({
  kind,
  ownerUid: input.task.metadata.uid,
  attempt: n,
  deadlineSeconds: deadlineSeconds(input, kind),
  gateway: input.gateway,
  gatewayPort: input.platform.gateway.port,
  canaryPort: input.platform.gateway.canaryPort,
  fleet: { image: input.platform.workspace.fleetImage, imagePullPolicy: input.platform.workspace.fleetImagePullPolicy },
  toolchain: { image: input.profile.image, imagePullPolicy: input.profile.imagePullPolicy },
  fleetResources: input.platform.workspace.resources,
  toolchainResources: toolchainResources(input.council, input.platform),
});

export const taskJob = (input: JobInput, wanted: WantedJob): BuiltJob =>
  workspaceJob({
    metadata: metadata(input, wanted),
    setting: setting(input, wanted),
    placement: placement(input.council),
  });

/** The Jobs of which something may still run. */
export const liveJobs = ({ jobs, pods }: Pick<TaskSeen, 'jobs' | 'pods'>): readonly Job[] =>
  jobs.filter((job) => isLive(job, podsOf(job, pods)));

/** One that is only asked for has no uid yet, and is deleted as soon as it has. */
export const deletions = (jobs: readonly Job[]): readonly Effect[] =>
  jobs.map(({ apiVersion, kind, metadata }) => ({
    verb: 'delete',
    ref: { apiVersion, kind, namespace: metadata.namespace, name: metadata.name },
    uid: metadata.uid,
  }));
