// The registry of kinds: names, columns and validations that the manifests, the RBAC and the reference are made from. Pure data.
import type { z } from 'zod';
import { councilSpec, councilStatus } from './council.ts';
import { deliberationSpec, deliberationStatus } from './deliberation.ts';
import type { Validation } from './meta.ts';
import { planSpec, planStatus } from './plan.ts';
import { GATES, storySpec, storyStatus } from './story.ts';
import { taskSpec, taskStatus } from './task.ts';

export const KINDS = ['Story', 'Plan', 'Task', 'Council', 'Deliberation'] as const;
export type Kind = (typeof KINDS)[number];

export interface Column {
  readonly name: string;
  readonly type: 'string' | 'integer' | 'boolean' | 'date';
  readonly jsonPath: string;
  readonly description: string;
  /** Shown only with `-o wide`. */
  readonly wide?: boolean;
}

export interface KindDefinition {
  readonly kind: Kind;
  readonly plural: string;
  readonly singular: string;
  readonly shortNames: readonly string[];
  readonly description: string;
  readonly spec: z.ZodObject;
  readonly status: z.ZodObject;
  readonly columns: readonly Column[];
  /** What `kubectl get --field-selector` may ask for. */
  readonly selectable: readonly string[];
  /** Of the whole object; they may read status. */
  readonly rootValidations: readonly Validation[];
  /** Of spec: what must not vanish is guarded from here. */
  readonly specValidations: readonly Validation[];
}

const age: Column = {
  name: 'Age',
  type: 'date',
  jsonPath: '.metadata.creationTimestamp',
  description: 'Time since it was created.',
};
const column = (name: string, jsonPath: string, description: string, more: Partial<Column> = {}): Column => ({
  name,
  type: 'string',
  jsonPath,
  description,
  ...more,
});

/** Once set, the field stays as it is; it cannot be added later where `late` is false. */
const immutable = (field: string, late = false): Validation => ({
  rule: late
    ? `!has(oldSelf.${field}) || (has(self.${field}) && self.${field} == oldSelf.${field})`
    : `has(self.${field}) == has(oldSelf.${field}) && (!has(self.${field}) || self.${field} == oldSelf.${field})`,
  message: late ? `${field} cannot be changed once it is set` : `${field} is immutable`,
});
const oneWay = (field: string): Validation => ({
  rule: `!oldSelf.${field} || self.${field}`,
  message: `${field} cannot be taken back`,
});

/** Fields have limits of their own, and these add up beyond what etcd takes for one object, status included. */
const MAX_STORY_TEXT = 180_000;
const sizes = (list: string, ...fields: readonly string[]): string => {
  const texts = fields.map((field) => `(has(each.${field}) ? size(each.${field}) : 0)`).join(' + ');
  return `(has(self.${list}) ? self.${list}.map(each, ${texts}).sum() : 0)`;
};
const STORY_TEXT = [
  'size(self.title)',
  '(has(self.description) ? size(self.description) : 0)',
  '(has(self.acceptanceCriteria) ? self.acceptanceCriteria.map(each, size(each)).sum() : 0)',
  sizes('decisions', 'id', 'title', 'rationale', 'status', 'by'),
  sizes('milestones', 'id', 'type', 'description'),
  sizes('approvals', 'by', 'reason'),
].join(' + ');

const FROZEN_SCOPE = ['title', 'description', 'acceptanceCriteria', 'repository', 'rigor'];
/**
 * Compares spec with spec alone: a validation between spec and status could be broken by a status write that follows, and then nothing could be
 * written to the object any more.
 */
const gateValidations = GATES.map((gate): Validation => {
  const auto = (self: string): string => `(has(${self}.spec.gates.${gate}) && ${self}.spec.gates.${gate} == 'Auto')`;
  return {
    rule: `!has(oldSelf.status) || !has(oldSelf.status.gates) || !${auto('self')} || ${auto('oldSelf')}`,
    message: `gates.${gate} was pinned when the Story was first seen: it can only become Human`,
  };
});

const story: KindDefinition = {
  kind: 'Story',
  plural: 'stories',
  singular: 'story',
  shortNames: ['sty'],
  description: 'A change that a person wants, from its wording to the commits on a branch.',
  spec: storySpec,
  status: storyStatus,
  selectable: ['.status.phase', '.spec.externalId'],
  columns: [
    column('Phase', '.status.phase', 'Where the Story is.'),
    column('Tasks', '.status.tasks.summary', 'Succeeded of all.'),
    column('Plan', '.status.plan.name', 'Plan in force.'),
    column('Waiting for', '.status.waitingFor', 'What it waits for.'),
    column('Title', '.spec.title', 'What is wanted.', { wide: true }),
    column('Branch', '.status.branch', 'Branch that the work lands on.', { wide: true }),
    column('Head', '.status.headCommit', 'Newest commit of that branch.', { wide: true }),
    age,
  ],
  specValidations: [
    immutable('externalId', true),
    oneWay('cancel'),
    {
      rule: '!has(oldSelf.approvals) || (has(self.approvals) && oldSelf.approvals.all(old, self.approvals.exists(new, new == old)))',
      message: 'approvals can only be added: none may be changed or removed',
    },
    {
      rule: `${STORY_TEXT} <= ${MAX_STORY_TEXT}`,
      message: `all texts of a Story together may have at most ${MAX_STORY_TEXT} characters: it would not fit into the store`,
    },
  ],
  rootValidations: [
    ...FROZEN_SCOPE.map((field): Validation => ({
      rule: `!has(oldSelf.status) || !has(oldSelf.status.baseCommit) || self.spec.${field} == oldSelf.spec.${field}`,
      message: `${field} is frozen since the Draft ended (the base commit is pinned): make a new Story for another scope`,
    })),
    ...gateValidations,
  ],
};

const plan: KindDefinition = {
  kind: 'Plan',
  plural: 'plans',
  singular: 'plan',
  shortNames: ['pln'],
  description: 'The tasks of a Story and their approval.',
  spec: planSpec,
  status: planStatus,
  selectable: ['.spec.storyRef.name', '.status.phase', '.spec.externalId'],
  columns: [
    column('Story', '.spec.storyRef.name', 'Story that is planned.'),
    column('Revision', '.spec.revision', 'Number of the revision.', { type: 'integer' }),
    column('Phase', '.status.phase', 'Where the Plan is.'),
    column('Tasks', '.status.taskCount', 'Number of tasks.', { type: 'integer' }),
    column('Author', '.spec.author', 'Who wrote it.'),
    column('Decided by', '.spec.approval.by', 'Who approved or rejected it.'),
    column('Digest', '.status.digest', 'What an approval names.', { wide: true }),
    column('Message', '.status.message', 'State in words.', { wide: true }),
    age,
  ],
  specValidations: [
    { rule: 'has(self.tasks) != has(self.source)', message: 'give either tasks or source, not both and not neither' },
    immutable('externalId', true),
    immutable('storyRef'),
    immutable('revision'),
    immutable('author'),
    immutable('tasks'),
    immutable('source'),
    immutable('approval', true),
    {
      rule: '!has(self.approval) || self.approval.by != self.author',
      message: 'the author of a Plan cannot decide on it: approval.by must be another person',
    },
  ],
  rootValidations: [],
};

const TASK_IMMUTABLE = ['storyRef', 'planRef', 'task', 'taskDigest'];

const task: KindDefinition = {
  kind: 'Task',
  plural: 'tasks',
  singular: 'task',
  shortNames: ['tsk'],
  description: 'One task of an approved Plan, made by the operator.',
  spec: taskSpec,
  status: taskStatus,
  selectable: ['.spec.storyRef.name', '.spec.task.id', '.status.phase'],
  columns: [
    column('Story', '.spec.storyRef.name', 'Story that it belongs to.'),
    column('Task', '.spec.task.id', 'Id in the Plan.'),
    column('Role', '.spec.task.role', 'Role of the agent.'),
    column('Phase', '.status.phase', 'Where the Task is.'),
    column('Attempt', '.status.attempt', 'Current or last attempt.', { type: 'integer' }),
    column('Commit', '.status.commit', 'Commit on the story branch.', { wide: true }),
    column('Waiting for', '.status.waitingFor', 'What it waits for, or why it ended.'),
    column('Title', '.spec.task.title', 'What is to be done.', { wide: true }),
    age,
  ],
  specValidations: [
    immutable('externalId', true),
    ...TASK_IMMUTABLE.map((field) => immutable(field)),
    oneWay('cancel'),
    { rule: 'self.extraAttempts >= oldSelf.extraAttempts', message: 'extraAttempts only grows' },
  ],
  rootValidations: [],
};

const council: KindDefinition = {
  kind: 'Council',
  plural: 'councils',
  singular: 'council',
  shortNames: ['cncl'],
  description: 'Agents of one role, the model they speak through and the workspace they work in.',
  spec: councilSpec,
  status: councilStatus,
  selectable: ['.spec.role', '.spec.externalId'],
  columns: [
    column('Role', '.spec.role', 'Role of its agents.'),
    column('Default', '.spec.default', 'Whether Stories that name none use it.', { type: 'boolean' }),
    column('Agents', '.status.agents', 'Number of agents.', { type: 'integer' }),
    column('Endpoint', '.spec.model.endpoint', 'Model upstream.'),
    column('Model', '.spec.model.name', 'Model.'),
    column('Ready', '.status.ready', 'Whether the endpoint serves the model as needed.'),
    column('Reason', '.status.reason', 'Why.'),
    age,
  ],
  specValidations: [immutable('externalId', true)],
  rootValidations: [],
};

const DELIBERATION_IMMUTABLE = [
  'councilRef',
  'storyRef',
  'taskRef',
  'kind',
  'subject',
  'constraints',
  'rounds',
  'numAgents',
  'quorum',
  'topK',
  'select',
  'timeoutSeconds',
];

const deliberation: KindDefinition = {
  kind: 'Deliberation',
  plural: 'deliberations',
  singular: 'deliberation',
  shortNames: ['dlb'],
  description: "A council's work on one question.",
  spec: deliberationSpec,
  status: deliberationStatus,
  selectable: ['.spec.councilRef.name', '.status.phase', '.spec.externalId'],
  columns: [
    column('Council', '.spec.councilRef.name', 'Council that deliberates.'),
    column('Kind', '.spec.kind', 'What is produced.'),
    column('Phase', '.status.phase', 'Where it is.'),
    column('Step', '.status.step', 'Current step.'),
    column('Answered', '.status.progress', 'Turns answered of those expected.'),
    column('Winner', '.status.winner', 'Agent whose proposal won.'),
    column('Message', '.status.message', 'State in words.', { wide: true }),
    age,
  ],
  specValidations: [immutable('externalId', true), ...DELIBERATION_IMMUTABLE.map((field) => immutable(field)), oneWay('cancel')],
  rootValidations: [],
};

/** Every kind, by name. */
export const kindDefinitions: Readonly<Record<Kind, KindDefinition>> = {
  Story: story,
  Plan: plan,
  Task: task,
  Council: council,
  Deliberation: deliberation,
};
