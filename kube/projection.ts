// Keeps of an object what is read of it. A workspace's Job and pods are tens of kilobytes each, and stay for a day; a decision reads some
// hundred bytes of them.
// May: leave fields out. May not: change what it keeps.

import type { ObjectMeta } from '../crds/kinds/meta.ts';
import { isRecord } from './json.ts';

/**
 * Which fields of a T are kept: `true` whole, `false` not at all. A list is described by its items. Every field of T is to be named, so that
 * one that is added to a type does not stay empty in silence.
 */
export type FieldsOf<T> = T extends readonly (infer Item)[]
  ? FieldsOf<Item>
  : T extends object
    ? boolean | { readonly [Name in keyof T]-?: FieldsOf<NonNullable<T[Name]>> }
    : boolean;

/** As FieldsOf says it, for a T that nobody names. */
export type Fields = boolean | { readonly [name: string]: Fields };

export const project = (value: unknown, fields: Fields): unknown => {
  if (typeof fields === 'boolean') return fields ? value : undefined;
  if (Array.isArray(value)) return value.map((item) => project(item, fields));
  if (!isRecord(value)) return value;
  const kept: Record<string, unknown> = {};
  for (const name in fields) {
    const found = Object.hasOwn(value, name) ? project(value[name], fields[name] ?? false) : undefined;
    if (found !== undefined) kept[name] = found;
  }
  return kept;
};

/** Of the metadata of built-in kinds nobody reads annotations. */
export const KEPT_META: FieldsOf<ObjectMeta> = {
  name: true,
  namespace: true,
  uid: true,
  resourceVersion: true,
  generation: true,
  creationTimestamp: true,
  deletionTimestamp: true,
  labels: true,
  annotations: false,
  ownerReferences: true,
};
