// What a step says it found. A finding is data: the step ended with exit code 0 whatever it says.
import { z } from 'zod';
import { count, digest, commitId, type Immutable } from '../kinds/meta.ts';

/** A termination message may be 1,755 bytes with seven containers. */
export const FINDING_BYTES = 1_700;

export const AGENT_REASONS = [
  'NoChange',
  'GaveUp',
  'BudgetSpent',
  'VerifyFailed',
  'SetupFailed',
  'PatchInvalid',
  'OutOfScope',
  'ProtectedPath',
  'TooLarge',
  'OOMKilled',
  'DeadlineExceeded',
  'StorageExceeded',
  /** A step that ran the agent's code ended without a finding of its own, or with one that it cannot have. */
  'StepBroken',
] as const;
export const INFRASTRUCTURE_REASONS = [
  'ModelUnavailable',
  'GatewayUnavailable',
  'ArtifactLost',
  'Conflict',
  'PushRejected',
  'PodLost',
  'ReceiptMissing',
  'StepFailed',
  'NotStarted',
] as const;
/** A person must change something: no further attempt helps. */
export const STALLING_REASONS = ['NetworkNotContained', 'BranchTaken', 'RefUnknown'] as const;
export type AgentReason = (typeof AGENT_REASONS)[number];
export type InfrastructureReason = (typeof INFRASTRUCTURE_REASONS)[number];
export type StallingReason = (typeof STALLING_REASONS)[number];
export type FindingReason = AgentReason | InfrastructureReason | StallingReason;

const base = {
  outcome: z.enum(['ok', 'failed', 'skipped']),
  reason: z.enum([...AGENT_REASONS, ...INFRASTRUCTURE_REASONS, ...STALLING_REASONS]).optional(),
  message: z.string().max(400).optional(),
};
const commandResult = z.object({ command: z.string().max(120), exitCode: z.int(), durationMs: count('') });
const testCounts = z.object({ passed: count(''), failed: count('') });
const optionalCommit = commitId('').optional();

const schemas = {
  runner: z.object({ step: z.literal('runner'), ...base }),
  checkout: z.object({ step: z.literal('checkout'), ...base, base: optionalCommit }),
  setup: z.object({ step: z.literal('setup'), ...base }),
  work: z.object({
    step: z.literal('work'),
    ...base,
    iterations: count('').optional(),
    tokens: count('').optional(),
    files: count('').optional(),
    summary: z.string().max(400).optional(),
  }),
  'verify-setup': z.object({ step: z.literal('verify-setup'), ...base }),
  verify: z.object({
    step: z.literal('verify'),
    ...base,
    ...testCounts.partial().shape,
    commands: z.array(commandResult).max(8).optional(),
  }),
  report: z.object({
    step: z.literal('report'),
    ...base,
    patch: digest('').optional(),
    evidence: digest('').optional(),
    base: optionalCommit,
    files: count('').optional(),
    insertions: count('').optional(),
    deletions: count('').optional(),
    verify: testCounts.optional(),
    tokens: count('').optional(),
    summary: z.string().max(400).optional(),
  }),
  merge: z.object({
    step: z.literal('merge'),
    ...base,
    base: optionalCommit,
    head: optionalCommit,
    commit: optionalCommit,
    /** What the commit is put upon, or was when it landed. */
    parent: optionalCommit,
    baseMoved: z.boolean().optional(),
    landed: z.boolean().optional(),
  }),
  push: z.object({ step: z.literal('push'), ...base, commit: optionalCommit }),
} as const;

export type Findings = { readonly [S in keyof typeof schemas]: Immutable<z.infer<(typeof schemas)[S]>> };
export type FindingStep = keyof Findings;
/** The schema of each step's finding; typed by step, so that what one parses is known to be of that step. */
export const findings: { readonly [S in FindingStep]: z.ZodType<Findings[S]> } = schemas;
export type Finding = Findings[FindingStep];

/** Reads a finding that anybody may have written. `undefined` for whatever is none of that step. */
export const parseFinding = <S extends FindingStep>(step: S, json: string): Findings[S] | undefined => {
  if (json.length > 4 * FINDING_BYTES) return undefined;
  try {
    const result = findings[step].safeParse(JSON.parse(json));
    return result.success ? result.data : undefined;
  } catch {
    return undefined; // not JSON: as good as none
  }
};

export type FaultSide = 'agent' | 'infrastructure' | 'stalled';
export const sideOf = (reason: FindingReason): FaultSide => {
  if ((AGENT_REASONS as readonly string[]).includes(reason)) return 'agent';
  return (STALLING_REASONS as readonly string[]).includes(reason) ? 'stalled' : 'infrastructure';
};
