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

/** A sign after an odd number of backslashes is escaped already, and one more would set it free. */
const escaped = (text: string, slashesAndSign: RegExp): string =>
  text.replace(slashesAndSign, (all: string, slashes: string, sign: string) =>
    slashes.length % 2 === 0 ? `${slashes}\\${sign}` : all,
  );
/** What is shown as HTML ends where its tags say, and not where our quotes and items do. */
const withoutTags = (text: string): string => escaped(text, /(\\*)(<)(?=[a-z/!?])/gi);

/** Words on one line, for an item or a heading. */
export const inline = (text: string): string => withoutTags(oneLine(text));

/** Words in a table. */
export const cell = (text: string): string => escaped(inline(text), /(\\*)(\|)/g);

/** What a text is shown with. */
export interface Shown {
  /** Of the points of scores, in their order. */
  readonly criteria?: readonly string[];
  /** Of its headings; 2 where it stands alone. */
  readonly level?: number;
  /** Who wrote what was read under that letter. */
  readonly nameOf?: (label: string) => string;
}

export const artifactMarkdown = (content: string, shown: Shown = {}): string => {
  const artifact = artifactOf(content);
  const parts = artifact === undefined ? [asItIs(content)] : sectionsOf(artifact, shown);
  return `${parts.filter((part) => part !== '').join('\n\n')}\n`;
};

/** Of a revision: what its author changed. Of what is no artifact, such as a patch, all of it. */
export const changesMarkdown = (content: string): string => {
  const artifact = artifactOf(content);
  if (artifact === undefined) return `${asItIs(content)}\n`;
  const changes = 'changes' in artifact.value ? (artifact.value.changes ?? []) : [];
  return changes.length === 0 ? 'It names no changes.\n' : `${list(changes.map(inline))}\n`;
};

/** In a fence that is longer than any in the text, as it is shown: what is taken out of it may have kept backticks apart. */
const asItIs = (content: string): string => {
  const shown = harmless(content);
  const fence = '`'.repeat(Math.max(3, ...[...shown.matchAll(/`+/g)].map(([ticks]) => ticks.length + 1)));
  return `${fence}\n${shown}\n${fence}`;
};

const sectionsOf = (artifact: Artifact, shown: Shown): readonly string[] => {
  const title = headings(shown.level ?? 2);
  switch (artifact.kind) {
    case 'proposal':
      return proposalSections(artifact.value, title);
    case 'plan':
      return planSections(artifact.value, title);
    case 'critique':
      return critiqueSections(artifact.value, title);
    case 'scores':
      return scoreSections(artifact.value, shown, title);
    case 'selection':
      return selectionSections(artifact.value, shown, title);
  }
};

export const quoted = (text: string): string =>
  text
    .split('\n')
    .map((line) => (line === '' ? '>' : `> ${line}`))
    .join('\n');

/** Paragraphs, quoted: a heading in a stranger's text is no heading of ours. */
export const prose = (text: string): string => quoted(withoutTags(harmless(text)));

type Titles = (title: string) => string;
const headings =
  (level: number): Titles =>
  (title) =>
    `${'#'.repeat(level)} ${title}`;

const section = (title: string, body: string): string => (body === '' ? '' : `${title}\n\n${body}`);
const list = (items: readonly string[]): string => items.map((item) => `- ${item}`).join('\n');
const numbered = (items: readonly string[]): string => items.map((item, index) => `${index + 1}. ${item}`).join('\n');
export const code = (text: string): string => `\`${oneLine(text).replaceAll('`', "'")}\``;

const proposalSections = (
  { summary, approach, steps, files, tests, risks, changes = [] }: Proposal,
  title: Titles,
): readonly string[] => [
  prose(summary),
  section(title('Approach'), prose(approach)),
  section(title('Steps'), numbered(steps.map(inline))),
  section(title('Files'), list(files.map(code))),
  section(title('Tests'), list(tests.map(inline))),
  section(title('Risks'), list(risks.map(inline))),
  section(title('Changes'), list(changes.map(inline))),
];

const taskFacts = ({ role, phase, dependsOn, fileScope, candidates, deliberation }: ProposedPlan['tasks'][number]): string =>
  list([
    `${inline(role)}, ${phase}`,
    ...(dependsOn.length === 0 ? [] : [`after ${dependsOn.map(inline).join(', ')}`]),
    `may change ${fileScope.length === 0 ? 'the whole repository' : fileScope.map(code).join(', ')}`,
    ...(candidates === 1 ? [] : [`${candidates} candidates`]),
    ...(deliberation === 'Before' ? ['a council deliberates first'] : []),
  ]);

const planSections = ({ rationale, tasks, changes = [] }: ProposedPlan, title: Titles): readonly string[] => [
  prose(rationale),
  ...tasks.flatMap((task, index) => [
    title(`${index + 1}. ${inline(task.id)}: ${inline(task.title)}`),
    taskFacts(task),
    task.description === '' ? '' : prose(task.description),
    task.verify.commands.length === 0 ? '' : `Must end with 0:\n\n${list(task.verify.commands.map(code))}`,
  ]),
  section(title('Changes'), list(changes.map(inline))),
];

const problemOf = ({ severity, problem, suggestion }: Critique['problems'][number]): string =>
  `**${severity}**: ${inline(problem)}${suggestion === '' ? '' : ` *Suggestion:* ${inline(suggestion)}`}`;

const critiqueSections = ({ strengths, problems }: Critique, title: Titles): readonly string[] => [
  section(title('Strengths'), list(strengths.map(inline))),
  section(title('Problems'), numbered(problems.map(problemOf))),
];

const itself = (label: string): string => label;

const scoreSections = ({ scores }: Scores, { criteria = [], nameOf = itself }: Shown, title: Titles): readonly string[] =>
  scores.map(({ proposal, points, reason }) =>
    [
      title(inline(nameOf(proposal))),
      list(points.map((value, index) => `${inline(criteria[index] ?? `criterion ${index + 1}`)}: ${value}`)),
      prose(reason),
    ].join('\n\n'),
  );

const selectionSections = (
  { choice, rationale, dissent }: Selection,
  { nameOf = itself }: Shown,
  title: Titles,
): readonly string[] => [
  `Chosen: **${inline(nameOf(choice))}**`,
  prose(rationale),
  section(title('What speaks against it'), dissent === '' ? '' : prose(dissent)),
];
