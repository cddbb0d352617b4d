// The gateway process: makes the real ports and runs until it is asked to end. The only place of the gateway that builds things.

import { ApiClient } from '../kube/client.ts';
import { loadConnection } from '../kube/connection.ts';
import { JetStreamLink } from '../runtime/bus/link.ts';
import { loadPlatform } from '../runtime/config.ts';
import { follow } from '../runtime/files.ts';
import { errorFields, type Log } from '../runtime/log.ts';
import { makeMetrics } from '../runtime/metrics.ts';
import { EXIT, runProgram } from '../runtime/process.ts';
import { aborted, stopOnSignals } from '../runtime/shutdown.ts';
import { watchCluster, WatchedCluster } from './cluster/watched-cluster.ts';
import { readConfig, type Config } from './config.ts';
import { makeGatewayMetrics } from './metrics.ts';
import { startGateway, STORE_PATIENCE_MS, type GatewaySettings } from './gateway.ts';
import { ApiTokenReviewer } from './identity/token-review.ts';
import { sweptCluster } from './sweep/cluster-sight.ts';
import { StreamLeavings } from './sweep/stream-leavings.ts';
import { Sweep } from './sweep/sweep.ts';
import { rangeOf } from './upstream/addresses.ts';
import { HttpOutside } from './upstream/http-upstream.ts';
import { MountedSecrets } from './upstream/secrets.ts';

/** Connects in the background: git and briefs are served without a store, what needs it is refused until it is there. */
const makeLink = (config: Config, url: string, log: Log): JetStreamLink =>
  new JetStreamLink({
    ...{ url, name: 'swe-fleet-gateway', caFile: config.FLEET_CA_FILE, patienceMs: STORE_PATIENCE_MS },
    ...{ user: config.FLEET_NATS_USER, password: config.FLEET_NATS_PASSWORD },
    onAvailable: (available) => log.info(available ? 'JetStream is available' : 'JetStream is gone'),
    onFailed: (error) => log.warn('JetStream is not available', errorFields(error)),
  });

const settingsOf = (config: Config): GatewaySettings => ({
  host: config.FLEET_LISTEN_HOST,
  port: config.FLEET_PORT,
  canaryPort: config.FLEET_CANARY_PORT,
  healthPort: config.FLEET_HEALTH_PORT,
  certificate: { certFile: config.FLEET_TLS_CERT_FILE, keyFile: config.FLEET_TLS_KEY_FILE },
  requestsPerPod: config.FLEET_REQUESTS_PER_POD,
  cluster: config.FLEET_CLUSTER_CIDRS.map(rangeOf),
});

const run = async (config: Config, log: Log): Promise<number> => {
  process.on('unhandledRejection', (reason) => log.error('unhandled rejection', errorFields(reason, true)));
  const stop = stopOnSignals(log);
  const ending = new AbortController();
  const { signal } = ending;
  const read = () => loadPlatform(config.FLEET_PLATFORM_FILE);
  const platform = follow(read(), { what: 'the platform configuration', read, log, signal });
  const client = new ApiClient(await loadConnection(), { userAgent: 'swe-fleet-gateway' });
  const view = new WatchedCluster(platform);
  const watching = watchCluster(view, client, { log, signal });
  const link = makeLink(config, platform().nats.url, log);
  const linked = link.run(signal);
  const settings = settingsOf(config);
  const outside = new HttpOutside({ secrets: new MountedSecrets(config.FLEET_UPSTREAMS_DIR), cluster: settings.cluster });
  const metrics = makeMetrics('gateway');
  const counted = makeGatewayMetrics(metrics);
  const onPurged = (): void => counted.purged();
  const sweep = new Sweep({ store: new StreamLeavings(link), cluster: sweptCluster(view, watching), log, onPurged });
  const sweeping = sweep.run(signal);
  const stands = (): boolean => watching.notSynced().length === 0 && watching.broken().length === 0;
  metrics.gauge('api_available', '1 while all lists and watches stand.', () => (stands() ? 1 : 0));
  const gateway = await startGateway(
    {
      ...{ view, outside, link, log, metrics, reviewer: new ApiTokenReviewer(client) },
      missing: () => watching.notSynced().map((kind) => `${kind} were not listed yet`),
    },
    settings,
  );
  await aborted(stop);
  await gateway.stop(config.FLEET_DRAIN_SECONDS * 1_000);
  ending.abort(new Error('stopping'));
  await Promise.all([watching.done, linked, sweeping, outside.close()]);
  await client.close();
  return EXIT.ended;
};

await runProgram({ name: 'gateway', load: readConfig, levelOf: (config) => config.FLEET_LOG_LEVEL, run });
