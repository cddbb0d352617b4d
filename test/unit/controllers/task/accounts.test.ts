// What is written down of an attempt's cost and yield, whatever its end: by the ledger where it knows, and once.

import { describe, expect, it } from 'vitest';
import { decideTask } from '../../../../controllers/task/decide.ts';
import type { TaskSeen } from '../../../../controllers/task/seen.ts';
import type { Attempt } from '../../../../crds/kinds/task.ts';
import { at, attempt, COMMIT, DIGEST, NOW, story, storyStatus, task, work } from '../../../builders/objects.ts';
import { job, over, pod, REPORT, workspaces, type StepEnd } from '../../../builders/workspaces.ts';
import { taskSeen } from '../../../builders/seen.ts';

const working = task(work('form'), { phase: 'Running', attempts: [attempt(1)] });
const first = job(working);
const afterEnd = (
  ends: Readonly<Record<string, StepEnd>>,
  more: Partial<TaskSeen> = {},
  type = 'Complete',
): Attempt | undefined =>
  decideTask(taskSeen(working, { ...workspaces([over(first, type), pod(first, ends)]), ...more }), NOW + 20_000).status
    ?.attempts?.[0];

const refused = {
  report: { finding: { ...REPORT, outcome: 'failed', reason: 'VerifyFailed', verify: { passed: 1, failed: 2 } } },
};

describe('the record of an attempt that failed', () => {
  it('has all that its report told', () => {
    expect(afterEnd(refused)).toMatchObject({
      ...{ outcome: 'AgentFailed', reason: 'VerifyFailed', finishedAt: at(10) },
      ...{ base: COMMIT, patch: DIGEST, evidence: DIGEST, verify: { passed: 1, failed: 2 } },
    });
  });

  it.each<{ title: string; ends: Readonly<Record<string, StepEnd>>; type?: string; spent?: number; want: number | undefined }>([
    { title: "the ledger's, not what the agent's step says", ends: refused, spent: 4321, want: 4321 },
    { title: 'what the report says where the ledger is lost', ends: refused, want: 900 },
    {
      title: "the ledger's after it was killed",
      ends: { work: { exitCode: 137, reason: 'OOMKilled' } },
      type: 'Failed',
      spent: 70,
      want: 70,
    },
    { title: 'none where nobody knows', ends: { work: { exitCode: 137, reason: 'OOMKilled' } }, type: 'Failed', want: undefined },
  ])('has $title as its tokens', ({ ends, type, spent, want }) => {
    const attemptUsage = spent === undefined ? undefined : { spent, reserved: 0 };
    expect(afterEnd(ends, { attemptUsage }, type)?.tokens).toBe(want);
  });
});

describe('the record of an attempt whose patch is carried', () => {
  it("has the ledger's tokens", () => {
    const ends = { report: { finding: REPORT } };
    expect(afterEnd(ends, { attemptUsage: { spent: 4321, reserved: 0 }, story: undefined })).toBeUndefined();
    const delivered = afterEnd(ends, { attemptUsage: { spent: 4321, reserved: 0 }, storeAvailable: false });
    expect(delivered).toMatchObject({ patch: DIGEST, tokens: 4321 });
    expect(delivered?.finishedAt).toBeUndefined();
  });
});

describe('the record of an attempt that is given up', () => {
  it("has the ledger's tokens", () => {
    const { status } = decideTask(
      taskSeen(task(work('form'), { phase: 'Running', attempts: [attempt(1)] }, { cancel: true }), {
        ...workspaces([first]),
        attemptUsage: { spent: 12, reserved: 0 },
      }),
      NOW,
    );
    expect(status?.attempts).toMatchObject([{ outcome: 'Cancelled', tokens: 12 }]);
  });
});

describe('the budget of tokens, when the ledger was lost', () => {
  it.each([
    { title: 'is spent by what the Story recorded', tokens: 1000, want: 'BudgetSpent' },
    { title: 'is not spent before', tokens: 1001, want: undefined },
  ])('$title', ({ tokens, want }) => {
    const given = story({ budget: { tokens } }, storyStatus({ usage: { tokens: 1000, gpuSeconds: 0 } }));
    const { outcome } = decideTask(taskSeen(task(work('form')), { story: given }), NOW);
    expect(outcome.kind === 'stalled' ? outcome.reason : undefined).toBe(want);
  });
});
