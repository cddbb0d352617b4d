// GPU seconds: counted from when a workspace's pod runs to its end, written down once, and stopped when the Story has no more of them.

import { describe, expect, it } from 'vitest';
import { decideTask } from '../../../../controllers/task/decide.ts';
import type { Relative, TaskSeen } from '../../../../controllers/task/seen.ts';
import type { Job, Pod } from '../../../../controllers/kubernetes.ts';
import { LABEL_GPUS } from '../../../../crds/labels.ts';
import type { Attempt, Task } from '../../../../crds/kinds/task.ts';
import { at, attempt, COMMIT, council, NOW, story, storyStatus, task, work } from '../../../builders/objects.ts';
import { job, over, pod, REPORT, runningPod, workspaces } from '../../../builders/workspaces.ts';
import { taskSeen } from '../../../builders/seen.ts';

const withGpus = (given: Job, gpus = 2): Job => ({
  ...given,
  metadata: { ...given.metadata, labels: { ...given.metadata.labels, [LABEL_GPUS]: String(gpus) } },
});
const since = (given: Pod, seconds: number): Pod => ({ ...given, status: { ...given.status, startTime: at(seconds) } });

const form = task(work('form'), { phase: 'Running', attempts: [attempt(1)] });
const first = withGpus(job(form));
const budget = (gpuSeconds: number, usage?: { tokens: number; gpuSeconds: number }): Partial<TaskSeen> => ({
  story: story({ budget: { gpuSeconds } }, storyStatus(usage === undefined ? {} : { usage })),
});
const decided = (of: Task, nowS: number, more: Partial<TaskSeen>) => decideTask(taskSeen(of, more), NOW + nowS * 1000);
const recordOf = (of: Task, nowS: number, more: Partial<TaskSeen>): Attempt | undefined =>
  decided(of, nowS, more).status?.attempts?.[0];

describe('the GPU seconds of an attempt', () => {
  const failed = { report: { finding: { ...REPORT, outcome: 'failed', reason: 'VerifyFailed' } } };
  it('run from the start of its pod to its end', () => {
    const seen = workspaces([over(first, 'Complete', 40), since(pod(first, failed), 10)]);
    expect(recordOf(form, 50, seen)).toMatchObject({ outcome: 'AgentFailed', gpuSeconds: 60 });
  });

  it('are none without GPUs, nor while its pod waits for them', () => {
    const without = workspaces([over(job(form), 'Complete', 40), since(pod(job(form), failed), 10)]);
    expect(recordOf(form, 50, without)?.gpuSeconds).toBeUndefined();
    const waiting = { ...workspaces([first, runningPod(first)]), ...budget(5) };
    expect(decided(form, 50, waiting).outcome.kind).toBe('waiting');
  });

  it('are those of its couriers too, each once, also when the Job of the attempt is gone', () => {
    const carried = task(work('form'), {
      phase: 'Integrating',
      attempts: [attempt(1, { ...REPORT, gpuSeconds: 60, courierTries: 2, courierUid: 'uid-courier-1-2' })],
    });
    const lost = withGpus(job(carried, { kind: 'courier' }), 1);
    const second = withGpus(job(carried, { kind: 'courier', courierTry: 2 }), 1);
    const seen = workspaces(
      [over(lost, 'Failed', 30), since(pod(lost, { merge: { exitCode: 1 } }), 20)],
      [
        over(second, 'Complete', 70),
        since(pod(second, { merge: { finding: { commit: COMMIT } }, push: { finding: { commit: COMMIT } } }), 65),
      ],
    );
    expect(recordOf(carried, 80, seen)).toMatchObject({ outcome: 'Succeeded', gpuSeconds: 75 });
  });

  it('are written down once when the patch is delivered, and stay', () => {
    const seen = {
      ...workspaces([over(first, 'Complete', 40), since(pod(first, { report: { finding: REPORT } }), 10)]),
      storeAvailable: false,
    };
    const delivered = recordOf(form, 50, seen);
    expect(delivered).toMatchObject({ patch: REPORT.patch, gpuSeconds: 60 });
    const listed = task(work('form'), { phase: 'Integrating', attempts: [delivered ?? attempt(1)] });
    expect(recordOf(listed, 90, seen)).toMatchObject({ gpuSeconds: 60 });
  });

  it('are those until now when it is given up', () => {
    const cancelled = task(work('form'), form.status, { cancel: true });
    expect(recordOf(cancelled, 25, workspaces([first, since(runningPod(first), 10)]))).toMatchObject({
      outcome: 'Cancelled',
      gpuSeconds: 30,
    });
  });
});

describe('a budget of GPU seconds', () => {
  const running = workspaces([first, since(runningPod(first), 10)]);
  const own: Relative = { task: form, jobs: running.jobs, gpuPods: running.pods };
  const other = task(work('session'), { phase: 'Running', attempts: [attempt(1, { jobUid: 'uid-other' })] });
  const otherJob = withGpus(job(other, {}, { uid: 'uid-other' }), 3);
  const relative: Relative = { task: other, jobs: [otherJob], gpuPods: [since(runningPod(otherJob), 15)] };
  const ended: Relative = {
    task: task(work('words'), { attempts: [attempt(1, { finishedAt: at(), outcome: 'AgentFailed', gpuSeconds: 50 })] }),
    jobs: [],
    gpuPods: [],
  };

  it('is looked at again when it will be spent, by all that run', () => {
    // at 20 s: 20 of its own, 15 of the other, 50 recorded; 5 a second
    const seen = { ...running, ...budget(100), family: [own, relative, ended] };
    expect(decided(form, 20, seen).outcome).toEqual({ kind: 'waiting', afterMs: 3_000 });
  });

  it('ends an attempt at work when it is spent, which counts for nobody, and says how to raise it', () => {
    const decision = decided(form, 23, { ...running, ...budget(100), family: [own, relative, ended] });
    expect(decision.status?.attempts).toMatchObject([
      { outcome: 'Cancelled', reason: 'BudgetSpent', finishedAt: at(23), gpuSeconds: 26 },
    ]);
    expect(decision.outcome).toMatchObject({ kind: 'stalled', reason: 'BudgetSpent' });
    expect(decision.status?.waitingFor).toBe(
      'the Story has spent its 100 GPU seconds: raise spec.budget.gpuSeconds of story login',
    );
  });

  it('then has its workspace deleted', () => {
    const stopped = task(work('form'), {
      phase: 'Pending',
      attempts: [attempt(1, { finishedAt: at(23), outcome: 'Cancelled', reason: 'BudgetSpent', gpuSeconds: 26 })],
    });
    const { effects } = decided(stopped, 24, {
      ...workspaces([withGpus(job(stopped)), runningPod(job(stopped))]),
      ...budget(20),
    });
    expect(effects).toMatchObject([{ verb: 'delete', ref: { kind: 'Job' } }]);
  });

  it.each([
    { title: 'starts no attempt when it is spent', of: task(work('form')), gpuSeconds: 50, want: 'BudgetSpent' },
    {
      title: 'starts no courier when it is spent',
      of: task(work('form'), { phase: 'Integrating', attempts: [attempt(1, { ...REPORT })] }),
      gpuSeconds: 50,
      want: 'BudgetSpent',
    },
    { title: 'lets work go on before', of: task(work('form')), gpuSeconds: 51, want: undefined },
  ])('$title', ({ of, gpuSeconds, want }) => {
    const { outcome } = decided(of, 20, {
      ...budget(gpuSeconds),
      family: [ended],
      council: council({ workspace: { imageProfile: 'node', gpu: { count: 1 } } }),
    });
    expect(outcome.kind === 'stalled' ? outcome.reason : undefined).toBe(want);
  });

  it('is spent by what the Story recorded, whatever became of its Tasks', () => {
    expect(decided(task(work('form')), 20, budget(50, { tokens: 0, gpuSeconds: 50 })).outcome).toMatchObject({
      reason: 'BudgetSpent',
    });
  });
});
