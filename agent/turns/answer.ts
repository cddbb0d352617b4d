// From what a model wrote to what it answered. Its text is hostile: size and depth are limited before anything walks it. Prose, fences and
// thoughts around the one JSON object are let go; everything else that is not exactly what was asked for is refused, and never guessed.
// Every problem is data, in one sentence that can be said to the model.
import type { z } from 'zod';
import { scanObject } from './object-scan.ts';

export type Answer<Value> = { readonly ok: true; readonly value: Value } | { readonly ok: false; readonly problem: string };

const MAX_ANSWER_BYTES = 256 * 1024;
const MAX_PROBLEM_CHARACTERS = 600;
const MAX_ISSUES = 5;

interface Refused {
  readonly ok: false;
  readonly problem: string;
}
const refused = (problem: string): Refused => ({ ok: false, problem: clipped(problem) });

const clipped = (text: string): string =>
  text.length <= MAX_PROBLEM_CHARACTERS ? text : `${text.slice(0, MAX_PROBLEM_CHARACTERS - 1).toWellFormed()}…`;

/** Reads the answer in the text of a model. Never throws. */
export const answerIn = <Value>(text: string, schema: z.ZodType<Value>): Answer<Value> => {
  const bytes = Buffer.byteLength(text);
  if (bytes > MAX_ANSWER_BYTES) return refused(`the answer has ${bytes} bytes, and at most ${MAX_ANSWER_BYTES} are read`);
  const found = objectIn(withoutThoughts(text));
  if (!found.ok) return found;
  const parsed = parse(found.value);
  if (!parsed.ok) return parsed;
  const result = schema.safeParse(parsed.value);
  return result.success ? { ok: true, value: result.data } : refused(sentenceOf(result.error.issues));
};

const THOUGHT = '<think>';
const THOUGHT_END = '</think>';

/**
 * What stands before the answer and ends with the tag, of which some templates swallow the first. An answer that is there from the beginning is
 * left alone: its strings may speak of such tags.
 */
const withoutThoughts = (text: string): string => {
  let rest = text.trim();
  while (!/^(?:\{|```)/.test(rest)) {
    const end = rest.indexOf(THOUGHT_END);
    if (end < 0) return withoutOpenThought(rest);
    rest = rest.slice(end + THOUGHT_END.length).trim();
  }
  return rest;
};

const withoutOpenThought = (text: string): string => {
  const [thought, object] = [text.indexOf(THOUGHT), text.indexOf('{')];
  return thought >= 0 && (object < 0 || thought < object) ? text.slice(0, thought).trim() : text;
};

/** An array is open where the object begins. */
const ENDS_IN_ARRAY = /\[[^\]]*$/;

/** The text of the one object. Braces anywhere else may be a second answer, so they are refused. */
const objectIn = (text: string): Answer<string> => {
  if (text === '') return refused('the answer is empty');
  const start = text.indexOf('{');
  if (start < 0) return refused('the answer holds no JSON object');
  const before = text.slice(0, start);
  if (ENDS_IN_ARRAY.test(before)) return refused('the answer is a JSON array, and one JSON object is asked for');
  const scan = scanObject(text.slice(start));
  if ('problem' in scan) return refused(scan.problem);
  if (/[{}]/.test(before + text.slice(start + scan.end))) return refused('the answer holds more than one JSON object');
  return { ok: true, value: text.slice(start, start + scan.end) };
};

const parse = (text: string): Answer<unknown> => {
  try {
    return { ok: true, value: JSON.parse(text) as unknown };
  } catch (error) {
    return refused(`the answer is not JSON: ${(error as Error).message}`);
  }
};

/** The first problems, each with its place. */
const sentenceOf = (issues: readonly z.core.$ZodIssue[]): string => {
  const shown = issues
    .slice(0, MAX_ISSUES)
    .map(({ path, message }) => (path.length === 0 ? message : `${placeOf(path)}: ${message}`));
  const more = issues.length > MAX_ISSUES ? [`and ${issues.length - MAX_ISSUES} more`] : [];
  return [...shown, ...more].join('; ');
};

const placeOf = (path: readonly PropertyKey[]): string =>
  path.reduce<string>(
    (place, part) => (typeof part === 'number' ? `${place}[${part}]` : place === '' ? String(part) : `${place}.${String(part)}`),
    '',
  );
