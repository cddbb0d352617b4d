// The context of a task: what its agent is told beyond Story and task, which the brief holds in fields of their own: its place
// in the plan, the Story's decisions, and the state of the tasks around it. A pure function of objects: its digest names this text.
// What changes most comes last, for the model's prefix cache.

import { sha256 } from '../crds/canonical.ts';
import type { Story } from '../crds/kinds/story.ts';
import { READING_ROLE } from '../crds/kinds/meta.ts';
import type { Task } from '../crds/kinds/task.ts';
import { withoutCredentials } from '../crds/rules/credentials.ts';

export interface ContextInput {
  readonly story: Story;
  readonly task: Task;
  /** All Tasks of the Story, in any order. */
  readonly siblings: readonly Task[];
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
  items.length === 0 ? '' : `## ${heading}\n${items.map((item) => `- ${line(item)}`).join('\n')}`;

const decisionsPart = ({ spec }: Story): string =>
  list(
    'Decisions',
    (spec.decisions ?? [])
      .toSorted((a, b) => (a.id < b.id ? -1 : 1))
      .map((decision) => `${decision.id}: ${decision.title}. ${decision.rationale ?? ''}`),
  );

const placePart = ({ spec }: Task, others: readonly Task[]): string => {
  const { id, dependsOn } = spec.task;
  const builtOn = others.map((other) => other.spec.task).filter((other) => other.dependsOn.includes(id));
  return list('Place in the plan', [
    `task ${id}, one of ${others.length + 1}`,
    ...(dependsOn.length === 0 ? [] : [`builds on ${dependsOn.join(', ')}`]),
    ...(builtOn.length === 0 ? [] : [`needed by ${builtOn.map((other) => other.id).join(', ')}`]),
  ]);
};

const taskLine = ({ spec, status }: Task): string => {
  const { id, title, role, phase } = spec.task;
  const result = status?.commit === undefined ? '' : `; its commit on the story branch is ${status.commit.slice(0, 12)}`;
  return `${id} (${role}, ${phase}, ${status?.phase ?? 'Pending'}): ${title}${result}`;
};

const tasksPart = ({ spec }: Task, others: readonly Task[]): string => {
  const { role, dependsOn } = spec.task;
  const shown = others.filter(
    (other) => SEES_ALL_TASKS.has(role) || other.spec.task.role === role || dependsOn.includes(other.spec.task.id),
  );
  return list('Other tasks of the plan', shown.map(taskLine));
};

const cut = (text: string, chars: number): string => (text.length <= chars ? text : `${text.slice(0, Math.max(0, chars - 1))}…`);

/** Builds it, cut to the role's share. */
export const contextOf = ({ story, task, siblings }: ContextInput): Context => {
  const others = siblings
    .filter(({ spec }) => spec.planRef.uid === task.spec.planRef.uid && spec.task.id !== task.spec.task.id)
    .toSorted((a, b) => (a.spec.task.id < b.spec.task.id ? -1 : 1));
  const chars = contextTokens(task.spec.task.role, siblings.length, (story.spec.decisions ?? []).length) * CHARS_PER_TOKEN;
  const parts = [placePart(task, others), decisionsPart(story), tasksPart(task, others)].filter((part) => part !== '');
  const text = withoutCredentials(cut(parts.join('\n\n'), chars));
  return { digest: sha256(text), text };
};

/** What is known of a Story as a whole, for whoever deliberates on it and not on one of its tasks. */
export const storyContextOf = (story: Story | undefined, tasks: readonly Task[]): Context => {
  const sorted = tasks.toSorted((a, b) => (a.spec.task.id < b.spec.task.id ? -1 : 1));
  const parts = story === undefined ? [] : [decisionsPart(story), list('Tasks so far', sorted.map(taskLine))];
  const chars = contextTokens(READING_ROLE, tasks.length, (story?.spec.decisions ?? []).length) * CHARS_PER_TOKEN;
  const text = withoutCredentials(cut(parts.filter((part) => part !== '').join('\n\n'), chars));
  return { digest: sha256(text), text };
};
