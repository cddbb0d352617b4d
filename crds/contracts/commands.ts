// Commands to the gateway, their answers, and the streams that carry them. Commands name uids, never URLs.
import { z } from 'zod';
import { shortHash } from '../canonical.ts';
import { commitId, type Immutable } from '../kinds/meta.ts';

const id = z.string().regex(/^[a-z0-9-]{1,120}$/);

export const resolveCommand = z.object({
  id,
  kind: z.literal('resolve'),
  namespace: z.string().max(63),
  storyUid: z.string().max(64),
});
export const probeCommand = z.object({
  id,
  kind: z.literal('probe'),
  namespace: z.string().max(63),
  endpoint: z.string().max(63),
  model: z.string().max(256),
});
export const gatewayCommand = z.discriminatedUnion('kind', [resolveCommand, probeCommand]);
export type ResolveCommand = Immutable<z.infer<typeof resolveCommand>>;
export type ProbeCommand = Immutable<z.infer<typeof probeCommand>>;
export type GatewayCommand = ResolveCommand | ProbeCommand;

const failure = {
  id,
  at: z.string().max(40),
  ok: z.literal(false),
  reason: z.string().max(64),
  message: z.string().max(1024),
  retryable: z.boolean(),
};
export const resolveAnswer = z.union([
  z.object({ id, kind: z.literal('resolve'), at: z.string().max(40), ok: z.literal(true), commit: commitId('') }),
  z.object({ kind: z.literal('resolve'), ...failure }),
]);
export const probeAnswer = z.union([
  z.object({
    id,
    kind: z.literal('probe'),
    at: z.string().max(40),
    ok: z.literal(true),
    models: z.array(z.string().max(256)).max(256),
    toolCalls: z.boolean(),
    structuredOutput: z.boolean(),
  }),
  z.object({ kind: z.literal('probe'), ...failure }),
]);
export const commandAnswer = z.union([resolveAnswer, probeAnswer]);
export type ResolveAnswer = Immutable<z.infer<typeof resolveAnswer>>;
export type ProbeAnswer = Immutable<z.infer<typeof probeAnswer>>;
export type CommandAnswer = ResolveAnswer | ProbeAnswer;

/** A command that was not answered for so long may be lost, and is asked again; longer than the gateway works on any. */
export const ANSWER_WITHIN_MS = 180_000;
/** How long one probe's answer stands. */
export const PROBE_INTERVAL_MS = 300_000;
export const resolveCommandId = (storyUid: string, answersSeen: number): string => `resolve-${storyUid}-${answersSeen}`;
/** The Story whose base commit was asked for; undefined for any other command. */
export const storyUidOfResolve = (commandId: string): string | undefined => /^resolve-(.+)-\d+$/.exec(commandId)?.[1];

const PROBE_PREFIX = 'probe-';
const probeOf = (endpoint: string, model: string, interval: string): string =>
  `${PROBE_PREFIX}${shortHash([endpoint, model], 8)}-${interval}`;
export const probeCommandId = (endpoint: string, model: string, nowMs: number): string =>
  probeOf(endpoint, model, String(Math.floor(nowMs / PROBE_INTERVAL_MS)));
export const isProbeId = (commandId: string): boolean => commandId.startsWith(PROBE_PREFIX);

/** While an endpoint does not serve as it should it is asked more often, under ids of their own. */
export const PROBE_RETRY_MS = 20_000;
export const probeRetryCommandId = (endpoint: string, model: string, nowMs: number): string =>
  probeOf(endpoint, model, `r${Math.floor(nowMs / PROBE_RETRY_MS)}`);

/** An answer stands for its own interval and for the next, in which the new one is awaited. */
const PROBE_STANDS_MS = 2 * PROBE_INTERVAL_MS;

/** Ids of all probes whose answers still stand: the regular ones first, then the more frequent ones, newest first. */
export const standingProbeIds = (endpoint: string, model: string, nowMs: number): readonly string[] => {
  const retries = Array.from({ length: PROBE_STANDS_MS / PROBE_RETRY_MS }, (_, back) =>
    probeRetryCommandId(endpoint, model, nowMs - back * PROBE_RETRY_MS),
  );
  return [probeCommandId(endpoint, model, nowMs), probeCommandId(endpoint, model, nowMs - PROBE_INTERVAL_MS), ...retries];
};

export const commandSubject = (commandId: string): string => `fleet.gateway.cmd.${commandId}`;
export const answerSubject = (commandId: string): string => `fleet.gateway.result.${commandId}`;
/** Pattern of the subjects of all artifacts. */
export const ARTIFACT_SUBJECTS = 'fleet.artifact.*.*';
export const artifactSubject = (rootUid: string, artifactDigest: string): string =>
  `fleet.artifact.${rootUid}.${artifactDigest.replace(/^sha256:/, '')}`;

const DAY_MS = 86_400_000;
export interface StreamDefinition {
  readonly name: string;
  readonly subjects: readonly string[];
  readonly maxAgeMs: number;
  /** One message a subject, discard new: the store itself refuses duplicates. */
  readonly onePerSubject: boolean;
  readonly maxMessages?: number;
}
export const STREAMS = {
  commands: {
    name: 'FLEET_COMMANDS',
    subjects: ['fleet.gateway.cmd.*', 'fleet.turn.cmd.>'],
    maxAgeMs: DAY_MS,
    onePerSubject: true,
  },
  results: {
    name: 'FLEET_RESULTS',
    subjects: ['fleet.gateway.result.*', 'fleet.turn.result.>'],
    maxAgeMs: 30 * DAY_MS,
    onePerSubject: true,
  },
  artifacts: { name: 'FLEET_ARTIFACTS', subjects: [ARTIFACT_SUBJECTS], maxAgeMs: 30 * DAY_MS, onePerSubject: true },
  planningEvents: {
    name: 'PLANNING_EVENTS',
    subjects: ['planning.>'],
    maxAgeMs: 30 * DAY_MS,
    onePerSubject: false,
    maxMessages: 1_000_000,
  },
  orchestratorEvents: {
    name: 'ORCHESTRATOR_EVENTS',
    subjects: ['orchestration.>'],
    maxAgeMs: 7 * DAY_MS,
    onePerSubject: false,
    maxMessages: 50_000,
  },
} as const satisfies Record<string, StreamDefinition>;
export const KV_BUCKETS = { ledger: 'fleet-ledger', cursor: 'fleet-cursor', receipts: 'fleet-receipts' } as const;
/** An account that nobody wrote for so long goes; a Story that lives on starts again from the usage in its status. */
export const LEDGER_MAX_AGE_MS = 90 * DAY_MS;

const STORY_ACCOUNT = 'story.';
/** A Story's account of tokens in the ledger. */
export const storyAccount = (storyUid: string): string => `${STORY_ACCOUNT}${storyUid}`;
/** The Story whose account it is; undefined for any other account. */
export const storyUidOfAccount = (account: string): string | undefined =>
  account.startsWith(STORY_ACCOUNT) ? account.slice(STORY_ACCOUNT.length) : undefined;
/** What a namespace's own Deliberations spend on one day; `day` as `2026-11-22`, in UTC. */
export const namespaceAccount = (namespace: string, day: string): string => `namespace.${namespace}.${day}`;
/** What one attempt of a Task spends. */
export const attemptAccount = (taskUid: string, attempt: number): string => `attempt.${taskUid}.${attempt}`;
/** The calls that run on a model endpoint, of everybody or of one Council. */
export const endpointAccount = (endpoint: string, councilUid?: string): string =>
  councilUid === undefined ? `endpoint.${endpoint}` : `endpoint.${endpoint}.${councilUid}`;
/** Pattern of all accounts of endpoints. */
export const ENDPOINT_ACCOUNTS = 'endpoint.>';
