// What the agent pool reads from its environment. Which endpoints there are, and where gateway and NATS are, is not here but in the platform
// file, which may change while we run.

import { z } from 'zod';
import { CA_FILE, PLATFORM_FILE, type PlatformConfig } from '../crds/contracts/platform.ts';
import { loadEnvironment, logLevel, natural, port, type Environment } from '../runtime/config.ts';

const file = (preset: string) => z.string().min(1).startsWith('/').default(preset);

const environment = z.object({
  FLEET_LISTEN_HOST: z.string().min(1).default('::'),
  FLEET_HEALTH_PORT: port(8081),
  FLEET_PLATFORM_FILE: file(PLATFORM_FILE),
  /** Trusted for the gateway, and for a NATS whose URL begins with tls://. */
  FLEET_CA_FILE: file(CA_FILE),
  FLEET_TOKEN_FILE: file('/var/run/secrets/fleet/token'),
  /** Absent: the Service of the platform file. */
  FLEET_GATEWAY_URL: z
    .url({ protocol: /^https$/ })
    .transform((url) => url.replace(/\/$/, ''))
    .optional(),
  FLEET_NATS_USER: z.string().optional(),
  FLEET_NATS_PASSWORD: z.string().optional(),
  /** Turns at work at one time, for an endpoint whose row does not say. */
  FLEET_TURNS_PER_ENDPOINT: natural(16, 10_000),
  FLEET_DRAIN_SECONDS: z.coerce.number().int().min(0).max(3_600).default(25),
  FLEET_LOG_LEVEL: logLevel,
});

export type Config = Readonly<z.infer<typeof environment>>;

/** Throws ConfigInvalid. */
export const readConfig = (env: Environment = process.env): Config => loadEnvironment(environment, env);

export const gatewayUrl = (config: Pick<Config, 'FLEET_GATEWAY_URL'>, { gateway }: Pick<PlatformConfig, 'gateway'>): string =>
  config.FLEET_GATEWAY_URL ?? `https://${gateway.serviceName}.${gateway.namespace}.svc:${gateway.port}`;
