// Assembles the gateway from its ports and runs its listeners. It makes no port itself: main.ts brings the real ones, tests bring theirs.

import type { Server } from 'node:https';
import type { AddressInfo, Server as TcpServer } from 'node:net';
import {
  gatewayCommand,
  type GatewayCommand,
  answerSubject,
  commandSubject,
  KV_BUCKETS,
  STREAMS,
} from '../crds/contracts/commands.ts';
import { CommandConsumer, type Incoming } from '../runtime/bus/command-consumer.ts';
import type { JetStreamLink } from '../runtime/bus/link.ts';
import { follow } from '../runtime/files.ts';
import { serveHealth } from '../runtime/health.ts';
import type { Log } from '../runtime/log.ts';
import type { Metrics } from '../runtime/metrics.ts';
import { endsWithin } from '../runtime/shutdown.ts';
import { ArtifactRoutes } from './artifacts/artifact-routes.ts';
import { Artifacts } from './artifacts/artifacts.ts';
import { BriefRoutes } from './brief/brief-routes.ts';
import { CommandAnswers } from './commands/answers.ts';
import { runTunnel, TUNNEL_LIMITS } from './egress/tunnel.ts';
import { GitRoutes } from './git/git-routes.ts';
import { RepositoryRefs } from './git/repository-refs.ts';
import { SharedRefs } from './git/shared-refs.ts';
import { GitProxy, type GitLimits } from './git/smart-http.ts';
import { canaryServer } from './http/canary.ts';
import { Door, type Tunnel } from './http/door.ts';
import { Failures, Gate } from './http/gate.ts';
import { RefusalLog } from './http/refusal-log.ts';
import { readKeyPair, type CertificateFiles, type KeyPair } from './http/tls-files.ts';
import { tlsServer } from './http/tls-server.ts';
import { identifyWith } from './identity/identify.ts';
import { CachedReviewer, type TokenReviewer } from './identity/token-review.ts';
import { Ledger } from './ledger/ledger.ts';
import { Slots } from './ledger/slots.ts';
import { makeGatewayMetrics, type GatewayMetrics } from './metrics.ts';
import { ModelProxy, MODEL_LIMITS, type ModelLimits } from './model/model-proxy.ts';
import { ModelRoutes } from './model/model-routes.ts';
import { EndpointProbe } from './model/probe.ts';
import { ReceiptRoutes } from './receipts/receipt-routes.ts';
import { KvAccounts } from './store/kv-accounts.ts';
import { KvReceipts } from './store/kv-receipts.ts';
import { StreamArtifacts } from './store/stream-artifacts.ts';
import { TurnRoutes } from './turns/turn-routes.ts';
import type { Range } from './upstream/addresses.ts';
import type { Resolve } from './upstream/connector.ts';
import type { Outside } from './upstream/http-upstream.ts';
import type { ClusterView } from './cluster/cluster-view.ts';

export interface GatewayPorts {
  readonly view: ClusterView;
  readonly reviewer: TokenReviewer;
  readonly outside: Outside;
  readonly link: JetStreamLink;
  readonly log: Log;
  readonly metrics: Metrics;
  /** What is still missing before it can serve; empty: ready. */
  readonly missing: () => readonly string[];
}

export interface GatewaySettings {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  readonly canaryPort: number;
  readonly healthPort: number;
  readonly certificate: CertificateFiles;
  readonly cluster: readonly Range[];
  readonly requestsPerPod: number;
  readonly resolve?: Resolve;
  /** Absent: MODEL_LIMITS, GIT_LIMITS. */
  readonly model?: ModelLimits;
  readonly git?: GitLimits;
}

export interface Gateway {
  readonly port: number;
  readonly canaryPort: number;
  readonly healthPort: number;
  /** Takes no new work, gives what is under way that long, then ends it. */
  stop(drainMs: number): Promise<void>;
}

/** A request waits so long for a JetStream that is started anew: a step whose artifact is refused has worked in vain. */
export const STORE_PATIENCE_MS = 5_000;

/** Twice what may wait for one git server (git/shared-refs.ts), so that commands for others go on beside a slow one. */
const COMMANDS_AT_ONCE = 256;

/** Many bad tokens from one address in this time, and it is not listened to for the rest of it. */
const FAILURES = { limit: 60, windowMs: 10_000 };

const doorOf = (ports: GatewayPorts, settings: GatewaySettings, refusals: RefusalLog): Door => {
  const { view, reviewer, outside, link, log } = ports;
  const metrics = makeGatewayMetrics(ports.metrics);
  const accounts = new KvAccounts(link, KV_BUCKETS.ledger);
  const ledger = new Ledger(accounts);
  const models = new ModelProxy({
    ...{ outside, ledger, log, limits: settings.model ?? MODEL_LIMITS },
    slots: new Slots(ledger, accounts),
    onUsage: ({ name }, usage) => metrics.tokensUsed(name, usage),
  });
  const artifacts = new Artifacts(new StreamArtifacts(link));
  return new Door({
    routes: [
      ...new BriefRoutes(view).routes(),
      ...new ModelRoutes(models, view).routes(),
      ...new GitRoutes(new GitProxy(outside, settings.git), view).routes(),
      ...new ArtifactRoutes(artifacts, view).routes(),
      ...new TurnRoutes({ models, artifacts, view }).routes(),
      ...new ReceiptRoutes({
        store: new KvReceipts(link),
        artifacts,
        refs: new RepositoryRefs(outside, settings.git?.refsMs),
        view,
      }).routes(),
    ],
    tunnel: tunnelOf(ports, settings, metrics),
    identify: identifyWith(new CachedReviewer(reviewer), view),
    gate: new Gate(),
    share: settings.requestsPerPod,
    failures: new Failures(FAILURES.limit, FAILURES.windowMs),
    ...{ refusals, metrics },
  });
};

const tunnelOf =
  ({ view }: GatewayPorts, { cluster, resolve }: GatewaySettings, metrics: GatewayMetrics): Tunnel =>
  (target, caller, socket, head) =>
    runTunnel(
      target,
      caller.namespace,
      { socket, head },
      {
        upstreams: () => view.platform.upstreams,
        limits: TUNNEL_LIMITS,
        cluster,
        ...(resolve !== undefined && { resolve }),
        onOpen: ({ name }) => metrics.tunnelOpened(name),
      },
    );

/** A command counts only under its own subject. */
const parseCommand = (subject: string, text: string): Incoming<GatewayCommand> | undefined => {
  try {
    const { success, data } = gatewayCommand.safeParse(JSON.parse(text));
    return success && commandSubject(data.id) === subject ? { command: data, answerSubject: answerSubject(data.id) } : undefined;
  } catch {
    return undefined;
  }
};

const consumerOf = (ports: GatewayPorts, settings: GatewaySettings): CommandConsumer<GatewayCommand> => {
  const { view, outside, link, log } = ports;
  const metrics = makeGatewayMetrics(ports.metrics);
  const answers = new CommandAnswers({
    ...{ view, log, nowMs: Date.now },
    refs: new SharedRefs(new RepositoryRefs(outside, settings.git?.refsMs)),
    probe: new EndpointProbe(outside),
  });
  return new CommandConsumer({
    ...{ link, log },
    stream: STREAMS.commands.name,
    answerStream: STREAMS.results.name,
    durable: 'gateway',
    filterSubject: commandSubject('*'),
    concurrent: COMMANDS_AT_ONCE,
    parse: parseCommand,
    answer: async (command, signal) => {
      const answer = await answers.answer(command, signal);
      metrics.commandAnswered(command.kind, answer.ok ? 'ok' : answer.reason);
      return answer;
    },
    giveUp: answers.giveUp,
  });
};

const listen = (server: TcpServer, port: number, host: string): Promise<number> =>
  new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => resolve((server.address() as AddressInfo).port));
  });

const closed = (server: TcpServer): Promise<void> => new Promise((resolve) => server.close(() => resolve()));

/** Starts listening and taking commands. Throws when a port or the certificate cannot be had. */
export const startGateway = async (ports: GatewayPorts, settings: GatewaySettings): Promise<Gateway> => {
  const { log, metrics, link } = ports;
  const { host } = settings;
  const stopping = new AbortController();
  const { signal } = stopping;
  const refusals = new RefusalLog(log);
  const door = doorOf(ports, settings, refusals);
  const read = () => readKeyPair(settings.certificate);
  const pair = await read();
  const main = tlsServer({ pair, door, log, maxConnections: 4_096, maxConnectionsPerAddress: 512 });
  const canary = canaryServer();
  metrics.gauge('in_flight', 'Requests under way.', () => door.inFlight);
  metrics.gauge('bus_available', '1 while JetStream can be used.', () => (link.available ? 1 : 0));
  const [port, canaryPort, health] = await Promise.all([
    listen(main, settings.port, host),
    listen(canary, settings.canaryPort, host),
    serveHealth({
      ...{ host, port: settings.healthPort, sick: () => [] },
      missing: () => (signal.aborted ? ['stopping'] : ports.missing()),
      metrics: () => metrics.render(),
    }),
  ]);
  const take = (next: KeyPair): void => main.setSecureContext({ ...next, minVersion: 'TLSv1.2' });
  follow(pair, { what: 'the certificate', read, take, log, signal });
  const commands = consumerOf(ports, settings).run(signal);
  log.info('listening', { port, canaryPort, healthPort: health.port });
  return {
    ...{ port, canaryPort, healthPort: health.port },
    stop: async (drainMs) => {
      stopping.abort(new Error('stopping'));
      door.drain();
      await drained(main, door, { drainMs, log, rest: [closed(canary), commands] });
      refusals.end();
      await health.close();
    },
  };
};

const IDLE_LOOK_MS = 100;

/** Waits until the last request was answered and the rest has ended; past its time it ends what is left. */
const drained = async (
  server: Server,
  door: Door,
  { drainMs, log, rest }: { readonly drainMs: number; readonly log: Log; readonly rest: readonly Promise<void>[] },
): Promise<void> => {
  const ended = Promise.all([closed(server), ...rest]);
  // a connection that was busy when the closing began stays open for its keep-alive time unless it is looked for
  const idle = setInterval(() => server.closeIdleConnections(), IDLE_LOOK_MS);
  if (!(await endsWithin(drainMs, ended))) {
    log.warn('ending what is still under way', { requests: door.inFlight });
    door.end();
    server.closeAllConnections();
  }
  await ended;
  clearInterval(idle);
};
