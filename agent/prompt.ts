// How a prompt is put together, whoever asks the model. Pure. Every fact stands once. What all agents and attempts of a task share stands
// first and is the same to the byte, so that a server's prefix cache holds; what differs stands last.
import type { Brief } from '../crds/contracts/brief.ts';
import { withoutCredentials } from '../crds/rules/credentials.ts';

export interface Prompt {
  readonly system: string;
  readonly user: string;
}

export interface PromptParts {
  /** How to work, and what holds: the same for everybody who does this kind of work. */
  readonly rules: string;
  readonly brief: Pick<Brief, 'story' | 'task' | 'verify' | 'limits' | 'context'>;
  /** Who is asked, and what only this time is about. */
  readonly own: string;
}

/** Each part is withoutCredentials by itself: nothing in the last part can change the first. */
export const promptOf = ({ rules, brief, own }: PromptParts): Prompt => ({
  system: rules,
  user: [storyPart(brief), taskPart(brief), contextPart(brief), own].filter(notEmpty).map(withoutCredentials).join('\n\n'),
});

export const storyPart = ({
  story,
}: {
  readonly story: Pick<Brief['story'], 'title' | 'description' | 'acceptanceCriteria'>;
}): string =>
  ['# The story', story.title, story.description, list('Acceptance criteria', story.acceptanceCriteria)]
    .filter(notEmpty)
    .join('\n\n');

const taskPart = ({ task, verify, limits }: PromptParts['brief']): string =>
  [
    '# Your task',
    `${task.title} (role ${task.role}, phase ${task.phase})`,
    task.description,
    list('Requirements', task.requirements),
    list('It will be judged by', task.rubric.map(criterion)),
    list('You may change only paths that match', task.fileScope),
    list('You may never change paths that match', limits.protectedPaths),
    list(
      'These commands must end with 0',
      verify.commands.map((command) => `\`${command}\``),
    ),
  ]
    .filter(notEmpty)
    .join('\n\n');

export const criterion = ({ criterion: name, text }: Brief['task']['rubric'][number]): string =>
  text === '' ? name : `${name}: ${text}`;

const contextPart = ({ context }: PromptParts['brief']): string =>
  notEmpty(context.text) ? `# Context\n\n${context.text.trim()}` : '';

export const list = (title: string, items: readonly string[]): string =>
  items.length === 0 ? '' : `${title}:\n${items.map((item) => `- ${item}`).join('\n')}`;

export const notEmpty = (text: string): boolean => text.trim() !== '';
