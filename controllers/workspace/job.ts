// A workspace Job, whole: the same input gives the same object, so that a second request for it is refused by its name.
// May: build. May not: read anything but its arguments.

import { audienceOf, GATEWAY_HOST, WORKSPACE_ACCOUNT } from '../../crds/contracts/steps.ts';
import { LABEL_JOB } from '../../crds/labels.ts';
import type { ObjectMeta } from '../../crds/kinds/meta.ts';
import type { KubeObject } from '../contract.ts';
import { container, tmpVolume, tokenVolume, type WorkspaceSetting } from './container.ts';
import { holdsToken, stepTable, volumeSizes, type StepRow, type Volume } from './step-table.ts';

/** What the Council says about the node a workspace runs on. */
export interface Placement {
  readonly nodeSelector?: Readonly<Record<string, string>>;
  readonly tolerations?: readonly object[];
  readonly runtimeClassName?: string;
}

export interface WorkspaceJob {
  readonly metadata: ObjectMeta;
  readonly setting: WorkspaceSetting;
  readonly placement: Placement;
}

export interface BuiltJob extends KubeObject {
  readonly spec: object;
}

const USER = 1000;
const TTL_S = 86_400;
const MIN_TOKEN_S = 600;
const MAX_TOKEN_S = 86_400;

const emptyDir = (name: string, sizeLimit: string): object => ({ name, emptyDir: { sizeLimit } });

const sharedVolumes = (steps: readonly StepRow[]): readonly object[] => {
  const names = new Set<Volume>(steps.flatMap((row) => [...row.writes, ...row.reads]));
  return [...names].map((name) => emptyDir(name, volumeSizes[name]));
};

const tokenSource = (row: StepRow, deadlineSeconds: number): object => ({
  serviceAccountToken: {
    audience: audienceOf(row.name),
    expirationSeconds: Math.min(MAX_TOKEN_S, Math.max(MIN_TOKEN_S, deadlineSeconds)),
    path: 'token',
  },
});

const tokenVolumes = (steps: readonly StepRow[], deadlineSeconds: number): readonly object[] =>
  steps.filter(holdsToken).map((row) => ({
    name: tokenVolume(row),
    projected: { defaultMode: 0o440, sources: [tokenSource(row, deadlineSeconds)] },
  }));

const isolation = (setting: WorkspaceSetting): object => ({
  serviceAccountName: WORKSPACE_ACCOUNT,
  automountServiceAccountToken: false,
  enableServiceLinks: false,
  dnsPolicy: 'None',
  dnsConfig: { nameservers: ['127.0.0.1'] },
  hostAliases: [{ ip: setting.gateway.address, hostnames: [GATEWAY_HOST] }],
  securityContext: {
    runAsNonRoot: true,
    runAsUser: USER,
    runAsGroup: USER,
    fsGroup: USER,
    seccompProfile: { type: 'RuntimeDefault' },
  },
});

const podSpec = ({ setting, placement }: WorkspaceJob): object => {
  const steps = stepTable[setting.kind];
  const containers = steps.map((row) => container(setting, row));
  return {
    ...isolation(setting),
    ...placement,
    restartPolicy: 'Never',
    terminationGracePeriodSeconds: 1,
    activeDeadlineSeconds: setting.deadlineSeconds,
    initContainers: containers.slice(0, -1),
    containers: containers.slice(-1),
    volumes: [
      ...sharedVolumes(steps),
      ...steps.map((row) => emptyDir(tmpVolume(row), volumeSizes.tmp)),
      ...tokenVolumes(steps, setting.deadlineSeconds),
    ],
  };
};

/**
 * Selects its pods by a label that admission guards. The Job controller adopts whatever fits the selector and has no owner, and the label
 * that it would choose by itself may be written by anybody.
 */
const selection = ({ name }: ObjectMeta): Readonly<Record<string, string>> => ({ [LABEL_JOB]: name });

/** The Job has no deadline of its own: it would count the time in which no node takes its pod. The pod's begins with the pod. */
export const workspaceJob = (job: WorkspaceJob): BuiltJob => {
  const labels = { ...job.metadata.labels, ...selection(job.metadata) };
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { ...job.metadata, labels },
    spec: {
      manualSelector: true,
      selector: { matchLabels: selection(job.metadata) },
      backoffLimit: 0,
      ttlSecondsAfterFinished: TTL_S,
      template: { metadata: { labels }, spec: podSpec(job) },
    },
  };
};
