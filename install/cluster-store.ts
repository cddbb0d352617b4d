// The hook's store on a real API server: Secrets and ConfigMaps of the release by server-side apply, restarts by an annotation.

import type { ApiClient } from '../kube/client.ts';
import { isNotFound } from '../kube/error.ts';
import type { KubeObject, Resource } from '../kube/object.ts';
import { configMaps, secrets } from '../kube/resources.ts';
import type { Data, Named, Store } from './install.ts';

const FIELD_MANAGER = 'swe-fleet-install';

const workload = (kind: 'Deployment' | 'StatefulSet'): Resource => ({
  group: 'apps',
  version: 'v1',
  plural: kind === 'Deployment' ? 'deployments' : 'statefulsets',
  kind,
  namespaced: true,
});

interface Holder extends KubeObject {
  readonly type?: string;
  readonly data?: Data;
}

const recode = (data: Data, from: 'utf8' | 'base64', to: 'utf8' | 'base64'): Data =>
  Object.fromEntries(Object.entries(data).map(([key, value]) => [key, Buffer.from(value, from).toString(to)]));

const resourceOf = (named: Named): Resource => (named.kind === 'Secret' ? secrets : configMaps);

export const clusterStore = (client: Pick<ApiClient, 'get' | 'apply' | 'patch'>, release: string, namespace: string): Store => ({
  async read(named) {
    const found = await client.get<Holder>(resourceOf(named), { namespace, name: named.name });
    if (found === undefined) return undefined;
    const data = found.data ?? {};
    return named.kind === 'Secret' ? recode(data, 'base64', 'utf8') : data;
  },

  async write(named, data) {
    const object: Holder = {
      apiVersion: 'v1',
      kind: named.kind,
      metadata: {
        name: named.name,
        namespace,
        labels: {
          'app.kubernetes.io/name': 'swe-fleet',
          'app.kubernetes.io/instance': release,
          'app.kubernetes.io/component': 'certificates',
          'app.kubernetes.io/managed-by': FIELD_MANAGER,
        },
      },
      ...(named.kind === 'Secret' && { type: named.type ?? 'Opaque' }),
      data: named.kind === 'Secret' ? recode(data, 'utf8', 'base64') : data,
    };
    await client.apply(resourceOf(named), object, { fieldManager: FIELD_MANAGER, force: true });
  },

  async restart({ kind, name }, reason) {
    const annotations = { 'swefleet.io/restarted-for': `${reason} at ${new Date().toISOString()}` };
    try {
      await client.patch(workload(kind), { namespace, name }, { spec: { template: { metadata: { annotations } } } });
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  },
});
