// The platform engineer's configuration: one JSON file, mounted into operator and gateway alike. Holds no secret.
import { z } from 'zod';
import type { Immutable } from '../kinds/meta.ts';
import { amountOf, isMore, QUANTITY_PATTERN } from '../quantity.ts';

const name = z.string().regex(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/);
const namespaces = z
  .array(z.union([z.literal('*'), name]))
  .min(1)
  .max(1000);
/** A quantity of Kubernetes; YAML reads `cpu: 1` as a number. */
const quantity = z.union([z.string().regex(QUANTITY_PATTERN).max(32), z.int().min(0).transform(String)]);
/** Of a container: none of the three may be left out, so that nothing runs without a bound. */
const amounts = z.strictObject({ cpu: quantity, memory: quantity, 'ephemeral-storage': quantity });
type Amounts = z.infer<typeof amounts>;

const isWithin = (some: Amounts, most: Amounts): boolean =>
  (Object.keys(most) as (keyof Amounts)[]).every((amount) => amountOf(most[amount]) > 0 && !isMore(some[amount], most[amount]));
const withinLimits = { message: 'requests are at most the limits, and no limit is 0' };
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
  /** Whose pods may take turns; absent: nobody. */
  agentPool: z.strictObject({ namespace: name, serviceAccount: name }).optional(),
  /** Of Deliberations that no Story pays for. */
  deliberation: z.strictObject({ namespaceTokensPerDay: z.int().min(1) }).default({ namespaceTokensPerDay: 2_000_000 }),
  workspace: z.strictObject({
    fleetImage: z.string().min(1).max(512),
    fleetImagePullPolicy: z.enum(['Always', 'IfNotPresent', 'Never']),
    /** Of our own steps. */
    resources: z
      .strictObject({ requests: amounts, limits: amounts })
      .refine(({ requests, limits }) => isWithin(requests, limits), withinLimits),
    /** Of the steps in the toolchain image: where a Council says nothing, and the most that it may say. */
    toolchain: z
      .strictObject({ requests: amounts, limits: amounts, maxima: amounts })
      .refine(({ requests, limits }) => isWithin(requests, limits), withinLimits)
      .refine(({ limits, maxima }) => isWithin(limits, maxima), { message: 'limits are at most the maxima' }),
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
