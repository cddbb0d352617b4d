// One courier per Story at a time: the commit of each is the base of the next.
// May: order the Story's patches that wait. May not: let two of them go; where it cannot tell, the patch waits.

import type { Task } from '../../crds/kinds/task.ts';
import { runJobs, type RunJob } from './job-identity.ts';
import { isLive } from './job-reading.ts';
import { isFinished } from '../../crds/rules/phases.ts';
import { isOpen, isSameRun, latestRecord, listedRecords } from './records.ts';
import type { Relative, TaskCore } from './seen.ts';
import type { Blocked } from './blocked.ts';
import { courierBlockers, firstBlocker, type Judging } from './blockers.ts';

/**
 * Once its Job has ended, or is said to have ended, the next may go: what it pushed is on the branch. The pods of relatives are not asked:
 * their Tasks are.
 */
const isCarrying = ({ task, jobs }: Relative): boolean =>
  runJobs(task, jobs).some((each) => each.kind === 'courier' && isLive(each.job, []) && !hasEnded(task, each));

const hasEnded = (task: Task, run: RunJob): boolean =>
  listedRecords(task).some((record) => {
    if (!isSameRun(record, run)) return false;
    const isPast = run.courierTry < record.courierTries;
    const isGivenUp = run.courierTry === record.courierTries && record.courierUid === undefined;
    return !isOpen(record) || isPast || isGivenUp;
  });

/**
 * Has a patch that waits for its first courier, and for nothing else: one that is held up lets the others by, and so does one whose courier
 * failed, until it is tried again.
 */
const isWaiting = ({ task, jobs }: Relative, core: TaskCore, judging: Judging): boolean => {
  const hasPatch = listedRecords(task).some(
    (record) => isOpen(record) && record.patch !== undefined && record.courierTries === 0,
  );
  if (!hasPatch || isFinished(task) || task.spec.cancel) return false;
  return firstBlocker(courierBlockers, { ...core, task, jobs }, judging) === undefined;
};

/** When the attempt of a Task began, and its name: the order in which patches are carried. */
const turnOf = ({ task }: Pick<Relative, 'task'>): string =>
  `${latestRecord(listedRecords(task))?.startedAt ?? '9999'} ${task.metadata.name}`;

/** The reason of a Task that has a patch and waits for nothing but its turn. */
export const COURIER_TURN = 'CourierTurn';

/** No name is told: it would change with each turn, and every change is a write. */
const waits: Blocked = {
  phase: 'Integrating',
  reason: COURIER_TURN,
  sentence: 'waits for its turn: a Story has one courier at a time',
};

export const notItsTurn = (core: TaskCore, judging: Judging): Blocked | undefined => {
  const others = core.family.filter(({ task }) => task.metadata.name !== core.task.metadata.name);
  const isAhead = (other: Relative): boolean => turnOf(other) < turnOf(core) && isWaiting(other, core, judging);
  return others.some(isCarrying) || others.some(isAhead) ? waits : undefined;
};
