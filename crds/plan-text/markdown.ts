// The markdown form of a Plan: a checklist of tasks under headings of phases. See docs/plan-source.md for the form.
// May: read lines. May not: guess. A line that looks like a task or a setting and is none is a problem, never a loss in silence.
import type { PlanProblem } from './checks.ts';
import { TASK_PHASES } from '../kinds/plan-task.ts';

/** A task as written: its settings are not yet checked. `line` is where it begins, from 1. */
export interface WrittenTask {
  readonly line: number;
  readonly task: Readonly<Record<string, unknown>>;
}

export interface MarkdownPlan {
  readonly tasks: readonly WrittenTask[];
  readonly problems: readonly PlanProblem[];
}

export const TASK_LINE = /^[-*+] +\[([ xX])\] +(\S.*)$/;
const ID_AND_TITLE = /^`?([A-Za-z0-9][A-Za-z0-9._-]*)`?: +(\S.*)$/;
const LIST_ITEM = /^(?:[-*+]|[0-9]{1,9}[.)])(?: |$)/;
const CHECKBOX_ATTEMPT = /^[-*+]? *\[[ xX]?\]/;
const SETTING = /^[-*+] +([A-Za-z]+):(?: +(.*))?$/;
const HEADING = /^#{1,6} +(.*?) *#*$/;
const FENCE = /^(?:```|~~~)/;

interface Draft {
  readonly line: number;
  readonly id: string;
  readonly title: string;
  readonly phase: string | undefined;
  readonly words: string[];
  readonly settings: Map<string, string[]>;
}

interface Reader {
  readonly tasks: Draft[];
  readonly problems: PlanProblem[];
  phase: string | undefined;
  fence: boolean;
}

export const readMarkdownPlan = (text: string): MarkdownPlan => {
  const reader: Reader = { tasks: [], problems: [], phase: undefined, fence: false };
  text.split(/\r?\n/).forEach((line, index) => readLine(reader, line.trimEnd(), index + 1));
  if (reader.fence) reader.problems.push({ where: 'source', message: 'a code block is not closed' });
  return { tasks: reader.tasks.map((draft) => ({ line: draft.line, task: taskOf(draft) })), problems: reader.problems };
};

const readLine = (reader: Reader, line: string, number: number): void => {
  const inside = /^(?: {2,}|\t)/.test(line);
  const content = line.trim();
  const draft = reader.tasks.at(-1);
  if (FENCE.test(content)) reader.fence = !reader.fence;
  if (reader.fence || FENCE.test(content)) {
    if (inside) draft?.words.push(dedented(line));
  } else if (content === '') draft?.words.push('');
  else if (inside && draft !== undefined) readInside(reader, draft, line, number);
  else readMargin(reader, content, number);
};

/** A line at the margin: a task, a heading, or prose, which is for people alone. */
const readMargin = (reader: Reader, content: string, number: number): void => {
  const where = `line ${number}`;
  const heading = HEADING.exec(content);
  if (heading !== null) {
    const word = (heading[1] ?? '').toUpperCase();
    reader.phase = (TASK_PHASES as readonly string[]).includes(word) ? word : undefined;
    return;
  }
  const task = TASK_LINE.exec(content);
  if (task === null) {
    if (LIST_ITEM.test(content) || CHECKBOX_ATTEMPT.test(content))
      reader.problems.push({ where, message: 'a list item at the margin must be a task: "- [ ] id: title"' });
    return;
  }
  const [, box, words = ''] = task;
  const named = ID_AND_TITLE.exec(words);
  if (box !== ' ') reader.problems.push({ where, message: 'the box is ticked; a Plan holds only what is to be done' });
  if (named === null) reader.problems.push({ where, message: 'a task needs an id before its title: "- [ ] id: title"' });
  else reader.tasks.push(newDraft(number, named[1] ?? '', named[2] ?? '', reader.phase));
};

const newDraft = (line: number, id: string, title: string, phase: string | undefined): Draft => ({
  ...{ line, id, title, phase },
  words: [],
  settings: new Map<string, string[]>(),
});

/** A line that is indented under a task: a setting, or a line of its description. */
const readInside = (reader: Reader, draft: Draft, line: string, number: number): void => {
  const where = `line ${number}`;
  const content = line.trim();
  const setting = SETTING.exec(content);
  if (setting === null) {
    if (TASK_LINE.test(content)) reader.problems.push({ where, message: 'a task within a task: write it at the margin' });
    else draft.words.push(dedented(line));
    return;
  }
  const key = (setting[1] ?? '').toLowerCase();
  const value = (setting[2] ?? '').trim();
  const known = SETTINGS[key];
  if (known === undefined)
    reader.problems.push({
      where,
      message: `"${key}" is no setting of a task (known: ${Object.keys(SETTINGS).join(', ')}); text needs no "- word:"`,
    });
  else if (value === '') reader.problems.push({ where, message: `"${key}" has no value` });
  else if (!known.repeats && draft.settings.has(key)) reader.problems.push({ where, message: `"${key}" is given twice` });
  else draft.settings.set(key, [...(draft.settings.get(key) ?? []), value]);
};

const dedented = (line: string): string => line.replace(/^(?: {2}|\t)/, '');

interface Setting {
  readonly repeats: boolean;
  readonly path: readonly [string] | readonly [string, string];
  readonly read: (values: readonly string[]) => unknown;
}

const unquoted = (value: string): string => /^`([^`]+)`$/.exec(value)?.[1] ?? value;
const words = (values: readonly string[]): readonly string[] => values.map(unquoted);
const parts = (values: readonly string[]): readonly string[] =>
  values
    .flatMap((value) => splitOutsideBraces(value))
    .map((part) => unquoted(part.trim()))
    .filter((part) => part !== '');
const word = (values: readonly string[]): string => unquoted(values[0] ?? '');
const whole = (values: readonly string[]): unknown =>
  /^-?[0-9]{1,15}$/.test(word(values)) ? Number(word(values)) : word(values);

/** Commas separate, but for those of a glob's `{a,b}`. */
const splitOutsideBraces = (value: string): readonly string[] => {
  const found: string[] = [];
  let depth = 0;
  let from = 0;
  for (let index = 0; index < value.length; index += 1) {
    const character = value.charAt(index);
    if (character === '{') depth += 1;
    else if (character === '}') depth = Math.max(0, depth - 1);
    else if (character === ',' && depth === 0) {
      found.push(value.slice(from, index));
      from = index + 1;
    }
  }
  return [...found, value.slice(from)];
};

const upper = (values: readonly string[]): string => word(values).toUpperCase();
const capitalized = (values: readonly string[]): string =>
  word(values).charAt(0).toUpperCase() + word(values).slice(1).toLowerCase();

const SETTINGS: Readonly<Record<string, Setting>> = Object.assign(Object.create(null) as Record<string, Setting>, {
  role: { repeats: false, path: ['role'], read: upper },
  phase: { repeats: false, path: ['phase'], read: upper },
  after: { repeats: true, path: ['dependsOn'], read: parts },
  files: { repeats: true, path: ['fileScope'], read: parts },
  verify: { repeats: true, path: ['verify', 'commands'], read: words },
  requires: { repeats: true, path: ['constraints', 'requirements'], read: words },
  priority: { repeats: false, path: ['priority'], read: whole },
  candidates: { repeats: false, path: ['candidates'], read: whole },
  deliberation: { repeats: false, path: ['deliberation'], read: capitalized },
  timeout: { repeats: false, path: ['constraints', 'timeoutSeconds'], read: whole },
  iterations: { repeats: false, path: ['constraints', 'maxIterations'], read: whole },
} satisfies Record<string, Setting>);

const taskOf = (draft: Draft): Readonly<Record<string, unknown>> => {
  const task: Record<string, unknown> = { id: draft.id, title: draft.title };
  const description = draft.words.join('\n').trim();
  if (description !== '') task['description'] = description;
  if (draft.phase !== undefined) task['phase'] = draft.phase;
  const nested: Record<string, Record<string, unknown>> = { verify: {}, constraints: {} };
  for (const [key, values] of draft.settings) {
    const setting = SETTINGS[key];
    const [outer = '', inner] = setting?.path ?? [];
    const value = setting?.read(values);
    if (inner === undefined) task[outer] = value;
    else nested[outer] = { ...nested[outer], [inner]: value };
  }
  for (const [outer, value] of Object.entries(nested)) if (Object.keys(value).length > 0) task[outer] = value;
  return task;
};
