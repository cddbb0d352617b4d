// Deliberation: a council's work on one question, as an object that can be read, cancelled and replayed.
import { z } from 'zod';
import { baseStatus, count, digest, externalId, message, objectName, time, type Resource, type Immutable } from './meta.ts';
import { constraints } from './plan-task.ts';

export const DELIBERATION_PHASES = ['Pending', 'InProgress', 'Completed', 'Failed', 'TimedOut'] as const;

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
    kind: z.enum(['Proposals', 'Candidates', 'Plan']).default('Proposals').describe('What is produced.'),
    subject: z.string().max(32_768).default('').describe('The question.'),
    constraints: constraints.optional(),
    rounds: z.int().min(0).max(5).default(1).describe('Rounds of critique and revision.'),
    numAgents: z.int().min(1).max(9).optional().describe("Agents that take part, at most the Council's size."),
    quorum: z.int().min(1).max(9).optional().describe('Proposals needed.'),
    topK: z.int().min(1).max(9).default(3).describe('Proposals that the architect chooses among.'),
    select: z.enum(['Architect', 'Score']).default('Architect').describe('Who picks the winner.'),
    timeoutSeconds: z.int().min(10).max(86_400).default(300).describe('Longest time.'),
    cancel: z.boolean().default(false).describe('Ends the deliberation. Cannot be taken back.'),
  })
  .describe('The question. Immutable but for cancel.');

const contribution = z.object({
  agent: agentName,
  kind: z.enum(['Proposal', 'Critique', 'Revision', 'Score', 'Selection']).describe('What it is.'),
  target: z.string().max(63).default('').describe('Agent whose proposal it is about.'),
  round: z.int().min(0).max(5).describe('Round.'),
  digest: digest('Text, as an artifact.'),
  context: digest('Context that the agent was given.').optional(),
  tokens: count('Model tokens spent.').optional(),
  durationMs: count('Time it took, in milliseconds.').optional(),
  at: time('When it came.'),
  late: z.boolean().default(false).describe('Whether it came after the end.'),
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

export const deliberationStatus = z
  .object({
    ...baseStatus,
    phase: z.enum(DELIBERATION_PHASES).optional().describe('Where it is; derived.'),
    step: z.string().max(32).optional().describe('Generate, Critique, Revise, Check, Score or Select.'),
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
