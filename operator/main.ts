// The operator process: builds everything, leads or stands by, and ends in order. Only this file constructs things.
//
// Exit codes: those of every process (runtime/process.ts) · 3 the Lease was lost (restart it: it then stands by)

import { controllers } from '../controllers/registry.ts';
import { ApiClient } from '../kube/client.ts';
import { loadConnection } from '../kube/connection.ts';
import { KV_BUCKETS, LEDGER_MAX_AGE_MS } from '../crds/contracts/commands.ts';
import { RECEIPTS_MAX_AGE_MS } from '../crds/contracts/receipts.ts';
import { JetStreamLink, type LinkOptions } from '../runtime/bus/link.ts';
import { systemClock } from '../runtime/clock.ts';
import { follow } from '../runtime/files.ts';
import { serveHealth } from '../runtime/health.ts';
import { errorFields, type Log } from '../runtime/log.ts';
import { makeMetrics } from '../runtime/metrics.ts';
import { Queue } from '../runtime/queue.ts';
import { EXIT, runProgram } from '../runtime/process.ts';
import { endsWithin, orAborted, stopOnSignals } from '../runtime/shutdown.ts';
import { loadConfig, readCa, type Config } from './config.ts';
import { Elector } from './leader-election.ts';
import { Operator, type LinkListeners } from './operator.ts';
import { jetStreamDefinitions } from './state/feeds.ts';
import { makeTelemetry, writeObserver } from './telemetry.ts';

const LEASE_LOST = 3;

/** Less than the pod's grace period, so that the Lease is still released. */
const DRAIN_LIMIT_MS = 20_000;
const LEASE_REQUEST_TIMEOUT_MS = 5_000;

interface Process {
  readonly config: Config;
  readonly log: Log;
  readonly operator: Operator;
  readonly elector: Elector;
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

const BUCKETS: LinkOptions['buckets'] = [
  { name: KV_BUCKETS.ledger, maxAgeMs: LEDGER_MAX_AGE_MS },
  { name: KV_BUCKETS.cursor },
  { name: KV_BUCKETS.receipts, maxAgeMs: RECEIPTS_MAX_AGE_MS },
];

const makeLink =
  (config: Config, log: Log) =>
  (listeners: LinkListeners): JetStreamLink =>
    new JetStreamLink({
      ...{ url: config.platform.nats.url, ...config.nats, caFile: config.caFile, name: config.instance },
      streams: jetStreamDefinitions(),
      buckets: BUCKETS,
      ...listeners,
      onFailed: (error) => log.warn('JetStream is not available', errorFields(error)),
    });

/** undefined: none yet, which is how a first installation begins. */
const firstCa = (file: string, log: Log): string | undefined => {
  try {
    return readCa(file);
  } catch (error) {
    log.warn("the gateway's CA is not there yet", errorFields(error));
    return undefined;
  }
};

const build = async (config: Config, log: Log): Promise<Process> => {
  const metrics = makeMetrics('operator');
  const connection = await loadConnection(config.kubeconfig);
  const userAgent = 'swe-fleet-operator';
  const client = new ApiClient(connection, { userAgent, onWrite: writeObserver(metrics), connections: config.workers });
  // of its own, so that no load of ours delays a renewal
  const leaseClient = new ApiClient(connection, { userAgent, connections: 1, requestTimeoutMs: LEASE_REQUEST_TIMEOUT_MS });
  const closing = new AbortController();
  const gatewayCa = follow(firstCa(config.caFile, log), {
    ...{ what: "the gateway's CA", log, signal: closing.signal },
    read: () => readCa(config.caFile),
    take: () => operator.caChanged(),
  });
  const operator: Operator = new Operator({
    ...{ config, api: client, controllers, clock: systemClock, telemetry: makeTelemetry(log, metrics), gatewayCa },
    makeQueue: (options) => new Queue({ ...options, clock: systemClock }),
    makeLink: makeLink(config, log),
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
    closing.abort();
    await Promise.all([health.close(), client.close(), leaseClient.close()]);
  };
  return { config, log, operator, elector, close };
};

/** Stands by, leads, and ends; resolves with the exit code. */
const live = async ({ operator, elector, log, config }: Process, stop: AbortSignal): Promise<number> => {
  const stopWatching = new AbortController();
  const watching = operator.watch(stopWatching.signal);
  await orAborted(operator.synced(), stop);
  log.info('caches are filled, waiting to lead', { lease: config.lease.name });
  let end: 'stopped' | 'lost' = 'stopped';
  if (await elector.acquire(stop)) {
    log.info('leading', { identity: config.identity });
    operator.lead();
    end = await elector.hold(stop);
  }
  log.info(end === 'lost' ? 'the Lease was lost: ending' : 'asked to end');
  if (!(await endsWithin(DRAIN_LIMIT_MS, operator.drain()))) log.warn('work did not end in time', { afterMs: DRAIN_LIMIT_MS });
  await elector.release();
  stopWatching.abort();
  await watching;
  return end === 'lost' ? LEASE_LOST : EXIT.ended;
};

await runProgram({
  name: 'operator',
  load: loadConfig,
  levelOf: ({ logLevel }) => logLevel,
  run: async (config, log) => {
    const stop = stopOnSignals(log);
    const built = await build(config, log);
    const code = await live(built, stop);
    await built.close();
    return code;
  },
});
