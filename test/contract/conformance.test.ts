// The API server of the simulation answers as the real one: each case is done on both, through the client that the operator has, and what
// came of it is compared, field by field.

import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { ApiClient } from '../../kube/client.ts';
import { namespaces } from '../../kube/resources.ts';
import { ApiServer } from '../simulation/api-server.ts';
import { Client } from '../simulation/client.ts';
import { installCrds } from './admission.ts';
import { clientOf, connectToCluster, makeNamespace } from './cluster.ts';
import { cases, type Case } from './conformance/cases.ts';
import { Hand, type Line } from './conformance/hand.ts';

const place = {} as { real: ApiClient };

beforeAll(async () => {
  place.real = clientOf(await connectToCluster());
  await installCrds(place.real);
});

afterAll(() => place.real.close());

const onReal = async ({ does }: Case): Promise<readonly Line[]> => {
  const { real } = place;
  const hand = new Hand(real, await makeNamespace(real));
  await does(hand);
  await real.delete(namespaces, { name: hand.namespace });
  return hand.lines;
};

/** Its watches tell, and its garbage is collected, as soon as they can. */
const onSimulated = async ({ does }: Case): Promise<readonly Line[]> => {
  const server = new ApiServer({ nowMs: () => Date.now(), onWrite: () => undefined });
  const client = new Client(server, async (_label, call) => call());
  server.create('person', { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'contract' } });
  const hand = new Hand(client, 'contract');
  let isOver = false;
  const done = does(hand).finally(() => (isOver = true));
  while (!isOver) {
    for (const kind of client.behind()) client.deliver(kind);
    for (const orphan of server.orphans()) server.collect(orphan);
    await nextTurn();
  }
  await done;
  return hand.lines;
};

it.each(cases)(
  '$given',
  async (one) => {
    const [wanted, found] = [await onReal(one), await onSimulated(one)];
    expect(wanted.map(({ what }) => what)).toEqual(one.want);
    expect(found).toEqual(wanted);
  },
  60_000,
);
