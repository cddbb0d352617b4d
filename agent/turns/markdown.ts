// What came of a turn, as Markdown for people. Pure and total: a text that is none of the known artifacts, such as a patch, is shown as it is.
// Its words are a stranger's: they get no control characters, and what they hold of Markdown stays within its own item.
import {
  artifactOf,
  type Artifact,
  type Critique,
  type ProposedPlan,
  type Proposal,
  type Scores,
  type Selection,
} from './artifacts.ts';

const STEERING = /\u001b\[[0-9;?]*[ -/]*[@-~]|[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;
const harmless = (text: string): string => text.replaceAll('\r\n', '\n').replace(STEERING, '').trim();
const oneLine = (text: string): string => harmless(text).replace(/\s+/g, ' ');

/** `criteria`: names, in the order of the points. */
export const artifactMarkdown = (content: string, criteria: readonly string[] = []): string => {
  const artifact = artifactOf(content);
  return `${(artifact === undefined ? [asItIs(content)] : sectionsOf(artifact, criteria)).filter((part) => part !== '').join('\n\n')}\n`;
};

/** In a fence that is longer than any in the text. */
const asItIs = (content: string): string => {
  const fence = '`'.repeat(Math.max(3, ...[...content.matchAll(/`+/g)].map(([ticks]) => ticks.length + 1)));
  return `${fence}\n${harmless(content)}\n${fence}`;
};

const sectionsOf = (artifact: Artifact, criteria: readonly string[]): readonly string[] => {
  switch (artifact.kind) {
    case 'proposal':
      return proposalSections(artifact.value);
    case 'plan':
      return planSections(artifact.value);
    case 'critique':
      return critiqueSections(artifact.value);
    case 'scores':
      return scoreSections(artifact.value, criteria);
    case 'selection':
      return selectionSections(artifact.value);
  }
};

/** Paragraphs, quoted: a heading in a stranger's text is no heading of ours. */
const prose = (text: string): string =>
  harmless(text)
    .split('\n')
    .map((line) => (line === '' ? '>' : `> ${line}`))
    .join('\n');

const section = (title: string, body: string): string => (body === '' ? '' : `## ${title}\n\n${body}`);
const list = (items: readonly string[]): string => items.map((item) => `- ${oneLine(item)}`).join('\n');
const numbered = (items: readonly string[]): string => items.map((item, index) => `${index + 1}. ${oneLine(item)}`).join('\n');
const code = (text: string): string => `\`${oneLine(text).replaceAll('`', "'")}\``;

const proposalSections = ({ summary, approach, steps, files, tests, risks, changes = [] }: Proposal): readonly string[] => [
  prose(summary),
  section('Approach', prose(approach)),
  section('Steps', numbered(steps)),
  section('Files', list(files.map(code))),
  section('Tests', list(tests)),
  section('Risks', list(risks)),
  section('Changes', list(changes)),
];

const taskFacts = ({ role, phase, dependsOn, fileScope, candidates, deliberation }: ProposedPlan['tasks'][number]): string =>
  list([
    `${role}, ${phase}`,
    ...(dependsOn.length === 0 ? [] : [`after ${dependsOn.join(', ')}`]),
    `may change ${fileScope.length === 0 ? 'the whole repository' : fileScope.map(code).join(', ')}`,
    ...(candidates === 1 ? [] : [`${candidates} candidates`]),
    ...(deliberation === 'Before' ? ['a council deliberates first'] : []),
  ]);

const planSections = ({ rationale, tasks, changes = [] }: ProposedPlan): readonly string[] => [
  prose(rationale),
  ...tasks.flatMap((task, index) => [
    `## ${index + 1}. ${task.id}: ${oneLine(task.title)}`,
    taskFacts(task),
    task.description === '' ? '' : prose(task.description),
    task.verify.commands.length === 0 ? '' : `Must end with 0:\n\n${list(task.verify.commands.map(code))}`,
  ]),
  section('Changes', list(changes)),
];

const critiqueSections = ({ strengths, problems }: Critique): readonly string[] => [
  section('Strengths', list(strengths)),
  section(
    'Problems',
    numbered(
      problems.map(
        ({ severity, problem, suggestion }) =>
          `**${severity}**: ${problem}${suggestion === '' ? '' : ` *Suggestion:* ${suggestion}`}`,
      ),
    ),
  ),
];

const scoreSections = ({ scores }: Scores, criteria: readonly string[]): readonly string[] =>
  scores.map(({ proposal, points, reason }) =>
    [
      `## ${oneLine(proposal)}`,
      list(points.map((value, index) => `${criteria[index] ?? `criterion ${index + 1}`}: ${value}`)),
      prose(reason),
    ].join('\n\n'),
  );

const selectionSections = ({ choice, rationale, dissent }: Selection): readonly string[] => [
  `Chosen: **${oneLine(choice)}**`,
  prose(rationale),
  section('What speaks against it', dissent === '' ? '' : prose(dissent)),
];
