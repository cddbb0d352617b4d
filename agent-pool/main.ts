// The agent pool's process: makes the real ports and runs until it is asked to end. The only place of the pool that builds things.

import { readFileSync } from 'node:fs';
import { JetStreamLink } from '../runtime/bus/link.ts';
import { loadPlatform } from '../runtime/config.ts';
import { follow } from '../runtime/files.ts';
import { errorFields, type Log } from '../runtime/log.ts';
import { makeMetrics } from '../runtime/metrics.ts';
import { EXIT, runProgram } from '../runtime/process.ts';
import { aborted, stopOnSignals } from '../runtime/shutdown.ts';
import { gatewayUrl, readConfig, type Config } from './config.ts';
import { GatewayClient } from './gateway-client.ts';
import { makeModelTurn } from './model-turn.ts';
import { startPool } from './pool.ts';
import { endpointsOf } from './serving.ts';

/** Whoever needs the store waits so long for one that is started anew, before it counts as away. */
const STORE_PATIENCE_MS = 5_000;

/** Connects in the background: until then the pool is not ready. */
const makeLink = (config: Config, url: string, log: Log): JetStreamLink =>
  new JetStreamLink({
    ...{ url, name: 'swe-fleet-agent-pool', caFile: config.FLEET_CA_FILE, patienceMs: STORE_PATIENCE_MS },
    ...{ user: config.FLEET_NATS_USER, password: config.FLEET_NATS_PASSWORD },
    onAvailable: (available) => log.info(available ? 'JetStream is available' : 'JetStream is gone'),
    onFailed: (error) => log.warn('JetStream is not available', errorFields(error)),
  });

const run = async (config: Config, log: Log): Promise<number> => {
  process.on('unhandledRejection', (reason) => log.error('unhandled rejection', errorFields(reason, true)));
  const stop = stopOnSignals(log);
  const ending = new AbortController();
  const { signal } = ending;
  const read = () => loadPlatform(config.FLEET_PLATFORM_FILE);
  const readCa = () => readFileSync(config.FLEET_CA_FILE, 'utf8');
  const [platform, ca] = [read(), readCa()];
  const gateway = new GatewayClient({ url: gatewayUrl(config, platform), ca, tokenFile: config.FLEET_TOKEN_FILE });
  follow(ca, { what: 'the authority', read: readCa, take: (next) => gateway.trust(next), log, signal });
  // who asks the model
  const { takeTurn, prompts } = makeModelTurn({ dispatcher: () => gateway.dispatcher, token: () => gateway.token() });
  const link = makeLink(config, platform.nats.url, log);
  const linked = link.run(signal);
  const slots = config.FLEET_TURNS_PER_ENDPOINT;
  const pool = await startPool(
    { link, gateway, takeTurn, prompts, log, metrics: makeMetrics('agent-pool') },
    { host: config.FLEET_LISTEN_HOST, healthPort: config.FLEET_HEALTH_PORT, endpoints: endpointsOf(platform, slots) },
  );
  const take = (next: typeof platform): void => pool.serve(endpointsOf(next, slots));
  follow(platform, { what: 'the platform configuration', read, take, log, signal });
  await aborted(stop);
  await pool.stop(config.FLEET_DRAIN_SECONDS * 1_000);
  ending.abort(new Error('stopping'));
  await linked;
  await gateway.close();
  return EXIT.ended;
};

await runProgram({ name: 'agent-pool', load: readConfig, levelOf: (config) => config.FLEET_LOG_LEVEL, run });
