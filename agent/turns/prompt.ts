// The prompt of one turn of a Deliberation. Pure. What all turns of a Deliberation share stands first and is the same to the byte; then what
// is asked, then the texts that it is about, and who is asked last.
//
//   rules │ what is written, question, story, task, criteria, paths, context ║ this turn │ texts │ you
//         └─────────────── of `shared`, for a server's prefix cache ──────────╨── differs ────────────
//
// May not: let one part change another. Each is rid of credentials by itself, and a text of an agent stands between lines that it cannot forge.
import { sha256 } from '../../crds/canonical.ts';
import type { SharedBrief, TurnBrief } from '../../crds/contracts/turn-brief.ts';
import { withoutCredentials } from '../../crds/rules/credentials.ts';
import { criterion, list, notEmpty, storyPart, type Prompt } from '../prompt.ts';
import type { PromptTemplates } from './templates.ts';

/** A text that a turn is about, under the label that its reader sees. */
export interface LabelledText {
  readonly label: string;
  readonly text: string;
}

export const turnPrompt = (templates: PromptTemplates, brief: TurnBrief, texts: readonly LabelledText[]): Prompt => ({
  system: withoutCredentials(templates.rules),
  user: [...sharedParts(templates, brief.shared), turnPart(templates, brief, texts), ...quoted(texts), youPart(brief)].join(
    '\n\n',
  ),
});

const clean = (parts: readonly string[]): readonly string[] => parts.filter(notEmpty).map(withoutCredentials);

const sharedParts = ({ works }: PromptTemplates, shared: SharedBrief): readonly string[] =>
  clean([
    `# What is worked out\n\n${works[shared.kind]}`,
    notEmpty(shared.subject) ? `# The question\n\n${shared.subject.trim()}` : '',
    shared.story === undefined ? '' : storyPart({ story: shared.story }),
    taskPart(shared.task),
    list('Requirements', shared.requirements),
    list('It will be judged by', shared.rubric.map(criterion)),
    list('Only paths that match these may be changed', shared.fileScope),
    list('Paths that match these may never be changed', shared.protectedPaths),
    notEmpty(shared.context.text) ? `# Context\n\n${shared.context.text.trim()}` : '',
  ]);

const taskPart = (task: SharedBrief['task']): string =>
  task === undefined
    ? ''
    : ['# The task', `${task.id}: ${task.title} (role ${task.role}, phase ${task.phase})`, task.description]
        .filter(notEmpty)
        .join('\n\n');

/** Points go by position, so that the criteria are counted here; what they mean stands with the shared parts. */
const turnPart = ({ turns }: PromptTemplates, { place: { kind }, shared }: TurnBrief, texts: readonly LabelledText[]): string => {
  const labels = kind === 'Score' || kind === 'Selection' ? `Labels: ${texts.map(({ label }) => label).join(', ')}` : '';
  const order = shared.rubric.map(({ criterion: name }, index) => `${index + 1}. ${name}`).join('\n');
  const criteria = kind === 'Score' ? `Criteria, in the order of the points:\n${order}` : '';
  return clean(['# This turn', turns[kind], labels, criteria]).join('\n\n');
};

const FENCE_DIGITS = 16;

/** Of all texts, so that none can hold it: to write it down would change it. */
const fenceOf = (texts: readonly LabelledText[]): string =>
  sha256(texts.map(({ label, text }) => `${label} ${sha256(text)}`).join('\n')).slice(-FENCE_DIGITS);

const quoted = (texts: readonly LabelledText[]): readonly string[] => {
  const shown = texts.map(({ label, text }) => ({ label, text: withoutCredentials(text) }));
  const fence = fenceOf(shown);
  return shown.map(({ label, text }) => `===== ${fence} text "${label}" begins\n${text}\n===== ${fence} text "${label}" ends`);
};

const youPart = ({ own }: TurnBrief): string =>
  clean([`# You\n\nYou are ${own.agent} (role ${own.role}).`, own.persona.trim()]).join('\n\n');
