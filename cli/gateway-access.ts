// The way to the gateway from a person's machine: a token of the namespace's fleet-reader, a port-forward by kubectl, the release's CA.

import { once } from 'node:events';
import { request } from 'node:https';
import { createInterface } from 'node:readline';
import { sha256 } from '../crds/canonical.ts';
import { ARTIFACTS_READ_AUDIENCE, GATEWAY_HOST, GATEWAY_PORT, READER_ACCOUNT } from '../crds/contracts/steps.ts';
import type { KubeObject } from '../kube/object.ts';
import { ApiError, isNotFound } from '../kube/error.ts';
import { configMaps, services } from '../kube/resources.ts';
import { listAll, type Cluster, type Program } from './cluster.ts';
import { Failure } from './failure.ts';
import { oneLine } from './text.ts';

const TOKEN_SECONDS = 600;
const ANSWER_TIMEOUT_MS = 30_000;
const MAX_ARTIFACT_BYTES = 8 * 1024 * 1024;
const INSTANCE = 'app.kubernetes.io/instance';
const SELECTOR = 'app.kubernetes.io/name=swe-fleet,app.kubernetes.io/component=gateway';

export interface Gateway {
  /**
   * The artifact's bytes, or undefined when the gateway has none of that digest.
   * @throws {Failure} when what it has is another one
   */
  artifact(rootUid: string, digest: string): Promise<Buffer | undefined>;
  close(): void;
}

interface Place {
  readonly namespace: string;
  readonly service: string;
  readonly release: string;
}

const findService = async (cluster: Cluster, namespace: string | undefined): Promise<Place> => {
  const selection = { labelSelector: SELECTOR, ...(namespace !== undefined && { namespace }) };
  const found = await listAll<KubeObject>(cluster.client, services, selection).catch((error: unknown) => {
    if (error instanceof ApiError && error.code === 403)
      throw new Failure(
        `you may not look for the gateway's Service${namespace === undefined ? ' in all namespaces' : ` in namespace ${namespace}`}`,
        namespace === undefined
          ? 'Say where swe-fleet runs: --gateway-namespace NS'
          : 'That takes the Role …-gateway-reader of the chart, in that namespace.',
      );
    throw error;
  });
  const [service, another] = found;
  if (service === undefined) throw new Failure('no gateway of swe-fleet was found', 'Say where it runs: --gateway-namespace NS');
  if (another !== undefined)
    throw new Failure(
      `there are several gateways, in ${found.map(({ metadata }) => metadata.namespace).join(', ')}`,
      'Choose: --gateway-namespace NS',
    );
  const { name, namespace: where = '', labels } = service.metadata;
  return { namespace: where, service: name, release: labels?.[INSTANCE] ?? '' };
};

const readAuthority = async (cluster: Cluster, { namespace, release }: Place): Promise<string> => {
  const map = await cluster.client.get<KubeObject & { readonly data?: Readonly<Record<string, string>> }>(configMaps, {
    namespace,
    name: `${release}-ca`,
  });
  const pem = map?.data?.['ca.crt'];
  if (pem === undefined)
    throw new Failure(
      `the gateway's authority is not in ConfigMap ${namespace}/${release}-ca`,
      'helm upgrade runs the hook that writes it',
    );
  return pem;
};

const requestToken = async (cluster: Cluster): Promise<string> => {
  const path = `/api/v1/namespaces/${cluster.namespace}/serviceaccounts/${READER_ACCOUNT}/token`;
  const body = {
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'TokenRequest',
    spec: { audiences: [ARTIFACTS_READ_AUDIENCE], expirationSeconds: TOKEN_SECONDS },
  };
  try {
    const answer = (await cluster.client.raw({ method: 'POST', path, body })) as { readonly status: { readonly token: string } };
    return answer.status.token;
  } catch (error) {
    if (isNotFound(error))
      throw new Failure(
        `namespace ${cluster.namespace} has no ServiceAccount ${READER_ACCOUNT} yet`,
        'The operator makes it with the first workspace.',
      );
    if (error instanceof ApiError && error.code === 403)
      throw new Failure(
        `you may not ask for a token of ${READER_ACCOUNT} in namespace ${cluster.namespace}`,
        'That takes the ClusterRole …-auditor of the chart.',
      );
    throw error;
  }
};

/** Starts the port-forward and resolves with its port on this machine. */
const forwardedPort = async (child: Program): Promise<number> => {
  const complaints: string[] = [];
  createInterface({ input: child.stderr }).on('line', (line) => void complaints.push(line));
  const lines = createInterface({ input: child.stdout });
  const port = new Promise<number>((resolve) => {
    lines.on('line', (line) => {
      const found = /^Forwarding from 127\.0\.0\.1:(\d+)/.exec(line)?.[1];
      if (found !== undefined) resolve(Number(found));
    });
  });
  const failed = once(child, 'close').then(() => {
    throw new Failure(
      `kubectl port-forward ended: ${complaints.join(' ')}`,
      'It takes the Role …-gateway-reader in the namespace of the gateway.',
    );
  });
  failed.catch(() => undefined);
  return Promise.race([port, failed]);
};

interface Target {
  readonly port: number;
  readonly ca: string;
  readonly token: string;
  readonly path: string;
}

const get = (target: Target): Promise<{ readonly status: number; readonly body: Buffer }> =>
  new Promise((resolve, reject) => {
    const { port, ca, token, path } = target;
    const headers = { authorization: `Bearer ${token}`, host: `${GATEWAY_HOST}:${GATEWAY_PORT}` };
    const call = request(
      { host: '127.0.0.1', port, path, ca, servername: GATEWAY_HOST, headers, timeout: ANSWER_TIMEOUT_MS },
      (answer) => {
        const chunks: Buffer[] = [];
        let size = 0;
        answer.on('data', (chunk: Buffer) => {
          size += chunk.length;
          if (size > MAX_ARTIFACT_BYTES) call.destroy(new Error('the answer is too large'));
          chunks.push(chunk);
        });
        answer.on('end', () => resolve({ status: answer.statusCode ?? 0, body: Buffer.concat(chunks) }));
        answer.on('error', reject);
      },
    );
    call.on('timeout', () => call.destroy(new Error('the gateway does not answer')));
    call.on('error', reject);
    call.end();
  });

const complaintOf = (body: Buffer): string => {
  try {
    return (JSON.parse(body.toString('utf8')) as { readonly error: { readonly message: string } }).error.message;
  } catch {
    return 'it gives no reason';
  }
};

/** @throws {Failure} when a right or the gateway is missing */
export const openGateway = async (cluster: Cluster, gatewayNamespace: string | undefined): Promise<Gateway> => {
  const place = await findService(cluster, gatewayNamespace);
  const ca = await readAuthority(cluster, place);
  const token = await requestToken(cluster);
  const child = cluster.kubectl([
    'port-forward',
    '--namespace',
    place.namespace,
    '--address',
    '127.0.0.1',
    `service/${place.service}`,
    `:${GATEWAY_PORT}`,
  ]);
  const port = await forwardedPort(child);
  return {
    async artifact(rootUid, digest) {
      const path = `/v1/artifacts/${encodeURIComponent(digest)}?root=${encodeURIComponent(rootUid)}`;
      const { status, body } = await get({ port, ca, token, path });
      if (status === 200 && sha256(body) !== digest) throw new Failure(`what the gateway gave is not ${oneLine(digest)}`);
      if (status === 200) return body;
      if (status === 404) return undefined;
      throw new Failure(`the gateway answers ${status}: ${complaintOf(body)}`);
    },
    close: () => void child.kill(),
  };
};
