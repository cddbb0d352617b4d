// Council: agents of one role, the model they speak through, the workspace they work in.
import { z } from 'zod';
import { baseStatus, count, externalId, role, short, time, type Resource, type Immutable } from './meta.ts';
import { rubricEntry } from './plan-task.ts';

export const MAX_AGENTS = 9;

/** No floats in objects: a decimal string such as "0.7". */
export const temperature = z
  .string()
  .regex(/^([01](\.[0-9]{1,2})?|2(\.0{1,2})?)$/)
  .max(4)
  .describe('Sampling temperature from "0" to "2", as a decimal string.');
const quantity = z
  .string()
  .regex(/^[0-9]+(\.[0-9]+)?(m|Ki|Mi|Gi|Ti|k|M|G|T)?$/)
  .max(32);
const resourceAmounts = (what: string) =>
  z
    .object({
      cpu: quantity.optional().describe(`CPU ${what}.`),
      memory: quantity.optional().describe(`Memory ${what}.`),
      ephemeralStorage: quantity.optional().describe(`Disk ${what}.`),
    })
    .describe(`Amounts ${what}.`);
const labelPair = z.object({
  key: z.string().min(1).max(317).describe('Key of the node label.'),
  value: z.string().max(63).describe('Value of the node label.'),
});
const toleration = z.object({
  key: z.string().max(317).optional().describe('Key of the taint.'),
  operator: z.enum(['Exists', 'Equal']).default('Equal').describe('How the value is compared.'),
  value: z.string().max(63).optional().describe('Value of the taint.'),
  effect: z.enum(['NoSchedule', 'PreferNoSchedule', 'NoExecute']).optional().describe('Effect of the taint.'),
});
const modelName = z.string().min(1).max(256).describe('Name of the model, as the endpoint lists it.');
const maxTokens = z.int().min(1).max(1_000_000);

const agent = z.object({
  name: z
    .string()
    .regex(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/)
    .max(63)
    .describe('Name, unique in the Council.'),
  persona: z.string().max(8192).optional().describe('What this agent is told about itself.'),
  model: z
    .object({
      name: modelName.optional(),
      temperature: temperature.optional(),
      maxTokens: maxTokens.optional().describe('Most tokens of one answer.'),
    })
    .optional()
    .describe("What differs from the Council's model."),
  capabilities: z
    .array(z.string().min(1).max(64).describe('One thing.'))
    .max(32)
    .default([])
    .describe('What the agent is good at, in words of your own.'),
});

export const councilSpec = z
  .object({
    externalId: externalId.optional(),
    role,
    default: z
      .boolean()
      .default(false)
      .describe('Whether this is the Council of its role for Stories of the namespace that name none.'),
    size: z
      .int()
      .min(1)
      .max(MAX_AGENTS)
      .default(3)
      .describe('Number of agents, named agent-<role>-001 and so on, where agents lists none.'),
    agents: z
      .array(agent.describe('One agent.'))
      .max(MAX_AGENTS)
      .meta({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['name'] })
      .default([])
      .describe('The agents, when they differ.'),
    model: z
      .object({
        endpoint: z
          .string()
          .regex(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/)
          .max(63)
          .describe('Name of a model upstream that the platform engineer configured.'),
        name: modelName,
        temperature: temperature.default('0.7'),
        maxTokens: maxTokens.default(8192).describe('Most tokens of one answer.'),
        concurrency: z.int().min(1).max(10_000).optional().describe("Calls at once; can only lower the endpoint's own number."),
      })
      .describe('The model behind the agents.'),
    deliberation: z
      .object({
        rounds: z.int().min(0).max(5).default(1).describe('Rounds of critique and revision.'),
        rubric: z
          .array(rubricEntry)
          .max(16)
          .meta({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['criterion'] })
          .default([])
          .describe('Criteria for scores.'),
        quorum: z.int().min(1).max(9).optional().describe('Proposals needed; more than half where absent.'),
        topK: z.int().min(1).max(9).default(3).describe('Proposals that the architect chooses among.'),
        timeoutSeconds: z.int().min(10).max(86_400).default(300).describe('Longest time of a deliberation.'),
        maxTokens: maxTokens.default(2048).describe('Most tokens of one answer in a deliberation.'),
      })
      .default({ rounds: 1, rubric: [], topK: 3, timeoutSeconds: 300, maxTokens: 2048 })
      .describe('How the Council deliberates.'),
    workspace: z
      .object({
        imageProfile: z
          .string()
          .regex(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/)
          .max(63)
          .describe('Name of an image profile that the platform engineer configured.'),
        resources: z
          .object({ requests: resourceAmounts('requested').optional(), limits: resourceAmounts('at most').optional() })
          .default({})
          .describe("CPU, memory and disk of the agent's steps."),
        gpu: z
          .object({
            count: z.int().min(0).max(64).default(0).describe('GPUs (nvidia.com/gpu) of a workspace.'),
            nodeSelector: z
              .array(labelPair.describe('One label.'))
              .max(16)
              .meta({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['key'] })
              .default([])
              .describe('Labels that the node must have.'),
            tolerations: z
              .array(toleration.describe('One toleration.'))
              .max(16)
              .default([])
              .describe('Taints that are tolerated.'),
          })
          .optional()
          .describe('GPUs for the workspace itself; models do not need them here.'),
        runtimeClassName: z
          .string()
          .regex(/^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/)
          .max(253)
          .optional()
          .describe('RuntimeClass of workspace pods, such as gvisor.'),
        deadlineSeconds: z
          .int()
          .min(30)
          .max(86_400)
          .optional()
          .describe('Longest time of one workspace Job; the platform may have a shorter one.'),
      })
      .describe('Where the agents of this Council work.'),
  })
  .describe('Agents, model and workspace.');

export const councilStatus = z
  .object({
    ...baseStatus,
    agents: count('Number of agents.').optional(),
    agentNames: z.array(z.string().max(63).describe('Name of an agent.')).max(MAX_AGENTS).optional().describe('Their names.'),
    ready: z.enum(['True', 'False', 'Unknown']).optional().describe('Status of condition Ready, for the list.'),
    reason: short('Reason of condition Ready, for the list.').optional(),
    probedAt: time('When the answer that Ready rests on was given.').optional(),
  })
  .describe('What was seen.');

export type CouncilSpec = Immutable<z.output<typeof councilSpec>>;
export type CouncilStatus = Immutable<z.output<typeof councilStatus>>;
export type Council = Resource<'Council', CouncilSpec, CouncilStatus>;
