/**
 * Kubeconfig files: the box's own from its certificates, a user's by a signed certificate, or by impersonation on another cluster.
 */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parse, stringify } from 'yaml';
import type { PemPair } from './certificates.ts';

const base64 = (text: string): string => Buffer.from(text).toString('base64');

export interface KubeconfigContent {
  readonly cluster: string;
  readonly apiUrl: string;
  readonly authority: string;
  readonly user: string;
  readonly credentials: PemPair;
}

export const kubeconfigText = (content: KubeconfigContent): string =>
  stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [
      { name: content.cluster, cluster: { server: content.apiUrl, 'certificate-authority-data': base64(content.authority) } },
    ],
    users: [
      {
        name: content.user,
        user: {
          'client-certificate-data': base64(content.credentials.certificate),
          'client-key-data': base64(content.credentials.key),
        },
      },
    ],
    contexts: [{ name: content.cluster, context: { cluster: content.cluster, user: content.user } }],
    'current-context': content.cluster,
  });

/** Writes for the owner's eyes only, whole or not at all. */
export const writeKubeconfig = (path: string, text: string): void => {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  writeFileSync(`${path}.${process.pid}.next`, text, { mode: 0o600 });
  renameSync(`${path}.${process.pid}.next`, path);
};

interface Named {
  readonly name: string;
}

interface Kubeconfig {
  readonly 'current-context'?: string;
  readonly contexts?: readonly (Named & { readonly context: { readonly cluster: string; readonly user: string } })[];
  readonly clusters?: readonly (Named & { readonly cluster: { readonly server: string } })[];
  readonly users?: readonly (Named & { readonly user: Readonly<Record<string, unknown>> })[];
}

const current = (path: string): { readonly file: Kubeconfig; readonly cluster: string; readonly user: string } => {
  const file = (parse(readFileSync(path, 'utf8')) ?? {}) as Kubeconfig;
  const context = file.contexts?.find((candidate) => candidate.name === file['current-context'])?.context;
  if (context === undefined) throw new Error(`${path} has no current context`);
  return { file, cluster: context.cluster, user: context.user };
};

/** The API server's URL of the current context. @throws when the file names none */
export const serverOf = (path: string): string => {
  const { file, cluster } = current(path);
  const server = file.clusters?.find((candidate) => candidate.name === cluster)?.cluster.server;
  if (server === undefined) throw new Error(`${path} names no server for cluster "${cluster}"`);
  return server;
};

/** A copy of `path` whose current user acts as somebody else; relative file names in it are made absolute. */
export const impersonating = (path: string, name: string, groups: readonly string[]): string => {
  const { file, user } = current(path);
  const absolute = (record: Readonly<Record<string, unknown>>): Record<string, unknown> =>
    Object.fromEntries(
      Object.entries(record).map(([key, value]) => {
        const isFile = ['certificate-authority', 'client-certificate', 'client-key', 'tokenFile'].includes(key);
        return [key, isFile && typeof value === 'string' ? join(value.startsWith('/') ? '/' : dirname(path), value) : value];
      }),
    );
  return stringify({
    ...file,
    clusters: file.clusters?.map((entry) => ({ ...entry, cluster: absolute(entry.cluster) })),
    users: file.users?.map((entry) => ({
      ...entry,
      user: { ...absolute(entry.user), ...(entry.name === user ? { as: name, 'as-groups': groups } : {}) },
    })),
  });
};
