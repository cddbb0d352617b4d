// Keeps the gateway's receipts for pods that are played: no gateway serves their last steps, and without one nothing succeeds.
// May: watch pods, write receipts. They say what `kwok.ts` lets the pods say: digests and commits of the pod's uid.

import { createHash } from 'node:crypto';
import { KV_BUCKETS } from '../crds/contracts/commands.ts';
import type { Receipt } from '../crds/contracts/receipts.ts';
import { LABEL_WORKSPACE } from '../crds/labels.ts';
import { controllerOf } from '../crds/kinds/meta.ts';
import type { ApiClient } from '../kube/client.ts';
import type { KubeObject } from '../kube/object.ts';
import { pods } from '../kube/resources.ts';
import type { JetStreamLink } from '../runtime/bus/link.ts';
import { BASE } from './kwok.ts';
import { watchFromNow, type Watching } from './watch.ts';

const hash = (algorithm: 'sha1' | 'sha256', text: string): string => createHash(algorithm).update(text).digest('hex');

const receiptOf = ({ metadata }: KubeObject): Receipt => {
  const uid = metadata.uid ?? '';
  if (metadata.labels?.[LABEL_WORKSPACE] === 'courier') return { kind: 'push', commit: hash('sha1', uid) };
  const digest = `sha256:${hash('sha256', uid)}`;
  return { kind: 'report', patch: digest, evidence: digest, base: BASE };
};

/** From now on, for every workspace pod, as soon as it is there. `onFailed` hears of a receipt that could not be kept. */
export const keepReceipts = async (
  client: ApiClient,
  link: JetStreamLink,
  onFailed: (error: unknown) => void,
): Promise<Watching> => {
  const kept = new Set<string>();
  const keep = async (pod: KubeObject): Promise<void> => {
    const jobUid = controllerOf(pod)?.uid ?? '';
    if (kept.has(jobUid)) return;
    kept.add(jobUid);
    const bucket = await (await link.session()).bucket(KV_BUCKETS.receipts);
    await bucket.put(jobUid, JSON.stringify(receiptOf(pod)));
  };
  return watchFromNow(client, {
    resource: pods,
    labelSelector: LABEL_WORKSPACE,
    onChange: (pod) => void keep(pod).catch(onFailed),
  });
};
