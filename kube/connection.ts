// Where the API server is and how to prove who we are: from a kubeconfig, or from the pod's own service account.
// @kubernetes/client-node does the loading and every kind of authentication (tokens, certificates, exec plugins, OIDC).

import { promises as files } from 'node:fs';
import type { RequestOptions } from 'node:https';
import { KubeConfig } from '@kubernetes/client-node';
import { recordAt } from './json.ts';

type TlsOptions = Readonly<Pick<RequestOptions, 'ca' | 'cert' | 'key' | 'passphrase' | 'servername' | 'rejectUnauthorized'>>;

export interface Connection {
  /** Origin and optional path prefix, e.g. `https://10.0.0.1:6443`. */
  readonly server: string;
  readonly tls: TlsOptions;
  /** The headers that say who we are; `fresh` asks to look again at once (after a 401). */
  identity(fresh: boolean): Promise<Readonly<Record<string, string>>>;
}

/** Tokens in files are rotated by the kubelet; reading again this often is well inside their remaining life. */
const TOKEN_MAX_AGE_MS = 30_000;

const tlsOf = (options: RequestOptions): TlsOptions => ({
  ...(options.ca !== undefined && { ca: options.ca }),
  ...(options.cert !== undefined && { cert: options.cert }),
  ...(options.key !== undefined && { key: options.key }),
  ...(options.passphrase !== undefined && { passphrase: options.passphrase }),
  ...(options.servername !== undefined && { servername: options.servername }),
  ...(options.rejectUnauthorized !== undefined && { rejectUnauthorized: options.rejectUnauthorized }),
});

const headersOf = (options: RequestOptions): Readonly<Record<string, string>> => {
  const given = Object.entries(options.headers ?? {}).filter((entry): entry is [string, string] => typeof entry[1] === 'string');
  const basic =
    typeof options.auth === 'string' ? { Authorization: `Basic ${Buffer.from(options.auth).toString('base64')}` } : {};
  return { ...basic, ...Object.fromEntries(given) };
};

const tokenFileOf = (config: KubeConfig): string | undefined => {
  const { tokenFile } = recordAt(config.getCurrentUser()?.authProvider, 'config');
  return typeof tokenFile === 'string' ? tokenFile : undefined;
};

/** Throws when the configuration names no cluster, or one behind a proxy (not supported: better refused than bypassed). */
export const connectionFrom = async (config: KubeConfig): Promise<Connection> => {
  const cluster = config.getCurrentCluster();
  if (cluster === null) throw new Error('the kubeconfig has no current cluster');
  if (cluster.proxyUrl !== undefined) throw new Error('a kubeconfig with proxy-url is not supported');
  const options: RequestOptions = {};
  await config.applyToHTTPSOptions(options);
  const tokenFile = tokenFileOf(config);
  const read = async (): Promise<Readonly<Record<string, string>>> => {
    // client-node keeps a token file's content for a minute whatever happens; a rotated one is wanted at once
    if (tokenFile !== undefined)
      return { ...headersOf(options), Authorization: `Bearer ${(await files.readFile(tokenFile, 'utf8')).trim()}` };
    const again: RequestOptions = {};
    await config.applyToHTTPSOptions(again);
    return headersOf(again);
  };
  let headers = await read();
  let readAtMs = Date.now();
  return {
    server: cluster.server.replace(/\/+$/, ''),
    tls: tlsOf(options),
    async identity(fresh) {
      if (!fresh && Date.now() - readAtMs < TOKEN_MAX_AGE_MS) return headers;
      headers = await read();
      readAtMs = Date.now();
      return headers;
    },
  };
};

/** From a kubeconfig file, or without one from `$KUBECONFIG`, `~/.kube/config` or the pod's service account, in kubectl's order. */
export const loadConnection = async (kubeconfigPath?: string, context?: string): Promise<Connection> => {
  const config = new KubeConfig();
  if (kubeconfigPath === undefined) config.loadFromDefault();
  else config.loadFromFile(kubeconfigPath);
  if (context !== undefined) config.setCurrentContext(context);
  return connectionFrom(config);
};
