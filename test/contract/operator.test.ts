// The operator as a process, on a real API server and a real NATS: what it does when it starts, shares the work, and ends.

import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { promises as files } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { platform, story, unstored } from '../builders/objects.ts';
import { ensureBox } from '../cluster/cluster.ts';
import { TEST_BOX, TEST_GPUS } from '../environment/test-cluster.ts';
import type { Story } from '../../crds/kinds/story.ts';
import { loadConnection } from '../../kube/connection.ts';
import type { ApiClient } from '../../kube/client.ts';
import { leases } from '../../kube/resources.ts';
import type { Lease } from '../../operator/leader-election.ts';
import { watched } from '../../operator/state/watched-kinds.ts';
import { installCrds } from './admission.ts';
import { clientOf, makeNamespace } from './cluster.ts';
import { freePort, startNats, type NatsServer } from './nats.ts';

const ROOT = join(import.meta.dirname, '../..');
const PERIOD_MS = 50;

type Line = Readonly<Record<string, unknown>> & { readonly message: string };

interface Replica {
  readonly lines: readonly Line[];
  /** Resolves when a line of that message was logged. */
  readonly saw: (message: string) => Promise<void>;
  readonly ask: (path: string) => Promise<string>;
  readonly signal: (name: 'SIGTERM' | 'SIGKILL') => void;
  /** Exit code; null when a signal ended it. */
  readonly ended: Promise<number | null>;
}

interface Stage {
  readonly client: ApiClient;
  readonly namespace: string;
  readonly nats: NatsServer;
  readonly start: (name: string, more?: Readonly<Record<string, string>>) => Promise<Replica>;
  readonly leader: () => Promise<string | null | undefined>;
  readonly createStory: (name: string) => Promise<unknown>;
  readonly story: (name: string) => Promise<Story | undefined>;
  readonly until: (holds: () => boolean | Promise<boolean>) => Promise<void>;
}

/** Looks again and again; the test's own limit ends a wait in vain. */
const until: Stage['until'] = async (holds) => {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, PERIOD_MS));
};

const replicaOf = (child: ChildProcess, port: number): Replica => {
  const lines: Line[] = [];
  let rest = '';
  child.stdout?.on('data', (chunk: Buffer) => {
    const parts = (rest + chunk.toString()).split('\n');
    rest = parts.pop() ?? '';
    lines.push(...parts.map((part) => JSON.parse(part) as Line));
  });
  return {
    lines,
    saw: (message) => until(() => lines.some((line) => line.message === message)),
    ask: async (path) => (await fetch(`http://127.0.0.1:${port}${path}`)).text(),
    signal: (name) => void child.kill(name),
    ended: once(child, 'exit').then(([code]) => code as number | null),
  };
};

/** An operator of all namespaces would do these tests' work before the one that they look at. */
const refuseOtherOperators = async (client: ApiClient): Promise<void> => {
  const { items } = await client.listPage(leases, {});
  const fresh = (items as readonly Lease[]).find(
    ({ metadata, spec }) =>
      metadata.name === 'swe-fleet-operator' &&
      metadata.namespace?.startsWith('contract-') === false &&
      Date.parse(spec?.renewTime ?? '') > Date.now() - 60_000,
  );
  if (fresh !== undefined)
    throw new Error(`an operator leads in namespace ${fresh.metadata.namespace} of this cluster: these tests need one without`);
};

const it = test.extend<{ readonly stage: Stage }>({
  stage: async ({}, use) => {
    const { kubeconfig } = await ensureBox({ name: TEST_BOX, gpus: TEST_GPUS, log: () => undefined });
    const client = clientOf(await loadConnection(kubeconfig));
    await refuseOtherOperators(client);
    await installCrds(client);
    const namespace = await makeNamespace(client);
    const nats = await startNats();
    const { gateway } = platform();
    const config = platform({ gateway: { ...gateway, namespace }, nats: { url: nats.url } });
    const folder = await files.mkdtemp(join(tmpdir(), 'swe-fleet-operator-'));
    await files.writeFile(join(folder, 'platform.json'), JSON.stringify(config));
    const replicas: Replica[] = [];
    const storyResource = watched.Story.resource;
    await use({
      ...{ client, namespace, nats, until },
      start: async (name, more = {}) => {
        const port = await freePort();
        const env = {
          ...{
            PATH: process.env['PATH'],
            POD_NAME: name,
            POD_NAMESPACE: namespace,
            FLEET_RELEASE: 'test',
            FLEET_KUBECONFIG: kubeconfig,
          },
          ...{ FLEET_PLATFORM_FILE: join(folder, 'platform.json'), FLEET_WATCH_NAMESPACE: namespace, FLEET_LEASE_SECONDS: '3' },
          ...{ FLEET_HEALTH_PORT: String(port), ...more },
        };
        const child = spawn(process.execPath, [join(ROOT, 'operator/main.ts')], { env, stdio: ['ignore', 'pipe', 'inherit'] });
        const replica = replicaOf(child, port);
        replicas.push(replica);
        return replica;
      },
      leader: async () => (await client.get<Lease>(leases, { namespace, name: 'swe-fleet-operator' }))?.spec?.holderIdentity,
      createStory: (name) => client.create(storyResource, unstored(story({}, undefined, { namespace, name }))),
      story: async (name) => client.get<Story>(storyResource, { namespace, name }),
    });
    for (const replica of replicas) replica.signal('SIGKILL');
    await Promise.all(replicas.map(({ ended }) => ended));
    await nats.stop();
    await files.rm(folder, { recursive: true });
    await client.close();
  },
});

const writesOf = (metrics: string): readonly string[] =>
  metrics.split('\n').filter((line) => line.startsWith('swefleet_api_writes_total'));
const gauge = (metrics: string, name: string): number =>
  Number(new RegExp(`^swefleet_${name}(?:\\{[^}]*\\})? (\\S+)$`, 'm').exec(metrics)?.[1] ?? '0');

it('decides, writes its status once, publishes what happened, and has nothing more to write', async ({ stage }) => {
  const { start, createStory, story } = stage;
  const replica = await start('one');
  await replica.saw('leading');
  await createStory('goodbye');
  await until(async () => (await story('goodbye'))?.status?.phase === 'Draft');
  await until(async () => gauge(await replica.ask('/metrics'), 'events_published_total') > 0);
  const before = writesOf(await replica.ask('/metrics'));
  expect(before.length).toBeGreaterThan(0);
  // a second life decides everything anew, from fresh caches: it finds all as it should be
  replica.signal('SIGTERM');
  expect(await replica.ended).toBe(0);
  const second = await start('two');
  await second.saw('leading');
  await until(async () => {
    const metrics = await second.ask('/metrics');
    return gauge(metrics, 'passes_total') > 0 && gauge(metrics, 'queue_depth') + gauge(metrics, 'queue_running') === 0;
  });
  const metrics = await second.ask('/metrics');
  expect(writesOf(metrics)).toEqual([]);
  expect(gauge(metrics, 'events_published_total')).toBe(0);
});

it('hands over to its standby when asked to end: the standby was ready all along', async ({ stage }) => {
  const { start, leader, createStory, story } = stage;
  const first = await start('first');
  await first.saw('leading');
  const second = await start('second');
  await second.saw('caches are filled, waiting to lead');
  expect(await second.ask('/readyz')).toBe('ok\n');
  expect(second.lines.map((line) => line.message)).not.toContain('leading');
  expect(await leader()).toMatch(/^first_/);
  first.signal('SIGTERM');
  expect(await first.ended).toBe(0);
  await second.saw('leading');
  expect(await leader()).toMatch(/^second_/);
  await createStory('goodbye');
  await until(async () => (await story('goodbye'))?.status?.phase === 'Draft');
});

it('is succeeded by its standby when it is killed', async ({ stage: { start, leader, createStory, story } }) => {
  const first = await start('first');
  await first.saw('leading');
  const second = await start('second');
  await second.saw('caches are filled, waiting to lead');
  first.signal('SIGKILL');
  await createStory('goodbye');
  await second.saw('leading');
  await until(async () => (await story('goodbye'))?.status?.phase === 'Draft');
  expect(await leader()).toMatch(/^second_/);
});

it('ends with code 3 when its Lease is taken from it', async ({ stage: { start, client, namespace, until: wait, leader } }) => {
  const replica = await start('one');
  await replica.saw('leading');
  await wait(async () => (await leader())?.startsWith('one_') === true);
  const spec = { holderIdentity: 'usurper', leaseDurationSeconds: 600, renewTime: '2100-01-01T00:00:00.000000Z' };
  await client.patch(leases, { namespace, name: 'swe-fleet-operator' }, { spec });
  expect(await replica.ended).toBe(3);
  expect(await leader()).toBe('usurper');
});

it('goes on without NATS, says so on the object, and takes up the question when NATS is there', async ({ stage }) => {
  const { start, createStory, story, nats } = stage;
  await nats.kill();
  const replica = await start('one');
  await replica.saw('leading');
  expect(await replica.ask('/readyz')).toBe('ok\n');
  await createStory('goodbye');
  const storeCondition = async (): Promise<string | undefined> =>
    (await story('goodbye'))?.status?.conditions?.find(({ type }) => type === 'StoreUnavailable')?.status;
  await until(async () => (await storeCondition()) === 'True');
  await nats.start();
  await until(async () => (await story('goodbye')) !== undefined && (await storeCondition()) !== 'True');
  await until(() =>
    replica.lines.some(
      ({ effects }) => Array.isArray(effects) && effects.some((each) => String(each).startsWith('command resolve')),
    ),
  );
});

it('goes on numbering events behind those that were published when a status is wiped, before and while it runs', async ({
  stage,
}) => {
  const { start, createStory, story, nats, client, namespace } = stage;
  const { link } = await nats.connect('reader');
  const published = async (): Promise<readonly number[]> => {
    const { client: streams } = await link.session();
    const consumer = await streams.consumers.get('PLANNING_EVENTS');
    const { num_pending: pending } = await consumer.info();
    if (pending === 0) return [];
    const seqs: number[] = [];
    for await (const message of await consumer.fetch({ max_messages: pending })) {
      const { seq, object } = message.json<{ readonly seq: number; readonly object: { readonly name: string } }>();
      if (object.name === 'goodbye') seqs.push(seq);
    }
    return seqs;
  };
  const wipe = () => client.patch(watched.Story.resource, { namespace, name: 'goodbye' }, { status: null }, 'status');
  const first = await start('one');
  await first.saw('leading');
  await createStory('goodbye');
  await until(async () => (await published()).length === 1);
  await wipe();
  await until(async () => (await published()).length === 2);
  first.signal('SIGTERM');
  expect(await first.ended).toBe(0);
  // while nobody knows how far its events were published
  await wipe();
  await nats.kill();
  const second = await start('two');
  await second.saw('leading');
  await until(async () => (await story('goodbye'))?.status?.eventSeq === 1);
  await nats.start();
  await link.connected(new AbortController().signal);
  await until(async () => (await published().catch(() => [])).length === 3);
  expect(await published()).toEqual([1, 2, 3]);
});

it('ends with code 2 and every complaint when its configuration is invalid', async ({ stage: { start } }) => {
  const replica = await start('one', { FLEET_WORKERS: 'many', FLEET_PLATFORM_FILE: '/nowhere' });
  expect(await replica.ended).toBe(2);
});
