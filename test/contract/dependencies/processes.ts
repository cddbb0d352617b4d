// The operator and the gateway as processes, each with wires of its own to a real API server and a NATS server of its own.

import { randomBytes } from 'node:crypto';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import { answerSubject, commandSubject, KV_BUCKETS, STREAMS, type CommandAnswer } from '../../../crds/contracts/commands.ts';
import type { Story } from '../../../crds/kinds/story.ts';
import { newAuthority, newServerCertificate } from '../../../install/certificates.ts';
import type { ApiClient } from '../../../kube/client.ts';
import { jetStreamDefinitions } from '../../../operator/state/feeds.ts';
import { watched } from '../../../operator/state/watched-kinds.ts';
import { platform, story, unstored } from '../../builders/objects.ts';
import { makeNamespace } from '../cluster.ts';
import { freePort, startNats, type NatsServer } from '../nats.ts';
import { startWire, type Wire } from './wire.ts';

const ROOT = join(import.meta.dirname, '../../..');

export interface Running {
  /** Messages that it logged. */
  readonly said: () => readonly string[];
  readonly metric: (name: string) => Promise<number | undefined>;
  /** Status and body of /readyz. */
  readonly readiness: () => Promise<string>;
  /** Exit code; null when a signal ended it. */
  readonly ended: Promise<number | null>;
}

export interface Place {
  readonly api: Wire;
  readonly bus: Wire;
  readonly nats: NatsServer;
  start(): Promise<Running>;
  /** Resolves when the process has done with a new Story what it is there for, through both wires. */
  works(running: Running): Promise<void>;
  close(): Promise<void>;
}

export const until = async (holds: () => boolean | Promise<boolean>): Promise<void> => {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 100));
};

const watch = (child: ChildProcess, port: number): Running => {
  const messages: string[] = [];
  let rest = '';
  child.stdout?.on('data', (chunk: Buffer) => {
    const lines = (rest + chunk.toString()).split('\n');
    rest = lines.pop() ?? '';
    messages.push(...lines.map((line) => (JSON.parse(line) as { readonly message: string }).message));
  });
  const ask = async (path: string): Promise<Response | undefined> =>
    fetch(`http://127.0.0.1:${port}${path}`).catch(() => undefined);
  return {
    said: () => messages,
    ended: once(child, 'exit').then(([code]) => code as number | null),
    readiness: async () => {
      const answer = await ask('/readyz');
      return answer === undefined ? 'nobody listens' : `${answer.status} ${await answer.text()}`;
    },
    metric: async (name) => {
      const text = (await (await ask('/metrics'))?.text()) ?? '';
      const value = new RegExp(`^swefleet_${name}(?:\\{[^}]*\\})? (\\S+)$`, 'm').exec(text)?.[1];
      return value === undefined ? undefined : Number(value);
    },
  };
};

export type Program = 'operator' | 'gateway';

interface Site {
  readonly client: ApiClient;
  readonly namespace: string;
  readonly folder: string;
  readonly environment: Readonly<Record<string, string>>;
}

const environmentOf = (program: Program, { folder, namespace }: Omit<Site, 'environment'>): Site['environment'] => ({
  PATH: process.env['PATH'] ?? '',
  FLEET_PLATFORM_FILE: join(folder, 'platform.json'),
  ...(program === 'operator'
    ? { POD_NAME: 'one', POD_NAMESPACE: namespace, FLEET_RELEASE: 'test', FLEET_WATCH_NAMESPACE: namespace }
    : { FLEET_LISTEN_HOST: '127.0.0.1', FLEET_PORT: '0', FLEET_CANARY_PORT: '0', FLEET_UPSTREAMS_DIR: folder }),
  ...{ FLEET_KUBECONFIG: join(folder, 'kubeconfig'), KUBECONFIG: join(folder, 'kubeconfig') },
  ...{ FLEET_TLS_CERT_FILE: join(folder, 'tls/tls.crt'), FLEET_TLS_KEY_FILE: join(folder, 'tls/tls.key') },
});

interface Kubeconfig {
  readonly clusters: readonly { readonly cluster: { server: string } }[];
}

const writeFiles = async (folder: string, namespace: string, kubeconfig: string, [api, bus]: readonly [Wire, Wire]) => {
  const config = parse(await readFile(kubeconfig, 'utf8')) as Kubeconfig;
  for (const { cluster } of config.clusters) cluster.server = `https://127.0.0.1:${api.port}`;
  await writeFile(join(folder, 'kubeconfig'), stringify(config));
  const { gateway } = platform();
  const table = platform({ upstreams: [], gateway: { ...gateway, namespace }, nats: { url: `nats://127.0.0.1:${bus.port}` } });
  await writeFile(join(folder, 'platform.json'), JSON.stringify(table));
  const now = Date.now();
  const pair = await newServerCertificate(await newAuthority('test', now, 1), { names: ['localhost'], now, days: 1 });
  await mkdir(join(folder, 'tls'));
  await writeFile(join(folder, 'tls/tls.crt'), pair.certificate);
  await writeFile(join(folder, 'tls/tls.key'), pair.key);
};

const newStory = async ({ client, namespace }: Site): Promise<Story> => {
  const name = `story-${randomBytes(4).toString('hex')}`;
  return client.create(watched.Story.resource, unstored(story({}, undefined, { namespace, name })) as Story);
};

/** It decides about a new Story, and publishes that. */
const operatorWorks = async (site: Site, running: Running): Promise<void> => {
  const before = (await running.metric('events_published_total')) ?? 0;
  const { metadata } = await newStory(site);
  await until(async () => (await site.client.get<Story>(watched.Story.resource, metadata))?.status?.phase === 'Draft');
  await until(async () => ((await running.metric('events_published_total')) ?? 0) > before);
};

/** It answers a command about a new Story, which it has seen. As the operator does, the question is asked again while it is not known. */
const gatewayWorks = async (site: Site, nats: NatsServer): Promise<void> => {
  const { link } = await nats.connect('operator', {
    streams: jetStreamDefinitions(),
    buckets: Object.values(KV_BUCKETS).map((name) => ({ name })),
  });
  const { metadata } = await newStory(site);
  const ask = async (id: string): Promise<CommandAnswer> => {
    const command = { id, kind: 'resolve', namespace: site.namespace, storyUid: metadata.uid };
    await link.publish({ subject: commandSubject(id), data: JSON.stringify(command) });
    for (;;) {
      const bytes = await link.lastMessage(STREAMS.results.name, answerSubject(id));
      if (bytes !== undefined) return JSON.parse(Buffer.from(bytes).toString('utf8')) as CommandAnswer;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  };
  let tries = 0;
  await until(async () => {
    const answer = await ask(`resolve-${metadata.uid}-${(tries += 1)}`);
    return !answer.ok && answer.reason === 'RepositoryNotListed';
  });
};

const addressOf = (url: string): { readonly host: string; readonly port: number } => {
  const { hostname, port } = new URL(url);
  return { host: hostname, port: Number(port) };
};

/** `client` goes to the API server past all wires. */
export const makePlace = async (program: Program, kubeconfig: string, client: ApiClient): Promise<Place> => {
  const nats = await startNats();
  const [cluster] = (parse(await readFile(kubeconfig, 'utf8')) as Kubeconfig).clusters;
  const api = await startWire(addressOf(cluster?.cluster.server ?? ''));
  const bus = await startWire(addressOf(nats.url));
  const folder = await mkdtemp(join(tmpdir(), 'swe-fleet-dependencies-'));
  const namespace = await makeNamespace(client);
  await writeFiles(folder, namespace, kubeconfig, [api, bus]);
  const site: Site = { client, namespace, folder, environment: environmentOf(program, { client, namespace, folder }) };
  const children: ChildProcess[] = [];
  return {
    ...{ api, bus, nats },
    start: async () => {
      const port = await freePort();
      const env = { ...site.environment, FLEET_HEALTH_PORT: String(port) };
      const child = spawn(process.execPath, [join(ROOT, program, 'main.ts')], { env, stdio: ['ignore', 'pipe', 'inherit'] });
      children.push(child);
      return watch(child, port);
    },
    works: (running) => (program === 'operator' ? operatorWorks(site, running) : gatewayWorks(site, nats)),
    close: async () => {
      for (const child of children.filter(({ exitCode, signalCode }) => exitCode === null && signalCode === null)) {
        child.kill('SIGKILL');
        await once(child, 'exit');
      }
      await Promise.all([api.close(), bus.close(), nats.stop()]);
      await rm(folder, { recursive: true });
    },
  };
};
