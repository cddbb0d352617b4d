// The chart, rendered by the pinned Helm, as objects; and persons who speak to the API server in their own name.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { ApiClient } from '../../kube/client.ts';
import type { Connection } from '../../kube/connection.ts';
import type { KubeObject } from '../../kube/object.ts';
import { ensureBinaries } from '../cluster/binaries.ts';
import { attempt, type CommandEnd } from '../cluster/command.ts';
import { clusterConfig } from '../cluster/config.ts';

export const chartDir = join(import.meta.dirname, '../../charts/swe-fleet');

export const programs = (...only: readonly string[]): Promise<string> =>
  ensureBinaries({ cacheDir: clusterConfig().cacheDir, log: (line) => console.log(line), only });

export interface Release {
  readonly name: string;
  readonly namespace: string;
  readonly values?: object;
}

/** Runs `helm VERB …` with the values in a file. */
export const helm = async (verb: readonly string[], release: Release): Promise<CommandEnd> => {
  const bin = await programs('helm');
  const scratch = mkdtempSync(join(tmpdir(), 'chart-'));
  try {
    const values = join(scratch, 'values.json');
    writeFileSync(values, JSON.stringify(release.values ?? {}));
    // kubeconfig of nobody: rendering needs no cluster
    const env = {
      ...process.env,
      HELM_CACHE_HOME: scratch,
      HELM_CONFIG_HOME: scratch,
      HELM_DATA_HOME: scratch,
      KUBECONFIG: '/dev/null',
    };
    return await attempt([join(bin, 'helm'), ...verb, '--namespace', release.namespace, '--values', values], { env });
  } finally {
    rmSync(scratch, { recursive: true });
  }
};

export const objectsOf = (manifests: string): readonly KubeObject[] =>
  parseAllDocuments(manifests)
    .map((document) => document.toJS() as KubeObject | null)
    .filter((object) => object !== null);

/** @throws with Helm's words when it refuses */
export const render = async (release: Release): Promise<readonly KubeObject[]> => {
  const end = await helm(['template', release.name, chartDir], release);
  if (end.status !== 0) throw new Error(end.stderr);
  return objectsOf(end.stdout);
};

/** A client that speaks as someone else; the connection's own user must have the right to impersonate. */
export const clientAs = (connection: Connection, user: string, group = 'system:authenticated'): ApiClient =>
  new ApiClient(
    {
      ...connection,
      identity: async (fresh) => ({
        ...(await connection.identity(fresh)),
        'Impersonate-User': user,
        'Impersonate-Group': group,
      }),
    },
    { userAgent: 'swe-fleet-contract-tests' },
  );
