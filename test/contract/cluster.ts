// Which API server the contract tests use, and a namespace and a kind of their own in it.

import { randomBytes } from 'node:crypto';
import { loadConnection, type Connection } from '../../kube/connection.ts';
import { ApiClient } from '../../kube/client.ts';
import type { KubeObject, Resource } from '../../kube/object.ts';
import { namespaces } from '../../kube/resources.ts';
import { ensureBox } from '../cluster/cluster.ts';
import { TEST_BOX, TEST_GPUS } from '../environment/test-cluster.ts';

/** The cluster of `npm test`; started when it is not there, which `npm test` sees to beforehand. */
export const connectToCluster = async (): Promise<Connection> => {
  const { kubeconfig } = await ensureBox({ name: TEST_BOX, gpus: TEST_GPUS, log: () => undefined });
  return loadConnection(kubeconfig);
};

export const clientOf = (connection: Connection): ApiClient =>
  new ApiClient(connection, { userAgent: 'swe-fleet-contract-tests' });

export const makeNamespace = async (client: ApiClient): Promise<string> => {
  const name = `contract-${randomBytes(4).toString('hex')}`;
  await client.create(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
  return name;
};

const crds: Resource = {
  group: 'apiextensions.k8s.io',
  version: 'v1',
  plural: 'customresourcedefinitions',
  kind: 'CustomResourceDefinition',
  namespaced: false,
};

/** A kind with a status subresource, for what no built-in resource shows without its own controller. */
export const widgets: Resource = { group: 'contract.test', version: 'v1', plural: 'widgets', kind: 'Widget', namespaced: true };

export interface Widget extends KubeObject {
  readonly spec?: { readonly size?: number; readonly colour?: string };
  readonly status?: { readonly phase?: string; readonly note?: string };
}

const field = (type: 'integer' | 'string') => ({ type });
const anything = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };

const widgetCrd = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'widgets.contract.test' },
  spec: {
    group: 'contract.test',
    scope: 'Namespaced',
    names: { plural: 'widgets', singular: 'widget', kind: 'Widget', listKind: 'WidgetList' },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        subresources: { status: {} },
        schema: {
          openAPIV3Schema: {
            type: 'object',
            properties: {
              spec: { type: 'object', properties: { size: field('integer'), colour: field('string') } },
              status: {
                type: 'object',
                properties: { phase: field('string'), note: field('string'), conditions: { type: 'array', items: anything } },
              },
            },
          },
        },
      },
    ],
  },
};

/** Installs the kind and returns when the server serves it. */
export const installWidgets = async (client: ApiClient): Promise<void> => {
  await client.apply(crds, widgetCrd, { fieldManager: 'contract-tests', force: true });
  for (;;) {
    const served = await client.listPage(widgets, { limit: 1 }).catch((error: { readonly code?: number }) => {
      if (error.code === 404) return undefined; // not served yet
      throw error;
    });
    if (served !== undefined) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
};
