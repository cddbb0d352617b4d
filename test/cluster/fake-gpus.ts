/**
 * Keeps the extended resource `nvidia.com/gpu` on the node at the wanted number. A kubelet that starts without a device plugin
 * sets such a resource to zero, so the node is watched and the number put back.
 */
import { callApi, watchApi, type ApiCredentials } from './api-client.ts';
import { NODE_NAME } from './layout.ts';

const RESOURCE = 'nvidia.com/gpu';
const RETRY_MS = 500;

interface NodeStatus {
  readonly status?: {
    readonly capacity?: Readonly<Record<string, string>>;
    readonly allocatable?: Readonly<Record<string, string>>;
  };
}

const offered = (node: unknown): readonly [string, string] => {
  const { capacity, allocatable } = (node as NodeStatus | undefined)?.status ?? {};
  return [capacity?.[RESOURCE] ?? '0', allocatable?.[RESOURCE] ?? '0'];
};

export const setGpus = async (credentials: ApiCredentials, count: number): Promise<void> => {
  const value = { [RESOURCE]: count === 0 ? null : String(count) }; // null takes it away
  const { status, body } = await callApi(credentials, {
    method: 'PATCH',
    path: `/api/v1/nodes/${NODE_NAME}/status`,
    contentType: 'application/merge-patch+json',
    body: { status: { capacity: value, allocatable: value } },
  });
  if (status !== 200) throw new Error(`the node's GPUs cannot be set: ${JSON.stringify(body)}`);
};

/** Runs for ever. `wanted` is asked anew at each event. */
export const keepGpus = async (credentials: ApiCredentials, wanted: () => number): Promise<never> => {
  const path = `/api/v1/nodes?watch=true&fieldSelector=metadata.name%3D${NODE_NAME}&timeoutSeconds=600`;
  for (;;) {
    await watchApi(credentials, path, (node) => {
      if (offered(node).some((value) => value !== String(wanted()))) {
        setGpus(credentials, wanted()).catch((error: unknown) => console.error('fake GPUs:', error));
      }
    }).catch(() => undefined); // the API server is away: that is noticed elsewhere
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
  }
};
