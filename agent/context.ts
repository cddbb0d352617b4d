// The context of an attempt: what an agent of that role is told about the Story around its task. A pure function of objects, so that its
// digest says exactly what the agent knew; the order of parts is fixed and what changes most comes last, for the model's prefix cache.

import { sha256 } from '../crds/canonical.ts';
import type { PlanTask } from '../crds/kinds/plan-task.ts';
import type { Story } from '../crds/kinds/story.ts';
import type { Attempt, Task } from '../crds/kinds/task.ts';
import { redacted } from './redaction.ts';

export interface ContextInput {
  readonly story: Story;
  readonly task: Task;
  /** All Tasks of the Story, in any order. */
  readonly siblings: readonly Task[];
  readonly lastFailure?: Attempt | undefined;
}

export interface Context {
  readonly digest: string;
  readonly text: string;
}

const CHARS_PER_TOKEN = 4;

/** How many tokens of context a role is given: the architect sees the whole, others their part. */
export const contextTokens = (role: string, tasks: number, decisions: number): number =>
  (role === 'ARCHITECT' ? 8_192 : 4_096) + Math.min(4_096, 256 * tasks + 128 * decisions);

/** Roles that see the other roles' tasks as well. */
const SEES_ALL_TASKS = new Set(['ARCHITECT', 'QA']);

const line = (text: string): string => text.replace(/\s+/g, ' ').trim();

const list = (heading: string, items: readonly string[]): string =>
  items.length === 0 ? '' : `## ${heading}\n${items.map((item) => `- ${line(item)}`).join('\n')}\n`;

const storyPart = ({ spec }: Story): string =>
  [`# Story: ${line(spec.title)}`, (spec.description ?? '').trim(), list('Acceptance criteria', spec.acceptanceCriteria ?? [])]
    .filter((part) => part !== '')
    .join('\n\n');

const decisionsPart = ({ spec }: Story): string =>
  list(
    'Decisions',
    (spec.decisions ?? [])
      .toSorted((a, b) => (a.id < b.id ? -1 : 1))
      .map((decision) => `${decision.id}: ${decision.title}. ${decision.rationale ?? ''}`),
  );

const taskLine = (sibling: Task): string => {
  const { id, title, role, phase } = sibling.spec.task;
  return `${id} (${role}, ${phase}, ${sibling.status?.phase ?? 'Pending'}): ${title}`;
};

const tasksPart = ({ task, siblings }: ContextInput): string => {
  const { role, id: own, dependsOn = [] } = task.spec.task;
  const shown = siblings
    .filter((sibling) => sibling.spec.planRef.uid === task.spec.planRef.uid && sibling.spec.task.id !== own)
    .filter(({ spec }) => SEES_ALL_TASKS.has(role) || spec.task.role === role || dependsOn.includes(spec.task.id))
    .toSorted((a, b) => (a.spec.task.id < b.spec.task.id ? -1 : 1));
  return list('Other tasks of the plan', shown.map(taskLine));
};

const taskPart = (task: PlanTask): string =>
  [
    `# Your task: ${task.id} ${line(task.title)}`,
    (task.description ?? '').trim(),
    list('Requirements', task.constraints?.requirements ?? []),
    list('You may change only', task.fileScope ?? []),
    list('These commands must end with 0 in a fresh checkout', task.verify?.commands ?? []),
  ]
    .filter((part) => part !== '')
    .join('\n\n');

const failurePart = (attempt: Attempt | undefined): string =>
  attempt === undefined
    ? ''
    : `# The attempt before (${attempt.n}) failed\n${attempt.reason ?? 'Unknown'}: ${line(attempt.message ?? 'no message')}\n`;

const cut = (text: string, chars: number): string =>
  text.length <= chars ? text : `${text.slice(0, Math.max(0, chars - 2))}…\n`;

/** Builds it. The task and the last failure are always whole; the rest is cut to the role's share. */
export const contextOf = (input: ContextInput): Context => {
  const { story, task, siblings, lastFailure } = input;
  const { role } = task.spec.task;
  const chars = contextTokens(role, siblings.length, (story.spec.decisions ?? []).length) * CHARS_PER_TOKEN;
  const around = [storyPart(story), decisionsPart(story), tasksPart(input)].filter((part) => part !== '').join('\n\n');
  const core = [taskPart(task.spec.task), failurePart(lastFailure)].filter((part) => part !== '').join('\n\n');
  const text = redacted(`${cut(around, chars)}\n\n${core}`);
  return { digest: sha256(text), text };
};
