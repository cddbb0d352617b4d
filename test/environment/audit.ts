// Reads the audit log of a box's API server: one line a write, of everybody.
import { readFileSync } from 'node:fs';
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

/** All writes so far, oldest first. @throws on a cluster without an audit log */
export const auditedWrites = (cluster: Cluster): readonly AuditedWrite[] => {
  if (cluster.auditLog === undefined) throw new Error('this cluster keeps no audit log: the test needs a box');
  return readFileSync(cluster.auditLog, 'utf8')
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
};

export const byUser =
  (user: string) =>
  (write: AuditedWrite): boolean =>
    write.user === user;
