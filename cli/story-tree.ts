// A Story and what hangs on it, as lines of text. Pure: objects and a clock in, lines out.

import type { Condition } from '../crds/kinds/meta.ts';
import type { Plan } from '../crds/kinds/plan.ts';
import { GATES, type Gate, type Story } from '../crds/kinds/story.ts';
import type { Attempt, Task } from '../crds/kinds/task.ts';
import type { Colour, Paint } from './terminal.ts';
import { duration, oneLine, plural, shortDigest } from './text.ts';
import { fact, tells, treeText, type Node, type Statement } from './tree-lines.ts';

export interface StoryView {
  readonly story: Story;
  readonly plans: readonly Plan[];
  readonly tasks: readonly Task[];
}

interface Standing {
  readonly phase?: string | undefined;
  readonly waitingFor?: string | undefined;
  readonly reason?: string | undefined;
  readonly message?: string | undefined;
  readonly conditions?: readonly Condition[] | undefined;
}

const COLOURS: Readonly<Record<string, Colour>> = {
  ...{ Done: 'green', Succeeded: 'green', Approved: 'green' },
  ...{
    Failed: 'red',
    Rejected: 'red',
    Invalid: 'red',
    AgentFailed: 'red',
    InfrastructureFailed: 'yellow',
    NotStarted: 'yellow',
    Stalled: 'yellow',
  },
  ...{ Cancelled: 'gray', Superseded: 'gray', Pending: 'gray' },
};
const phaseText = (phase: string | undefined, paint: Paint): string => paint(COLOURS[phase ?? ''] ?? 'cyan', phase ?? 'New');

/** The longer of two sentences of which one says the other. */
const oneOf = (a: string, b: string): string | undefined => {
  if (tells(a, b)) return a;
  return tells(b, a) ? b : undefined;
};

/** Why it is not further, in the words of its controller: what it waits for, that only a person can help, or why it did not succeed. */
const standing = (status: Standing | undefined, paint: Paint): readonly Statement[] => {
  const { phase, reason, conditions = [] } = status ?? {};
  if (phase === 'Done' || phase === 'Succeeded') return [];
  const yellow = (text: string): string => paint('yellow', text);
  const waitingFor = oneLine(status?.waitingFor ?? '');
  const hasFailed = phase === 'Failed' || phase === 'Cancelled';
  const own: Statement = hasFailed
    ? { label: '', parts: [...fact(reason), ...fact(oneLine(status?.message ?? waitingFor))] }
    : { label: '', parts: fact(waitingFor), paint: yellow };
  const stalled = conditions.find(({ type, status: is }) => type === 'Stalled' && is === 'True');
  if (stalled === undefined) return [own];
  const why = oneLine(stalled.message);
  const both = hasFailed ? undefined : oneOf(why, waitingFor);
  const stall: Statement = { label: 'stalled: ', parts: [...fact(stalled.reason), ...fact(both ?? why)], paint: yellow };
  return both === undefined ? [own, stall] : [stall];
};

const facts = (parts: readonly (string | undefined)[]): string =>
  parts.filter((part) => part !== undefined && part !== '').join('  ');

const changes = ({ files, insertions = 0, deletions = 0 }: Attempt): string | undefined =>
  files === undefined ? undefined : `${plural(files, 'file')} +${insertions} −${deletions}`;

const tested = ({ verify }: Attempt): string | undefined =>
  verify === undefined ? undefined : `checks ${verify.passed} passed${verify.failed === 0 ? '' : `, ${verify.failed} failed`}`;

const attemptNode = (attempt: Attempt, now: number, paint: Paint): Node => {
  const { n, agent, outcome, reason, message = '', startedAt, finishedAt, tokens, commit, evidence } = attempt;
  const took = duration((finishedAt === undefined ? now : Date.parse(finishedAt)) - Date.parse(startedAt));
  const why = outcome === 'Succeeded' ? [] : [...fact(reason), ...fact(oneLine(message))];
  const result = facts([
    changes(attempt),
    tested(attempt),
    tokens === undefined ? undefined : plural(tokens, 'token'),
    commit === undefined ? undefined : `commit ${shortDigest(commit)}`,
    evidence === undefined ? undefined : `evidence ${shortDigest(evidence)}`,
  ]);
  return {
    head: [`attempt ${n}`, oneLine(agent), phaseText(outcome ?? 'Running', paint), ...why, took],
    statements: result === '' ? [] : [{ label: '', parts: [paint('gray', result)] }],
    children: [],
  };
};

const taskNode = (task: Task, now: number, paint: Paint): Node => {
  const { spec, status, metadata } = task;
  const attempts = status?.attempts ?? [];
  return {
    head: [paint('bold', spec.task.id), phaseText(status?.phase, paint), oneLine(spec.task.title), paint('gray', metadata.name)],
    statements: standing(status, paint),
    children: attempts.map((attempt) => attemptNode(attempt, now, paint)),
  };
};

const inPlanOrder = (plan: Plan, tasks: readonly Task[]): readonly Task[] => {
  const order = (plan.status?.tasks ?? []).map(({ id }) => id);
  return [...tasks].sort((a, b) => order.indexOf(a.spec.task.id) - order.indexOf(b.spec.task.id));
};

const planStatements = ({ metadata, spec, status }: Plan, paint: Paint): readonly Statement[] => {
  const { by = '', reason = '' } = spec.approval ?? {};
  const ask = `kubectl fleet approve plan ${metadata.name}`;
  const decide: Statement = {
    ...{ label: 'to decide: ', paint: (text) => paint('yellow', text) },
    parts: status?.phase === 'Parsed' ? [{ text: `${ask} -n ${metadata.namespace}`, facts: [ask] }] : [],
  };
  const said: Statement = {
    label: 'reason: ',
    parts: reason === '' ? [] : [{ text: oneLine(reason), facts: [oneLine(by), oneLine(reason)] }],
  };
  const problems = (status?.problems ?? []).map(({ where, message }): Statement => ({
    ...{ label: '', paint: (text) => paint('red', text) },
    parts: [{ text: `${oneLine(where)}: ${oneLine(message)}`, facts: [oneLine(message)] }],
  }));
  return [decide, said, ...problems, ...standing({ conditions: status?.conditions }, paint)];
};

const planNode = (plan: Plan, view: StoryView, now: number, paint: Paint): Node => {
  const { spec, status, metadata } = plan;
  const inForce = view.story.status?.plan?.uid === metadata.uid;
  const by = spec.approval === undefined ? undefined : `by ${oneLine(spec.approval.by)}`;
  const digest = status?.digest === undefined ? undefined : paint('gray', shortDigest(status.digest));
  const tasks = view.tasks.filter(({ spec: { planRef } }) => planRef.uid === metadata.uid);
  return {
    head: [
      `Plan ${paint('bold', metadata.name)}`,
      `r${spec.revision}`,
      phaseText(status?.phase, paint),
      by ?? '',
      inForce ? 'in force' : '',
      digest ?? '',
    ],
    statements: planStatements(plan, paint),
    children: inPlanOrder(plan, tasks).map((task) => taskNode(task, now, paint)),
  };
};

const gateText = (gate: Gate, { story, plans }: StoryView, paint: Paint): string => {
  const mode = story.status?.gates?.[gate] ?? story.spec.gates[gate] ?? '?';
  const decision =
    gate === 'design'
      ? plans.find(({ metadata }) => metadata.uid === story.status?.plan?.uid)?.spec.approval
      : story.spec.approvals?.filter((one) => one.gate === gate).at(-1);
  const word = decision === undefined ? mode : `${phaseText(decision.verdict, paint)} by ${oneLine(decision.by)}`;
  return `${gate} ${word}`;
};

const branch = ({ status }: Story, paint: Paint): readonly Statement[] =>
  status?.headCommit === undefined
    ? []
    : [
        {
          label: '',
          parts: [
            `branch ${status.branch ?? '?'}`,
            `head ${shortDigest(status.headCommit)}`,
            paint('gray', `base ${shortDigest(status.baseCommit ?? '?')}`),
          ],
        },
      ];

const storyNode = (view: StoryView, now: number, paint: Paint): Node => {
  const { story, plans } = view;
  const { metadata, spec, status } = story;
  const gates = GATES.map((gate) => gateText(gate, view, paint)).join(' · ');
  return {
    head: [
      `Story ${paint('bold', metadata.name)}`,
      phaseText(status?.phase, paint),
      status?.tasks?.summary ?? '',
      oneLine(spec.title),
    ],
    statements: [...standing(status, paint), { label: 'gates: ', parts: [gates] }, ...branch(story, paint)],
    children: [...plans].sort((a, b) => a.spec.revision - b.spec.revision).map((plan) => planNode(plan, view, now, paint)),
  };
};

/** Ends with a line break. */
export const storyTree = (view: StoryView, now: number, paint: Paint): string => treeText(storyNode(view, now, paint));
