// What the rules about a Task look at: the record that was seen, and what follows from it.

import type { Judging } from './blockers.ts';
import type { History } from './history.ts';
import type { TaskSeen } from './seen.ts';

export interface TaskView {
  readonly seen: TaskSeen;
  readonly history: History;
  readonly judging: Judging;
  readonly now: number;
}
