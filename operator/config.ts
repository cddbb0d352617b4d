// The environment and the platform engineer's file, read once, validated whole, reported whole, frozen. Nothing else reads process.env.

import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { z } from 'zod';
import { CA_FILE, PLATFORM_FILE, platformConfig, type PlatformConfig } from '../crds/contracts/platform.ts';

const natural = (preset: number, max: number) => z.coerce.number().int().min(1).max(max).default(preset);

const environment = z
  .object({
    POD_NAME: z.string().min(1).default(hostname()),
    POD_UID: z.string().min(1).optional(),
    POD_NAMESPACE: z.string().min(1),
    FLEET_RELEASE: z.string().min(1),
    FLEET_NATS_USER: z.string().optional(),
    FLEET_NATS_PASSWORD: z.string().optional(),
    FLEET_KUBECONFIG: z.string().optional(),
    FLEET_PLATFORM_FILE: z.string().default(PLATFORM_FILE),
    FLEET_CA_FILE: z.string().default(CA_FILE),
    FLEET_WATCH_NAMESPACE: z.string().min(1).optional(),
    FLEET_LEASE_NAME: z.string().default('swe-fleet-operator'),
    FLEET_LEASE_SECONDS: natural(15, 600),
    FLEET_HEALTH_PORT: z.coerce.number().int().min(0).max(65_535).default(8081),
    FLEET_WORKERS: natural(8, 256),
    FLEET_LOG_LEVEL: z.enum(['debug', 'info', 'warn', 'error']).default('info'),
  })
  .readonly();

export interface Config {
  /**
   * This process among its replicas. A container that is started anew in its pod keeps the name: the one before it is dead, so that it
   * may go on with that one's Lease at once. Outside a pod every start has a name of its own.
   */
  readonly identity: string;
  readonly instance: string;
  readonly namespace: string;
  readonly release: string;
  readonly nats: { readonly user: string | undefined; readonly password: string | undefined };
  readonly kubeconfig: string | undefined;
  readonly caFile: string;
  /** Shard: only objects of this namespace are seen. undefined: those of all namespaces. */
  readonly watchNamespace: string | undefined;
  readonly lease: { readonly name: string; readonly durationMs: number };
  readonly healthPort: number;
  readonly workers: number;
  readonly logLevel: z.infer<typeof environment>['FLEET_LOG_LEVEL'];
  readonly platform: PlatformConfig;
}

/** All that is wrong with the configuration, one line each. */
export class ConfigInvalid extends Error {
  override readonly name = 'ConfigInvalid';
  readonly issues: readonly string[];

  constructor(issues: readonly string[]) {
    super(`the configuration is invalid:\n${issues.map((issue) => `  ${issue}`).join('\n')}`);
    this.issues = issues;
  }
}

const issuesOf = (error: z.ZodError, where: string): readonly string[] =>
  error.issues.map((issue) => `${where}${issue.path.join('.')}: ${issue.message}`);

const readPlatform = (file: string): { readonly value?: PlatformConfig; readonly issues: readonly string[] } => {
  let json: unknown;
  try {
    json = JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    return { issues: [`${file}: ${error instanceof Error ? error.message : String(error)}`] };
  }
  const parsed = platformConfig.safeParse(json);
  return parsed.success ? { value: parsed.data, issues: [] } : { issues: issuesOf(parsed.error, `${file}: `) };
};

const frozen = <T>(value: T): T => {
  if (typeof value === 'object' && value !== null) Object.values(Object.freeze(value)).forEach(frozen);
  return value;
};

/** Throws ConfigInvalid with every issue of both sources. */
export const loadConfig = (env: Readonly<Record<string, string | undefined>> = process.env, startedAtMs = Date.now()): Config => {
  const parsed = environment.safeParse(env);
  const file = parsed.success ? parsed.data.FLEET_PLATFORM_FILE : (env['FLEET_PLATFORM_FILE'] ?? PLATFORM_FILE);
  const platform = readPlatform(file);
  if (!parsed.success || platform.value === undefined)
    throw new ConfigInvalid([...(parsed.success ? [] : issuesOf(parsed.error, '')), ...platform.issues]);
  const values = parsed.data;
  return frozen({
    identity: `${values.POD_NAME}_${values.POD_UID ?? startedAtMs.toString(36)}`,
    instance: values.POD_NAME,
    namespace: values.POD_NAMESPACE,
    release: values.FLEET_RELEASE,
    nats: { user: values.FLEET_NATS_USER, password: values.FLEET_NATS_PASSWORD },
    kubeconfig: values.FLEET_KUBECONFIG,
    caFile: values.FLEET_CA_FILE,
    watchNamespace: values.FLEET_WATCH_NAMESPACE,
    lease: { name: values.FLEET_LEASE_NAME, durationMs: values.FLEET_LEASE_SECONDS * 1_000 },
    healthPort: values.FLEET_HEALTH_PORT,
    workers: values.FLEET_WORKERS,
    logLevel: values.FLEET_LOG_LEVEL,
    platform: platform.value,
  });
};

/** What may be printed of it: no password. */
export const reportOf = (config: Config): Readonly<Record<string, unknown>> => ({
  ...config,
  nats: { user: config.nats.user, password: config.nats.password === undefined ? undefined : '(set)' },
});
