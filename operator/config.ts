// What the operator reads: the environment and the platform engineer's file.

import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { z } from 'zod';
import { CA_FILE, PLATFORM_FILE, type PlatformConfig } from '../crds/contracts/platform.ts';
import {
  ConfigInvalid,
  frozen,
  logLevel,
  natural,
  port,
  readEnvironment,
  readPlatform,
  type Environment,
} from '../runtime/config.ts';
import type { Level } from '../runtime/log.ts';

const environment = z.object({
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
  FLEET_HEALTH_PORT: port(8081),
  FLEET_WORKERS: natural(8, 256),
  FLEET_LOG_LEVEL: logLevel,
});

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
  readonly logLevel: Level;
  readonly platform: PlatformConfig;
}

/** Throws ConfigInvalid with every issue of both sources. */
export const loadConfig = (env: Environment = process.env, startedAtMs = Date.now()): Config => {
  const issues: string[] = [];
  const values = readEnvironment(environment, env, issues);
  const platform = readPlatform(env['FLEET_PLATFORM_FILE'] ?? PLATFORM_FILE, issues);
  if (values === undefined || platform === undefined) throw new ConfigInvalid(issues);
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
    platform,
  });
};

/** The gateway's CA in PEM, which the install hook writes. Throws when there is none (yet). */
export const readCa = (file: string): string => {
  const text = readFileSync(file, 'utf8');
  if (!text.includes('-----BEGIN CERTIFICATE-----')) throw new Error(`${file} holds no certificate`);
  return text;
};
