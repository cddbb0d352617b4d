// The judge of chaos rounds must see what it is there to see: every kind of damage, done by hand to a whole ending, is found.
import { describe, expect, it } from 'vitest';
import type { Attempt } from '../../../crds/kinds/task.ts';
import type { Traces } from '../../chaos/contract.ts';
import type { EndedCommit, EndedJob, EndedStory, EndedTask } from '../../chaos/ending.ts';
import { judge, normalForm } from '../../chaos/judge.ts';

const BASE = 'base';
const commitOf = (number: number): string => `commit-${number}`;

const attempt = (number: number, n: number, outcome: Attempt['outcome'] = 'Succeeded'): Attempt => ({
  n,
  agent: 'agent-dev-001',
  candidate: 1,
  jobUid: `job-${number}-${n}`,
  courierUid: `courier-${number}-${n}`,
  courierFaults: 0,
  courierTries: 1,
  startedAt: '2026-11-21T10:00:00Z',
  finishedAt: '2026-11-21T10:01:00Z',
  outcome,
  evidence: `sha256:evidence-${number}`,
  ...(outcome === 'Succeeded' && { commit: commitOf(number) }),
});

const omitEnd = ({ finishedAt: _, ...rest }: Attempt): Attempt => rest;

const task = (number: number, attempts: readonly Attempt[] = [attempt(number, 1)]): EndedTask => ({
  id: `t${number}`,
  uid: `task-${number}`,
  phase: 'Succeeded',
  conditions: ['Succeeded: Integrated'],
  commit: commitOf(number),
  attempts,
});

const job = (number: number, kind: 'attempt' | 'courier', n = 1): EndedJob => ({
  name: `fleet-ws-${kind}-${number}-${n}`,
  uid: `${kind === 'attempt' ? 'job' : 'courier'}-${number}-${n}`,
  ownerUid: `task-${number}`,
  kind,
  attempt: String(n),
  courierTry: '1',
  isOver: true,
});

const commit = (number: number): EndedCommit => ({
  id: commitOf(number),
  parents: [number === 1 ? BASE : commitOf(number - 1)],
  title: `Write note ${number}`,
  story: 'story-uid',
  task: `t${number}`,
  attempt: '1',
  evidence: `sha256:evidence-${number}`,
});

const story = (over: Partial<EndedStory> = {}): EndedStory => {
  const jobs = [1, 2].flatMap((number) => [job(number, 'attempt'), job(number, 'courier')]);
  return {
    namespace: 'chaos-1-a',
    uid: 'story-uid',
    phase: 'Done',
    summary: '2/2',
    conditions: ['Succeeded: Done'],
    planPhases: ['Approved'],
    tasks: [task(1), task(2)],
    jobs,
    livePods: [],
    createdJobs: jobs.map(({ name }) => name),
    refs: ['refs/heads/main', 'refs/heads/fleet/chaos-1-a/notes'],
    mainKept: true,
    base: BASE,
    commits: [commit(1), commit(2)],
    files: ['README.md 1', 'notes/1.md 2'],
    ...over,
  };
};

const reference = normalForm([story()]);
const problemsOf = (over: Partial<EndedStory>, traces: readonly Traces[] = []): string =>
  judge([story(over)], reference, traces).join('\n');

describe('the judge of a chaos round', () => {
  it('finds nothing in an undisturbed ending, whatever its namespace is called', () => {
    const elsewhere = { namespace: 'chaos-2-a', refs: ['refs/heads/main', 'refs/heads/fleet/chaos-2-a/notes'] };
    expect(problemsOf({})).toBe('');
    expect(problemsOf(elsewhere)).toBe('');
  });

  it('allows an attempt that the infrastructure failed', () => {
    const attempts = [attempt(1, 1, 'InfrastructureFailed'), attempt(1, 2)];
    const jobs = [...story().jobs.slice(2), job(1, 'attempt'), job(1, 'courier'), job(1, 'attempt', 2), job(1, 'courier', 2)];
    const commits = [{ ...commit(1), attempt: '2' }, commit(2)];
    expect(problemsOf({ tasks: [task(1, attempts), task(2)], jobs, commits })).toBe('');
  });

  const killedAgent = [{ ...attempt(1, 1, 'AgentFailed'), reason: 'OOMKilled' }, attempt(1, 2)];
  const foreign: EndedCommit = { ...commit(3), parents: [commitOf(2)], task: '', story: '', title: 'Somebody else' };
  const cases: readonly (readonly [string, Partial<EndedStory>, RegExp])[] = [
    ['a Story that did not end', { phase: 'Build' }, /differs from the undisturbed walk in phase: "Build", not "Done"/],
    ['a Task that is stalled', { tasks: [task(1), { ...task(2), conditions: ['Stalled: X'] }] }, /differs .* in tasks/],
    ['another tree', { files: ['README.md 1', 'notes/1.md 9'] }, /differs .* in files/],
    ['a commit that is missing', { commits: [commit(1)] }, /differs .* in commits/],
    ['a branch too many', { refs: [...story().refs, 'refs/heads/other'] }, /differs .* in refs/],
    [
      'a Task that landed twice',
      { commits: [commit(1), commit(2), { ...commit(2), id: 'x', parents: [commitOf(2)] }] },
      /Task t2 has two commits/,
    ],
    ['a commit of another Story', { commits: [{ ...commit(1), story: 'other' }, commit(2)] }, /names another Story/],
    ['a commit that its Task does not know', { tasks: [{ ...task(1), commit: 'other' }, task(2)] }, /is not what Task t1 says/],
    ['evidence of another attempt', { commits: [{ ...commit(1), evidence: 'sha256:x' }, commit(2)] }, /names other evidence/],
    [
      'a branch that is no line',
      { commits: [commit(1), { ...commit(2), parents: [commitOf(1), 'x'] }] },
      /commit-2 is out of line/,
    ],
    ['somebody else’s commit', { commits: [commit(1), commit(2), foreign] }, /1 commits are not ours/],
    ['main that was moved', { mainKept: false }, /main was moved/],
    ['a Job that was created twice', { createdJobs: ['a', 'b', 'a'] }, /Job a was created twice/],
    [
      'two Jobs for one attempt',
      { jobs: [...story().jobs, { ...job(1, 'attempt'), name: 'x', uid: 'x' }] },
      /two Jobs for the same run/,
    ],
    [
      'a Job that no attempt lists',
      { jobs: [...story().jobs, job(1, 'attempt', 2)] },
      /fleet-ws-attempt-1-2 is listed by no attempt/,
    ],
    [
      'a Job that runs on',
      { jobs: story().jobs.map((each) => ({ ...each, isOver: false })) },
      /Job fleet-ws-attempt-1-1 still runs/,
    ],
    ['a pod that runs on', { livePods: ['p'] }, /pod p still runs/],
    ['a number that is left out', { tasks: [task(1, [attempt(1, 2)]), task(2)] }, /its attempts are numbered 2/],
    ['an attempt that succeeded twice', { tasks: [task(1, [attempt(1, 1), attempt(1, 2)]), task(2)] }, /2 attempts succeeded/],
    ['an attempt without an end', { tasks: [task(1, [omitEnd(attempt(1, 1))]), task(2)] }, /attempt 1 has no end/],
    ['an agent that is blamed', { tasks: [task(1, killedAgent), task(2)] }, /attempt 1 is held against the agent: OOMKilled/],
  ];
  it.each(cases)('finds %s', (_, over, problem) => {
    expect(problemsOf(over)).toMatch(problem);
  });

  it('allows what the fault itself leaves behind, and no more of it', () => {
    const traces: readonly Traces[] = [{ foreignFile: 'ELSE.md' }, { agentReason: 'OOMKilled' }];
    const files = ['ELSE.md 7', ...story().files];
    expect(problemsOf({ commits: [commit(1), commit(2), foreign], files }, traces)).toBe('');
    const twoForeign = [commit(1), commit(2), foreign, { ...foreign, id: 'y', parents: [foreign.id] }];
    expect(problemsOf({ commits: twoForeign, files }, traces)).toMatch(/2 commits are not ours/);
    expect(problemsOf({ tasks: [task(1, killedAgent), task(2)] }, traces)).not.toMatch(/held against the agent/);
  });
});
