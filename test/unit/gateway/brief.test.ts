// The brief: objects and configuration -> what the agent is told.

import { describe, expect, it } from 'vitest';
import { sha256 } from '../../../crds/canonical.ts';
import { buildBrief, type BriefInput } from '../../../gateway/brief/brief.ts';
import { attempt, COMMIT, council, DIGEST, platform, story, task } from './objects.ts';

const input = (change: Partial<BriefInput> = {}): BriefInput => ({
  ...{
    story: story(),
    task: task(),
    attempt: attempt(),
    siblings: [task()],
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
        ...{ uid: story().metadata.uid, name: 'greeting', namespace: 'team', title: 'Say goodbye' },
        ...{
          description: 'As a caller I want a farewell.',
          acceptanceCriteria: ['Given a name, when I leave, then I hear goodbye.'],
        },
      },
      task: {
        ...{
          uid: task().metadata.uid,
          name: 'greeting-t1-0123abcd',
          id: 'T1',
          title: 'Add goodbye',
          role: 'DEV',
          phase: 'BUILD',
        },
        ...{
          description: 'Add a function goodbye(name).',
          fileScope: ['src/**'],
          requirements: ['No new dependencies.'],
          rubric: [],
        },
      },
      attempt: 1,
      startedAt: '2026-11-01T10:05:00Z',
      agent: { name: 'agent-dev-001', model: 'scripted-model-not-an-llm', temperature: '0.7', maxTokens: 512 },
      repository: { baseCommit: COMMIT, ref: 'main', branch: 'fleet/team/greeting' },
      setup: { commands: ['npm ci'] },
      verify: { commands: ['npm test'], timeoutSeconds: 3_600 },
      limits: {
        ...{
          iterations: 50,
          tokens: 200_000,
          wallClockSeconds: 3_600,
          outputBytes: 65_536,
          patchBytes: 1_048_576,
          patchFiles: 200,
        },
        protectedPaths: ['.gitattributes', '.github/**'],
      },
      planDigest: DIGEST,
    });
    expect(context.digest).toBe(sha256(context.text));
  });

  it('is the same for the same objects, in whatever order they come', () => {
    const other = task({ name: 'greeting-t2-0123abcd', uid: 'u2', spec: { id: 'T2', title: 'Second' } });
    expect(brief({ siblings: [task(), other] })).toEqual(brief({ siblings: [other, task()] }));
  });

  it('takes the lowest of every limit', () => {
    const lower = brief({
      story: story({ tokens: 1_000 }),
      task: task({ spec: { constraints: { rubric: [], requirements: [], timeoutSeconds: 60, maxIterations: 5 } } }),
    });
    expect(lower.limits).toMatchObject({ iterations: 5, tokens: 1_000, wallClockSeconds: 60 });
    const higher = brief({
      story: story({ tokens: 9_999_999 }),
      task: task({ spec: { constraints: { rubric: [], requirements: [], timeoutSeconds: 86_400, maxIterations: 1_000 } } }),
      councils: [council({}, { workspace: { imageProfile: 'node', resources: {}, deadlineSeconds: 86_400 } })],
    });
    expect(higher.limits).toMatchObject({ iterations: 50, tokens: 200_000, wallClockSeconds: 3_600 });
  });

  it('protects no paths from a namespace that the platform exempts', () => {
    const config = platform();
    const limits = { ...config.limits, protectedPathsAllowedFor: ['team'] };
    expect(brief({ platform: { ...config, limits } }).limits.protectedPaths).toEqual([]);
  });

  it("lays an agent's own terms over the Council's", () => {
    const agents = [{ name: 'agent-dev-001', persona: 'Careful.', model: { temperature: '0.1' }, capabilities: [] }];
    expect(brief({ councils: [council({}, { agents })] }).agent).toEqual({
      ...{ name: 'agent-dev-001', persona: 'Careful.', model: 'scripted-model-not-an-llm', temperature: '0.1', maxTokens: 512 },
    });
  });

  it('tells of the last attempt that failed', () => {
    const failed = attempt({
      n: 1,
      jobUid: 'j1',
      finishedAt: '2026-11-01T10:10:00Z',
      reason: 'VerifyFailed',
      message: '2 tests failed',
    });
    const now = attempt({ n: 2, jobUid: 'j2' });
    const told = brief({ task: task({ attempts: [failed, now] }), attempt: now });
    expect(told.lastFailure).toEqual({ attempt: 1, reason: 'VerifyFailed', message: '2 tests failed' });
  });

  it('carries the patch for a courier, and none for an attempt', () => {
    const done = attempt({ patch: DIGEST, evidence: DIGEST, base: COMMIT });
    expect(brief({ attempt: done, courier: true }).courier).toEqual({ patch: DIGEST, evidence: DIGEST, base: COMMIT });
    expect(brief({ attempt: done }).courier).toBeUndefined();
  });

  it.each([
    ['the base commit is not known yet', { story: story({ status: { phase: 'Design' } }) }, 'later', /base commit/],
    ['the patch is not in status yet', { courier: true }, 'later', /patch/],
    ['no Council has the role', { councils: [] }, 'broken', /no Council/],
    ['the Council has no such agent', { attempt: attempt({ agent: 'agent-dev-004' }) }, 'broken', /no agent/],
    [
      'the image profile is not for this namespace',
      { platform: { ...platform(), imageProfiles: [{ ...platform().imageProfiles[0], namespaces: ['other'] }] } as never },
      'broken',
      /image profile/,
    ],
    ['the objects hold what no runner would take', { attempt: attempt({ startedAt: 'x'.repeat(50) }) }, 'broken', /startedAt/],
  ] as const)('cannot be made when %s', (_why, change, kind, message) => {
    const result = buildBrief(input(change));
    expect(result.kind).toBe(kind);
    expect(result.kind !== 'brief' && result.message).toMatch(message);
  });
});
