// The gateway process: reads its configuration, makes the real ports, runs until SIGTERM. The only place of the gateway that builds things.

import { ApiClient } from '../kube/client.ts';
import { loadConnection } from '../kube/connection.ts';
import { configReport, readConfig, type Config } from './config.ts';
import { startGateway } from './gateway.ts';
import { ApiTokenReviewer } from './identity/token-review.ts';
import { jsonLog, wordsOf, type Log } from './log.ts';
import { Metrics } from './metrics.ts';
import { followPlatform } from './platform-file.ts';
import { connectJetStream, type JetStream } from './store/jetstream.ts';
import { rangeOf } from './upstream/addresses.ts';
import { HttpOutside } from './upstream/http-upstream.ts';
import { MountedSecrets } from './upstream/secrets.ts';
import { watchWorld, WatchedWorld } from './cluster/watched-cluster.ts';

const PLATFORM_LOOK_MS = 10_000;
const RECONNECT_MS = 1_000;

/** Connects in the background: git and briefs are served without a store, what needs it is refused until it is there. */
const followJetStream = (
  config: Config,
  url: string,
  log: Log,
): { readonly get: () => JetStream | undefined; readonly close: () => Promise<void> } => {
  let current: JetStream | undefined;
  let closing = false;
  const connect = async (): Promise<void> => {
    while (current === undefined && !closing)
      try {
        current = await connectJetStream({
          ...{ url, name: 'swe-fleet-gateway', log },
          user: config.FLEET_NATS_USER,
          password: config.FLEET_NATS_PASSWORD,
          caFile: config.FLEET_CA_FILE,
        });
        log.write('info', 'connected to NATS', { server: current.connection.getServer() });
      } catch (error) {
        log.write('warn', 'not connected to NATS', { error: wordsOf(error) });
        await new Promise((resolve) => setTimeout(resolve, RECONNECT_MS));
      }
  };
  void connect();
  return {
    get: () => current,
    close: async () => {
      closing = true;
      await current?.connection.drain();
    },
  };
};

const stopSignal = (): Promise<string> =>
  new Promise((resolve) => {
    for (const name of ['SIGTERM', 'SIGINT'] as const) process.once(name, () => resolve(name));
  });

const run = async (config: Config, log: Log): Promise<void> => {
  const ending = new AbortController();
  const metrics = new Metrics();
  const platform = await followPlatform(config.FLEET_PLATFORM_FILE, { everyMs: PLATFORM_LOOK_MS, log, signal: ending.signal });
  const client = new ApiClient(await loadConnection(), { userAgent: 'swe-fleet-gateway' });
  const world = new WatchedWorld(platform);
  const watching = watchWorld(world, client, { log, signal: ending.signal });
  const store = followJetStream(config, platform().nats.url, log);
  const cluster = config.FLEET_CLUSTER_CIDRS.map(rangeOf);
  const outside = new HttpOutside({ secrets: new MountedSecrets(config.FLEET_UPSTREAMS_DIR), cluster });
  const gateway = await startGateway(
    {
      ...{ world, outside, log, metrics, reviewer: new ApiTokenReviewer(client) },
      jetstream: store.get,
      notReady: () => {
        const missing = watching.notSynced();
        return missing.length === 0 ? undefined : `not listed yet: ${missing.join(', ')}`;
      },
    },
    {
      host: config.FLEET_LISTEN_HOST,
      port: config.FLEET_PORT,
      canaryPort: config.FLEET_CANARY_PORT,
      healthPort: config.FLEET_HEALTH_PORT,
      certificate: { certFile: config.FLEET_TLS_CERT_FILE, keyFile: config.FLEET_TLS_KEY_FILE },
      requestsPerPod: config.FLEET_REQUESTS_PER_POD,
      cluster,
    },
  );
  log.write('info', 'stopping', { signal: await stopSignal() });
  await gateway.stop(config.FLEET_DRAIN_SECONDS * 1_000);
  ending.abort(new Error('stopping'));
  await Promise.all([watching.done, store.close(), outside.close()]);
  await client.close();
};

const main = async (): Promise<void> => {
  const config = readConfig();
  const log = jsonLog(config.FLEET_LOG_LEVEL);
  log.write('info', 'starting', configReport(config));
  process.on('unhandledRejection', (reason) => log.write('error', 'unhandled rejection', { error: wordsOf(reason) }));
  await run(config, log);
  log.write('info', 'stopped');
};

try {
  await main();
} catch (error) {
  process.stderr.write(`${JSON.stringify({ level: 'error', event: 'failed', error: wordsOf(error) })}\n`);
  process.exitCode = 1;
}
