import { describe, expect, it } from 'vitest';
import { decideCouncil } from '../../../../controllers/council/decide.ts';
import type { CouncilSeen } from '../../../../controllers/council/seen.ts';
import { PROBE_RETRY_MS, probeCommandId, probeRetryCommandId, type ProbeAnswer } from '../../../../crds/contracts/commands.ts';
import type { Council, CouncilStatus } from '../../../../crds/kinds/council.ts';
import { at, council, NOW, platform } from '../../../builders/objects.ts';
import { spec, type Spec } from '../../../builders/spec.ts';

const regular = (atMs = NOW): string => probeCommandId('gpu', 'qwen', atMs);
const retry = (atMs = NOW): string => probeRetryCommandId('gpu', 'qwen', atMs);

const serving = (seconds = 0): ProbeAnswer => ({
  ...{ id: 'x', kind: 'probe', at: at(seconds), ok: true },
  ...{ models: ['qwen'], toolCalls: true, structuredOutput: true },
});
const failing = (seconds = 0): ProbeAnswer => ({
  ...{ id: 'x', kind: 'probe', at: at(seconds), ok: false },
  ...{ reason: 'EndpointUnreachable', message: 'nobody answers', retryable: true },
});

const seen = (answers: Readonly<Record<string, ProbeAnswer>> = {}, more: Partial<CouncilSeen> = {}): CouncilSeen => ({
  council: council({}, false),
  platform: platform(),
  storeAvailable: true,
  answers: Object.entries(answers).map(([id, answer]) => ({ ...answer, id })),
  cursor: undefined,
  ...more,
});
const known = (status: CouncilStatus, more = {}): Council => ({ ...council(more, false), status: { eventSeq: 1, ...status } });
const unready = (reason: string, outcome = 'waiting'): Spec => ({ writes: [`status Ready=False/${reason}`], outcome });

interface Case {
  readonly name: string;
  readonly given: CouncilSeen;
  readonly nowMs?: number;
  readonly want: Spec;
}

const created = { events: ['orchestration.council.created'] };
const tables = (more: object) => seen({}, { platform: platform(more), council: known({}) });

const wanting = (resources: Council['spec']['workspace']['resources']) =>
  seen({}, { council: known({}, { workspace: { imageProfile: 'node', resources } }) });

const cases: readonly Case[] = [
  {
    name: 'wishes beyond the platform are not served',
    given: wanting({ limits: { memory: '9Gi' } }),
    want: unready('ResourcesTooLarge'),
  },
  {
    name: 'nor is a limit that is none',
    given: wanting({ limits: { cpu: '0' } }),
    want: unready('ResourcesTooLarge'),
  },
  {
    name: 'nor are reservations beyond it',
    given: wanting({ requests: { ephemeralStorage: '1Ti' } }),
    want: unready('ResourcesTooLarge'),
  },
  {
    name: 'the first look asks the endpoint, once for the interval',
    given: seen(),
    want: { writes: [`command ${regular()}`, 'status Ready=Unknown/Probing'], outcome: 'waits 300 s', ...created },
  },
  {
    name: 'an endpoint that serves makes it ready, and is asked again in the next interval',
    given: seen({ [regular()]: serving() }),
    want: { writes: ['status Ready=True/Ready'], outcome: 'waits 300 s', ...created },
  },
  {
    name: 'in the next interval the old answer stands while the new one is awaited',
    given: seen({ [regular()]: serving() }, { council: known({ ready: 'True', reason: 'Ready', probedAt: at() }) }),
    nowMs: NOW + 301_000,
    want: { writes: [`command ${regular(NOW + 301_000)}`, 'status Ready=True/Ready'], outcome: 'waits 299 s' },
  },
  {
    name: 'an answer that is two intervals old stands no more',
    given: seen({ [regular()]: serving() }, { council: known({ ready: 'True', reason: 'Ready' }) }),
    nowMs: NOW + 600_000,
    want: { writes: [`command ${regular(NOW + 600_000)}`, 'status Ready=Unknown/Probing'], outcome: 'waits 300 s' },
  },
  {
    name: 'an endpoint that fails is asked sooner, under ids of their own',
    given: seen({ [regular()]: failing() }, { council: known({}) }),
    want: { writes: [`command ${retry()}`, 'status Ready=False/EndpointUnreachable'], outcome: 'waits 20 s' },
  },
  {
    name: 'a later answer counts more than an earlier one',
    given: seen({ [regular()]: failing(), [retry(NOW + PROBE_RETRY_MS)]: serving(20) }, { council: known({}) }),
    nowMs: NOW + 250_000,
    want: { writes: ['status Ready=True/Ready'], outcome: 'waits 50 s' },
  },
  {
    name: 'a reason that is none is not passed on',
    given: seen(
      {
        [regular()]: { ...failing(), reason: 'not a reason!' } as ProbeAnswer,
        [retry()]: { ...failing(), reason: '?!' } as ProbeAnswer,
      },
      { council: known({}) },
    ),
    want: unready('ProbeFailed', 'waits 20 s'),
  },
  {
    name: 'an endpoint without the model',
    given: seen(
      { [regular()]: { ...serving(), models: ['other'] } as ProbeAnswer, [retry()]: failing(-1) },
      { council: known({}) },
    ),
    want: unready('ModelMissing', 'waits 20 s'),
  },
  {
    name: 'a model that calls no tools',
    given: seen(
      { [regular()]: { ...serving(), toolCalls: false } as ProbeAnswer, [retry()]: failing(-1) },
      { council: known({}) },
    ),
    want: unready('ToolCallsUnsupported', 'waits 20 s'),
  },
  {
    name: 'a model that keeps to no schema',
    given: seen(
      { [regular()]: { ...serving(), structuredOutput: false } as ProbeAnswer, [retry()]: failing(-1) },
      { council: known({}) },
    ),
    want: unready('StructuredOutputUnsupported', 'waits 20 s'),
  },
  { name: 'no upstream of that name', given: tables({ upstreams: [] }), want: unready('EndpointUnknown') },
  {
    name: 'an upstream that is no model',
    given: tables({ upstreams: [{ name: 'gpu', kind: 'git', host: 'x.example', namespaces: ['*'] }] }),
    want: unready('EndpointUnknown'),
  },
  {
    name: 'an upstream for other namespaces',
    given: tables({ upstreams: [{ name: 'gpu', kind: 'model', host: 'x.example', namespaces: ['elsewhere'] }] }),
    want: unready('NamespaceNotAllowed'),
  },
  {
    name: 'an upstream with other models',
    given: tables({ upstreams: [{ name: 'gpu', kind: 'model', host: 'x.example', namespaces: ['*'], models: ['llama'] }] }),
    want: unready('ModelMissing'),
  },
  { name: 'no image profile of that name', given: tables({ imageProfiles: [] }), want: unready('ImageProfileUnknown') },
  {
    name: 'an image profile for other namespaces',
    given: tables({ imageProfiles: [{ name: 'node', image: 'x', namespaces: ['elsewhere'] }] }),
    want: unready('NamespaceNotAllowed'),
  },
  {
    name: 'while JetStream is down the readiness stays as it is',
    given: seen({}, { storeAvailable: false, council: known({ ready: 'True', reason: 'Ready' }) }),
    nowMs: NOW + 3_600_000,
    want: { writes: [], outcome: 'waiting' },
  },
];

describe('the decision about a Council', () => {
  it.each(cases)('$name', ({ given, nowMs = NOW, want }) => {
    expect(spec(decideCouncil(given, nowMs), given.council.status?.eventSeq)).toEqual(want);
  });

  it('counts its agents and names them', () => {
    const { status } = decideCouncil(seen({}, { council: council({ size: 2 }, false) }), NOW);
    expect([status?.agents, status?.agentNames]).toEqual([2, ['agent-dev-001', 'agent-dev-002']]);
  });

  it('says nothing new when the next answer says what the last one said', () => {
    const first = decideCouncil(seen({ [regular()]: serving() }), NOW).status;
    const nextMs = NOW + 300_000;
    const second = decideCouncil(
      seen({ [regular(nextMs)]: serving(300) }, { council: { ...council({}, false), ...(first && { status: first }) } }),
      nextMs,
    );
    expect(second.status).toEqual(first);
  });
});
