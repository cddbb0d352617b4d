// How the API server lays a change over an object: server-side apply of one field manager, and merge patches (RFC 7386).

import { isSameJson } from '../../crds/canonical.ts';
import { isPlain } from './stored.ts';

type Plain = Record<string, unknown>;

/** Server-side apply as far as one field manager is concerned: records are merged, everything else is replaced. */
export const merged = (base: Plain, change: Plain): Plain => {
  const result: Plain = { ...base };
  for (const [name, value] of Object.entries(change)) {
    const before = result[name];
    result[name] = isPlain(before) && isPlain(value) ? merged(before, value) : value;
  }
  return result;
};

/**
 * Without what was applied before and is not any more. What somebody else wrote, and the apply left as it was, stays: both own it.
 */
export const withoutLeftOut = (object: Plain, applied: Plain, change: Plain, others: Plain): Plain => {
  const result: Plain = { ...object };
  for (const [name, value] of Object.entries(applied)) {
    const [now, wanted, theirs] = [result[name], change[name], others[name]];
    if (isPlain(now) && isPlain(value) && (wanted === undefined || isPlain(wanted)))
      result[name] = withoutLeftOut(now, value, wanted ?? {}, isPlain(theirs) ? theirs : {});
    else if (wanted === undefined && !isSameJson(now, theirs)) delete result[name];
    if (wanted === undefined && theirs === undefined && isPlain(result[name]) && Object.keys(result[name]).length === 0)
      delete result[name];
  }
  return result;
};

export const patched = (base: unknown, patch: unknown): unknown => {
  if (!isPlain(patch)) return patch;
  const result: Plain = isPlain(base) ? { ...base } : {};
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) delete result[name];
    else result[name] = patched(result[name], value);
  }
  return result;
};
