// What the gateway reads from its environment. What the platform engineer decides (upstreams, limits …) is not here but in the platform
// file, which may change while we run.

import { z } from 'zod';
import { CA_FILE, PLATFORM_FILE, UPSTREAM_FILES } from '../crds/contracts/platform.ts';
import { loadEnvironment, logLevel, natural, port, type Environment } from '../runtime/config.ts';
import { rangeOf } from './upstream/addresses.ts';

const file = (preset: string) => z.string().min(1).startsWith('/').default(preset);

const isRange = (text: string): boolean => {
  try {
    return rangeOf(text).bits >= 0;
  } catch {
    return false;
  }
};

const cidrs = z
  .string()
  .default('')
  .transform((text) => text.split(',').map((part) => part.trim()))
  .transform((parts) => parts.filter((part) => part !== ''))
  .refine((parts) => parts.every(isRange), 'address ranges separated by commas, like 10.96.0.0/12');

const environment = z.object({
  FLEET_LISTEN_HOST: z.string().min(1).default('::'),
  FLEET_PORT: port(8443),
  FLEET_CANARY_PORT: port(8444),
  FLEET_HEALTH_PORT: port(8081),
  FLEET_TLS_CERT_FILE: file('/etc/fleet/tls/tls.crt'),
  FLEET_TLS_KEY_FILE: file('/etc/fleet/tls/tls.key'),
  FLEET_PLATFORM_FILE: file(PLATFORM_FILE),
  FLEET_UPSTREAMS_DIR: file(UPSTREAM_FILES),
  /** Trusted for a NATS whose URL begins with tls://. */
  FLEET_CA_FILE: file(CA_FILE),
  FLEET_NATS_USER: z.string().optional(),
  FLEET_NATS_PASSWORD: z.string().optional(),
  /** Ranges of Pods and Services, refused as targets of upstreams that may not be private. */
  FLEET_CLUSTER_CIDRS: cidrs,
  FLEET_REQUESTS_PER_POD: natural(16, 1_000),
  FLEET_DRAIN_SECONDS: z.coerce.number().int().min(0).max(3_600).default(25),
  FLEET_LOG_LEVEL: logLevel,
});

export type Config = Readonly<z.infer<typeof environment>>;

/** Throws ConfigInvalid. */
export const readConfig = (env: Environment = process.env): Config => loadEnvironment(environment, env);
