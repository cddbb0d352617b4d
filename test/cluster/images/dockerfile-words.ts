// Words, quotes and variables of a Dockerfile line. Pure.

export type Variables = ReadonlyMap<string, string>;

const singleQuoted = /'([^']*)'/y;
const doubleQuoted = /"((?:[^"\\]|\\.)*)"/y;
const bare = /[^\s'"]+/y;

/** Splits at blanks outside quotes and takes the quotes away; `$` inside single quotes is kept literal by doubling it. */
export function words(text: string): readonly string[] {
  const found: string[] = [];
  let at = 0;
  while (at < text.length) {
    if (/\s/.test(text[at] ?? '')) {
      at += 1;
      continue;
    }
    const [word, end] = oneWord(text, at);
    found.push(word);
    at = end;
  }
  return found;
}

function oneWord(text: string, start: number): readonly [string, number] {
  let at = start;
  let word = '';
  while (at < text.length && !/\s/.test(text[at] ?? '')) {
    const piece = onePiece(text, at);
    word += piece[0];
    at = piece[1];
  }
  return [word, at];
}

function onePiece(text: string, at: number): readonly [string, number] {
  for (const [pattern, unquote] of [
    [singleQuoted, (inner: string) => inner.replaceAll('$', '$$$$')],
    [doubleQuoted, (inner: string) => inner.replace(/\\(["\\])/g, '$1')],
  ] as const) {
    pattern.lastIndex = at;
    const match = pattern.exec(text);
    if (match !== null) return [unquote(match[1] ?? ''), pattern.lastIndex];
  }
  bare.lastIndex = at;
  const match = bare.exec(text);
  // A lone quote without its partner is kept as it stands.
  return match === null ? [text[at] ?? '', at + 1] : [match[0], bare.lastIndex];
}

/** Replaces $NAME and ${NAME}; `$$` is a literal `$`. Unknown names and modifiers are problems, never empty strings. */
export function substitute(text: string, variables: Variables): { readonly text: string } | { readonly problem: string } {
  let problem: string | undefined;
  const replaced = text.replace(
    /\$(\$|\{([^}]*)\}|([A-Za-z_]\w*))/g,
    (whole, literal: string, braced?: string, plain?: string) => {
      if (literal === '$') return '$';
      const name = braced ?? plain ?? '';
      const value = variables.get(name);
      if (value === undefined) problem ??= `the variable ${whole} is not known here`;
      return value ?? '';
    },
  );
  return problem === undefined ? { text: replaced } : { problem };
}
