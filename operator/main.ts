// The operator process: builds everything, leads or stands by, and ends in order. Only this file constructs things.
//
// Exit codes: 0 asked to end, and ended in order · 1 something failed that nobody expected · 2 the configuration is invalid ·
// 3 the Lease was lost (restart it: it then stands by)

import type { Server } from 'node:http';
import { controllers } from '../controllers/registry.ts';
import { ApiClient } from '../kube/client.ts';
import { loadConnection } from '../kube/connection.ts';
import { openCaFile } from './ca-file.ts';
import { systemClock } from '../runtime/clock.ts';
import { ConfigInvalid, loadConfig, reportOf, type Config } from './config.ts';
import { serveHealth } from '../runtime/health.ts';
import { Elector } from './leader-election.ts';
import { errorFields, makeLog, type Log } from '../runtime/log.ts';
import { makeMetrics } from '../runtime/metrics.ts';
import { KV_BUCKETS, LEDGER_MAX_AGE_MS } from '../crds/contracts/commands.ts';
import { JetStreamLink } from '../runtime/bus/link.ts';
import { Queue } from '../runtime/queue.ts';
import { Operator, type LinkListeners } from './operator.ts';
import { jetStreamDefinitions } from './state/feeds.ts';
import { makeTelemetry, writeObserver } from './telemetry.ts';

const EXIT = { ended: 0, failed: 1, misconfigured: 2, leaseLost: 3 } as const;

/** Less than the pod's grace period, so that the Lease is still released. */
const DRAIN_LIMIT_MS = 20_000;
const LEASE_REQUEST_TIMEOUT_MS = 5_000;

interface Process {
  readonly config: Config;
  readonly log: Log;
  readonly operator: Operator;
  readonly elector: Elector;
  readonly health: Server;
  readonly close: () => Promise<void>;
}

const makeElector = (config: Config, api: ApiClient, log: Log): Elector => {
  const { durationMs, name } = config.lease;
  return new Elector({
    ...{ api, clock: systemClock, durationMs, identity: config.identity },
    ref: { namespace: config.namespace, name },
    renewDeadlineMs: durationMs * (2 / 3),
    retryMs: durationMs * (2 / 15),
    onError: (error) => log.warn('the Lease could not be read or renewed', errorFields(error)),
  });
};

const makeLink =
  (config: Config, log: Log) =>
  (listeners: LinkListeners): JetStreamLink => {
    const { url } = config.platform.nats;
    return new JetStreamLink({
      ...{ url, ...config.nats, name: config.instance },
      caFile: url.startsWith('tls:') ? config.caFile : undefined,
      streams: jetStreamDefinitions(),
      buckets: [{ name: KV_BUCKETS.ledger, maxAgeMs: LEDGER_MAX_AGE_MS }, { name: KV_BUCKETS.cursor }],
      ...listeners,
      onFailed: (error) => log.warn('JetStream is not available', errorFields(error)),
    });
  };

const build = async (config: Config, log: Log): Promise<Process> => {
  const metrics = makeMetrics();
  const connection = await loadConnection(config.kubeconfig);
  const userAgent = 'swe-fleet-operator';
  const client = new ApiClient(connection, { userAgent, onWrite: writeObserver(metrics), connections: config.workers });
  // of its own, so that no load of ours delays a renewal
  const leaseClient = new ApiClient(connection, { userAgent, connections: 1, requestTimeoutMs: LEASE_REQUEST_TIMEOUT_MS });
  const ca = openCaFile(config.caFile, () => operator.caChanged());
  const operator: Operator = new Operator({
    ...{ config, api: client, controllers, clock: systemClock, telemetry: makeTelemetry(log, metrics) },
    makeQueue: (options) => new Queue({ ...options, clock: systemClock }),
    makeLink: makeLink(config, log),
    gatewayCa: ca.current,
  });
  const elector = makeElector(config, leaseClient, log);
  metrics.gauge('leader', '1 while this process leads.', () => (elector.leading ? 1 : 0));
  const health = await serveHealth({
    port: config.healthPort,
    sick: () => [],
    missing: () => operator.missing(),
    metrics: () => metrics.render(),
  });
  const close = async (): Promise<void> => {
    ca.close();
    health.close();
    health.closeAllConnections();
    await Promise.all([client.close(), leaseClient.close()]);
  };
  return { config, log, operator, elector, health, close };
};

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });

const drain = async ({ operator, log }: Process): Promise<void> => {
  const limit = Promise.withResolvers<'late'>();
  const cancel = systemClock.after(DRAIN_LIMIT_MS, () => limit.resolve('late'));
  const end = await Promise.race([operator.drain(), limit.promise]);
  cancel();
  if (end === 'late') log.warn('work did not end in time', { afterMs: DRAIN_LIMIT_MS });
};

/** Stands by, leads, and ends; resolves with the exit code. */
const live = async (process_: Process, stop: AbortSignal): Promise<number> => {
  const { operator, elector, log, config } = process_;
  const stopWatching = new AbortController();
  const watching = operator.watch(stopWatching.signal);
  await Promise.race([operator.synced(), aborted(stop)]);
  log.info('caches are filled, waiting to lead', { lease: config.lease.name });
  let end: 'stopped' | 'lost' = 'stopped';
  if (await elector.acquire(stop)) {
    log.info('leading', { identity: config.identity });
    operator.lead();
    end = await elector.hold(stop);
  }
  log.info(end === 'lost' ? 'the Lease was lost: ending' : 'asked to end', {});
  await drain(process_);
  await elector.release();
  stopWatching.abort();
  await watching;
  return end === 'lost' ? EXIT.leaseLost : EXIT.ended;
};

const stopOnSignals = (log: Log): AbortSignal => {
  const stop = new AbortController();
  for (const name of ['SIGTERM', 'SIGINT'] as const)
    process.on(name, () => {
      if (stop.signal.aborted) process.exit(EXIT.failed);
      log.info('signal', { name });
      stop.abort();
    });
  return stop.signal;
};

const main = async (): Promise<number> => {
  let config: Config;
  try {
    config = loadConfig();
  } catch (error) {
    if (!(error instanceof ConfigInvalid)) throw error;
    console.error(error.message);
    return EXIT.misconfigured;
  }
  const human = process.stdout.isTTY;
  const write = (line: string): void => void process.stdout.write(`${line}\n`);
  const log = makeLog({ level: config.logLevel, human, write, nowMs: () => Date.now() });
  log.info('starting', { config: reportOf(config) });
  const stop = stopOnSignals(log);
  const built = await build(config, log);
  const code = await live(built, stop);
  await built.close();
  log.info('ended', { code });
  return code;
};

process.exitCode = await main().catch((error: unknown) => {
  console.error(error);
  return EXIT.failed;
});
