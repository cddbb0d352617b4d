// The outside environment of a test cluster: a git server and a scripted model on the machine, known inside the cluster by Services of
// namespace `outside`, so that Stories and values name them as they would name a team's own servers.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { KeyPair } from '../../install/certificates.ts';
import { startGitServer, type GitRequestLine, type GitServer } from '../git-server/server.ts';
import { scripts } from '../model/scripts/index.ts';
import { startScriptedModel, type ModelRequestLine, type ScriptedModel } from '../model/server.ts';
import type { Kubectl } from './kubernetes.ts';

export const OUTSIDE = 'outside';
export const GIT_HOST = `git.${OUTSIDE}.svc.cluster.local`;
export const MODEL_HOST = `model.${OUTSIDE}.svc.cluster.local`;
export const GIT_BOT = { username: 'fleet-bot', password: 'correct-horse-battery-staple' };
export const MODEL_KEY = 'sk-the-model-server-asks-for-this';

export interface Outside {
  readonly git: GitServer;
  readonly model: ScriptedModel;
  close(): Promise<void>;
}

export interface OutsideOptions {
  /** The machine's address as pods see it. */
  readonly hostIp: string;
  readonly stateDir: string;
  readonly gitCertificate: KeyPair;
  readonly kubectl: Kubectl;
  readonly modelLatencyMs?: number;
  readonly onGitRequest?: (line: GitRequestLine) => void;
  readonly onModelRequest?: (line: ModelRequestLine) => void;
  /** Puts something between the cluster and a server of the machine; resolves with the port that the cluster is to use. */
  readonly inFrontOf?: (server: 'git' | 'model', port: number, hostIp: string) => Promise<number>;
}

/** Folder of the bare repositories: `<gitRoot>/team/app.git` is `https://<GIT_HOST>/team/app.git`. */
export const gitRootOf = (stateDir: string): string => join(stateDir, 'git');

export const startOutside = async (options: OutsideOptions): Promise<Outside> => {
  const gitRoot = gitRootOf(options.stateDir);
  mkdirSync(gitRoot, { recursive: true });
  const git = await startGitServer({
    root: gitRoot,
    host: options.hostIp,
    tls: { key: options.gitCertificate.key, cert: options.gitCertificate.certificate },
    accounts: { [GIT_BOT.username]: { password: GIT_BOT.password, push: true } },
    ...(options.onGitRequest !== undefined && { onRequest: options.onGitRequest }),
  });
  const model = await startScriptedModel({
    scripts,
    host: options.hostIp,
    apiKey: MODEL_KEY,
    ...(options.modelLatencyMs !== undefined && { latencyMs: options.modelLatencyMs }),
    ...(options.onModelRequest !== undefined && { onRequest: options.onModelRequest }),
  });
  const portOf = async (name: 'git' | 'model', port: number): Promise<number> =>
    options.inFrontOf?.(name, port, options.hostIp) ?? port;
  await options.kubectl.apply([
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: OUTSIDE } },
    ...serviceFor('git', options.hostIp, { port: 443, targetPort: await portOf('git', git.port) }),
    ...serviceFor('model', options.hostIp, { port: 80, targetPort: await portOf('model', model.port) }),
  ]);
  return {
    git,
    model,
    close: async () => {
      await Promise.all([git.close(), model.close()]);
    },
  };
};

/** A Service without a selector and the one address behind it. */
const serviceFor = (
  name: string,
  address: string,
  ports: { readonly port: number; readonly targetPort: number },
): readonly object[] => [
  { apiVersion: 'v1', kind: 'Service', metadata: { name, namespace: OUTSIDE }, spec: { ports: [{ name: 'main', ...ports }] } },
  {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { name, namespace: OUTSIDE, labels: { 'kubernetes.io/service-name': name } },
    addressType: 'IPv4',
    ports: [{ name: 'main', port: ports.targetPort }],
    endpoints: [{ addresses: [address], conditions: { ready: true } }],
  },
];
