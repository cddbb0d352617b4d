// What the bench runs on: a box without a node whose pods kwok plays, with a JetStream, a git server and a scripted model of its own on this
// machine. Operator and gateway run as processes of this machine, from the very bundles that the image has: a process can be measured,
// profiled and started anew in a second, and its pod would only add the same limits to all figures.

import { mkdtemp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { PlatformConfig } from '../crds/contracts/platform.ts';
import { newAuthority, newServerCertificate } from '../install/certificates.ts';
import { ApiClient } from '../kube/client.ts';
import { loadConnection } from '../kube/connection.ts';
import { namespaces, services } from '../kube/resources.ts';
import type { Resource } from '../kube/object.ts';
import { platform } from '../test/builders/objects.ts';
import { ensureBox, type Cluster } from '../test/cluster/cluster.ts';
import { clusterConfig } from '../test/cluster/config.ts';
import type { Log } from '../test/cluster/progress.ts';
import { installCrds } from '../test/contract/admission.ts';
import { freePort, startNats, type NatsServer } from '../test/contract/nats.ts';
import { createRepository } from '../test/environment/repository.ts';
import { startGitServer, type GitServer } from '../test/git-server/server.ts';
import { scriptedModelName } from '../test/model/script.ts';
import type { Run } from './benchmark.ts';
import { startedByChart } from './chart.ts';
import { playedNode, startKwok } from './kwok.ts';
import { startProcess, type ProcessOptions, type Running } from './process.ts';
import { playReceipts } from './receipts.ts';
import { ensurePrograms } from './programs.ts';

const ROOT = join(import.meta.dirname, '..');
const FIXTURE = join(ROOT, 'test/fixtures/node-repo');
const BOX = 'bench';
const SYSTEM_NAMESPACE = 'fleet';
const POLL_MS = 20;
const SLOTS = 200;

export const OPERATOR_USER = 'bench-operator';
export const GIT_ACCOUNT = { username: 'gateway', password: 'only-the-gateway-knows' };
export const MODEL_KEY = 'sk-of-the-bench';

/** One of ours, as a process with its metrics. */
export interface Measured extends Running {
  readonly port: number;
  /**
   * Its metrics now: the sum over all series of a name. Figures of the event loop's lag are of the time since they were read last.
   */
  scrape(): Promise<(name: string) => number>;
}

export interface Bed {
  readonly cluster: Cluster;
  /** Files of this bed: logs, certificates, repositories. */
  readonly folder: string;
  readonly log: Log;
  readonly client: ApiClient;
  /** Program of that name among kwok and the controller that ours is compared with. */
  readonly programOf: (name: string) => string;
  readonly platform: PlatformConfig;
  readonly repositoryUrl: string;
  readonly git: GitServer;
  readonly model: { readonly url: string };
  readonly caFile: string;
  /** Resolves when it leads. */
  startOperator(env?: Readonly<Record<string, string>>): Promise<Measured>;
  /** Resolves when it is ready. */
  startGateway(env?: Readonly<Record<string, string>>): Promise<Measured & { readonly url: string }>;
  makeNamespace(name: string): Promise<void>;
  /** When the receipt of that Job was stored, of a pod that kwok plays. */
  receiptStoredAtMs(jobUid: string): number | undefined;
  /** What is waited for, or the news that one of the bed's processes has ended, whatever is first. */
  whileRunning<T>(wait: Promise<T>): Promise<T>;
  /** Once; again does nothing. */
  close(): Promise<void>;
}

export interface BedOptions {
  readonly modelLatencyMs?: number;
  /** What the Stories' repository holds; a small library by default. */
  readonly repositoryFolder?: string;
}

const nodes: Resource = { group: '', version: 'v1', plural: 'nodes', kind: 'Node', namespaced: false };

const sumOf = (text: string, name: string): number =>
  text
    .split('\n')
    .filter((line) => line.startsWith(`swefleet_${name}{`) || line.startsWith(`swefleet_${name} `))
    .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);

const measured = (running: Running, port: number): Measured => ({
  ...running,
  port,
  scrape: async () => {
    const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
    return (name) => sumOf(text, name);
  },
});

const endOfLog = async ({ logFile }: Running): Promise<string> => (await readFile(logFile, 'utf8')).slice(-2_000);

/** Asks again until it holds. @throws with the log's end when the process has ended meanwhile */
export const until = async (running: Running, holds: () => Promise<boolean>): Promise<void> => {
  for (;;) {
    if (await holds().catch(() => false)) return;
    if (running.hasEnded()) throw new Error(`${running.name} has ended:\n${await endOfLog(running)}`);
    await sleep(POLL_MS);
  }
};

interface Outside {
  readonly nats: NatsServer;
  readonly git: GitServer;
  readonly model: Running;
  readonly modelPort: number;
}

const startModel = async (folder: string, port: number, latencyMs: number): Promise<Running> => {
  const argv = [process.execPath, join(ROOT, 'test/model/main.ts'), '--host', '127.0.0.1', '--port', String(port)];
  const more = ['--api-key-file', join(folder, 'upstreams/gpu/credentials/apiKey'), '--latency-ms', String(latencyMs)];
  return startProcess({ name: 'model', argv: [...argv, ...more], env: {}, folder });
};

const startOutside = async (
  { begin }: Opening,
  { folder, tls, modelLatencyMs }: { folder: string; tls: { key: string; cert: string }; modelLatencyMs: number },
): Promise<Outside> => {
  const nats = await begin(
    () => startNats(),
    (server) => server.stop(),
  );
  const accounts = { [GIT_ACCOUNT.username]: { password: GIT_ACCOUNT.password, push: true } };
  const git = await begin(
    () => startGitServer({ root: join(folder, 'served'), host: '127.0.0.1', tls, accounts }),
    (server) => server.close(),
  );
  const modelPort = await freePort();
  const model = await begin(
    () => startModel(folder, modelPort, modelLatencyMs),
    (running) => running.stop(),
  );
  await until(model, async () => (await fetch(`http://127.0.0.1:${modelPort}/healthz`)).ok);
  return { nats, git, model, modelPort };
};

/** Certificates and the upstreams' secrets, as the chart mounts them. */
const writeFiles = async (folder: string): Promise<{ readonly key: string; readonly cert: string }> => {
  const now = Date.now();
  const authority = await newAuthority('bench', now, 1);
  const { certificate: cert, key } = await newServerCertificate(authority, { names: ['localhost'], now, days: 1 });
  const files: Readonly<Record<string, string>> = {
    'ca.crt': authority.certificate,
    'tls/tls.crt': cert,
    'tls/tls.key': key,
    'upstreams/git/credentials/username': GIT_ACCOUNT.username,
    'upstreams/git/credentials/password': GIT_ACCOUNT.password,
    'upstreams/git/ca/ca.crt': authority.certificate,
    'upstreams/gpu/credentials/apiKey': MODEL_KEY,
  };
  for (const [file, text] of Object.entries(files)) {
    await mkdir(join(folder, file, '..'), { recursive: true });
    await writeFile(join(folder, file), text);
  }
  return { key, cert };
};

const platformFor = ({ nats, git, modelPort }: Outside): PlatformConfig => {
  const row = { namespaces: ['*'], credentials: true, allowPrivate: true };
  return platform({
    upstreams: [
      { ...row, name: 'git', kind: 'git', host: `localhost:${git.port}`, prefix: '/team', ca: true },
      {
        ...row,
        name: 'gpu',
        kind: 'model',
        scheme: 'http',
        host: `127.0.0.1:${modelPort}`,
        prefix: '/v1',
        models: [scriptedModelName],
      },
    ],
    gates: { scope: 'Auto', design: 'Auto', test: 'Auto', docs: 'Auto' },
    capacity: { workspaces: SLOTS, perNamespace: SLOTS, perStory: SLOTS },
    gateway: { serviceName: 'swe-fleet-gateway', namespace: SYSTEM_NAMESPACE, port: 8443, canaryPort: 8444 },
    nats: { url: nats.url },
  });
};

const furnish = async (client: ApiClient): Promise<void> => {
  await installCrds(client);
  for (const name of [SYSTEM_NAMESPACE])
    await client.create(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
  const metadata = { namespace: SYSTEM_NAMESPACE, name: 'swe-fleet-gateway' };
  await client.create(services, { apiVersion: 'v1', kind: 'Service', metadata, spec: { ports: [{ port: 8443 }] } } as never);
  await client.create(nodes, playedNode);
};

const operatorStarter =
  ({ cluster, folder }: Pick<Bed, 'cluster' | 'folder'>, start: Processes['start']): Bed['startOperator'] =>
  async (more = {}) => {
    const port = await freePort();
    const started = startedByChart('operator');
    const env = {
      ...{ POD_NAME: `operator-${port}`, POD_NAMESPACE: SYSTEM_NAMESPACE, FLEET_RELEASE: 'bench' },
      FLEET_KUBECONFIG: await cluster.userKubeconfig(OPERATOR_USER, ['system:masters']),
      ...{ FLEET_PLATFORM_FILE: join(folder, 'platform.json'), FLEET_CA_FILE: join(folder, 'ca.crt') },
      ...{ FLEET_HEALTH_PORT: String(port), ...started.env, ...more },
    };
    const argv = [process.execPath, ...started.flags, join(ROOT, 'dist/operator.mjs')];
    const operator = measured(start({ name: 'operator', argv, env, folder }), port);
    await until(operator, async () => (await operator.scrape())('leader') === 1);
    return operator;
  };

const gatewayStarter =
  ({ cluster, folder }: Pick<Bed, 'cluster' | 'folder'>, start: Processes['start']): Bed['startGateway'] =>
  async (more = {}) => {
    const [port, canaryPort, healthPort] = [await freePort(), await freePort(), await freePort()];
    const started = startedByChart('gateway');
    const env = {
      KUBECONFIG: await cluster.userKubeconfig('bench-gateway', ['system:masters']),
      ...{ FLEET_LISTEN_HOST: '127.0.0.1', FLEET_PORT: `${port}`, FLEET_CANARY_PORT: `${canaryPort}` },
      ...{ FLEET_HEALTH_PORT: `${healthPort}`, FLEET_PLATFORM_FILE: join(folder, 'platform.json') },
      ...{ FLEET_TLS_CERT_FILE: join(folder, 'tls/tls.crt'), FLEET_TLS_KEY_FILE: join(folder, 'tls/tls.key') },
      ...{ FLEET_UPSTREAMS_DIR: join(folder, 'upstreams'), FLEET_CA_FILE: join(folder, 'ca.crt') },
      ...started.env,
      ...more,
    };
    const argv = [process.execPath, ...started.flags, join(ROOT, 'dist/gateway.mjs')];
    const gateway = measured(start({ name: 'gateway', argv, env, folder }), healthPort);
    await until(gateway, async () => (await fetch(`http://127.0.0.1:${healthPort}/readyz`)).ok);
    return { ...gateway, url: `https://localhost:${port}` };
  };

interface Processes {
  /** Ended with the others from this moment on. @throws when they were stopped */
  readonly start: (options: ProcessOptions) => Running;
  /** Rejects when one ends that nobody has stopped. */
  readonly failed: Promise<never>;
  stop(): Promise<void>;
}

const processesOf = (first: readonly Running[]): Processes => {
  const all: Running[] = [];
  const state = { isStopped: false };
  const failed = Promise.withResolvers<never>();
  failed.promise.catch(() => undefined); // whoever waits hears of it
  const add = (running: Running): void => {
    all.push(running);
    void running.ended.then(async ([code]) => {
      if (!running.wasStopped())
        failed.reject(new Error(`${running.name} has ended with code ${code}\n${await endOfLog(running)}`));
    });
  };
  first.forEach(add);
  return {
    failed: failed.promise,
    start: (options) => {
      if (state.isStopped) throw new Error(`the bed was closed before ${options.name} was started`);
      const running = startProcess(options);
      add(running);
      return running;
    },
    stop: async () => {
      state.isStopped = true;
      await Promise.all(all.map((each) => each.stop()));
    },
  };
};

interface Opening {
  /** What it begins is ended by `close`, also when it is not there yet. @throws when it is closed already */
  readonly begin: <T>(start: () => Promise<T>, end: (started: T) => Promise<unknown>) => Promise<T>;
  /** Ends all, the last first; again does nothing. */
  readonly close: () => Promise<void>;
}

const makeOpening = (): Opening => {
  const ends: (() => Promise<void>)[] = [];
  let closing: Promise<void> | undefined;
  const endAll = async (): Promise<void> => {
    for (const end of ends.reverse()) await end();
  };
  return {
    begin: (start, end) => {
      if (closing !== undefined) throw new Error('the bed was closed');
      const started = start();
      ends.push(() =>
        started.then(
          async (it) => void (await end(it)),
          () => undefined,
        ),
      );
      return started;
    },
    close: () => (closing ??= endAll()),
  };
};

/** A bed without anything of an earlier one. It is closed with the run at the latest, also when it is not open yet. */
export const openBed = async (
  { log, defer }: Run,
  { modelLatencyMs = 0, repositoryFolder = FIXTURE }: BedOptions = {},
): Promise<Bed> => {
  const opening = makeOpening();
  const { begin, close } = opening;
  defer(close);
  const folder = await begin(
    () => mkdtemp(join(tmpdir(), 'swe-fleet-bench-')),
    (path) => rm(path, { recursive: true, force: true }),
  );
  const cluster = await begin(
    () => ensureBox({ name: BOX, controlPlaneOnly: true, fresh: true, log }),
    (box) => box.down({ forget: true }),
  );
  if (cluster.kind !== 'box') throw new Error('the bench needs a box of its own: unset SWEFLEET_KUBECONFIG');
  const programs = await ensurePrograms(clusterConfig().cacheDir, log);
  const programOf = (name: string): string => join(programs, name);
  const tls = await writeFiles(folder);
  const served = join(folder, 'served/team/app.git');
  // it has a folder of its own meanwhile, which goes when it is done
  await begin(
    () => createRepository(served, repositoryFolder),
    async () => undefined,
  );
  const outside = await startOutside(opening, { folder, tls, modelLatencyMs });
  const config = platformFor(outside);
  await writeFile(join(folder, 'platform.json'), JSON.stringify(config));
  const connection = await loadConnection(cluster.kubeconfig);
  const client = await begin(
    async () => new ApiClient(connection, { userAgent: 'swe-fleet-bench' }),
    (open) => open.close(),
  );
  await furnish(client);
  const processes = await begin(
    async () => processesOf([await startKwok(cluster, programOf('kwok'), folder), outside.model]),
    (all) => all.stop(),
  );
  const receipts = await begin(
    () => playReceipts(client, outside.nats),
    (played) => played.stop(),
  );
  return {
    ...{ cluster, folder, log, client, programOf, platform: config, git: outside.git, caFile: join(folder, 'ca.crt'), close },
    repositoryUrl: `https://localhost:${outside.git.port}/team/app.git`,
    model: { url: `http://127.0.0.1:${outside.modelPort}/v1` },
    startOperator: operatorStarter({ cluster, folder }, processes.start),
    startGateway: gatewayStarter({ cluster, folder }, processes.start),
    makeNamespace: async (name) => {
      await client.create(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
    },
    whileRunning: (wait) => Promise.race([wait, processes.failed, receipts.failed]),
    receiptStoredAtMs: (jobUid) => receipts.storedAtMs(jobUid),
  };
};
