// Task: one task of an approved Plan, its attempts and its commit. Created by the operator alone.
import { z } from 'zod';
import {
  baseStatus,
  commitId,
  count,
  digest,
  message,
  objectName,
  reason,
  time,
  uid,
  externalId,
  type Resource,
  type Immutable,
} from './meta.ts';
import { planTask } from './plan-task.ts';

export const TASK_OBJECT_PHASES = ['Pending', 'Queued', 'Running', 'Integrating', 'Succeeded', 'Failed', 'Cancelled'] as const;
export type TaskObjectPhase = (typeof TASK_OBJECT_PHASES)[number];
export const ATTEMPT_OUTCOMES = [
  'Succeeded',
  'AgentFailed',
  'InfrastructureFailed',
  'NotStarted',
  'Stalled',
  'Cancelled',
] as const;
export type AttemptOutcome = (typeof ATTEMPT_OUTCOMES)[number];

export const taskSpec = z
  .object({
    externalId: externalId.optional(),
    storyRef: z
      .object({ name: objectName('Name of the Story.'), uid: uid('Its uid.') })
      .describe('The Story that the task belongs to.'),
    planRef: z
      .object({
        name: objectName('Name of the Plan.'),
        uid: uid('Its uid.'),
        revision: z.int().min(1).describe('Its revision.'),
        digest: digest('What was approved.'),
      })
      .describe('The Plan that the task comes from.'),
    task: planTask.describe('The task as approved.'),
    taskDigest: digest('Digest of the task as approved.'),
    suspend: z.boolean().default(false).describe('Starts nothing new while true; running Jobs finish.'),
    priority: z.int().min(-1_000_000).max(1_000_000).default(0).describe('Order among tasks that wait; higher first.'),
    extraAttempts: z.int().min(0).max(5).default(0).describe('Attempts granted beyond the limit. Only grows.'),
    cancel: z.boolean().default(false).describe('Ends the task. Cannot be taken back.'),
  })
  .describe('The task. Immutable but for suspend, priority, extraAttempts and cancel.');

/** Couriers that find no gateway are tried again for as long as the Story has time. */
const MAX_COURIERS = 1_000_000;

export const attempt = z
  .object({
    n: z.int().min(1).max(64).describe('Number of the attempt.'),
    agent: z.string().max(128).describe('Agent that works on it.'),
    imageProfile: z
      .string()
      .max(63)
      .optional()
      .describe('Image profile of its workspace: all that a courier needs of the Council.'),
    candidate: z.int().min(1).max(9).default(1).describe('Candidate of the attempt.'),
    jobUid: uid("Uid of the attempt's Job."),
    courierUid: uid("Uid of the current courier's Job.").optional(),
    courierTries: z.int().min(0).max(MAX_COURIERS).default(0).describe('Couriers so far.'),
    courierFaults: count('Couriers that failed and were followed by another; one that could not start is not counted.').default(
      0,
    ),
    courierFailedAt: time('When the last courier failed, while another is to come; reason and message say why.').optional(),
    startedAt: time('When the Job was first seen.'),
    finishedAt: time('When the attempt ended, courier included.').optional(),
    outcome: z.enum(ATTEMPT_OUTCOMES).optional().describe('How it ended.'),
    reason: reason('Why.').optional(),
    message: z.string().max(512).optional().describe('The same for people.'),
    base: commitId('Commit that it started from.').optional(),
    patch: digest('Patch, as an artifact.').optional(),
    evidence: digest('Evidence, as an artifact.').optional(),
    commit: commitId('Commit on the story branch.').optional(),
    parent: commitId('Commit of the branch that it was put upon.').optional(),
    under: commitId('Head of the branch, where the commit was found below it.').optional(),
    verify: z
      .object({ passed: count('Commands that passed.'), failed: count('Commands that failed.') })
      .optional()
      .describe('What the verify commands gave in the fresh checkout.'),
    files: count('Files changed.').optional(),
    insertions: count('Lines added.').optional(),
    deletions: count('Lines removed.').optional(),
    tokens: count('Model tokens spent, as the ledger has them.').optional(),
    gpuSeconds: count('GPU seconds of its workspaces, couriers included.').optional(),
  })
  .describe('One attempt.');
export type Attempt = Immutable<z.output<typeof attempt>>;

export const taskStatus = z
  .object({
    ...baseStatus,
    phase: z.enum(TASK_OBJECT_PHASES).optional().describe('Where the Task is; derived.'),
    waitingFor: z.string().max(256).optional().describe('What it waits for, or why it ended as it did, in a sentence.'),
    attempt: z.int().min(0).max(64).optional().describe('Number of the current or last attempt.'),
    attempts: z
      .array(attempt)
      .max(32)
      .meta({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['n', 'candidate'] })
      .optional()
      .describe('The attempts, each accounted once.'),
    commit: commitId('Commit on the story branch.').optional(),
    evidence: digest('Evidence of the attempt that succeeded.').optional(),
    startedAt: time('When the first attempt began.').optional(),
    completedAt: time('When the Task ended.').optional(),
    reason: reason('Why it ended as it did.').optional(),
    message: message('The same for people.').optional(),
  })
  .describe('What was seen.');

export type TaskSpec = Immutable<z.output<typeof taskSpec>>;
export type TaskStatus = Immutable<z.output<typeof taskStatus>>;
export type Task = Resource<'Task', TaskSpec, TaskStatus>;
