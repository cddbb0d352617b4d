// Reads the audit log of a box's API server: one line a write, of everybody.
import { closeSync, openSync, readSync, statSync } from 'node:fs';
import type { Cluster } from '../cluster/cluster.ts';
import { clusterConfig } from '../cluster/config.ts';
import { RELEASE, RELEASE_NAMESPACE } from './chart.ts';

export interface AuditedWrite {
  readonly at: string;
  readonly user: string;
  readonly verb: string;
  readonly resource: string;
  readonly subresource: string;
  readonly namespace: string;
  readonly objectName: string;
  readonly code: number;
}

interface AuditEvent {
  readonly stage: string;
  readonly requestReceivedTimestamp: string;
  readonly verb: string;
  readonly user: { readonly username: string };
  readonly objectRef?: {
    readonly resource?: string;
    readonly subresource?: string;
    readonly namespace?: string;
    readonly name?: string;
  };
  readonly responseStatus?: { readonly code?: number };
}

/** Only a box has one: a test that reads it is skipped, by name, on a cluster of the user's own. */
export const hasAuditLog = clusterConfig().externalKubeconfig === undefined;

export const operatorUser = `system:serviceaccount:${RELEASE_NAMESPACE}:${RELEASE}-operator`;

const logOf = ({ auditLog }: Cluster): string => {
  if (auditLog === undefined) throw new Error('this cluster keeps no audit log: the test needs a box');
  return auditLog;
};

/** A place in the log: what is written from now on comes after it. @throws on a cluster without an audit log */
export const auditedSoFar = (cluster: Cluster): number => statSync(logOf(cluster)).size;

const textFrom = (path: string, start: number): string => {
  const file = openSync(path, 'r');
  try {
    const buffer = Buffer.alloc(Math.max(0, statSync(path).size - start));
    return buffer.toString('utf8', 0, readSync(file, buffer, 0, buffer.length, start));
  } finally {
    closeSync(file);
  }
};

/** All writes since that place, oldest first; since the beginning by default. @throws on a cluster without an audit log */
export const auditedWrites = (cluster: Cluster, since = 0): readonly AuditedWrite[] =>
  textFrom(logOf(cluster), since)
    .split('\n')
    .filter((line) => line.endsWith('}')) // the last line may still be written
    .map((line) => JSON.parse(line) as AuditEvent)
    .filter(({ stage }) => stage === 'ResponseComplete')
    .map(({ requestReceivedTimestamp, user, verb, objectRef, responseStatus }) => ({
      at: requestReceivedTimestamp,
      user: user.username,
      verb,
      resource: objectRef?.resource ?? '',
      subresource: objectRef?.subresource ?? '',
      namespace: objectRef?.namespace ?? '',
      objectName: objectRef?.name ?? '',
      code: responseStatus?.code ?? 0,
    }));

export const byUser =
  (user: string) =>
  (write: AuditedWrite): boolean =>
    write.user === user;
