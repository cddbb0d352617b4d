// What the rules about a Task look at: the record that was seen, and what follows from it.

import { agentOfAttempt } from '../../crds/rules/councils.ts';
import type { Judging } from './blockers.ts';
import type { Crew } from './records.ts';
import { readRuns, type RunsRead } from './run-reading.ts';
import type { TaskSeen } from './seen.ts';

export interface TaskView extends RunsRead {
  readonly seen: TaskSeen;
  readonly judging: Judging;
  readonly now: number;
}

export const viewOf = (seen: TaskSeen, now: number): TaskView => {
  const { task, council, platform, storeAvailable, gateway } = seen;
  const crewOf = (n: number): Crew => ({
    agent: agentOfAttempt(council, task.spec.task.role, n),
    ...(council !== undefined && { imageProfile: council.spec.workspace.imageProfile }),
  });
  return {
    seen,
    now,
    ...readRuns({ ...seen, crewOf }, now),
    judging: { platform, storeAvailable, gatewayKnown: gateway !== undefined, now },
  };
};
