import { describe, expect, it } from 'vitest';
import {
  agentNames,
  branchOf,
  jobName,
  labelValue,
  nameForExternalId,
  slug,
  taskName,
  type JobIdentity,
} from '../../../crds/names.ts';

const DNS_LABEL = /^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/;
const DIGEST = `sha256:${'a'.repeat(64)}`;
const story = { name: 'say-hello', uid: '6f1c0f7e-0000-4000-8000-000000000001' };
const owner = { name: 'say-hello-farewell-12345678', uid: '6f1c0f7e-0000-4000-8000-000000000002' };

describe('slug', () => {
  it.each([
    { given: 'Say Hello!', max: 20, want: 'say-hello' },
    { given: '--a--b--', max: 20, want: 'a-b' },
    { given: 'abc-def', max: 4, want: 'abc' },
    { given: '-abcdef', max: 4, want: 'abcd' },
    { given: 'Ünïcode', max: 20, want: 'n-code' },
    { given: '💥', max: 20, want: 'x' },
    { given: '', max: 20, want: 'x' },
  ])('"$given" in $max -> $want', ({ given, max, want }) => {
    expect(slug(given, max)).toBe(want);
  });
});

describe('names that are known, so that another version makes the same ones', () => {
  const attempt: JobIdentity = { owner, kind: 'attempt', attempt: 1 };
  it.each([
    { what: 'a Task', name: taskName(story, DIGEST, 'farewell'), want: 'say-hello-farewell-6797e084' },
    { what: 'an attempt', name: jobName(attempt), want: 'fleet-ws-say-hello-farewell-123-a1-8b86a2066a7ad0bb' },
    {
      what: 'a second attempt',
      name: jobName({ ...attempt, attempt: 2 }),
      want: 'fleet-ws-say-hello-farewell-123-a2-2f2c8399ccb1795f',
    },
    {
      what: 'a courier',
      name: jobName({ ...attempt, kind: 'courier' }),
      want: 'fleet-ws-say-hello-farewell-123-c1-468b34157f8b7aa5',
    },
    {
      what: 'its second try',
      name: jobName({ ...attempt, kind: 'courier', courierTry: 2 }),
      want: 'fleet-ws-say-hello-farewell-123-c1-2-b3bdf32f37464c40',
    },
    { what: 'a branch', name: branchOf('team-a', 'say-hello'), want: 'fleet/team-a/say-hello' },
    { what: 'an id that is a legal name', name: nameForExternalId('story-7'), want: 'story-7' },
    { what: 'an id that is none', name: nameForExternalId('JIRA:AB-12'), want: 'jira-ab-12-82cb61b5' },
  ])('$what: $want', ({ name, want }) => {
    expect(name).toBe(want);
  });

  it('agents are numbered from 001', () => {
    expect(agentNames('DEV', 2)).toEqual(['agent-dev-001', 'agent-dev-002']);
  });
});

describe('names of whatever length', () => {
  const long = 'Very.Long-'.repeat(30);
  it.each([
    { what: 'a Task', name: taskName({ name: long, uid: 'u' }, DIGEST, long), max: 61 },
    {
      what: 'a Job of most digits',
      name: jobName({ owner: { name: long, uid: 'u' }, kind: 'courier', attempt: 32, candidate: 9, courierTry: 32 }),
      max: 57,
    },
    { what: 'a reader', name: jobName({ owner: { name: '💥', uid: 'u' }, kind: 'reader', attempt: 1 }), max: 57 },
    { what: 'an external id', name: nameForExternalId('ID:'.repeat(40)), max: 61 },
    { what: 'a label value', name: labelValue('a.'.repeat(100)), max: 63 },
  ])('$what has at most $max characters and is a DNS label', ({ name, max }) => {
    expect(name.length).toBeLessThanOrEqual(max);
    expect(name).toMatch(DNS_LABEL);
  });

  it('what differs only behind the cut gets another name', () => {
    expect(taskName(story, DIGEST, `${'a'.repeat(62)}1`)).not.toBe(taskName(story, DIGEST, `${'a'.repeat(62)}2`));
    expect(labelValue(`${'a'.repeat(63)}1`)).not.toBe(labelValue(`${'a'.repeat(63)}2`));
    expect(nameForExternalId('A:1')).not.toBe(nameForExternalId('A.1'));
  });

  it('each of owner, attempt, candidate, kind and try makes another Job', () => {
    const base: JobIdentity = { owner, kind: 'attempt', attempt: 1 };
    const names = [
      base,
      { ...base, owner: { ...owner, uid: 'other' } },
      { ...base, attempt: 11 },
      { ...base, candidate: 2 },
      { ...base, kind: 'courier' as const },
      { ...base, kind: 'courier' as const, courierTry: 2 },
      { ...base, kind: 'reader' as const },
    ].map(jobName);
    expect(new Set(names).size).toBe(names.length);
  });
});
