// What a person reads before deciding. Pure. Nothing is left out that the digest covers.

import type { PlanTask } from '../crds/kinds/plan-task.ts';
import type { Plan } from '../crds/kinds/plan.ts';
import type { Story } from '../crds/kinds/story.ts';
import type { Paint } from './terminal.ts';
import { harmless, indent, oneLine, plural } from './text.ts';

const field = (name: string, value: string | undefined): readonly string[] =>
  value === undefined || value === '' ? [] : value.includes('\n') ? [`${name}:`, indent(value, '  ')] : [`${name}: ${value}`];

const list = (name: string, values: readonly string[]): readonly string[] =>
  values.length === 0 ? [] : [`${name}:`, ...values.map((value) => `  · ${indent(harmless(value), '    ').trimStart()}`)];

const limitsOf = ({ constraints, candidates, priority, deliberation }: PlanTask): string =>
  [
    constraints.timeoutSeconds === undefined ? undefined : `${constraints.timeoutSeconds} s an attempt`,
    constraints.maxIterations === undefined ? undefined : plural(constraints.maxIterations, 'iteration'),
    candidates === 1 ? undefined : plural(candidates, 'candidate'),
    priority === 0 ? undefined : `priority ${priority}`,
    deliberation === 'None' ? 'no deliberation' : undefined,
  ]
    .filter((part) => part !== undefined)
    .join(', ');

const taskText = (task: PlanTask, paint: Paint): string => {
  const head = `${paint('bold', task.id)}  ${task.phase} ${task.role}  ${oneLine(task.title)}`;
  const body = [
    ...field('after', task.dependsOn.join(', ')),
    ...field('files', task.fileScope.length === 0 ? 'the whole repository' : task.fileScope.map(oneLine).join('  ')),
    ...list('verify', task.verify.commands),
    ...list('requirements', task.constraints.requirements),
    ...list(
      'rubric',
      task.constraints.rubric.map((entry) => `${entry.criterion} (${entry.weight})${entry.text === '' ? '' : `: ${entry.text}`}`),
    ),
    ...field('limits', limitsOf(task)),
    ...field('description', harmless(task.description).trimEnd()),
  ];
  return `${head}\n${indent(body.join('\n'), '    ')}\n`;
};

export const planText = ({ metadata, spec, status }: Plan, digest: string, paint: Paint): string => {
  const tasks = status?.tasks ?? [];
  return [
    `${paint('bold', `Plan ${metadata.name}`)} for Story ${spec.storyRef.name}, revision ${spec.revision}, by ${oneLine(spec.author)}`,
    `${plural(tasks.length, 'task')}, ${digest}`,
    '',
    ...tasks.map((task) => taskText(task, paint)),
    '',
  ].join('\n');
};

const readinessLines = (story: Story): readonly string[] => {
  const readiness = story.status?.readiness;
  if (readiness === undefined) return [];
  const head = `readiness: ${readiness.score} of ${readiness.threshold} needed`;
  return [head, ...readiness.findings.map((finding) => `  · ${oneLine(finding.message)} (−${Math.abs(finding.weight)})`)];
};

export const scopeText = (story: Story, digest: string, paint: Paint): string => {
  const { spec, metadata } = story;
  return [
    `${paint('bold', `Story ${metadata.name}`)}: ${oneLine(spec.title)}`,
    `rigor ${spec.rigor}, ${oneLine(spec.repository.url)} at ${oneLine(spec.repository.ref)}, ${digest}`,
    ...field('description', harmless(spec.description).trimEnd()),
    ...list('acceptance criteria', spec.acceptanceCriteria),
    ...readinessLines(story),
    '',
  ].join('\n');
};

export const workText = (story: Story, commit: string, paint: Paint): string => {
  const { spec, metadata, status } = story;
  return [
    `${paint('bold', `Story ${metadata.name}`)}: ${oneLine(spec.title)}`,
    `branch ${status?.branch ?? '?'} of ${oneLine(spec.repository.url)}, tasks ${status?.tasks?.summary ?? '?'}`,
    `head ${commit}`,
    `Look at it:  git fetch ${oneLine(spec.repository.url)} ${status?.branch ?? ''} && git log --stat ${status?.baseCommit ?? ''}..FETCH_HEAD`,
    '',
  ].join('\n');
};
