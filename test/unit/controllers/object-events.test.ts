import { describe, expect, it } from 'vitest';
import { objectEvents, type TellingKind, type ToldStatus } from '../../../controllers/object-events.ts';
import { attempt, condition } from '../../builders/objects.ts';

const failed = attempt(1, { outcome: 'AgentFailed', reason: 'VerifyFailed', message: '2 tests fail' });

interface Case {
  readonly name: string;
  readonly kind: TellingKind;
  readonly before?: ToldStatus;
  readonly now: ToldStatus;
  /** `Type Reason note` of each Event, in order. */
  readonly want: readonly string[];
}

const cases: readonly Case[] = [
  {
    name: 'a change of phase is told with the reason and the message of its condition',
    ...{ kind: 'Task', before: { phase: 'Queued' } },
    now: { phase: 'Running', conditions: [condition('Succeeded', 'Unknown', 'Running', 'attempt 1 is at work')] },
    want: ['Normal Running Running: attempt 1 is at work'],
  },
  { name: 'the first phase of a kind is no change', kind: 'Story', now: { phase: 'Draft' }, want: [] },
  {
    name: 'a Task whose first status says Running has changed its phase',
    ...{
      kind: 'Task',
      now: { phase: 'Running', conditions: [condition('Succeeded', 'Unknown', 'Running', 'attempt 1 is at work')] },
    },
    want: ['Normal Running Running: attempt 1 is at work'],
  },
  {
    name: 'other words in the same phase are not told',
    ...{ kind: 'Task', before: { phase: 'Queued', conditions: [condition('Succeeded', 'Unknown', 'A', 'a')] } },
    now: { phase: 'Queued', conditions: [condition('Succeeded', 'Unknown', 'B', 'b')] },
    want: [],
  },
  {
    name: 'an attempt that failed is told, and not that its Task is queued again',
    ...{ kind: 'Task', before: { phase: 'Running', attempts: [attempt(1)] } },
    now: {
      phase: 'Queued',
      attempts: [failed],
      conditions: [condition('Succeeded', 'Unknown', 'AttemptEnded', 'waits for attempt 2')],
    },
    want: ['Warning VerifyFailed attempt 1 (agent-dev-001) failed: 2 tests fail'],
  },
  {
    name: 'an attempt that failed is told before the phase that follows from it',
    ...{ kind: 'Task', before: { phase: 'Running', attempts: [attempt(1)] } },
    now: { phase: 'Failed', attempts: [failed], conditions: [condition('Succeeded', 'False', 'AttemptsUsedUp', 'no more')] },
    want: ['Warning VerifyFailed attempt 1 (agent-dev-001) failed: 2 tests fail', 'Warning AttemptsUsedUp Failed: no more'],
  },
  {
    name: 'an attempt that failed before is not told again, and one that was cancelled has not failed',
    ...{ kind: 'Task', before: { phase: 'Running', attempts: [failed, attempt(2)] } },
    now: { phase: 'Running', attempts: [failed, attempt(2, { outcome: 'Cancelled' })] },
    want: [],
  },
  {
    name: 'a failure is a warning',
    ...{ kind: 'Story', before: { phase: 'Build' } },
    now: { phase: 'Failed', conditions: [condition('Succeeded', 'False', 'DeadlineExceeded', 'the budget ended')] },
    want: ['Warning DeadlineExceeded Failed: the budget ended'],
  },
  {
    name: 'a Plan is told by its approval',
    ...{ kind: 'Plan', before: { phase: 'Parsed' } },
    now: { phase: 'Approved', conditions: [condition('Approved', 'True', 'Approved', 'approved by grace')] },
    want: ['Normal Approved Approved: approved by grace'],
  },
  {
    name: 'a Council has no phase: whether it is ready is told',
    ...{ kind: 'Council', before: { ready: 'True' } },
    now: { ready: 'False', conditions: [condition('Ready', 'False', 'ModelMissing', 'no such model')] },
    want: ['Warning ModelMissing NotReady: no such model'],
  },
  {
    name: 'a halt that needs a person is told once, and again when its reason is another',
    ...{ kind: 'Task', before: { phase: 'Pending', conditions: [condition('Stalled', 'True', 'WriteRefused', 'quota')] } },
    now: { phase: 'Pending', conditions: [condition('Stalled', 'True', 'AttemptsUsedUp', 'the agent failed 3 times')] },
    want: ['Warning AttemptsUsedUp needs a person: the agent failed 3 times'],
  },
  {
    name: 'a halt that stays is not told again, whatever its words',
    ...{ kind: 'Task', before: { phase: 'Pending', conditions: [condition('Stalled', 'True', 'WriteRefused', 'quota')] } },
    now: { phase: 'Pending', conditions: [condition('Stalled', 'True', 'WriteRefused', 'another quota')] },
    want: [],
  },
];

describe('what people are told as Kubernetes Events', () => {
  it.each(cases)('$name', ({ kind, before, now, want }) => {
    expect(objectEvents(kind, before, now).map(({ type, reason, note }) => `${type} ${reason} ${note}`)).toEqual(want);
  });

  it('a note is never longer than the API server takes', () => {
    const now = { phase: 'Running', conditions: [condition('Succeeded', 'Unknown', 'Running', 'ü'.repeat(2_000))] };
    for (const { note } of objectEvents('Task', undefined, now)) expect(Buffer.byteLength(note)).toBeLessThanOrEqual(1_024);
  });
});
