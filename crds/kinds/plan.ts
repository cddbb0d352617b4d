// Plan: the tasks that a person approves, by digest.
import { z } from 'zod';
import { baseStatus, count, digest, message, objectName, uid, externalId, type Resource, type Immutable } from './meta.ts';
import { planTask } from './plan-task.ts';
import { userName, verdict } from './story.ts';

export const PLAN_PHASES = ['Pending', 'Parsed', 'Approved', 'Rejected', 'Superseded', 'Invalid'] as const;
export type PlanPhase = (typeof PLAN_PHASES)[number];

export const planSpec = z
  .object({
    externalId: externalId.optional(),
    storyRef: z.object({ name: objectName('Name of the Story in this namespace.') }).describe('The Story that is planned.'),
    revision: z.int().min(1).max(1_000_000).default(1).describe('Number of the revision; an approved higher one supersedes.'),
    author: userName('User name of whoever wrote it, which admission compares with the requester.'),
    tasks: z
      .array(planTask)
      .min(1)
      .max(500)
      .meta({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['id'] })
      .optional()
      .describe('The tasks. Either these or source.'),
    source: z
      .string()
      .min(1)
      .max(131_072)
      .optional()
      .describe('The tasks as markdown checklist, YAML or JSON. Either this or tasks.'),
    approval: z
      .object({
        verdict,
        by: userName('User name of the person, which admission compares with the requester. Not the author.'),
        digest: digest('Digest of the tasks that were looked at: status.digest. An approval counts for no other.'),
        reason: z.string().max(1024).optional().describe('Why; expected with a rejection.'),
      })
      .optional()
      .describe('The design gate. Set once.'),
  })
  .describe('The tasks and their approval. Everything but the approval is immutable.');

export const planStatus = z
  .object({
    ...baseStatus,
    phase: z.enum(PLAN_PHASES).optional().describe('Where the Plan is; derived.'),
    message: message('The same for people, with the problems of a source that does not parse.').optional(),
    storyUid: uid('Uid of the Story.').optional(),
    scopeDigest: digest('Scope of the Story that was planned.').optional(),
    digest: digest('Digest of Story, scope, revision and tasks: what an approval names.').optional(),
    taskCount: count('Number of tasks.').optional(),
    tasks: z
      .array(planTask)
      .max(500)
      .meta({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['id'] })
      .optional()
      .describe('The tasks as parsed, written once.'),
    problems: z
      .array(
        z
          .object({
            where: z.string().max(128).describe('Place in the source.'),
            message: z.string().max(512).describe('What is wrong.'),
          })
          .describe('One problem.'),
      )
      .max(50)
      .optional()
      .describe('Why the Plan cannot be used.'),
  })
  .describe('What was seen.');

export type PlanSpec = Immutable<z.output<typeof planSpec>>;
export type PlanStatus = Immutable<z.output<typeof planStatus>>;
export type Plan = Resource<'Plan', PlanSpec, PlanStatus>;
