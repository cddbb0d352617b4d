import { describe, expect, it } from 'vitest';
import { canonicalJson, isSameJson, sha256, shortHash } from '../../../crds/canonical.ts';

describe('canonicalJson', () => {
  it.each([
    { given: 'nothing', value: null, want: 'null' },
    { given: 'keys in any order', value: { b: 1, a: 2 }, want: '{"a":2,"b":1}' },
    { given: 'keys that look like numbers', value: { 10: 'x', 9: 'y' }, want: '{"10":"x","9":"y"}' },
    {
      given: 'the keys of RFC 8785, sorted by UTF-16 code units',
      value: {
        '\u20ac': 'Euro Sign',
        '\r': 'Carriage Return',
        '\ufb33': 'Hebrew Letter Dalet With Dagesh',
        '1': 'One',
        '\ud83d\ude00': 'Emoji: Grinning Face',
        '\u0080': 'Control',
        '\u00f6': 'Latin Small Letter O With Diaeresis',
      },
      want:
        '{"\\r":"Carriage Return","1":"One","\u0080":"Control","\u00f6":"Latin Small Letter O With Diaeresis","\u20ac":"Euro Sign",' +
        '"\ud83d\ude00":"Emoji: Grinning Face","\ufb33":"Hebrew Letter Dalet With Dagesh"}',
    },
    { given: 'a member that is undefined, which is left out', value: { a: undefined, b: [] }, want: '{"b":[]}' },
    { given: 'an entry that is undefined, which keeps its place', value: [undefined, 1], want: '[null,1]' },
    { given: 'minus zero', value: -0, want: '0' },
    { given: 'the largest integer', value: Number.MAX_SAFE_INTEGER, want: '9007199254740991' },
    { given: 'nesting', value: { z: [{ y: true, x: false }] }, want: '{"z":[{"x":false,"y":true}]}' },
    { given: 'what must be escaped', value: '"\\\n\u0001é', want: '"\\"\\\\\\n\\u0001é"' },
    { given: 'an own key __proto__', value: JSON.parse('{"__proto__":1}') as unknown, want: '{"__proto__":1}' },
  ])('$given -> $want', ({ value, want }) => {
    expect(canonicalJson(value)).toBe(want);
  });

  it.each([
    { given: 'a fraction', value: 0.5 },
    { given: 'an integer that is not exact', value: 2 ** 53 },
    { given: 'no number', value: Number.NaN },
    { given: 'infinity', value: Infinity },
    { given: 'undefined itself', value: undefined },
    { given: 'a function', value: () => 1 },
    { given: 'a bigint', value: 1n },
    { given: 'a date', value: { at: new Date(0) } },
    { given: 'a map', value: new Map() },
  ])('refuses $given', ({ value }) => {
    expect(() => canonicalJson(value)).toThrow(TypeError);
  });
});

describe('sha256', () => {
  it.each([
    { given: '', want: 'sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855' },
    { given: 'abc', want: 'sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad' },
    { given: 'é', want: 'sha256:4a99557e4033c3539de2eb65472017cad5f9557f7a0625a09f1c3f6e2ba69c4c' },
  ])('of "$given" is $want', ({ given, want }) => {
    expect(sha256(given)).toBe(want);
    expect(sha256(new TextEncoder().encode(given))).toBe(want);
  });

  it('keeps the parts of a short hash apart', () => {
    expect(shortHash(['ab', 'c'], 8)).not.toBe(shortHash(['a', 'bc'], 8));
    expect(shortHash(['a'], 8)).toMatch(/^[0-9a-f]{8}$/);
  });
});

describe('isSameJson', () => {
  const values: readonly (readonly [string, unknown, unknown])[] = [
    ['the order of members does not count', { a: 1, b: [2] }, { b: [2], a: 1 }],
    ['a member that is undefined is as good as absent, on either side', { a: undefined, b: 1 }, { b: 1, c: undefined }],
    ['the order of items counts', [1, 2], [2, 1]],
    ['a list that is longer is another', [1], [1, 2]],
    ['a list is no record', [], {}],
    ['null is not undefined', { a: null }, {}],
    ['a member more is another', { a: { b: 1 } }, { a: { b: 1, c: 2 } }],
    ['texts and numbers differ', { a: '1' }, { a: 1 }],
  ];

  it.each(values)('%s: it says what the canonical forms say', (_, a, b) => {
    const same = canonicalJson(a) === canonicalJson(b);
    expect([isSameJson(a, b), isSameJson(b, a)]).toEqual([same, same]);
  });
});
