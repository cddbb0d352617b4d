import { describe, expect, it } from 'vitest';
import {
  AGENT_REASONS,
  FINDING_BYTES,
  findings,
  INFRASTRUCTURE_REASONS,
  parseFinding,
  sideOf,
  STALLING_REASONS,
} from '../../../crds/contracts/findings.ts';

const DIGEST = `sha256:${'a'.repeat(64)}`;
const COMMIT = 'c'.repeat(40);

describe('a finding, which anybody may have written', () => {
  const report = {
    step: 'report',
    outcome: 'ok',
    patch: DIGEST,
    evidence: DIGEST,
    base: COMMIT,
    files: 2,
    insertions: 9,
    deletions: 1,
    verify: { passed: 2, failed: 0 },
    tokens: 900,
  };
  it.each([
    { given: 'a whole report', json: JSON.stringify(report), want: report },
    { given: 'a skipped step', json: '{"step":"report","outcome":"skipped"}', want: { step: 'report', outcome: 'skipped' } },
    {
      given: 'fields of a later version, which are dropped',
      json: '{"step":"report","outcome":"ok","new":1}',
      want: { step: 'report', outcome: 'ok' },
    },
    { given: 'no JSON', json: 'killed', want: undefined },
    { given: 'nothing', json: '', want: undefined },
    { given: 'another step', json: '{"step":"push","outcome":"ok"}', want: undefined },
    { given: 'a list', json: '[]', want: undefined },
    { given: 'an outcome of its own', json: '{"step":"report","outcome":"great"}', want: undefined },
    { given: 'a reason of its own', json: '{"step":"report","outcome":"failed","reason":"Because"}', want: undefined },
    { given: 'a patch that is no digest', json: '{"step":"report","outcome":"ok","patch":"../../etc/passwd"}', want: undefined },
    { given: 'a negative number', json: '{"step":"report","outcome":"ok","tokens":-1}', want: undefined },
    {
      given: 'a message beyond 400 characters',
      json: JSON.stringify({ step: 'report', outcome: 'ok', message: 'm'.repeat(401) }),
      want: undefined,
    },
    { given: 'nesting without measure', json: '['.repeat(4 * FINDING_BYTES), want: undefined },
    { given: 'a text of 1 MiB', json: `{"step":"report","outcome":"ok","x":"${'x'.repeat(1_048_576)}"}`, want: undefined },
  ])('$given', ({ json, want }) => {
    expect(parseFinding('report', json)).toEqual(want);
  });

  it('of no step is larger than a termination message when every field is full', () => {
    const full = {
      ...{ step: 'verify', outcome: 'failed', reason: 'NetworkNotContained', message: 'm'.repeat(400), passed: 8, failed: 8 },
      commands: Array.from({ length: 8 }, () => ({ command: 'c'.repeat(80), exitCode: 255, durationMs: 86_400_000 })),
    };
    expect(findings.verify.safeParse(full).success).toBe(true);
    expect(JSON.stringify(full).length).toBeLessThanOrEqual(FINDING_BYTES);
  });
});

describe('who is to blame', () => {
  it('each reason is on exactly one side', () => {
    const all = [...AGENT_REASONS, ...INFRASTRUCTURE_REASONS, ...STALLING_REASONS];
    expect(new Set(all).size).toBe(all.length);
  });
  it.each([
    { reason: 'VerifyFailed', want: 'agent' },
    { reason: 'OOMKilled', want: 'agent' },
    { reason: 'ArtifactLost', want: 'infrastructure' },
    { reason: 'BranchTaken', want: 'stalled' },
  ] as const)('$reason: $want', ({ reason, want }) => {
    expect(sideOf(reason)).toBe(want);
  });
});
