// Plays the gateway's part in what kwok plays: the receipt of a workspace's last step, without which no finding counts. It is stored as soon as the
// pod is there, as a real one is before the step that asked for it ends.

import { createHash } from 'node:crypto';
import { KV_BUCKETS } from '../crds/contracts/commands.ts';
import { RECEIPTS_MAX_AGE_MS, type Receipt } from '../crds/contracts/receipts.ts';
import { LABEL_WORKSPACE } from '../crds/labels.ts';
import type { ApiClient } from '../kube/client.ts';
import type { KubeObject } from '../kube/object.ts';
import { pods } from '../kube/resources.ts';
import type { NatsServer } from '../test/contract/nats.ts';
import { PLAYED_BASE } from './kwok.ts';
import { nowMs, watchFromNow } from './watch.ts';

export interface Receipts {
  /** When that Job's was stored. */
  storedAtMs(jobUid: string): number | undefined;
  /** Rejects when one cannot be stored. */
  readonly failed: Promise<never>;
  stop(): Promise<void>;
}

/** What the stages of kwok say of that pod. */
export const receiptOf = ({ metadata }: KubeObject): Receipt => {
  const hashed = (algorithm: 'sha1' | 'sha256'): string =>
    createHash(algorithm)
      .update(metadata.uid ?? '')
      .digest('hex');
  if (metadata.labels?.[LABEL_WORKSPACE] === 'courier') return { kind: 'push', commit: hashed('sha1') };
  const digest = `sha256:${hashed('sha256')}`;
  return { kind: 'report', patch: digest, evidence: digest, base: PLAYED_BASE };
};

export const playReceipts = async (client: ApiClient, nats: NatsServer): Promise<Receipts> => {
  const { link } = await nats.connect('receipts', { buckets: [{ name: KV_BUCKETS.receipts, maxAgeMs: RECEIPTS_MAX_AGE_MS }] });
  const bucket = await (await link.session()).bucket(KV_BUCKETS.receipts);
  const stored = new Map<string, number | undefined>();
  const failed = Promise.withResolvers<never>();
  failed.promise.catch(() => undefined); // whoever waits hears of it
  const onChange = (pod: KubeObject): void => {
    const uid = pod.metadata.ownerReferences?.[0]?.uid;
    if (uid === undefined || stored.has(uid)) return;
    stored.set(uid, undefined);
    bucket.put(uid, JSON.stringify(receiptOf(pod))).then(
      () => stored.set(uid, nowMs()),
      (error: unknown) => failed.reject(error),
    );
  };
  const watching = await watchFromNow(client, { resource: pods, labelSelector: LABEL_WORKSPACE, onChange });
  return { storedAtMs: (jobUid) => stored.get(jobUid), failed: failed.promise, stop: () => watching.stop() };
};
