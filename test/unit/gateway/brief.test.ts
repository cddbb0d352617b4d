// The brief: objects and configuration -> what the agent is told.

import { describe, expect, it } from 'vitest';
import { sha256 } from '../../../crds/canonical.ts';
import { buildBrief, type BriefInput } from '../../../gateway/brief/brief.ts';
import {
  at,
  attempt,
  COMMIT,
  council,
  DIGEST,
  nodeProfile,
  platform,
  story,
  storyStatus,
  task,
  work,
} from '../../builders/objects.ts';

const api = task(work('api', { fileScope: ['src/**'], constraints: { requirements: ['No new dependencies.'] } }));

const input = (change: Partial<BriefInput> = {}): BriefInput => ({
  ...{
    story: story({}, storyStatus()),
    task: api,
    attempt: attempt(1),
    siblings: [api],
    councils: [council()],
    platform: platform(),
    courier: false,
  },
  ...change,
});

const brief = (change: Partial<BriefInput> = {}) => {
  const result = buildBrief(input(change));
  if (result.kind !== 'brief') throw new Error(`${result.kind}: ${result.message}`);
  return result.brief;
};

describe('a brief', () => {
  it('says everything that an attempt needs', () => {
    const { context, ...rest } = brief();
    expect(rest).toEqual({
      story: {
        ...{ uid: story().metadata.uid, name: 'login', namespace: 'shop', title: 'Visitors can log in' },
        ...{
          description: 'So that a visitor finds her orders again.',
          acceptanceCriteria: ['Given a known visitor, when she logs in, then she sees her orders'],
        },
      },
      task: {
        ...{
          uid: 'uid-login-api',
          name: 'login-api',
          id: 'api',
          title: 'Write api',
          role: 'DEV',
          phase: 'BUILD',
        },
        ...{
          description: '',
          fileScope: ['src/**'],
          requirements: ['No new dependencies.'],
          rubric: [],
        },
      },
      attempt: 1,
      startedAt: at(),
      agent: {
        ...{ name: 'agent-dev-001', model: 'qwen', temperature: '0.7', maxTokens: 8_192 },
        persona: 'You write code that others can read, in small steps, each of which is tested.',
      },
      repository: { baseCommit: COMMIT, ref: 'main', branch: 'fleet/shop/login' },
      setup: { commands: ['npm ci'] },
      verify: { commands: ['npm test'], timeoutSeconds: 600 },
      limits: {
        ...{
          iterations: 50,
          tokens: 100_000,
          wallClockSeconds: 600,
          outputBytes: 65_536,
          patchBytes: 1_000_000,
          patchFiles: 100,
        },
        protectedPaths: ['.github/**'],
      },
      planDigest: DIGEST,
    });
    expect(context.digest).toBe(sha256(context.text));
  });

  it('is the same for the same objects, in whatever order they come', () => {
    const other = task(work('docs'));
    expect(brief({ siblings: [api, other] })).toEqual(brief({ siblings: [other, api] }));
  });

  it('takes the lowest of every limit', () => {
    const lower = brief({
      story: story({ budget: { tokens: 1_000 } }, storyStatus()),
      task: task(work('api', { constraints: { timeoutSeconds: 60, maxIterations: 5 } })),
    });
    expect(lower.limits).toMatchObject({ iterations: 5, tokens: 1_000, wallClockSeconds: 60 });
    const higher = brief({
      story: story({ budget: { tokens: 9_999_999 } }, storyStatus()),
      task: task(work('api', { constraints: { timeoutSeconds: 86_400, maxIterations: 1_000 } })),
      councils: [council({ workspace: { imageProfile: 'node', deadlineSeconds: 86_400 } })],
    });
    expect(higher.limits).toMatchObject({ iterations: 50, tokens: 100_000, wallClockSeconds: 600 });
  });

  it('protects no paths from a namespace that the platform exempts', () => {
    const limits = { ...platform().limits, protectedPathsAllowedFor: ['shop'] };
    expect(brief({ platform: platform({ limits }) }).limits.protectedPaths).toEqual([]);
  });

  it("lays an agent's own terms over the Council's", () => {
    const agents = [{ name: 'agent-dev-001', persona: 'Careful.', model: { temperature: '0.1' } }];
    expect(brief({ councils: [council({ agents })] }).agent).toEqual({
      ...{ name: 'agent-dev-001', persona: 'Careful.', model: 'qwen', temperature: '0.1', maxTokens: 8_192 },
    });
  });

  it('tells of the last attempt that failed', () => {
    const failed = attempt(1, { finishedAt: at(10), reason: 'VerifyFailed', message: '2 tests failed' });
    const now = attempt(2, { agent: 'agent-dev-001' });
    const told = brief({ task: task(work('api'), { attempts: [failed, now] }), attempt: now });
    expect(told.lastFailure).toEqual({ attempt: 1, reason: 'VerifyFailed', message: '2 tests failed' });
  });

  it('says how far the last failure came, and not that somebody stopped an attempt', () => {
    const ended = { finishedAt: '2026-11-21T10:00:00Z' } as const;
    const failed = attempt(1, {
      ...ended,
      ...{ outcome: 'AgentFailed', reason: 'VerifyFailed', message: 'no' },
      verify: { passed: 1, failed: 2 },
    });
    const stopped = attempt(2, { ...ended, outcome: 'Cancelled', reason: 'BudgetSpent', message: 'the GPU seconds are spent' });
    const now = attempt(3);
    const told = brief({ task: task(work('api'), { attempts: [failed, stopped, now] }), attempt: now });
    expect(told.lastFailure).toEqual({ attempt: 1, reason: 'VerifyFailed', message: 'no (1 of 3 verify commands passed)' });
  });

  it('carries the patch for a courier, and none for an attempt', () => {
    const done = attempt(1, { patch: DIGEST, evidence: DIGEST, base: COMMIT });
    expect(brief({ attempt: done, courier: true }).courier).toEqual({ patch: DIGEST, evidence: DIGEST, base: COMMIT });
    expect(brief({ attempt: done }).courier).toBeUndefined();
  });

  it.each([
    [
      'the Council has no such agent any more',
      { councils: [council()], attempt: { agent: 'agent-dev-009', imageProfile: 'node' } },
    ],
    ['the Council is gone', { councils: [], attempt: { imageProfile: 'node' } }],
  ])('can be made for a courier when %s', (_why, { councils, attempt: more }) => {
    const done = attempt(1, { patch: DIGEST, evidence: DIGEST, base: COMMIT, ...more });
    const told = brief({ attempt: done, councils, courier: true });
    expect([told.agent, told.setup.commands, told.limits.wallClockSeconds]).toEqual([{ name: done.agent }, ['npm ci'], 600]);
  });

  it.each([
    ['the base commit is not known yet', { story: story({}, { phase: 'Design' }) }, 'later', /base commit/],
    ['the patch is not in status yet', { courier: true }, 'later', /patch/],
    ['no Council has the role', { councils: [] }, 'broken', /no Council/],
    ['the Council has no such agent', { attempt: attempt(1, { agent: 'agent-dev-004' }) }, 'broken', /no agent/],
    [
      'the image profile is not for this namespace',
      { platform: platform({ imageProfiles: [{ ...nodeProfile, namespaces: ['other'] }] }) },
      'broken',
      /image profile/,
    ],
    [
      'the objects hold what no runner would take',
      { attempt: { ...attempt(1), startedAt: 'x'.repeat(50) } },
      'broken',
      /startedAt/,
    ],
  ] as const)('cannot be made when %s', (_why, change, kind, message) => {
    const result = buildBrief(input(change));
    expect(result.kind).toBe(kind);
    expect(result.kind !== 'brief' && result.message).toMatch(message);
  });
});
