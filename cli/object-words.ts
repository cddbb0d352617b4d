// `KIND NAME` or `KIND/NAME`, in kubectl's spellings, and of which kinds a command takes them. Pure.

import { UsageError } from './failure.ts';
import { didYouMean } from './nearest.ts';

export type NamedKind = 'story' | 'plan' | 'task' | 'deliberation';
export type ObjectVerb = keyof typeof KINDS_OF;

export const KINDS_OF = {
  approve: ['plan', 'story'],
  reject: ['plan', 'story'],
  tree: ['story'],
  logs: ['story', 'task'],
  replay: ['deliberation'],
  transcript: ['deliberation'],
} as const satisfies Readonly<Record<string, readonly NamedKind[]>>;

const SPELLINGS: Readonly<Record<NamedKind, readonly string[]>> = {
  story: ['story', 'stories', 'sty'],
  plan: ['plan', 'plans', 'pln'],
  task: ['task', 'tasks', 'tsk'],
  deliberation: ['deliberation', 'deliberations', 'dlb'],
};

const isSpelling = (word: string, kind: NamedKind): boolean =>
  SPELLINGS[kind].includes(word.toLowerCase().replace(/\.swefleet\.io$/, ''));

export interface NamedObject<K extends NamedKind> {
  readonly kind: K;
  readonly name: string;
}

/** @throws {UsageError} that says what the command takes */
export const namedObject = <V extends ObjectVerb>(
  verb: V,
  words: readonly string[],
): NamedObject<(typeof KINDS_OF)[V][number]> => {
  const kinds: readonly (typeof KINDS_OF)[V][number][] = KINDS_OF[verb];
  const [first = '', ...rest] = words.flatMap((word, i) => (i === 0 ? word.split('/', 2) : [word]));
  const seeHelp = `See: kubectl fleet ${verb} --help`;
  if (first === '') throw new UsageError(`${verb} what? Say ${kinds.join(' or ')} and a name`, seeHelp);
  const kind = kinds.find((one) => isSpelling(first, one));
  if (kind === undefined)
    throw new UsageError(
      `${verb} takes ${kinds.join(' or ')}, then a name: what is "${first}"?`,
      didYouMean(first, kinds) ?? seeHelp,
    );
  const [name = '', ...more] = rest;
  if (name === '') throw new UsageError(`which ${kind}?`, `See: kubectl get ${kind === 'story' ? 'stories' : `${kind}s`}`);
  if (more.length > 0) throw new UsageError(`one ${kind} at a time: what is "${more.join(' ')}"?`, seeHelp);
  return { kind, name };
};

/** The name of a Story. The kind may be left out, as there is only one. */
export const storyName = (words: readonly string[]): string | undefined => {
  const [first, second] = words;
  if (first === undefined) return undefined;
  const isBare = second === undefined && !first.includes('/') && !isSpelling(first, 'story');
  return isBare ? first : namedObject('tree', words).name;
};
