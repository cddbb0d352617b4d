// The cluster as the person's kubeconfig has it: an API client, the namespace meant, and kubectl for what kubectl does best.

import { spawn, type ChildProcessByStdio } from 'node:child_process';
import type { Readable } from 'node:stream';
import { KubeConfig } from '@kubernetes/client-node';
import { ApiClient } from '../kube/client.ts';
import { connectionFrom } from '../kube/connection.ts';
import type { KubeObject, Resource, Stored } from '../kube/object.ts';
import type { Deliberation } from '../crds/kinds/deliberation.ts';
import type { Plan } from '../crds/kinds/plan.ts';
import type { Story } from '../crds/kinds/story.ts';
import type { Task } from '../crds/kinds/task.ts';
import { GROUP, VERSION } from '../crds/kinds/meta.ts';
import { Failure } from './failure.ts';
import { didYouMean } from './nearest.ts';
import type { Place } from './requests.ts';

const ours = (plural: string, kind: string): Resource => ({ group: GROUP, version: VERSION, plural, kind, namespaced: true });
export const RESOURCES = {
  ...{ story: ours('stories', 'Story'), plan: ours('plans', 'Plan'), task: ours('tasks', 'Task') },
  deliberation: ours('deliberations', 'Deliberation'),
} as const;
export interface Objects {
  readonly story: Story & KubeObject;
  readonly plan: Plan & KubeObject;
  readonly task: Task & KubeObject;
  readonly deliberation: Deliberation & KubeObject;
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

const SEE_CONFIG = 'Is it the one you mean?  echo $KUBECONFIG; kubectl config view';

/** What the client library assumes where it finds no kubeconfig at all: a server that nobody has meant. */
const ASSUMED_SERVER = 'http://localhost:8080';

const configOf = (place: Place): KubeConfig => {
  const config = new KubeConfig();
  try {
    if (place.kubeconfig === undefined) config.loadFromDefault();
    else config.loadFromFile(place.kubeconfig);
  } catch (error) {
    throw new Failure(`the kubeconfig cannot be read: ${error instanceof Error ? error.message : String(error)}`, SEE_CONFIG);
  }
  if (place.kubeconfig === undefined && config.getCurrentCluster()?.server === ASSUMED_SERVER)
    throw new Failure('there is no kubeconfig', 'Set KUBECONFIG, or give --kubeconfig FILE, or put one at ~/.kube/config');
  if (place.context === undefined) return config;
  const names = config.getContexts().map(({ name }) => name);
  if (!names.includes(place.context))
    throw new Failure(`there is no context "${place.context}"`, didYouMean(place.context, names));
  config.setCurrentContext(place.context);
  return config;
};

/** @throws {Failure} when the kubeconfig leads nowhere */
export const openCluster = async (place: Place, kubectl: string): Promise<Cluster> => {
  const config = configOf(place);
  if (config.getCurrentCluster() === null)
    throw new Failure('the kubeconfig has no current cluster', 'See: kubectl config get-contexts');
  const connection = await connectionFrom(config).catch((error: unknown) => {
    throw new Failure(`the kubeconfig cannot be used: ${error instanceof Error ? error.message : String(error)}`, SEE_CONFIG);
  });
  const client = new ApiClient(connection, { userAgent: 'kubectl-fleet' });
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

export const namesIn = async (
  { client, namespace }: Pick<Cluster, 'client' | 'namespace'>,
  kind: OurKind,
): Promise<readonly string[]> => (await listAll(client, RESOURCES[kind], { namespace })).map(({ metadata }) => metadata.name);

/** @throws {Failure} when there is none of that name, with names that there are */
export const find = async <K extends OurKind>(
  cluster: Pick<Cluster, 'client' | 'namespace'>,
  kind: K,
  name: string,
): Promise<Stored<Objects[K]>> => {
  const { client, namespace } = cluster;
  const found = await client.get<Objects[K]>(RESOURCES[kind], { namespace, name });
  if (found !== undefined) return found;
  const names = await namesIn(cluster, kind);
  const others = names.slice(0, 5).join(', ');
  const hint =
    names.length === 0
      ? `It has none at all. Another namespace? Add -n NAMESPACE.`
      : (didYouMean(name, names) ?? `There is: ${others}`);
  throw new Failure(`there is no ${kind} "${name}" in namespace ${namespace}`, hint);
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
