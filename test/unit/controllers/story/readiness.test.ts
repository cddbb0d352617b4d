import { describe, expect, it } from 'vitest';
import { readiness, type ReadinessText } from '../../../../controllers/story/readiness.ts';
import { story } from '../../../builders/objects.ts';

const good = story().spec;
const given = (more: Partial<ReadinessText>): ReadinessText => ({ ...good, ...more });

interface Case {
  readonly name: string;
  readonly given: ReadinessText;
  readonly codes: readonly string[];
  readonly score: number;
}

const cases: readonly Case[] = [
  { name: 'a text with all that is asked for', given: good, codes: [], score: 100 },
  { name: 'no criterion', given: given({ acceptanceCriteria: [] }), codes: ['AC_MISSING'], score: 60 },
  {
    name: 'a criterion that no test can check',
    given: given({ acceptanceCriteria: ['It works'] }),
    codes: ['AC_VAGUE'],
    score: 85,
  },
  { name: 'a title that says nothing', given: given({ title: 'Login' }), codes: ['TITLE_VALUE'], score: 85 },
  { name: 'no description', given: given({ description: '' }), codes: ['ESTIMABLE'], score: 80 },
  {
    name: 'words that two readers take in two ways',
    given: given({ description: 'Forms, fields, etc. must be nice.' }),
    codes: ['AMBIGUOUS'],
    score: 90,
  },
  {
    name: 'a vague word inside another is none',
    given: given({ description: 'Fetch the sketches of a todolist.' }),
    codes: [],
    score: 100,
  },
  {
    name: 'work that it waits for',
    given: given({ description: 'Depends on the new database, and then it is easy.' }),
    codes: ['DEPS'],
    score: 90,
  },
  {
    name: 'more than one change',
    given: given({ acceptanceCriteria: Array.from({ length: 11 }, (_, n) => `Page ${n} can be seen`) }),
    codes: ['SMALL'],
    score: 85,
  },
  {
    name: 'nothing at all',
    given: given({ title: 'x', description: '', acceptanceCriteria: [] }),
    codes: ['TITLE_VALUE', 'ESTIMABLE', 'AC_MISSING'],
    score: 25,
  },
];

describe('readiness of a text', () => {
  it.each(cases)('$name', ({ given: text, codes, score }) => {
    const found = readiness(text);
    expect([found.findings.map(({ code }) => code), found.score]).toEqual([codes, score]);
  });

  it.each([
    ['L0', 50],
    ['L1', 75],
    ['L2', 85],
    ['L3', 90],
  ] as const)('rigor %s asks for %i', (rigor, threshold) => {
    expect(readiness(given({ rigor })).threshold).toBe(threshold);
  });
});
