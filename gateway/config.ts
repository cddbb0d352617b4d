// The process's own configuration: read once from the environment, validated whole, reported whole, frozen. What the platform engineer
// decides (upstreams, limits …) is not here but in the platform file, which may change while we run.

import { z } from 'zod';
import { CA_FILE, PLATFORM_FILE, UPSTREAM_FILES } from '../crds/contracts/platform.ts';
import { rangeOf } from './upstream/addresses.ts';

const port = (standard: number): z.ZodType<number> => z.coerce.number().int().min(0).max(65_535).default(standard);
const file = (standard: string): z.ZodType<string> => z.string().min(1).startsWith('/').default(standard);

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

const schema = z.object({
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
  FLEET_REQUESTS_PER_POD: z.coerce.number().int().min(1).max(1_000).default(16),
  FLEET_DRAIN_SECONDS: z.coerce.number().int().min(0).max(3_600).default(25),
  FLEET_LOG_LEVEL: z.enum(['debug', 'info', 'warn', 'error']).default('info'),
});

export type Config = Readonly<z.infer<typeof schema>>;

export class ConfigInvalid extends Error {
  override readonly name = 'ConfigInvalid';
}

/** Throws ConfigInvalid with every complaint at once. */
export const readConfig = (environment: Readonly<Record<string, string | undefined>> = process.env): Config => {
  const result = schema.safeParse(environment);
  if (result.success) return Object.freeze(result.data);
  const complaints = result.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
  throw new ConfigInvalid(complaints.join('; '));
};

const SECRET: ReadonlySet<string> = new Set(['FLEET_NATS_PASSWORD']);

/** The configuration for the log: everything but secrets. */
export const configReport = (config: Config): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(config).map(([name, value]) => [name, SECRET.has(name) ? '(set)' : String(value)]));
