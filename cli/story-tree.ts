// A Story and what hangs on it, as lines of text. Pure: objects and a clock in, lines out.

import type { Condition } from '../crds/kinds/meta.ts';
import type { Plan } from '../crds/kinds/plan.ts';
import { GATES, type Gate, type Story } from '../crds/kinds/story.ts';
import type { Attempt, Task } from '../crds/kinds/task.ts';
import type { Colour, Paint } from './terminal.ts';
import { duration, oneLine, plural, shortDigest } from './text.ts';

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
}

interface Node {
  readonly text: string;
  readonly children: readonly Node[];
}

const leaf = (text: string): Node => ({ text, children: [] });

const COLOURS: Readonly<Record<string, Colour>> = {
  ...{ Done: 'green', Succeeded: 'green', Approved: 'green' },
  ...{ Failed: 'red', Rejected: 'red', Invalid: 'red', AgentFailed: 'red', InfrastructureFailed: 'yellow', Stalled: 'yellow' },
  ...{ Cancelled: 'gray', Superseded: 'gray', Pending: 'gray' },
};
const phaseText = (phase: string | undefined, paint: Paint): string => paint(COLOURS[phase ?? ''] ?? 'cyan', phase ?? 'New');

/** Phases that are never left. */
export const isOver = (object: { readonly status?: { readonly phase?: string | undefined } }): boolean =>
  ['Done', 'Succeeded', 'Failed', 'Cancelled'].includes(object.status?.phase ?? '');

const stalledLines = (conditions: readonly Condition[] | undefined, paint: Paint): readonly Node[] =>
  (conditions ?? [])
    .filter(({ type, status }) => type === 'Stalled' && status === 'True')
    .map(({ reason, message }) => leaf(`${paint('yellow', `stalled: ${reason}`)} ${oneLine(message)}`));

/** Why it is not further: what it waits for, or why it did not succeed. */
const standing = (status: Standing | undefined, paint: Paint): readonly Node[] => {
  const { phase, waitingFor, reason, message } = status ?? {};
  if (phase === 'Done' || phase === 'Succeeded') return [];
  if (phase === 'Failed' || phase === 'Cancelled') return [leaf(facts([reason, oneLine(message ?? waitingFor ?? '')]))];
  return waitingFor === undefined || waitingFor === '' ? [] : [leaf(paint('yellow', oneLine(waitingFor)))];
};

const facts = (parts: readonly (string | undefined)[]): string =>
  parts.filter((part) => part !== undefined && part !== '').join('  ');

const changes = ({ files, insertions = 0, deletions = 0 }: Attempt): string | undefined =>
  files === undefined ? undefined : `${plural(files, 'file')} +${insertions} −${deletions}`;

const tested = ({ verify }: Attempt): string | undefined =>
  verify === undefined ? undefined : `checks ${verify.passed} passed${verify.failed === 0 ? '' : `, ${verify.failed} failed`}`;

const attemptNode = (attempt: Attempt, now: number, paint: Paint): Node => {
  const { n, agent, outcome, reason, message, startedAt, finishedAt, tokens, commit, evidence } = attempt;
  const took = duration((finishedAt === undefined ? now : Date.parse(finishedAt)) - Date.parse(startedAt));
  const why = outcome === 'Succeeded' ? undefined : facts([reason, message === undefined ? undefined : oneLine(message)]);
  const head = facts([`attempt ${n}`, oneLine(agent), phaseText(outcome ?? 'Running', paint), why, took]);
  const result = facts([
    changes(attempt),
    tested(attempt),
    tokens === undefined ? undefined : plural(tokens, 'token'),
    commit === undefined ? undefined : `commit ${shortDigest(commit)}`,
    evidence === undefined ? undefined : `evidence ${shortDigest(evidence)}`,
  ]);
  return { text: head, children: result === '' ? [] : [leaf(paint('gray', result))] };
};

const taskNode = (task: Task, now: number, paint: Paint): Node => {
  const { spec, status, metadata } = task;
  const commit = status?.commit === undefined ? undefined : `commit ${shortDigest(status.commit)}`;
  const text = facts([
    paint('bold', spec.task.id),
    phaseText(status?.phase, paint),
    oneLine(spec.task.title),
    commit,
    paint('gray', metadata.name),
  ]);
  const children = [
    ...standing(status, paint),
    ...stalledLines(status?.conditions, paint),
    ...(status?.attempts ?? []).map((attempt) => attemptNode(attempt, now, paint)),
  ];
  return { text, children };
};

const inPlanOrder = (plan: Plan, tasks: readonly Task[]): readonly Task[] => {
  const order = (plan.status?.tasks ?? []).map(({ id }) => id);
  return [...tasks].sort((a, b) => order.indexOf(a.spec.task.id) - order.indexOf(b.spec.task.id));
};

const planNode = (plan: Plan, view: StoryView, now: number, paint: Paint): Node => {
  const { spec, status, metadata } = plan;
  const inForce = view.story.status?.plan?.uid === metadata.uid;
  const by = spec.approval === undefined ? undefined : `by ${oneLine(spec.approval.by)}`;
  const digest = status?.digest === undefined ? undefined : paint('gray', shortDigest(status.digest));
  const head = facts([
    `Plan ${paint('bold', metadata.name)}`,
    `r${spec.revision}`,
    phaseText(status?.phase, paint),
    by,
    inForce ? 'in force' : undefined,
    digest,
  ]);
  const reason = spec.approval?.reason;
  const children = [
    ...(status?.phase === 'Parsed'
      ? [leaf(paint('yellow', `to decide: kubectl fleet approve plan ${metadata.name} -n ${metadata.namespace}`))]
      : []),
    ...(reason === undefined || reason === '' ? [] : [leaf(`reason: ${oneLine(reason)}`)]),
    ...(status?.problems ?? []).map(({ where, message }) => leaf(paint('red', `${oneLine(where)}: ${oneLine(message)}`))),
    ...stalledLines(status?.conditions, paint),
    ...inPlanOrder(
      plan,
      view.tasks.filter(({ spec: { planRef } }) => planRef.uid === metadata.uid),
    ).map((task) => taskNode(task, now, paint)),
  ];
  return { text: head, children };
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

const branchLine = ({ status }: Story, paint: Paint): readonly Node[] =>
  status?.headCommit === undefined
    ? []
    : [
        leaf(
          facts([
            `branch ${status.branch ?? '?'}`,
            `head ${shortDigest(status.headCommit)}`,
            paint('gray', `base ${shortDigest(status.baseCommit ?? '?')}`),
          ]),
        ),
      ];

const storyNode = (view: StoryView, now: number, paint: Paint): Node => {
  const { story, plans } = view;
  const { metadata, spec, status } = story;
  const text = facts([
    `Story ${paint('bold', metadata.name)}`,
    phaseText(status?.phase, paint),
    status?.tasks?.summary,
    oneLine(spec.title),
  ]);
  const children = [
    ...standing(status, paint),
    ...stalledLines(status?.conditions, paint),
    leaf(`gates: ${GATES.map((gate) => gateText(gate, view, paint)).join(' · ')}`),
    ...branchLine(story, paint),
    ...[...plans].sort((a, b) => a.spec.revision - b.spec.revision).map((plan) => planNode(plan, view, now, paint)),
  ];
  return { text, children };
};

const lines = (node: Node, first: string, rest: string): readonly string[] => [
  first + node.text,
  ...node.children.flatMap((child, i) =>
    i === node.children.length - 1 ? lines(child, `${rest}└─ `, `${rest}   `) : lines(child, `${rest}├─ `, `${rest}│  `),
  ),
];

/** Ends with a line break. */
export const storyTree = (view: StoryView, now: number, paint: Paint): string =>
  `${lines(storyNode(view, now, paint), '', '').join('\n')}\n`;
