// A system that has nothing to do does nothing: no write to the API but the leader's Lease for a minute.
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { API_VERSION } from '../../crds/kinds/meta.ts';
import { auditedWrites, hasAuditLog, type AuditedWrite } from '../environment/audit.ts';
import { RELEASE_NAMESPACE } from '../environment/chart.ts';
import { QUIET } from './namespaces.ts';
import { fixture, walk, type Walk } from './walk.ts';

const QUIET_MS = 60_000;
const ours = ({ user }: AuditedWrite): boolean => user.startsWith(`system:serviceaccount:${RELEASE_NAMESPACE}:`);

const invalidPlan = {
  apiVersion: API_VERSION,
  kind: 'Plan',
  metadata: { name: 'invalid-1', namespace: QUIET },
  spec: { storyRef: { name: 'waiting' }, revision: 1, author: 'alice', source: 'this is no plan' },
};

const eventsAbout = async ({ environment }: Walk, name: string): Promise<readonly unknown[]> => {
  const fields = ['--field-selector', `regarding.name=${name}`];
  const { items } = await environment.kubectl.json<{ items: readonly unknown[] }>(
    ...['get', 'events.events.k8s.io', '--namespace', QUIET, ...fields],
  );
  return items;
};

describe.skipIf(!hasAuditLog)('a quiet system', () => {
  const walks: Walk[] = [];
  beforeAll(async () => {
    const task = {
      id: 'farewell',
      title: 'Add farewell(name)',
      description: '[[script:add-farewell]]',
      verify: { commands: ['npm test'] },
    };
    const input = { namespace: QUIET, repositoryFolder: fixture('node-repo'), tasks: [task] };
    const done = await walk({ ...input, name: 'done' });
    const waiting = await walk({ ...input, name: 'waiting' });
    walks.push(done, waiting);
    await done.start();
    await done.approve();
    await done.ended();
    await waiting.start();
    await waiting.environment.as('alice').apply(invalidPlan);
    await waiting.follower.until(({ plans }) =>
      plans.find(({ metadata, status }) => metadata.name === 'invalid-1' && status?.phase === 'Invalid'),
    );
    // its Event follows the status, and is the last thing that is written
    await vi.waitFor(async () => expect(await eventsAbout(waiting, 'invalid-1')).toHaveLength(1), { timeout: 60_000 });
  });
  afterAll(() => Promise.all(walks.map((each) => each.close())));

  it('makes no API write but its Leases for 60 s, with a finished, a waiting and an invalid object at hand', async () => {
    const [first] = walks;
    if (first === undefined) throw new Error('no walk');
    const before = auditedWrites(first.environment.cluster).length;
    await sleep(QUIET_MS);
    const writes = auditedWrites(first.environment.cluster).slice(before).filter(ours);
    const leases = writes.filter(({ resource }) => resource === 'leases');
    const others = writes.filter(({ resource, verb }) => resource !== 'leases' && resource !== 'tokenreviews' && verb !== 'get');
    expect(others).toEqual([]);
    expect(leases.length, 'the audit log sees our writes at all').toBeGreaterThan(0);
  });
});
