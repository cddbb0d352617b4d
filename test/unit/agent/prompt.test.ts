// The prompt of an attempt, made from a brief that the gateway built: every fact once, and what is shared stands first.
import { describe, expect, it } from 'vitest';
import { attemptPrompt } from '../../../agent-runner/agent/attempt-prompt.ts';
import type { Brief } from '../../../crds/contracts/brief.ts';
import type { Attempt } from '../../../crds/kinds/task.ts';
import { buildBrief } from '../../../gateway/brief/brief.ts';
import { attempt, council, platform, story, storyStatus, task, work } from '../../builders/objects.ts';

const agents = [
  { name: 'ada', persona: 'You doubt everything.', capabilities: [] },
  { name: 'bob', persona: 'You like it short.', capabilities: [] },
];
const told = story(
  {
    title: 'Visitors log in',
    description: 'So that a visitor finds her orders again.',
    acceptanceCriteria: ['Given a known visitor, then she sees her orders', 'Given a stranger, then he is asked to register'],
    decisions: [{ id: 'D1', title: 'Sessions live in the database', rationale: 'Cookies are too small.' }],
  },
  storyStatus(),
);
const form = work('form', {
  title: 'Write the login form',
  description: 'A form with name and passphrase.',
  fileScope: ['src/form/**'],
  verify: { commands: ['npm run test:form'] },
  dependsOn: ['session'],
  constraints: {
    requirements: ['It works without a mouse.'],
    rubric: [{ criterion: 'clarity', weight: 1, text: 'Reads like prose.' }],
  },
});
const failed = attempt(1, {
  agent: 'ada',
  finishedAt: '2026-11-21T09:10:00Z',
  outcome: 'AgentFailed',
  reason: 'VerifyFailed',
  message: 'npm run failed: 2 tests',
});
const second = attempt(2, { agent: 'bob' });

const briefOf = (current: Attempt, attempts: readonly Attempt[], given = told): Brief => {
  const own = task(form, { attempts: [...attempts] });
  const session = task(work('session', { title: 'Keep a session' }), { phase: 'Succeeded', commit: 'e'.repeat(40) });
  const result = buildBrief({
    ...{ story: given, task: own, attempt: current, siblings: [own, session] },
    ...{ councils: [council({ agents })], platform: platform(), courier: false },
  });
  if (result.kind !== 'brief') throw new Error(`${result.kind}: ${result.message}`);
  return result.brief;
};

const textOf = (brief: Brief): string => {
  const { system, user } = attemptPrompt(brief);
  return `${system}\n\n${user}`;
};
const first = textOf(briefOf(attempt(1, { agent: 'ada' }), []));
const again = textOf(briefOf(second, [failed, second]));

const sharedLength = (a: string, b: string): number => {
  const differs = [...a].findIndex((character, at) => character !== b[at]);
  return differs < 0 ? a.length : differs;
};

describe('the prompt of an attempt', () => {
  it.each([
    ...['Visitors log in', 'So that a visitor finds her orders again.'],
    ...['Given a known visitor, then she sees her orders', 'Given a stranger, then he is asked to register'],
    ...['Write the login form', 'A form with name and passphrase.', 'It works without a mouse.', 'clarity', 'Reads like prose.'],
    ...['src/form/**', '.github/**', 'npm run test:form'],
    ...['D1: Sessions live in the database. Cookies are too small.', 'builds on session', 'Keep a session'],
    ...['bob', 'You like it short.', 'attempt 2', 'VerifyFailed', 'npm run failed: 2 tests'],
  ])('says "%s" exactly once', (fact) => {
    expect(again.split(fact)).toHaveLength(2);
  });

  it('is the same to the byte up to its last section for every agent and attempt of the task', () => {
    const ownSection = first.indexOf('# This attempt');
    expect(ownSection).toBeGreaterThan(1_000);
    expect(sharedLength(first, again)).toBeGreaterThan(ownSection);
    expect(first.slice(ownSection)).toBe('# This attempt\n\nYou are ada. You doubt everything. This is attempt 1.');
  });

  it('goes from what is shared by most to what is shared by none', () => {
    const order = ['How to work', '# The story', '# Your task', '# Context', '# This attempt'].map((part) => again.indexOf(part));
    expect(order).toEqual(order.toSorted((a, b) => a - b));
    expect(order).not.toContain(-1);
  });

  it('holds no credential that somebody wrote into a Story, and a half one hides nothing of the parts that follow', () => {
    const leaky = story({ description: 'Deploy with password=hunter22. -----BEGIN RSA PRIVATE KEY-----' }, storyStatus());
    const text = textOf(briefOf({ ...second, agent: 'bob' }, [second], leaky));
    expect(text).not.toContain('hunter22');
    expect(text).toContain('password=[REDACTED]');
    expect(text).toContain('# This attempt');
  });
});
