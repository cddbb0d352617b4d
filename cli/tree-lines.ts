// A tree as lines of text, in which nothing is said twice on the way from the root to a leaf: what a line tells, those below it leave
// out. Pure.

/** A text that is left out where all of its facts were told above. A plain string is always shown and tells nothing. */
export type Part = string | { readonly text: string; readonly facts: readonly string[] };

/** A line of its own below a node's head, before its children; left out when nothing of it is left. */
export interface Statement {
  readonly label: string;
  readonly parts: readonly Part[];
  readonly paint?: (text: string) => string;
}

export interface Node {
  readonly head: readonly Part[];
  readonly statements: readonly Statement[];
  readonly children: readonly Node[];
}

/** What other lines may say too: a reason, a message. Nothing when there is none. */
export const fact = (text: string | undefined): readonly Part[] =>
  text === undefined || text === '' ? [] : [{ text, facts: [text] }];

const ELLIPSIS = /…$/;
const bare = (text: string): string => text.trim().replace(/\.$/, '').toLowerCase();
const isInWord = (text: string, at: number): boolean => /^[\p{L}\p{N}]{2}$/u.test(text.slice(at - 1, at + 1));

/** Whether a text holds another in whole words. A text that was cut off holds what it is the beginning of, as no more is known of it. */
export const tells = (text: string, other: string): boolean => {
  const [whole, part] = [bare(text), bare(other)];
  if (ELLIPSIS.test(whole) && part.startsWith(whole.replace(ELLIPSIS, ''))) return true;
  const at = whole.indexOf(part);
  return at !== -1 && !isInWord(whole, at) && !isInWord(whole, at + part.length);
};

const isTold = (part: Part, told: readonly string[]): boolean =>
  typeof part !== 'string' && part.facts.every((one) => told.some((text) => tells(text, one)));

const textOf = (part: Part): string => (typeof part === 'string' ? part : part.text);
const toldBy = (parts: readonly Part[]): readonly string[] =>
  parts.flatMap((part) => (typeof part === 'string' ? [] : [part.text]));
const joined = (parts: readonly Part[]): string =>
  parts
    .map(textOf)
    .filter((text) => text !== '')
    .join('  ');

interface Drawn {
  readonly text: string;
  readonly below: readonly Drawn[];
}

const draw = ({ head, statements, children }: Node, above: readonly string[]): Drawn => {
  const shown = head.filter((part) => !isTold(part, above));
  const told = [...above, ...toldBy(shown)];
  const leaves: Drawn[] = [];
  for (const { label, parts, paint = (text: string) => text } of statements) {
    const left = parts.filter((part) => !isTold(part, told));
    if (left.length === 0) continue;
    leaves.push({ text: paint(`${label}${joined(left)}`), below: [] });
    told.push(...toldBy(left));
  }
  return { text: joined(shown), below: [...leaves, ...children.map((child) => draw(child, told))] };
};

const lines = ({ text, below }: Drawn, first: string, rest: string): readonly string[] => [
  first + text,
  ...below.flatMap((one, i) =>
    i === below.length - 1 ? lines(one, `${rest}└─ `, `${rest}   `) : lines(one, `${rest}├─ `, `${rest}│  `),
  ),
];

/** Ends with a line break. */
export const treeText = (root: Node): string => `${lines(draw(root, []), '', '').join('\n')}\n`;
