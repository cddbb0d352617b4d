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
import { ArtifactRoutes } from './artifacts/artifact-routes.ts';
import { Artifacts } from './artifacts/artifacts.ts';
import { BriefRoutes } from './brief/brief-routes.ts';
import { CommandAnswers } from './commands/answers.ts';
import { CommandConsumer, type Incoming } from './commands/consumer.ts';
import { runTunnel, TUNNEL_LIMITS } from './egress/tunnel.ts';
import { GitRoutes } from './git/git-routes.ts';
import { RepositoryRefs } from './git/repository-refs.ts';
import { GitProxy } from './git/smart-http.ts';
import { canaryServer } from './http/canary.ts';
import { Door, type Tunnel } from './http/door.ts';
import { Failures, Gate } from './http/gate.ts';
import { healthServer } from './http/health.ts';
import { followKeyPair, readKeyPair, type CertificateFiles } from './http/tls-files.ts';
import { tlsServer } from './http/tls-server.ts';
import { identifyWith } from './identity/identify.ts';
import { CachedReviewer, type TokenReviewer } from './identity/token-review.ts';
import { Ledger } from './ledger/ledger.ts';
import { Slots } from './ledger/slots.ts';
import type { Log } from './log.ts';
import type { Metrics } from './metrics.ts';
import { ModelProxy, MODEL_LIMITS } from './model/model-proxy.ts';
import { ModelRoutes } from './model/model-routes.ts';
import { EndpointProbe } from './model/probe.ts';
import type { JetStream } from './store/jetstream.ts';
import { KvAccounts } from './store/kv-accounts.ts';
import { StreamArtifacts } from './store/stream-artifacts.ts';
import type { Range } from './upstream/addresses.ts';
import type { Resolve } from './upstream/connector.ts';
import type { Outside } from './upstream/http-upstream.ts';
import type { World } from './cluster/cluster-view.ts';

export interface GatewayPorts {
  readonly world: World;
  readonly reviewer: TokenReviewer;
  readonly outside: Outside;
  /** Undefined until the first connection. */
  readonly jetstream: () => JetStream | undefined;
  readonly log: Log;
  readonly metrics: Metrics;
  /** Undefined when ready; else what is missing. */
  readonly notReady: () => string | undefined;
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
}

export interface Gateway {
  readonly port: number;
  readonly canaryPort: number;
  readonly healthPort: number;
  /** Takes no new work, gives what is under way that long, then ends it. */
  stop(drainMs: number): Promise<void>;
}

const CERTIFICATE_LOOK_MS = 10_000;

/** Many bad tokens from one address in this time, and it is not listened to for the rest of it. */
const FAILURES = { limit: 60, windowMs: 10_000 };

const doorOf = (ports: GatewayPorts, settings: GatewaySettings): Door => {
  const { world, reviewer, outside, jetstream, log, metrics } = ports;
  const accounts = new KvAccounts(jetstream, KV_BUCKETS.ledger);
  const ledger = new Ledger(accounts);
  const models = new ModelProxy({
    ...{ outside, ledger, log, limits: MODEL_LIMITS },
    slots: new Slots(ledger, accounts),
    onUsage: ({ name }, { prompt, completion }) => {
      metrics.add('fleet_gateway_model_tokens_total', { endpoint: name, sort: 'prompt' }, prompt);
      metrics.add('fleet_gateway_model_tokens_total', { endpoint: name, sort: 'completion' }, completion);
    },
  });
  return new Door({
    routes: [
      ...new BriefRoutes(world).routes(),
      ...new ModelRoutes(models, world).routes(),
      ...new GitRoutes(new GitProxy(outside), world).routes(),
      ...new ArtifactRoutes(new Artifacts(new StreamArtifacts(jetstream)), world).routes(),
    ],
    tunnel: tunnelOf(ports, settings),
    identify: identifyWith(new CachedReviewer(reviewer), world),
    gate: new Gate(settings.requestsPerPod),
    failures: new Failures(FAILURES.limit, FAILURES.windowMs),
    ...{ log, metrics },
  });
};

const tunnelOf =
  ({ world, metrics }: GatewayPorts, { cluster, resolve }: GatewaySettings): Tunnel =>
  (target, caller, socket, head) =>
    runTunnel(
      target,
      caller.namespace,
      { socket, head },
      {
        upstreams: () => world.platform.upstreams,
        limits: TUNNEL_LIMITS,
        cluster,
        ...(resolve !== undefined && { resolve }),
        onOpen: ({ name }) => metrics.add('fleet_gateway_tunnels_total', { upstream: name }),
      },
    );

/** A command counts only under its own subject. */
const parseCommand = (subject: string, text: string): Incoming<GatewayCommand> | undefined => {
  try {
    const { success, data } = gatewayCommand.safeParse(JSON.parse(text));
    return success && commandSubject(data.id) === subject ? { id: data.id, command: data } : undefined;
  } catch {
    return undefined;
  }
};

const consumerOf = (ports: GatewayPorts): CommandConsumer<GatewayCommand> => {
  const { world, outside, jetstream, log, metrics } = ports;
  const answers = new CommandAnswers({
    ...{ world, log, now: () => new Date() },
    refs: new RepositoryRefs(outside),
    probe: new EndpointProbe(outside),
  });
  return new CommandConsumer({
    ...{ jetstream, log },
    stream: STREAMS.commands.name,
    resultStream: STREAMS.results.name,
    durable: 'gateway',
    filterSubject: commandSubject('*'),
    resultSubject: answerSubject,
    parse: parseCommand,
    answer: async (command, signal) => {
      const answer = await answers.answer(command, signal);
      metrics.add('fleet_gateway_commands_total', { kind: command.kind, outcome: answer.ok ? 'ok' : answer.reason });
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
  const { log, metrics, notReady } = ports;
  const stopping = new AbortController();
  const pair = await readKeyPair(settings.certificate);
  const door = doorOf(ports, settings);
  const main = tlsServer({ pair, door, log, maxConnections: 4_096, maxConnectionsPerAddress: 512 });
  const canary = canaryServer();
  const health = healthServer({
    notReady: () => (stopping.signal.aborted ? 'stopping' : notReady()),
    metrics: () => {
      metrics.set('fleet_gateway_store_up', ports.jetstream()?.isUp() === true ? 1 : 0);
      return metrics.text();
    },
  });
  const { host } = settings;
  const [port, canaryPort, healthPort] = await Promise.all([
    listen(main, settings.port, host),
    listen(canary, settings.canaryPort, host),
    listen(health, settings.healthPort, host),
  ]);
  followKeyPair(main, { ...settings.certificate, pair, everyMs: CERTIFICATE_LOOK_MS, log, signal: stopping.signal });
  const commands = consumerOf(ports).run(stopping.signal);
  log.write('info', 'listening', { port, canaryPort, healthPort });
  return {
    ...{ port, canaryPort, healthPort },
    stop: async (drainMs) => {
      stopping.abort(new Error('stopping'));
      door.drain();
      await drained(main, door, { drainMs, log, rest: [closed(canary), commands] });
      health.closeAllConnections();
      await closed(health);
    },
  };
};

const IDLE_LOOK_MS = 100;

/** Waits until the last request was answered and the rest has ended; past its time it ends what is left. */
const drained = async (
  server: Server,
  door: Door,
  options: { readonly drainMs: number; readonly log: Log; readonly rest: readonly Promise<void>[] },
): Promise<void> => {
  const ended = Promise.all([closed(server), ...options.rest]);
  // a connection that was busy when the closing began stays open for its keep-alive time unless it is looked for
  const idle = setInterval(() => server.closeIdleConnections(), IDLE_LOOK_MS);
  const late = setTimeout(() => {
    options.log.write('warn', 'ending what is still under way', { requests: door.inFlight });
    door.end();
    server.closeAllConnections();
  }, options.drainMs);
  await ended;
  clearInterval(idle);
  clearTimeout(late);
};
