// The platform engineer's configuration: one JSON file, mounted into operator and gateway alike. Holds no secret.
import { z } from 'zod';
import type { Immutable } from '../kinds/meta.ts';

const name = z.string().regex(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/);
const namespaces = z
  .array(z.union([z.literal('*'), name]))
  .min(1)
  .max(1000);
/** A quantity of Kubernetes; YAML reads `cpu: 1` as a number. */
const quantity = z.union([
  z
    .string()
    .regex(/^[0-9]+(\.[0-9]+)?(m|k|Ki|M|Mi|G|Gi|T|Ti)?$/)
    .max(32),
  z.int().min(0).transform(String),
]);
const resourceList = z.record(z.string().max(128), quantity);
const gateMode = z.enum(['Human', 'Auto']);

export const upstream = z
  .strictObject({
    name,
    kind: z.enum(['model', 'git', 'egress']),
    scheme: z.enum(['https', 'http']).default('https'),
    host: z
      .string()
      .regex(/^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?(:[0-9]{1,5})?$/)
      .max(260),
    prefix: z
      .string()
      .regex(/^\/[A-Za-z0-9._~/-]*$/)
      .max(256)
      .default('/'),
    namespaces,
    credentials: z.boolean().default(false),
    ca: z.boolean().default(false),
    allowPrivate: z.boolean().default(false),
    concurrency: z.int().min(1).max(10_000).optional(),
    models: z.array(z.string().max(256)).max(256).optional(),
  })
  .refine((row) => row.scheme === 'https' || row.allowPrivate, {
    message: 'scheme http needs allowPrivate: true (a server in your own network)',
  })
  .refine((row) => row.kind !== 'egress' || (!row.credentials && !row.ca), {
    message: 'an egress row has neither credentials nor a CA: it is a tunnel',
  });
export type Upstream = Immutable<z.infer<typeof upstream>>;

export const imageProfile = z.strictObject({
  name,
  image: z.string().min(1).max(512),
  imagePullPolicy: z.enum(['Always', 'IfNotPresent', 'Never']).default('IfNotPresent'),
  setup: z.array(z.string().max(4096)).max(32).default([]),
  namespaces,
});
export type ImageProfile = Immutable<z.infer<typeof imageProfile>>;

const unique = (rows: readonly { readonly name: string }[]): boolean => new Set(rows.map((row) => row.name)).size === rows.length;

export const platformConfig = z.strictObject({
  upstreams: z.array(upstream).max(500).refine(unique, { message: 'names of upstreams are unique' }),
  imageProfiles: z.array(imageProfile).max(200).refine(unique, { message: 'names of image profiles are unique' }),
  gates: z.strictObject({ scope: gateMode, design: gateMode, test: gateMode, docs: gateMode }),
  capacity: z.strictObject({
    workspaces: z.int().min(1).max(10_000),
    perNamespace: z.int().min(1).max(10_000),
    perStory: z.int().min(1).max(10_000),
  }),
  limits: z.strictObject({
    patchBytes: z
      .int()
      .min(1)
      .max(4 * 1024 * 1024),
    patchFiles: z.int().min(1).max(10_000),
    outputBytes: z
      .int()
      .min(1024)
      .max(1024 * 1024),
    iterations: z.int().min(1).max(1000),
    tokensPerTask: z.int().min(1),
    protectedPaths: z.array(z.string().max(512)).max(256),
    protectedPathsAllowedFor: z.array(name).max(1000),
  }),
  workspace: z.strictObject({
    fleetImage: z.string().min(1).max(512),
    fleetImagePullPolicy: z.enum(['Always', 'IfNotPresent', 'Never']),
    resources: z.strictObject({ requests: resourceList.optional(), limits: resourceList.optional() }),
    attemptLimits: z.strictObject({ agent: z.int().min(1).max(16), infrastructure: z.int().min(1).max(16) }),
    deadlineSeconds: z.int().min(30).max(86_400),
    egressOwnNode: z.boolean(),
  }),
  gateway: z.strictObject({
    serviceName: name,
    namespace: name,
    port: z.int().min(1).max(65_535),
    canaryPort: z.int().min(1).max(65_535),
  }),
  nats: z.strictObject({
    url: z
      .string()
      .regex(/^(nats|tls):\/\/[^@\s]+$/)
      .max(512),
  }),
});
export type PlatformConfig = Immutable<z.infer<typeof platformConfig>>;

/** Where the processes find it and what goes with it. */
export const PLATFORM_FILE = '/etc/fleet/platform/platform.json';
export const CA_FILE = '/etc/fleet/ca/ca.crt';
export const UPSTREAM_FILES = '/etc/fleet/upstreams';
