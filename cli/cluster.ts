// The cluster as the person's kubeconfig has it: an API client, the namespace meant, and kubectl for what kubectl does best.

import { spawn, type ChildProcessByStdio } from 'node:child_process';
import type { Readable } from 'node:stream';
import { KubeConfig } from '@kubernetes/client-node';
import { ApiClient } from '../kube/client.ts';
import { connectionFrom } from '../kube/connection.ts';
import type { ApiError } from '../kube/error.ts';
import type { KubeObject, Resource, Stored } from '../kube/object.ts';
import type { Plan } from '../crds/kinds/plan.ts';
import type { Story } from '../crds/kinds/story.ts';
import type { Task } from '../crds/kinds/task.ts';
import { GROUP, VERSION } from '../crds/kinds/meta.ts';
import type { Place } from './command-line.ts';
import { oneLine } from './text.ts';
import { didYouMean, UsageError } from './usage-error.ts';

const ours = (plural: string, kind: string): Resource => ({ group: GROUP, version: VERSION, plural, kind, namespaced: true });
export const RESOURCES = { story: ours('stories', 'Story'), plan: ours('plans', 'Plan'), task: ours('tasks', 'Task') } as const;
export interface Objects {
  readonly story: Story & KubeObject;
  readonly plan: Plan & KubeObject;
  readonly task: Task & KubeObject;
}
export type OurKind = keyof Objects;

export type Program = ChildProcessByStdio<null, Readable, Readable>;
type Api = Pick<ApiClient, 'get' | 'listPage' | 'watch' | 'patch' | 'raw'>;

export interface Cluster {
  readonly client: Api;
  readonly namespace: string;
  /** Starts kubectl on the same cluster, as the same person. */
  kubectl(args: readonly string[]): Program;
  close(): Promise<void>;
}

const configOf = (place: Place): KubeConfig => {
  const config = new KubeConfig();
  try {
    if (place.kubeconfig === undefined) config.loadFromDefault();
    else config.loadFromFile(place.kubeconfig);
  } catch (error) {
    throw new UsageError(`the kubeconfig cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  }
  if (place.context === undefined) return config;
  const names = config.getContexts().map(({ name }) => name);
  if (!names.includes(place.context))
    throw new UsageError(`there is no context "${place.context}"`, didYouMean(place.context, names));
  config.setCurrentContext(place.context);
  return config;
};

/** @throws {UsageError} when the kubeconfig leads nowhere */
export const openCluster = async (place: Place, kubectl: string): Promise<Cluster> => {
  const config = configOf(place);
  if (config.getCurrentCluster() === null)
    throw new UsageError('the kubeconfig has no current cluster', 'See: kubectl config get-contexts');
  const client = new ApiClient(await connectionFrom(config), { userAgent: 'kubectl-fleet' });
  const flags = [
    ...(place.kubeconfig === undefined ? [] : ['--kubeconfig', place.kubeconfig]),
    ...(place.context === undefined ? [] : ['--context', place.context]),
  ];
  return {
    client,
    namespace: place.namespace ?? config.getContextObject(config.getCurrentContext())?.namespace ?? 'default',
    kubectl: (args) => spawn(kubectl, [...flags, ...args], { stdio: ['ignore', 'pipe', 'pipe'] }),
    close: () => client.close(),
  };
};

/** All objects of a kind in the namespace, or those of a selection. */
export const listAll = async <T extends KubeObject>(
  client: Pick<ApiClient, 'listPage'>,
  resource: Resource,
  selection: { readonly namespace?: string; readonly labelSelector?: string; readonly fieldSelector?: string },
): Promise<readonly T[]> => {
  const items: T[] = [];
  let continueToken: string | undefined;
  do {
    const page = await client.listPage(resource, { ...selection, limit: 500, continueToken });
    items.push(...(page.items as T[]));
    ({ continueToken } = page);
  } while (continueToken !== undefined);
  return items;
};

/** @throws {UsageError} when there is none of that name, with names that there are */
export const find = async <K extends OurKind>(
  cluster: Pick<Cluster, 'client' | 'namespace'>,
  kind: K,
  name: string,
): Promise<Stored<Objects[K]>> => {
  const { client, namespace } = cluster;
  const found = await client.get<Objects[K]>(RESOURCES[kind], { namespace, name });
  if (found !== undefined) return found;
  const names = (await listAll(client, RESOURCES[kind], { namespace })).map(({ metadata }) => metadata.name);
  const others = names.slice(0, 5).join(', ');
  const hint =
    names.length === 0
      ? `It has none at all. Another namespace? Add -n NAMESPACE.`
      : (didYouMean(name, names) ?? `There is: ${others}`);
  throw new UsageError(`there is no ${kind} "${name}" in namespace ${namespace}`, hint);
};

/** The person's own name, as the API server knows it. */
export const ownName = async ({ client }: Pick<Cluster, 'client'>): Promise<string> => {
  const body = { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' };
  const path = '/apis/authentication.k8s.io/v1/selfsubjectreviews';
  const review = (await client.raw({ method: 'POST', path, body })) as {
    readonly status?: { readonly userInfo?: { readonly username?: string } };
  };
  const name = review.status?.userInfo?.username;
  if (name === undefined) throw new Error('the API server does not say who you are');
  return name;
};

/** A refusal or failure in words for a person, and what may help. */
export const explain = (error: ApiError): UsageError => {
  const denied = /denied request: ([^]*)$/.exec(error.message)?.[1];
  if (denied !== undefined) return new UsageError(`refused: ${oneLine(denied)}`);
  if (error.code === 401)
    return new UsageError('the API server does not know you', 'Are your credentials still valid?  kubectl auth whoami');
  if (error.code === 403)
    return new UsageError(
      `you may not: ${oneLine(error.message)}`,
      'Ask for a role of the chart: author, approver, viewer or auditor.',
    );
  if (error.code === 404 && error.message.includes('could not find the requested resource'))
    return new UsageError('this cluster does not know swe-fleet', 'Another context? Or: helm install swe-fleet charts/swe-fleet');
  if (error.code === undefined)
    return new UsageError(`the API server cannot be reached: ${oneLine(error.message)}`, 'See: kubectl cluster-info');
  return new UsageError(oneLine(error.message));
};
