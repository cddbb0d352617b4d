// The deadline of a Job and the time that its steps are told: one number, for every mix of platform, Council and task.
import { describe, expect, it } from 'vitest';
import { taskJob } from '../../../../controllers/task/children.ts';
import type { Task } from '../../../../crds/kinds/task.ts';
import { buildBrief } from '../../../../gateway/brief/brief.ts';
import { attempt, COMMIT, council, DIGEST, platform, story, storyStatus, task, work } from '../../../builders/objects.ts';
import { jobInput } from '../../../builders/workspaces.ts';

interface Deadlines {
  readonly platform: number;
  readonly council?: number;
  readonly task?: number;
}

const attempts = [attempt(1, { patch: DIGEST, evidence: DIGEST, base: COMMIT })] as const;

const stage = (seconds: Deadlines) => {
  const constraints = seconds.task === undefined ? {} : { constraints: { timeoutSeconds: seconds.task } };
  const workspace = platform().workspace;
  return {
    task: task(work('t1', constraints), { attempts: [...attempts] }),
    council: council({ workspace: { imageProfile: 'node', ...(seconds.council && { deadlineSeconds: seconds.council }) } }),
    platform: platform({ workspace: { ...workspace, deadlineSeconds: seconds.platform } }),
  };
};

const podDeadline = (seconds: Deadlines, kind: 'attempt' | 'courier'): unknown =>
  taskJob(jobInput(stage(seconds)), { kind, n: 1, candidate: 1, courierTry: 1 }).spec;

const told = (seconds: Deadlines, kind: 'attempt' | 'courier') => {
  const { council: only, ...rest } = stage(seconds);
  const siblings: readonly Task[] = [rest.task];
  const result = buildBrief({
    ...{ ...rest, siblings, councils: [only], story: story({}, storyStatus()), attempt: attempts[0] },
    courier: kind === 'courier',
  });
  if (result.kind !== 'brief') throw new Error(`${result.kind}: ${result.message}`);
  return result.brief;
};

describe('a run has as long as its Job, and is told so', () => {
  const cases: readonly { readonly given: Deadlines; readonly attempt: number; readonly courier: number }[] = [
    { given: { platform: 600 }, attempt: 600, courier: 600 },
    { given: { platform: 600, council: 300 }, attempt: 300, courier: 300 },
    { given: { platform: 600, council: 900 }, attempt: 600, courier: 600 },
    // the task's timeout bounds the work of its agent, not the courier that carries it
    { given: { platform: 600, task: 60 }, attempt: 60, courier: 600 },
    { given: { platform: 600, task: 900 }, attempt: 600, courier: 600 },
    { given: { platform: 600, council: 300, task: 60 }, attempt: 60, courier: 300 },
    { given: { platform: 600, council: 60, task: 300 }, attempt: 60, courier: 60 },
  ];
  it.each(cases.flatMap((each) => (['attempt', 'courier'] as const).map((kind) => ({ ...each, kind, want: each[kind] }))))(
    '$kind with $given: $want s',
    ({ given, kind, want }) => {
      expect(podDeadline(given, kind)).toMatchObject({ template: { spec: { activeDeadlineSeconds: want } } });
      const { limits, verify } = told(given, kind);
      expect(limits.wallClockSeconds).toBe(want);
      expect(verify.timeoutSeconds).toBe(want);
    },
  );
});
