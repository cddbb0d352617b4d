// The brief: all that an attempt or a courier is told. The gateway builds it from its cache; `checkout` or `merge` fetches it.
import { z } from 'zod';
import { commitId, digest, type Immutable } from '../kinds/meta.ts';

const name = z.string().min(1).max(253);

export const brief = z.object({
  story: z.object({
    uid: z.string().min(1).max(64),
    name,
    namespace: name,
    title: z.string().max(512),
    description: z.string().max(65_536),
    acceptanceCriteria: z.array(z.string().max(4096)).max(64),
  }),
  task: z.object({
    uid: z.string().min(1).max(64),
    name,
    id: z.string().max(128),
    title: z.string().max(512),
    description: z.string().max(65_536),
    role: z.string().max(32),
    phase: z.enum(['DESIGN', 'BUILD', 'TEST', 'DOCS']),
    fileScope: z.array(z.string().max(512)).max(256),
    requirements: z.array(z.string().max(4096)).max(64),
    rubric: z.array(z.object({ criterion: z.string().max(256), weight: z.int(), text: z.string().max(4096) })).max(64),
  }),
  attempt: z.int().min(1),
  /** RFC 3339; also the dates of the commit. */
  startedAt: z.string().max(40),
  agent: z.object({
    name: z.string().min(1).max(128),
    persona: z.string().max(8192).optional(),
    /** Present for an attempt: a courier asks no model, and carries the work of an agent that may be gone. */
    model: z.string().min(1).max(256).optional(),
    temperature: z.string().max(8).optional(),
    /** As `model`. */
    maxTokens: z.int().min(1).optional(),
  }),
  repository: z.object({
    baseCommit: commitId(''),
    ref: z.string().max(256),
    branch: z.string().max(512),
    /** Head of a branch that is not of this Story, and that a person has it take over. */
    adopt: commitId('').optional(),
  }),
  setup: z.object({ commands: z.array(z.string().max(4096)).max(32) }),
  verify: z.object({ commands: z.array(z.string().max(4096)).max(32), timeoutSeconds: z.int().min(1) }),
  limits: z.object({
    iterations: z.int().min(1),
    tokens: z.int().min(1),
    wallClockSeconds: z.int().min(1),
    outputBytes: z.int().min(1),
    patchBytes: z.int().min(1),
    patchFiles: z.int().min(1),
    protectedPaths: z.array(z.string().max(512)).max(256),
  }),
  planDigest: digest(''),
  context: z.object({ digest: digest(''), text: z.string().max(262_144) }),
  lastFailure: z.object({ attempt: z.int().min(1), reason: z.string().max(64), message: z.string().max(1024) }).optional(),
  /** Present for a courier. */
  courier: z.object({ patch: digest(''), evidence: digest(''), base: commitId('') }).optional(),
});
export type Brief = Immutable<z.infer<typeof brief>>;
