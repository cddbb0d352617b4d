// YAML of a Plan, read with everything off that a list of tasks does not need: anchors, aliases, tags, deep nesting, masses of tokens.
// May: read text. May not: let the composer, which is recursive, see a text that was not measured first.
import { Lexer, parseDocument } from 'yaml';

export type YamlRead = { readonly value: unknown } | { readonly where: string; readonly message: string };

const MAX_TOKENS = 60_000;
const MAX_NESTING = 12;
/** The lexer puts it before the text of a scalar. */
const SCALAR = '\x1f';

/** Never throws. */
export const readYaml = (text: string): YamlRead => {
  const refusal = measured(text);
  if (refusal !== undefined) return refusal;
  const document = parseDocument(text, { schema: 'core', version: '1.2', merge: false, uniqueKeys: true, prettyErrors: false });
  const [first] = [...document.errors, ...document.warnings];
  if (first === undefined) return { value: document.toJS({ maxAliasCount: 0 }) as unknown };
  return { where: `line ${text.slice(0, first.pos[0]).split('\n').length}`, message: `not YAML as expected: ${first.message}` };
};

interface Measure {
  line: number;
  tokens: number;
  brackets: number;
  /** Indicators of block entries since the last scalar or line end: `- - - x` nests without a new line. */
  indicators: number;
}

const measured = (text: string): { readonly where: string; readonly message: string } | undefined => {
  const seen: Measure = { line: 1, tokens: 0, brackets: 0, indicators: 0 };
  let scalar = false;
  for (const token of new Lexer().lex(text)) {
    const message = scalar ? undefined : problemWith(token, seen);
    if (message !== undefined) return { where: `line ${seen.line}`, message };
    seen.line += token.split('\n').length - 1;
    scalar = token === SCALAR;
  }
  return undefined;
};

const problemWith = (token: string, seen: Measure): string | undefined => {
  seen.tokens += 1;
  if (seen.tokens > MAX_TOKENS) return `it has more than ${MAX_TOKENS} tokens`;
  const first = token.charAt(0);
  if (first === '&' || first === '*') return 'anchors and aliases are not read: write the text out';
  if (first === '!') return 'tags are not read';
  if (token === '[' || token === '{') seen.brackets += 1;
  else if (token === ']' || token === '}') seen.brackets -= 1;
  else if (token === '-' || token === '?' || token === ':') seen.indicators += 1;
  else if (token === SCALAR || token.includes('\n')) seen.indicators = 0;
  return seen.brackets > MAX_NESTING || seen.indicators > MAX_NESTING
    ? `it is nested deeper than ${MAX_NESTING} levels`
    : undefined;
};
