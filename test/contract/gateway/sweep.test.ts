// What is left of objects that are gone, on a real JetStream.

import { expect, test } from 'vitest';
import {
  artifactSubject,
  attemptAccount,
  endpointAccount,
  KV_BUCKETS,
  storyAccount,
  STREAMS,
} from '../../../crds/contracts/commands.ts';
import { LEAVINGS } from '../../../crds/contracts/leavings.ts';
import { StreamLeavings } from '../../../gateway/sweep/stream-leavings.ts';
import { jetStreamDefinitions } from '../../../operator/state/feeds.ts';
import { StoreUnavailable } from '../../../runtime/bus/errors.ts';
import type { JetStreamLink } from '../../../runtime/bus/link.ts';
import { startNats, type NatsServer } from '../nats.ts';

const it = test.extend<{ readonly stage: { readonly nats: NatsServer; readonly link: JetStreamLink } }>({
  stage: async ({}, use) => {
    const nats = await startNats();
    const buckets = Object.values(KV_BUCKETS).map((name) => ({ name }));
    const { link } = await nats.connect('operator', { streams: jetStreamDefinitions(), buckets });
    await use({ nats, link });
    await nats.stop();
  },
});

const ledger = (account: string): string => `$KV.${KV_BUCKETS.ledger}.${account}`;
const keptFor = (uid: string): readonly string[] => [
  artifactSubject(uid, `sha256:${'a'.repeat(64)}`),
  artifactSubject(uid, `sha256:${'b'.repeat(64)}`),
  ...[storyAccount(uid), attemptAccount(uid, 1), attemptAccount(uid, 2), endpointAccount('vllm', uid)].map(ledger),
  `$KV.${KV_BUCKETS.cursor}.${uid}`,
];

const all = async (link: JetStreamLink): Promise<readonly string[]> =>
  (await Promise.all(LEAVINGS.map(({ stream, filter }) => link.subjects(stream, filter)))).flat();

it('all that is kept for one uid is found, and goes without a trace of it and without anything else', async ({
  stage: { link },
}) => {
  const others = [ledger(endpointAccount('vllm')), ...keptFor('uid-here')];
  const kept = [...keptFor('uid-gone'), ...others];
  for (const subject of kept) await link.publish({ subject, data: '{}' });
  const leavings = new StreamLeavings(link);
  expect([...(await leavings.uids())].sort()).toEqual(['uid-gone', 'uid-here']);
  await leavings.purge('uid-gone');
  expect([...(await all(link))].sort()).toEqual([...others].sort());
  await leavings.purge('uid-gone');
  expect(await link.lastMessage(STREAMS.artifacts.name, keptFor('uid-gone')[0] ?? '')).toBeUndefined();
});

it('says nothing is sure when the store cannot be asked', async ({ stage: { nats, link } }) => {
  await nats.kill();
  await expect(new StreamLeavings(link).uids()).rejects.toThrow(StoreUnavailable);
});
