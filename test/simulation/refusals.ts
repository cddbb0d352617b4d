// What the simulated API server says no with, and the rules of our kinds' schemas beyond types (crds/kinds/registry.ts has them in CEL).

import { isSameJson } from '../../crds/canonical.ts';
import { ApiError } from '../../kube/error.ts';
import type { SimObject } from './api-server.ts';

const sortOf = (code: number): ApiError['sort'] => (code === 409 ? 'conflict' : code === 410 ? 'gone' : 'terminal');

export const refusal = (code: number, reason: string, message: string): ApiError =>
  new ApiError({ sort: sortOf(code), request: 'SIM', code, reason, message });

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
