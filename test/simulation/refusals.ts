// What the simulated API server says no with: its errors, and the checks of what is written.

import { isSameJson } from '../../crds/canonical.ts';
import type { z } from 'zod';
import { ApiError } from '../../kube/error.ts';
import { keyOf } from '../../kube/object.ts';
import type { SimObject } from './api-server.ts';
import { isPlain } from './stored.ts';
import { problemOf } from './validations.ts';

const sortOf = (code: number): ApiError['sort'] => {
  if (code >= 500) return 'transient';
  return code === 409 ? 'conflict' : code === 410 ? 'gone' : 'terminal';
};

export const refusal = (code: number, reason: string | undefined, message: string): ApiError =>
  new ApiError({ sort: sortOf(code), request: 'SIM', code, reason, message });

const at = (value: unknown, path: readonly PropertyKey[]): unknown =>
  path.reduce<unknown>((found, name) => (found as Record<PropertyKey, unknown> | undefined)?.[name], value);

const hasUnknown = (given: unknown, known: unknown): boolean => {
  if (Array.isArray(given)) return given.some((item, index) => hasUnknown(item, Array.isArray(known) ? known[index] : undefined));
  if (!isPlain(given) || !isPlain(known)) return false;
  return Object.entries(given).some(([name, value]) => !(name in known) || hasUnknown(value, known[name]));
};

/** Each schema compiles itself at its first use: a new one for each write would compile each time. */
const partials = new WeakMap<z.ZodObject, z.ZodObject>();
const partialOf = (schema: z.ZodObject): z.ZodObject => {
  const partial = partials.get(schema) ?? schema.partial();
  partials.set(schema, partial);
  return partial;
};

/** An apply of a field that is unknown, or of another type, is no valid apply at all; to other requests it is an object like any other. */
export const checkShape = (schema: z.ZodObject | undefined, given: unknown): void => {
  if (schema === undefined || given === undefined) return;
  const parsed = partialOf(schema).safeParse(given);
  const isOfOtherType =
    !parsed.success && parsed.error.issues.some(({ code, path }) => code === 'invalid_type' && at(given, path) !== undefined);
  if (isOfOtherType || (parsed.success && hasUnknown(given, parsed.data)))
    throw refusal(500, undefined, 'failed to create typed patch object');
};

/** Fields of a built-in kind's spec that never change. */
const FIXED: Readonly<Record<string, readonly string[]>> = { Job: ['backoffLimit', 'template'] };

/** Refuses what the rules of its kind do not let anybody make, or change. */
export const checkRules = (after: SimObject, before: SimObject | undefined): void => {
  const field = before && (FIXED[after.kind] ?? []).find((name) => !isSameJson(before.spec?.[name], after.spec?.[name]));
  const problem = field === undefined ? problemOf(after, before) : `spec.${field}: field is immutable`;
  if (problem !== undefined) throw refusal(422, 'Invalid', `${after.kind} ${keyOf(after.metadata)} is invalid: ${problem}`);
};
