// Where a JSON object in a text ends, found without recursion and before anything that recurses sees it. Also refuses what JSON allows and nobody
// can mean: a field that is there twice, of which a parser keeps one in silence. Pure. Whether it is JSON at all is the parser's to say.

export type Scan = { readonly end: number } | { readonly problem: string };

const MAX_DEPTH = 32;
/** Fields that would reach into the prototype of what is built from them. */
const FORBIDDEN = '__proto__';
/** Whole strings, brackets, and a quote that begins a string without an end. */
const TOKEN = /"[^"\\]*(?:\\[\s\S][^"\\]*)*"|["{}[\]]/g;

const CUT: Scan = { problem: 'the JSON object is cut: it does not end' };

/** `text` begins with the object. The end is the index after its last bracket. */
export const scanObject = (text: string): Scan => {
  // the fields so far of each object that is open; undefined for an array
  const open: (Set<string> | undefined)[] = [];
  for (const { 0: token, index } of text.matchAll(TOKEN)) {
    const end = index + token.length;
    if (token === '"') return CUT;
    if (token === '{' || token === '[') open.push(token === '{' ? new Set() : undefined);
    else if (token === '}' || token === ']') open.pop();
    else if (isKey(text, end)) {
      const problem = keyProblem(token, open.at(-1));
      if (problem !== undefined) return { problem };
    }
    if (open.length === 0) return { end };
    if (open.length > MAX_DEPTH) return { problem: `the JSON is nested deeper than ${MAX_DEPTH} levels` };
  }
  return CUT;
};

const isKey = (text: string, end: number): boolean => text.slice(end).trimStart().startsWith(':');

const keyProblem = (token: string, fields: Set<string> | undefined): string | undefined => {
  const key = unescaped(token);
  const shown = JSON.stringify(key.slice(0, 40));
  if (key === FORBIDDEN) return `${shown} is no field of the answer`;
  if (fields?.has(key) === true) return `the field ${shown} is there twice in one object`;
  fields?.add(key);
  return undefined;
};

const unescaped = (token: string): string => {
  try {
    return JSON.parse(token) as string;
  } catch {
    return token;
  }
};
