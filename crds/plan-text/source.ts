// From a Plan's text to its tasks: JSON, YAML or a markdown checklist, told apart by their first lines. The same text always gives the
// same tasks, with every default filled in.
// May: parse and refuse. May not: repair; a text with one problem gives no tasks at all.
//
// The text is somebody else's. Size, nesting, number of values, aliases, tags and keys are limited before anything walks it.
import { z } from 'zod';
import { planProblems, type PlanProblem } from './checks.ts';
import { readMarkdownPlan, TASK_LINE } from './markdown.ts';
import { readYaml } from './yaml.ts';
import type { PlanSpec } from '../kinds/plan.ts';
import { planTask, type PlanTask } from '../kinds/plan-task.ts';

export type PlanSourceResult =
  { readonly ok: true; readonly tasks: readonly PlanTask[] } | { readonly ok: false; readonly problems: readonly PlanProblem[] };

const PLAN_SOURCE_BYTES = 131_072;
const PLAN_TASKS_MAX = 500;
/** As many as a Plan's status holds. */
const MAX_PROBLEMS = 50;
const MAX_DEPTH = 12;
const MAX_VALUES = 50_000;
const WHERE_LENGTH = 128;
const MESSAGE_LENGTH = 512;

const refused = (...problems: readonly PlanProblem[]): PlanSourceResult => ({
  ok: false,
  problems: problems.slice(0, MAX_PROBLEMS).map(({ where, message }) => ({
    where: clipped(where, WHERE_LENGTH),
    message: clipped(message, MESSAGE_LENGTH),
  })),
});
const clipped = (text: string, length: number): string =>
  text.length <= length ? text : `${text.slice(0, length - 1).replace(/[\uD800-\uDBFF]$/, '')}…`;

/** The tasks of a Plan, from whichever of its two fields holds them. */
export const planTasks = (spec: Pick<PlanSpec, 'tasks' | 'source'>): PlanSourceResult => {
  if (spec.tasks !== undefined) return tasksOf(spec.tasks);
  return spec.source === undefined
    ? refused({ where: 'spec', message: 'there are neither tasks nor a source' })
    : parsePlanSource(spec.source);
};

/** Never throws. Problems come in the order of the text. */
export const parsePlanSource = (text: string): PlanSourceResult => {
  const bytes = Buffer.byteLength(text);
  if (bytes > PLAN_SOURCE_BYTES)
    return refused({ where: 'source', message: `the source has ${bytes} bytes; at most ${PLAN_SOURCE_BYTES} are read` });
  switch (formOf(text)) {
    case 'json':
      return fromValue(readJson(text));
    case 'yaml':
      return fromValue(readYaml(text));
    case 'markdown':
      return fromMarkdown(text);
    case undefined:
      return refused({
        where: 'source',
        message: 'this is no plan: neither JSON, nor YAML with tasks, nor a list of "- [ ] id: title"',
      });
  }
};

export type PlanForm = 'json' | 'yaml' | 'markdown';

/** Told by the first line that is neither empty nor a comment of YAML (or a heading of markdown). */
export const formOf = (text: string): PlanForm | undefined => {
  const lines = text.split(/\r?\n/);
  const first = lines.find((line) => line.trim() !== '' && !line.trimStart().startsWith('#')) ?? '';
  if (/^\s*[[{]/.test(first)) return 'json';
  if (/^(?:---|%YAML|tasks *:|- +(?:[A-Za-z_]+ *:|[&!{"'])|-\s*$)/.test(first)) return 'yaml';
  return lines.some((line) => TASK_LINE.test(line.trimEnd())) || /^[-*+] *\[/m.test(text) ? 'markdown' : undefined;
};

type Read = { readonly value: unknown } | PlanProblem;
const TOO_DEEP = `it is nested deeper than ${MAX_DEPTH} levels`;

const readJson = (text: string): Read => {
  try {
    return { value: JSON.parse(text) as unknown };
  } catch (error) {
    return { where: 'source', message: `not JSON: ${(error as Error).message}` };
  }
};

const FORBIDDEN_KEYS: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype']);

/** Refuses what no plan needs, without recursion: values of any depth come this far. */
const hostileParts = (root: unknown): PlanProblem | undefined => {
  const stack: { readonly node: unknown; readonly depth: number }[] = [{ node: root, depth: 0 }];
  let values = 0;
  for (let top = stack.pop(); top !== undefined; top = stack.pop()) {
    values += 1;
    if (values > MAX_VALUES) return { where: 'source', message: `it holds more than ${MAX_VALUES} values` };
    if (typeof top.node !== 'object' || top.node === null) continue;
    if (top.depth >= MAX_DEPTH) return { where: 'source', message: TOO_DEEP };
    const forbidden = Object.keys(top.node).find((key) => FORBIDDEN_KEYS.has(key));
    if (forbidden !== undefined) return { where: 'source', message: `"${forbidden}" is no field of a plan` };
    for (const child of Object.values(top.node)) stack.push({ node: child, depth: top.depth + 1 });
  }
  return undefined;
};

const fromValue = (read: Read): PlanSourceResult => {
  if ('where' in read) return refused(read);
  const hostile = hostileParts(read.value);
  if (hostile !== undefined) return refused(hostile);
  if (Array.isArray(read.value)) return tasksOf(read.value);
  const plan = z.strictObject({ tasks: z.array(z.unknown()) }).safeParse(read.value);
  return plan.success
    ? tasksOf(plan.data.tasks)
    : refused({ where: 'source', message: 'a plan is a list of tasks, or an object with the one field tasks' });
};

const fromMarkdown = (text: string): PlanSourceResult => {
  const { tasks, problems } = readMarkdownPlan(text);
  if (problems.length > 0) return refused(...problems);
  return tasksOf(
    tasks.map(({ task }) => task),
    (index) => `line ${tasks[index]?.line ?? 0}`,
  );
};

/** Each task by its schema, then all together. `place` says where a task stands in the text. */
const tasksOf = (values: readonly unknown[], place = (index: number): string => `tasks[${index}]`): PlanSourceResult => {
  if (values.length === 0) return refused({ where: 'tasks', message: 'there is no task' });
  if (values.length > PLAN_TASKS_MAX)
    return refused({ where: 'tasks', message: `there are ${values.length} tasks; at most ${PLAN_TASKS_MAX} are taken` });
  const problems: PlanProblem[] = [];
  const tasks = values.flatMap((value, index) => {
    const parsed = planTask.safeParse(value, { error: inWords });
    if (parsed.success) return [parsed.data];
    problems.push(...parsed.error.issues.map((issue) => ({ where: whereOf(place(index), issue.path), message: issue.message })));
    return [];
  });
  const found =
    problems.length > 0
      ? problems
      : planProblems(tasks).map(({ where, message }) => ({
          where: where.replace(/^tasks\[([0-9]+)\]/, (_, index: string) => place(Number(index))),
          message,
        }));
  return found.length > 0 ? refused(...found) : { ok: true, tasks };
};

/** Words for what people forget most; the schema's own for the rest. */
const inWords = (issue: { readonly code: string; readonly input?: unknown }): string | undefined =>
  issue.code === 'invalid_type' && issue.input === undefined ? 'is missing' : undefined;

const whereOf = (start: string, path: readonly PropertyKey[]): string =>
  path.reduce<string>((where, part) => (typeof part === 'number' ? `${where}[${part}]` : `${where}.${String(part)}`), start);
