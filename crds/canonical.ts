// Canonical JSON and digests: the one form in which specs, plans and artifacts are compared. Pure.
import { hash } from 'node:crypto';

/** A digest as it stands in objects and on the wire: `sha256:` and 64 hex digits. */
export type Digest = `sha256:${string}`;

/**
 * RFC 8785 restricted to what our objects hold: keys sorted by UTF-16 code units, no whitespace, members that are `undefined` left out.
 * @throws TypeError for a number that is no safe integer, and for anything that is not JSON
 */
export const canonicalJson = (value: unknown): string => {
  if (value === null) return 'null';
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return JSON.stringify(value);
    case 'number':
      if (!Number.isSafeInteger(value)) throw new TypeError(`${value} is no safe integer: canonical JSON holds no other numbers`);
      return String(value);
    case 'object':
      return Array.isArray(value) ? canonicalList(value) : canonicalObject(value as Readonly<Record<string, unknown>>);
    default:
      throw new TypeError(`a ${typeof value} is not JSON`);
  }
};

/** Whether two values have the same canonical form, without writing either down: what both share is not looked at. */
export const isSameJson = (a: unknown, b: unknown): boolean => {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const [left, right] = [a as Readonly<Record<string, unknown>>, b as Readonly<Record<string, unknown>>];
  if (Array.isArray(a) && a.length !== (b as readonly unknown[]).length) return false;
  for (const key in left) if (!isSameJson(left[key], right[key])) return false;
  for (const key in right) if (left[key] === undefined && right[key] !== undefined) return false;
  return true;
};

const canonicalList = (list: readonly unknown[]): string =>
  `[${list.map((item) => canonicalJson(item === undefined ? null : item)).join(',')}]`;

const canonicalObject = (object: Readonly<Record<string, unknown>>): string => {
  const prototype: unknown = Object.getPrototypeOf(object);
  if (prototype !== Object.prototype && prototype !== null) throw new TypeError('a Date, Map or other instance is not JSON');
  const members = Object.keys(object)
    .filter((key) => object[key] !== undefined)
    .sort() // the default order is by UTF-16 code units, as RFC 8785 section 3.2.3 asks
    .map((key) => `${JSON.stringify(key)}:${canonicalJson(object[key])}`);
  return `{${members.join(',')}}`;
};

/** Digest of a text's UTF-8 bytes, or of bytes. */
export const sha256 = (content: string | Uint8Array): Digest => `sha256:${hash('sha256', content, 'hex')}`;

/** The first `length` hex digits of a digest over the parts, which are kept apart by a separator that none of them holds. */
export const shortHash = (parts: readonly (string | number)[], length: number): string =>
  sha256(parts.join('\n')).slice('sha256:'.length, 'sha256:'.length + length);
