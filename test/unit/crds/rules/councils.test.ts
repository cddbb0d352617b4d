// Who works: role, Story and Councils -> a Council; a Council and an attempt -> an agent and its model settings.
import { describe, expect, it } from 'vitest';
import { agentOf, agentOfAttempt, agentsOf, councilFor } from '../../../../crds/rules/councils.ts';
import type { Council } from '../../../../crds/kinds/council.ts';
import { council, meta, story } from '../../../builders/objects.ts';

const named = (name: string, spec: Partial<Council['spec']> = {}): Council => ({ ...council(spec), metadata: meta(name) });

describe('the Council of a role', () => {
  const councils = [named('b'), named('a'), named('own', { default: false }), named('qa', { role: 'QA' })];
  it.each([
    { given: 'a Story that names none', choice: [], want: 'a' },
    { given: 'a Story that names one', choice: [{ role: 'DEV', name: 'own' }], want: 'own' },
    { given: 'a Story that names one for another role', choice: [{ role: 'QA', name: 'own' }], want: 'a' },
    { given: 'a Story that names one which is not there', choice: [{ role: 'DEV', name: 'gone' }], want: undefined },
  ])('for $given: $want', ({ choice, want }) => {
    expect(councilFor('DEV', story({ councils: choice }), councils)?.metadata.name).toBe(want);
  });

  it('is none when no default one has the role', () => {
    expect(councilFor('DATA', story(), councils)).toBeUndefined();
  });
});

describe('the agents of a Council', () => {
  const agents = [
    { name: 'ada', persona: 'Careful.', model: { temperature: '0.1' }, capabilities: [] },
    { name: 'bob', capabilities: [] },
  ];

  it('take turns over the attempts', () => {
    expect([1, 2, 3].map((n) => agentOfAttempt(named('dev', { agents }), 'DEV', n))).toEqual(['ada', 'bob', 'ada']);
    expect([1, 2].map((n) => agentOfAttempt(undefined, 'DEV', n))).toEqual(['agent-dev-001', 'agent-dev-001']);
  });

  it('are at least one and at most nine, whatever an older object says', () => {
    expect(agentsOf({ ...council(), spec: { ...council().spec, size: 0 } })).toEqual(['agent-dev-001']);
    expect(agentsOf({ ...council(), spec: { ...council().spec, size: 99 } })).toHaveLength(9);
  });

  it.each([
    { name: 'ada', want: { name: 'ada', persona: 'Careful.', model: 'qwen', temperature: '0.1', maxTokens: 8192 } },
    { name: 'bob', want: { name: 'bob', model: 'qwen', temperature: '0.7', maxTokens: 8192 } },
    { name: 'agent-dev-001', want: undefined },
  ])('$name has its own settings laid over those of the Council', ({ name, want }) => {
    expect(agentOf(named('dev', { agents }), name)).toEqual(want);
  });

  it('whom an attempt is given are all known by name', () => {
    const each = council({ size: 3 });
    for (const n of [1, 2, 3, 4]) expect(agentOf(each, agentOfAttempt(each, 'DEV', n))).toBeDefined();
  });
});
