// Puts and gets artifacts by their digest, which both ends check. May: ask the gateway.
import { sha256, type Digest } from '../../crds/canonical.ts';
import { GatewayUnreachable, refusalOf, type GatewayClient } from './client.ts';

const MAX_ARTIFACT_BYTES = 4 * 1024 * 1024;

/** Throws `GatewayUnreachable` when the gateway does not take it. Putting the same bytes again is fine. */
export const putArtifact = async (gateway: GatewayClient, bytes: Buffer): Promise<Digest> => {
  const digest = sha256(bytes);
  const answer = await gateway.send({ method: 'PUT', path: `/v1/artifacts/${digest}`, body: bytes, maxBytes: 64 * 1024 });
  if (answer.status >= 200 && answer.status < 300) return digest;
  const { code, message } = refusalOf(answer);
  throw new GatewayUnreachable(`the gateway does not take the artifact: ${answer.status} ${code}: ${message}`);
};

export type Artifact = { readonly kind: 'got'; readonly bytes: Buffer } | { readonly kind: 'lost'; readonly message: string };

export const getArtifact = async (gateway: GatewayClient, digest: string): Promise<Artifact> => {
  const answer = await gateway.send({ method: 'GET', path: `/v1/artifacts/${digest}`, maxBytes: MAX_ARTIFACT_BYTES });
  if (answer.status === 200 && sha256(answer.body) === digest) return { kind: 'got', bytes: answer.body };
  if (answer.status === 200) return { kind: 'lost', message: `artifact ${digest} came with other bytes` };
  const { code, message } = refusalOf(answer);
  if (answer.status === 404 || answer.status === 410) return { kind: 'lost', message: `artifact ${digest}: ${code}: ${message}` };
  throw new GatewayUnreachable(`the gateway does not give artifact ${digest}: ${answer.status} ${code}: ${message}`);
};
