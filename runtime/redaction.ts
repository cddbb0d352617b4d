// What must not be printed is replaced before it is: values under names of secrets, credentials inside texts, and all that is too long.

import { HIDDEN, withoutCredentials } from '../crds/rules/credentials.ts';

const SECRET_NAME =
  /^(.*[-_])?(authorization|cookie|headers?|token|password|secret|credentials?|api[-_]?key|private[-_]?key)$|password$/i;
const MAX_TEXT_CHARS = 4_000;
const MAX_DEPTH = 6;

const redactedText = (text: string): string => withoutCredentials(text.slice(0, MAX_TEXT_CHARS));

const redactedValue = (value: unknown, depth: number): unknown => {
  if (typeof value === 'string') return redactedText(value);
  if (typeof value !== 'object' || value === null) return value;
  if (depth >= MAX_DEPTH) return '[nested too deep]';
  if (Array.isArray(value)) return value.map((each) => redactedValue(each, depth + 1));
  if (value instanceof Error || value instanceof Date) return redactedText(String(value));
  return redactedFields(value, depth + 1);
};

/** A flag or a count says nothing of the secret that it is about. */
const isTelling = (value: unknown): boolean => typeof value === 'string' || (typeof value === 'object' && value !== null);

const redactedFields = (fields: object, depth: number): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(fields).map(([name, value]: [string, unknown]) => [
      name,
      SECRET_NAME.test(name) && isTelling(value) ? HIDDEN : redactedValue(value, depth),
    ]),
  );

/** A copy that may be printed. */
export const redacted = (fields: object): Record<string, unknown> => redactedFields(fields, 0);
