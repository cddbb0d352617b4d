// Completion: what the word under the cursor may become, found by walking the command tree.

import type { Command, Option } from 'commander';
import { KINDS_OF, type NamedKind } from './object-words.ts';
import type { Place } from './requests.ts';

export interface Candidate {
  readonly word: string;
  readonly description?: string | undefined;
}

/** Names of objects of a kind, in the place that the words before speak of. */
export type NamesOf = (kind: NamedKind, place: Place) => Promise<readonly string[]>;

interface Position {
  /** The command that the words have led to. */
  readonly command: Command;
  /** Its arguments so far. */
  readonly given: readonly string[];
  /** The option whose value comes next. */
  readonly pending: Option | undefined;
}

const optionsOf = (command: Command): readonly Option[] => [
  ...command.createHelp().visibleOptions(command),
  ...command.createHelp().visibleGlobalOptions(command),
];

const subcommandsOf = (command: Command): readonly Command[] => command.createHelp().visibleCommands(command);

const positionAfter = (program: Command, words: readonly string[]): Position | undefined => {
  let command = program;
  let pending: Option | undefined;
  const given: string[] = [];
  for (const word of words) {
    if (pending !== undefined) pending = undefined;
    else if (word.startsWith('-'))
      pending = optionsOf(command).find((option) => option.required && [option.short, option.long].includes(word));
    else if (subcommandsOf(command).length === 0) given.push(word);
    else {
      const next = subcommandsOf(command).find((one) => one.name() === word);
      if (next === undefined) return undefined;
      command = next;
    }
  }
  return { command, given, pending };
};

const asCandidates = (words: readonly string[] | undefined): readonly Candidate[] => (words ?? []).map((word) => ({ word }));
const commandCandidates = (commands: readonly Command[]): readonly Candidate[] =>
  commands.map((one) => ({ word: one.name(), description: one.summary() || one.description() }));

const isObjectVerb = (name: string): name is keyof typeof KINDS_OF => Object.hasOwn(KINDS_OF, name);

const argumentCandidates = async (
  { command, given }: Position,
  namesOf: (kind: NamedKind) => Promise<readonly string[]>,
): Promise<readonly Candidate[]> => {
  const verb = command.name();
  if (!isObjectVerb(verb)) return asCandidates(command.registeredArguments[given.length]?.argChoices);
  const kinds: readonly NamedKind[] = KINDS_OF[verb];
  const [first, ...more] = given;
  if (first === undefined) return asCandidates(kinds);
  const kind = kinds.find((one) => one === first);
  return kind === undefined || more.length > 0 ? [] : asCandidates(await namesOf(kind));
};

/** `words` are those after the program's name; the last is the one to complete and may be empty. */
export const complete = async (program: Command, words: readonly string[], namesOf: NamesOf): Promise<readonly Candidate[]> => {
  const before = words.slice(0, -1);
  const current = words.at(-1) ?? '';
  const position = positionAfter(program, before);
  if (position === undefined) return [];
  const { command, given, pending } = position;
  const candidates = async (): Promise<readonly Candidate[]> => {
    if (pending !== undefined) return asCandidates(pending.argChoices);
    if (current.startsWith('-')) return optionsOf(command).map(({ long, description }) => ({ word: long ?? '', description }));
    if (subcommandsOf(command).length > 0) return commandCandidates(subcommandsOf(command));
    if (command.name() === 'help') return given.length > 0 ? [] : commandCandidates(program.commands);
    program.parseOptions([...before]);
    return argumentCandidates(position, (kind) => namesOf(kind, program.opts<Place>()));
  };
  return (await candidates()).filter(({ word }) => word.startsWith(current));
};

/** No file names, in the words of cobra's protocol. */
const DIRECTIVE = ':4';

export const completionText = (candidates: readonly Candidate[]): string =>
  [
    ...candidates.map(({ word, description }) => (description === undefined ? word : `${word}\t${description}`)),
    DIRECTIVE,
    '',
  ].join('\n');
