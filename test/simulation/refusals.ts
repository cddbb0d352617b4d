// What the simulated API server says no with, and the rules of our kinds' schemas beyond types (crds/kinds/registry.ts has them in CEL).

import { isSameJson } from '../../crds/canonical.ts';
import type { z } from 'zod';
import { ApiError } from '../../kube/error.ts';
import type { SimObject } from './api-server.ts';
import { isPlain } from './stored.ts';

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

/** An apply of a field that is unknown, or of another type, is no valid apply at all; to other requests it is an object like any other. */
export const checkShape = (schema: z.ZodObject | undefined, given: unknown): void => {
  if (schema === undefined || given === undefined) return;
  const parsed = schema.partial().safeParse(given);
  const isOfOtherType =
    !parsed.success && parsed.error.issues.some(({ code, path }) => code === 'invalid_type' && at(given, path) !== undefined);
  if (isOfOtherType || (parsed.success && hasUnknown(given, parsed.data)))
    throw refusal(500, undefined, 'failed to create typed patch object');
};

/** Fields of a spec that never change, and those that are set once. */
const FIXED: Readonly<Record<string, readonly string[]>> = {
  Task: ['storyRef', 'planRef', 'task', 'taskDigest'],
  Plan: ['storyRef', 'revision', 'author', 'tasks', 'source'],
  Job: ['backoffLimit', 'template'],
};
const SET_ONCE: Readonly<Record<string, readonly string[]>> = { Plan: ['approval'] };
const ONE_WAY: Readonly<Record<string, readonly string[]>> = { Task: ['cancel'], Story: ['cancel'] };

/** Whether the update changes what its kind does not let anybody change. */
export const isProtected = (before: SimObject, after: SimObject): boolean => {
  const [old, now] = [before.spec ?? {}, after.spec ?? {}];
  const differs = (field: string): boolean => !isSameJson(old[field], now[field]);
  return (
    (FIXED[after.kind] ?? []).some(differs) ||
    (SET_ONCE[after.kind] ?? []).some((field) => old[field] !== undefined && differs(field)) ||
    (ONE_WAY[after.kind] ?? []).some((field) => old[field] === true && now[field] !== true)
  );
};
