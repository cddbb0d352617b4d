// Every kind that the operator watches: which resource, which of its objects, and the indexes that look-ups need. A table.

import type { Council } from '../../crds/kinds/council.ts';
import type { Deliberation } from '../../crds/kinds/deliberation.ts';
import { kindDefinitions, type Kind } from '../../crds/kinds/registry.ts';
import { LABEL_MANAGED_BY, LABEL_WORKSPACE, MANAGED_BY } from '../../crds/labels.ts';
import { GROUP, VERSION } from '../../crds/kinds/meta.ts';
import type { Plan } from '../../crds/kinds/plan.ts';
import type { PlatformConfig } from '../../crds/contracts/platform.ts';
import { isFinished } from '../../crds/rules/phases.ts';
import { isOwnedByItsStory } from '../../crds/rules/task-owner.ts';
import type { Story } from '../../crds/kinds/story.ts';
import type { Task } from '../../crds/kinds/task.ts';
import type { Job, NetworkPolicy, Pod, ServiceAccount } from '../../controllers/kubernetes.ts';
import type { IndexBy } from '../../kube/cache.ts';
import type { Selection } from '../../kube/client.ts';
import { KEPT_META, type FieldsOf } from '../../kube/projection.ts';
import type { KubeObject, Resource, Stored } from '../../kube/object.ts';
import { jobs, networkPolicies, pods, serviceAccounts, services } from '../../kube/resources.ts';

interface Service extends KubeObject {
  readonly spec?: { readonly clusterIP?: string };
}

export interface Objects {
  readonly Story: Story;
  readonly Plan: Plan;
  readonly Task: Task;
  readonly Council: Council;
  readonly Deliberation: Deliberation;
  readonly Job: Job;
  readonly Pod: Pod;
  readonly ServiceAccount: ServiceAccount;
  readonly NetworkPolicy: NetworkPolicy;
  readonly Service: Service;
}

export type ObjectKind = keyof Objects;

export interface Watched<T extends KubeObject> {
  readonly resource: Resource;
  readonly select?: (platform: PlatformConfig) => Selection;
  readonly indexes?: Readonly<Record<string, IndexBy<T>>>;
  /** Objects in a page; by default that of the reflector. */
  readonly pageSize?: number;
  /** What of it is read. Default: all. */
  readonly fields?: FieldsOf<T>;
  /** Throws for an object that no decision could read; that object is then not seen. `isSpecKnown`: its spec was looked at before. */
  readonly check?: (object: Stored<T>, isSpecKnown: boolean) => void;
}

import { KEPT_JOB, KEPT_NETWORK_POLICY, KEPT_POD, KEPT_SERVICE_ACCOUNT } from './kept.ts';

export const STORY = 'story';
/** Tasks that belong to the Story of a uid. */
export const OF_STORY = 'of story';
export const NAMESPACE = 'namespace';
/** Deliberations that have not begun. */
export const UNBEGUN_IN = 'unbegun in';
/** Deliberations that have not begun, by their Council. */
export const BY_COUNCIL = 'by council';
export const UNFINISHED = 'unfinished';
export const UNFINISHED_IN = 'unfinished in';

const namespaceOf = (object: KubeObject): readonly string[] => [object.metadata.namespace ?? ''];

const own = <K extends Kind>(kind: K, indexes: Readonly<Record<string, IndexBy<Objects[K]>>> = {}): Watched<Objects[K]> => {
  const { plural, spec, status } = kindDefinitions[kind];
  return {
    resource: { group: GROUP, version: VERSION, plural, kind, namespaced: true },
    indexes,
    check: (object, isSpecKnown) => {
      if (!isSpecKnown) spec.parse(object.spec);
      if (object.status !== undefined) status.parse(object.status);
    },
  };
};

/** Each is tens of kilobytes, of which little is kept: a larger page would hold the loop up, and leave that much more to be thrown away. */
const HEAVY_PAGE = 100;

const workspaces = (): Selection => ({ labelSelector: LABEL_WORKSPACE });
const managed = (): Selection => ({ labelSelector: `${LABEL_MANAGED_BY}=${MANAGED_BY}` });

export const watched: { readonly [K in ObjectKind]: Watched<Objects[K]> } = {
  Story: own('Story', { [NAMESPACE]: namespaceOf }),
  Plan: own('Plan', { [STORY]: (plan) => [`${plan.metadata.namespace}/${plan.spec.storyRef.name}`] }),
  Task: own('Task', {
    [OF_STORY]: (task) => (isOwnedByItsStory(task) ? [task.spec.storyRef.uid] : []),
    [UNFINISHED]: (task) => (isFinished(task) ? [] : ['all']),
    [UNFINISHED_IN]: (task) => (isFinished(task) ? [] : namespaceOf(task)),
  }),
  Council: own('Council', { [NAMESPACE]: namespaceOf }),
  Deliberation: own('Deliberation', {
    [BY_COUNCIL]: ({ metadata, spec, status }) =>
      status?.pinned === undefined ? [`${metadata.namespace}/${spec.councilRef.name}`] : [],
    [UNBEGUN_IN]: (deliberation) =>
      deliberation.status?.pinned === undefined && deliberation.status?.finishedAt === undefined ? namespaceOf(deliberation) : [],
    [OF_STORY]: ({ status }) =>
      status?.pinned?.storyUid === undefined || status.finishedAt !== undefined ? [] : [status.pinned.storyUid],
  }),
  Job: { resource: jobs, select: workspaces, fields: KEPT_JOB, pageSize: HEAVY_PAGE },
  Pod: { resource: pods, select: workspaces, fields: KEPT_POD, pageSize: HEAVY_PAGE },
  ServiceAccount: { resource: serviceAccounts, select: managed, fields: KEPT_SERVICE_ACCOUNT },
  NetworkPolicy: { resource: networkPolicies, select: managed, fields: KEPT_NETWORK_POLICY },
  Service: {
    resource: services,
    fields: { apiVersion: true, kind: true, metadata: KEPT_META, spec: { clusterIP: true } },
    select: ({ gateway }) => ({ namespace: gateway.namespace, fieldSelector: `metadata.name=${gateway.serviceName}` }),
  },
};

export const OBJECT_KINDS = Object.keys(watched) as readonly ObjectKind[];
