// Deliberation: a council's work on one question, as an object that can be read, cancelled and replayed.
import { z } from 'zod';
import { temperature } from './council.ts';
import {
  baseStatus,
  commitId,
  count,
  digest,
  externalId,
  message,
  objectName,
  reason,
  role,
  time,
  uid,
  type Resource,
  type Immutable,
} from './meta.ts';
import { constraints, rubricEntry } from './plan-task.ts';

export const DELIBERATION_PHASES = ['Pending', 'InProgress', 'Completed', 'Failed', 'TimedOut'] as const;
export const DELIBERATION_KINDS = ['Proposals', 'Candidates', 'Plan'] as const;
export const DELIBERATION_STEPS = ['Generate', 'Critique', 'Revise', 'Score', 'Select'] as const;
/** What a seat does: writes a proposal and takes part in everything, judges the others' alone, or picks among the best. */
export const SEAT_PARTS = ['Proposer', 'Reviewer', 'Architect'] as const;
export const CONTRIBUTION_KINDS = ['Proposal', 'Critique', 'Revision', 'Score', 'Selection'] as const;
export const CONTRIBUTION_OUTCOMES = ['Answered', 'Failed', 'TimedOut'] as const;

const agentName = z.string().max(63).describe('Agent.');
const score = z.int().min(0).max(1000).describe('Score in thousandths.');
const checkResult = (what: string) =>
  z
    .object({
      passed: z.boolean().describe('Whether it passed.'),
      errors: count('Errors.').optional(),
      warnings: count('Warnings.').optional(),
      output: digest('Output, as an artifact.').optional(),
    })
    .describe(what);

export const deliberationSpec = z
  .object({
    externalId: externalId.optional(),
    councilRef: z.object({ name: objectName('Name of the Council.') }).describe('The Council that deliberates.'),
    storyRef: z
      .object({ name: objectName('Name of the Story.') })
      .optional()
      .describe('The Story that it is about.'),
    taskRef: z
      .object({ name: objectName('Name of the Task.') })
      .optional()
      .describe('The Task that it is about.'),
    kind: z.enum(DELIBERATION_KINDS).default('Proposals').describe('What is produced.'),
    subject: z.string().max(32_768).default('').describe('The question.'),
    constraints: constraints.optional(),
    rounds: z.int().min(0).max(5).optional().describe("Rounds of critique and revision; the Council's where absent."),
    numAgents: z.int().min(1).max(9).optional().describe("Agents that take part, at most the Council's size."),
    quorum: z.int().min(1).max(9).optional().describe("Proposals needed; the Council's, else more than half, where absent."),
    topK: z.int().min(1).max(9).optional().describe("Proposals that the architect chooses among; the Council's where absent."),
    select: z.enum(['Architect', 'Score']).default('Architect').describe('Who picks the winner.'),
    timeoutSeconds: z
      .int()
      .min(10)
      .max(86_400)
      .optional()
      .describe("Longest time, from its first turn and without what it was suspended; the Council's where absent."),
    suspend: z.boolean().default(false).describe('Sends nothing new while true; answers under way count, the clock stands.'),
    cancel: z.boolean().default(false).describe('Ends the deliberation. Cannot be taken back.'),
  })
  .describe('The question. Immutable but for suspend and cancel.');

const criteria = z.array(z.int().min(0).max(1000).describe('Points.')).max(16);
const contribution = z.object({
  agent: agentName,
  kind: z.enum(CONTRIBUTION_KINDS).describe('What it is.'),
  target: z.string().max(63).default('').describe('Agent whose proposal it is about.'),
  round: z.int().min(0).max(5).describe('Round; of a selection the try.'),
  outcome: z.enum(CONTRIBUTION_OUTCOMES).describe('Whether it came, failed, or did not come in time.'),
  reason: reason('Why it failed.').optional(),
  digest: digest('Text, as an artifact.').optional(),
  checks: z
    .object({
      policy: checkResult('Scope, protected paths, size.').optional(),
      lint: checkResult('Parses, schema holds.').optional(),
    })
    .optional()
    .describe('What was checked of the text by itself.'),
  scores: z
    .array(
      z
        .object({ agent: agentName, points: criteria.describe('Points by criterion, in the order of the pinned rubric.') })
        .describe('Of one proposal.'),
    )
    .max(9)
    .optional()
    .describe('Of a score: the points given.'),
  choice: agentName.optional().describe('Of a selection: whose proposal was chosen.'),
  rationale: message('Of a selection: why.').optional(),
  dissent: message('Of a selection: what speaks against it.').optional(),
  context: digest('Context that the agent was given.').optional(),
  prompts: z.string().max(64).optional().describe('Version of the prompt templates.'),
  tokens: count('Model tokens spent.').optional(),
  durationMs: count('Time it took, in milliseconds.').optional(),
  at: time('When it came, failed, or was given up.'),
  late: z.boolean().default(false).describe('Whether an answer came after it was given up.'),
});
const result = z.object({
  agent: agentName,
  digest: digest('Text, as an artifact.'),
  score,
  rank: z.int().min(1).max(9).describe('Place, from 1.'),
  criteria: z
    .array(z.object({ criterion: z.string().max(128).describe('Criterion.'), score }).describe('One criterion.'))
    .max(16)
    .optional()
    .describe('Medians by criterion.'),
  checks: z
    .object({
      policy: checkResult('Scope, protected paths, size.').optional(),
      lint: checkResult('Parses, schema holds.').optional(),
      dryrun: checkResult('Applies; builds and passes.').optional(),
    })
    .optional()
    .describe('What was checked.'),
  evidence: digest('Evidence, as an artifact.').optional(),
});

const seat = z.object({
  agent: agentName,
  part: z.enum(SEAT_PARTS).describe('What it does.'),
  role,
  council: objectName('Council that it belongs to.'),
  endpoint: z.string().max(63).describe('Model upstream.'),
  model: z.string().min(1).max(256).describe('Model.'),
  temperature,
  maxTokens: count('Most tokens of one answer.'),
  persona: z.string().max(8192).default('').describe('What it is told about itself.'),
});
const pinned = z.object({
  rootUid: uid('Object under whose uid the texts are kept: the Story, or the Deliberation itself.'),
  councilUid: uid('Council.'),
  storyUid: uid('Story that it is about.').optional(),
  taskUid: uid('Task that it is about.').optional(),
  payer: z.enum(['Story', 'Namespace']).describe('Whose tokens it costs.'),
  seats: z
    .array(seat.describe('One agent.'))
    .min(1)
    .max(12)
    .meta({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['agent'] })
    .describe('Who takes part; proposers criticise the next one of this list.'),
  rubric: z
    .array(rubricEntry)
    .min(1)
    .max(16)
    .meta({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['criterion'] })
    .describe('Criteria for scores.'),
  rigor: z.enum(['L0', 'L1', 'L2', 'L3']).describe('Rigor, which weighs the checks.'),
  weights: z
    .object({
      scores: count('Of the scores.', 100),
      policy: count('Of the policy check.', 100),
      lint: count('Of the lint check.', 100),
      dryrun: count('Of the dryrun check.', 100),
    })
    .describe('Weights of a score.'),
  rounds: z.int().min(0).max(5).describe('Rounds of critique and revision.'),
  quorum: z.int().min(1).max(9).describe('Proposals needed.'),
  topK: z.int().min(1).max(9).describe('Proposals that the architect chooses among.'),
  timeoutSeconds: z.int().min(10).max(86_400).describe('Longest time.'),
  rules: z.string().max(64).describe('Version of the rules of scoring and selection.'),
  commit: commitId('Commit that is deliberated on.').optional(),
});

export const deliberationStatus = z
  .object({
    ...baseStatus,
    phase: z.enum(DELIBERATION_PHASES).optional().describe('Where it is; derived.'),
    pinned: pinned.optional().describe('What was decided before the first turn; a Council that changes later changes nothing.'),
    startedAt: time('When the first turns were asked for.').optional(),
    suspendedAt: time('Since when it is suspended.').optional(),
    resumedAt: time('When it was last resumed.').optional(),
    pausedMs: count('Time it was suspended, in milliseconds.', Number.MAX_SAFE_INTEGER).optional(),
    finishedAt: time('When it ended.').optional(),
    progress: z.string().max(16).optional().describe('Turns answered of those expected.'),
    step: z.enum(DELIBERATION_STEPS).optional().describe('Current step.'),
    round: z.int().min(0).max(5).optional().describe('Current round.'),
    contributions: z
      .array(contribution.describe('One contribution.'))
      .max(512)
      .meta({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['agent', 'kind', 'target', 'round'] })
      .optional()
      .describe('Who said what, by digest.'),
    results: z
      .array(result.describe('One result.'))
      .max(9)
      .meta({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['agent'] })
      .optional()
      .describe('The proposals, ranked.'),
    winner: z.string().max(63).optional().describe('Agent whose proposal won.'),
    rationale: message('Why.').optional(),
    dissent: message('Who disagreed, and why.').optional(),
    usage: z
      .object({ tokens: count('Model tokens spent.', Number.MAX_SAFE_INTEGER), calls: count('Model calls.') })
      .optional()
      .describe('What was spent.'),
    durationMs: count('Time it took, in milliseconds.').optional(),
    message: message('State for people.').optional(),
  })
  .describe('What was seen.');

export type DeliberationSpec = Immutable<z.output<typeof deliberationSpec>>;
export type DeliberationStatus = Immutable<z.output<typeof deliberationStatus>>;
export type Deliberation = Resource<'Deliberation', DeliberationSpec, DeliberationStatus>;
