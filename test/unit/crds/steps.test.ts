import { describe, expect, it } from 'vitest';
import {
  answerSubject,
  artifactSubject,
  attemptAccount,
  commandSubject,
  ENDPOINT_ACCOUNTS,
  endpointAccount,
  gatewayCommand,
  isProbeId,
  probeCommandId,
  probeRetryCommandId,
  resolveCommandId,
  storyAccount,
  storyUidOfAccount,
  storyUidOfResolve,
  STREAMS,
} from '../../../crds/contracts/commands.ts';
import { audienceOf, STEP_RIGHTS, TOKEN_STEPS } from '../../../crds/contracts/steps.ts';

describe('what a step may', () => {
  it.each(['setup', 'work', 'verify-setup', 'verify'] as const)(
    "%s runs the repository's or the agent's code: neither git nor artifacts",
    (step) => {
      expect(STEP_RIGHTS[step].filter((right) => /git|artifact|brief/.test(right))).toEqual([]);
    },
  );

  it('only push may push, and it may nothing else but ask for its receipt', () => {
    expect(Object.entries(STEP_RIGHTS).filter(([, rights]) => (rights as readonly string[]).includes('git-push'))).toEqual([
      ['push', ['git-push', 'receipt']],
    ]);
  });

  it('a token is for its step alone, and steps without a right have none', () => {
    expect(new Set(TOKEN_STEPS.map(audienceOf)).size).toBe(TOKEN_STEPS.length);
    expect(TOKEN_STEPS).not.toContain('runner');
    expect(TOKEN_STEPS).not.toContain('verify');
  });
});

const uid = '6f1c0f7e-0000-4000-8000-000000000001';

describe('subjects', () => {
  const matches = (pattern: string, subject: string): boolean =>
    new RegExp(`^${pattern.replaceAll('.', '\\.').replaceAll('*', '[^.]+').replace('>', '.+')}$`).test(subject);

  it.each([
    { of: 'a command', subject: commandSubject(resolveCommandId(uid, 0)), stream: STREAMS.commands },
    { of: 'an answer', subject: answerSubject(probeCommandId('vllm', 'Qwen/Qwen3', 1_795_000_000_000)), stream: STREAMS.results },
    { of: 'an artifact', subject: artifactSubject(uid, `sha256:${'a'.repeat(64)}`), stream: STREAMS.artifacts },
  ])('$of lands in exactly one stream, alone under its subject', ({ subject, stream }) => {
    const holding = Object.values(STREAMS).filter(({ subjects }) => subjects.some((pattern) => matches(pattern, subject)));
    expect(holding).toEqual([stream]);
    expect(stream.onePerSubject).toBe(true);
  });

  it('a command that is asked again after an answer has another id, and one that is asked twice has the same', () => {
    expect(resolveCommandId(uid, 1)).not.toBe(resolveCommandId(uid, 0));
    expect(probeCommandId('e', 'm', 300_000)).toBe(probeCommandId('e', 'm', 599_999));
    expect(probeCommandId('e', 'm', 600_000)).not.toBe(probeCommandId('e', 'm', 599_999));
  });

  it.each([
    { given: 'a resolve', command: { id: 'resolve-u-0', kind: 'resolve', namespace: 'a', storyUid: 'u' }, want: true },
    {
      given: 'an id that would be another subject',
      command: { id: 'a.b', kind: 'resolve', namespace: 'a', storyUid: 'u' },
      want: false,
    },
    { given: 'an id that is a wildcard', command: { id: '>', kind: 'resolve', namespace: 'a', storyUid: 'u' }, want: false },
    { given: 'a verb of nobody', command: { id: 'x', kind: 'fetch', url: 'https://a' }, want: false },
  ])('$given: $want', ({ command, want }) => {
    expect(gatewayCommand.safeParse(command).success).toBe(want);
  });
});

describe('whose an id is, is read by what stands beside its maker', () => {
  it.each([
    { id: resolveCommandId(uid, 0), story: uid, isProbe: false },
    { id: resolveCommandId(uid, 123_456), story: uid, isProbe: false },
    { id: probeCommandId('vllm', 'Qwen/Qwen3', 1_795_000_000_000), story: undefined, isProbe: true },
    { id: probeRetryCommandId('vllm', 'Qwen/Qwen3', 1_795_000_000_000), story: undefined, isProbe: true },
    { id: `resolve-${uid}-x`, story: undefined, isProbe: false },
  ])('command $id', ({ id, story, isProbe }) => {
    expect(storyUidOfResolve(id)).toBe(story);
    expect(isProbeId(id)).toBe(isProbe);
  });

  it.each([
    { account: storyAccount(uid), story: uid },
    { account: attemptAccount(uid, 1), story: undefined },
    { account: endpointAccount('vllm'), story: undefined },
    { account: endpointAccount('vllm', uid), story: undefined },
  ])('account $account', ({ account, story }) => {
    expect(storyUidOfAccount(account)).toBe(story);
    expect(account.startsWith(ENDPOINT_ACCOUNTS.slice(0, -1))).toBe(account.includes('vllm'));
  });
});
