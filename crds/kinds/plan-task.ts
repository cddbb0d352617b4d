// One task of a Plan, and what of it a Task object carries.
// Plans that are approved name these fields by digest, and the API server fills defaults into what is stored. So a field that comes later
// is optional and has no default, or the digests of stored Plans would change under their approvals.
import { z } from 'zod';
import { role, validated, type Immutable } from './meta.ts';

export const TASK_PHASES = ['DESIGN', 'BUILD', 'TEST', 'DOCS'] as const;

const planTaskId = z
  .string()
  .regex(/^[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$/)
  .max(63)
  .describe('Id of the task, unique in its Plan; other tasks name it in dependsOn.');

const command = z.string().min(1).max(2048).describe('A line for `sh -c`, run at the root of a fresh checkout.');

const GLOB_CHARACTER = '[^/\\\\()!|\\x00-\\x1f\\x7f]';
const GLOB_PART = `(?:[^/\\\\()!|.\\x00-\\x1f\\x7f]|\\.[^/\\\\()!|.\\x00-\\x1f\\x7f])${GLOB_CHARACTER}*`;
/** Relative, with `*`, `**`, `?`, `[…]` and `{a,b}`; no dot segment, no negation, no extended globs. */
const GLOB_PATTERN = new RegExp(`^${GLOB_PART}(?:/${GLOB_PART})*$`);
const MAX_STARS = 16;

const glob = validated(
  z.string().max(256).regex(GLOB_PATTERN).describe('A path or glob relative to the root of the repository, such as src/**.'),
  { rule: `self.split('*').size() <= ${MAX_STARS + 1}`, message: `a glob may hold at most ${MAX_STARS} stars` },
  (value) => value.split('*').length <= MAX_STARS + 1,
);

export const rubricEntry = z
  .strictObject({
    criterion: z.string().min(1).max(128).describe('Name of the criterion.'),
    weight: z.int().min(1).max(100).describe('Weight among the criteria.'),
    text: z.string().max(2048).default('').describe('What is expected.'),
  })
  .describe('One criterion.');

export const constraints = z
  .strictObject({
    rubric: z
      .array(rubricEntry)
      .max(16)
      .meta({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['criterion'] })
      .default([])
      .describe('Criteria by which the work is judged.'),
    requirements: z
      .array(z.string().min(1).max(2048).describe('One thing, in a sentence.'))
      .max(32)
      .default([])
      .describe('Things that must hold, in sentences.'),
    timeoutSeconds: z
      .int()
      .min(10)
      .max(86_400)
      .optional()
      .describe('Longest time for one attempt, in seconds; the platform may have a shorter one.'),
    maxIterations: z.int().min(1).max(1000).optional().describe('Most turns of the agent; the platform may have a lower number.'),
  })
  .describe('Limits and expectations.');

const verify = z
  .strictObject({
    commands: z.array(command).max(16).default([]).describe('Commands that must end with 0 in a fresh checkout with the patch.'),
  })
  .describe('How the work is tested.');

const work = {
  title: z.string().min(1).max(200).describe('What is to be done, in one line; the subject of the commit.'),
  description: z.string().max(16_384).default('').describe('What is to be done, in full.'),
  role: role.default('DEV'),
  phase: z
    .enum(TASK_PHASES)
    .default('BUILD')
    .describe('Phase of the Story in which the task runs; a DESIGN task runs first in Build.'),
  priority: z.int().min(-1_000_000).max(1_000_000).default(0).describe('Order among tasks that wait; higher first.'),
  fileScope: z.array(glob).max(64).default([]).describe('Paths that the patch may touch; empty means the whole repository.'),
  verify: verify.default({ commands: [] }),
  candidates: z.int().min(1).max(9).default(1).describe('Workspaces that try the task at once. This version serves 1.'),
  deliberation: z
    .enum(['None', 'Before'])
    .default('Before')
    .describe('Whether a council deliberates on the task first. This version skips it.'),
  constraints: constraints.default({ rubric: [], requirements: [] }),
};

export const planTask = z
  .strictObject({
    id: planTaskId,
    ...work,
    dependsOn: z
      .array(planTaskId)
      .max(64)
      .meta({ 'x-kubernetes-list-type': 'set' })
      .default([])
      .describe('Ids of tasks that must have succeeded first.'),
  })
  .describe('One task.');
export type PlanTask = Immutable<z.output<typeof planTask>>;
