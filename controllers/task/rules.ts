// The specification of a Task. Read `rules`, at the end, from top to bottom: the first that applies decides, and says why.
// May: judge one record. May not: read a clock or a cache, keep anything, or undo a terminal phase.

import type { JobKind } from '../../crds/contracts/steps.ts';
import type { FindingReason } from '../../crds/contracts/findings.ts';
import type { Attempt, TaskStatus } from '../../crds/kinds/task.ts';
import { storyDeadlineMs } from '../../crds/rules/limits.ts';
import { isFinished } from '../../crds/rules/phases.ts';
import { isOwnedByItsStory } from '../../crds/rules/task-owner.ts';
import { courierProfileName, foundRow, imageProfileNamed } from '../../crds/rules/platform-rows.ts';
import { leave } from '../compose.ts';
import type { Effect } from '../contract.ts';
import type { RuleOf, Rules } from '../rules.ts';
import { timestamp, untilMs } from '../../crds/time.ts';
import type { Blocked } from './blocked.ts';
import { attemptBlockers, courierBlockers, firstBlocker, gpuBudgetSpent } from './blockers.ts';
import { withoutPlace } from './capacity.ts';
import { deletions, liveJobs, taskJob } from './children.ts';
import { withAttemptCosts, withRunCosts } from './costs.ts';
import { notItsTurn } from './courier-turn.ts';
import { gpuBudget } from './gpu.ts';
import type { WantedJob } from './job-identity.ts';
import { UNREAD_MS } from './job-reading.ts';
import { prerequisites, type Prerequisites } from './prerequisites.ts';
import { endRecord, isOpen, isSameRun } from './records.ts';
import { currentAttempt, isJobIn, runIn, type RunIn } from './runs.ts';
import { blocked, ended, under, type TaskDecision, type UnderWay } from './status.ts';
import type { TaskView } from './view.ts';
import type { Progress } from './workspace-progress.ts';

type Rule = RuleOf<[TaskView], TaskStatus>;

const finished: Rule = ({ seen }) => {
  if (!isFinished(seen.task)) return undefined;
  return leave('the Task is finished and stays as it is', { kind: 'done' }, deletions(liveJobs(seen)));
};

const ownerChanged: Rule = ({ seen }) => {
  if (isOwnedByItsStory(seen.task)) return undefined;
  const { storyRef } = seen.task.spec;
  const message = `the controller in metadata.ownerReferences is not story ${storyRef.name} (uid ${storyRef.uid}): put it back, or delete the Task`;
  return leave(message, { kind: 'stalled', reason: 'OwnerChanged', message });
};

const storyGone: Rule = ({ seen }) =>
  seen.story === undefined ? leave('waits for its Story, which is not seen: nothing starts', { kind: 'waiting' }) : undefined;

const strayJobs: Rule = ({ strays }) =>
  strays.length === 0 ? undefined : leave('a Job that belongs to no attempt is deleted', { kind: 'waiting' }, deletions(strays));

const integrated: Rule = (view) => {
  const found = runIn(view.runs, 'integrated');
  if (found === undefined) return undefined;
  const message = 'the commit is on the story branch';
  return ended(view, { phase: 'Succeeded', reason: 'Integrated', message, at: found.stage.end.at });
};

/** A run that is given up counts for nobody. */
const givenUp = (view: TaskView, given: { readonly message: string; readonly reason?: FindingReason }): TaskView => {
  const { seen, now } = view;
  const ended = (record: Attempt): Attempt => {
    const whole = withRunCosts(record.patch === undefined ? withAttemptCosts(record, seen, now) : record, seen, now);
    return { ...endRecord(whole, { at: timestamp(now), side: 'ok', ...given }), outcome: 'Cancelled' };
  };
  const runs = view.runs.map((run) => (isOpen(run.record) ? { ...run, record: ended(run.record) } : run));
  return { ...view, runs };
};

/** Its Jobs are deleted when that is written: a Job that cannot be deleted must not keep its Task from ending. */
const end = (view: TaskView, phase: 'Failed' | 'Cancelled', reason: string, message: string): TaskDecision => {
  const at = timestamp(view.now);
  return ended(givenUp(view, { message }), { phase, reason, message, at });
};

const cancelled: Rule = (view) => {
  const { task, story } = view.seen;
  if (task.spec.cancel) return end(view, 'Cancelled', 'Cancelled', 'the task was cancelled');
  return story?.spec.cancel === true ? end(view, 'Cancelled', 'StoryCancelled', 'the Story was cancelled') : undefined;
};

const storyEnded: Rule = (view) => {
  const phase = view.seen.story?.status?.phase;
  if (phase === 'Failed') return end(view, 'Failed', 'StoryFailed', 'the Story failed');
  return phase === 'Cancelled' || phase === 'Done' ? end(view, 'Cancelled', 'StoryEnded', `the Story is ${phase}`) : undefined;
};

const deadlinePassed: Rule = (view) => {
  const atMs = storyDeadlineMs(view.seen.story);
  if (atMs === undefined || view.now < atMs) return undefined;
  return end(view, 'Failed', 'DeadlineExceeded', 'the wall clock budget of the Story ended');
};

const attemptEnded: Rule = (view) => {
  const record = view.runs.find(({ newlyEnded }) => newlyEnded)?.record;
  if (record === undefined) return undefined;
  const how = `${record.reason ?? 'unknown'}${record.message === undefined ? '' : `, ${record.message}`}`;
  const sentence = `waits for its next attempt; attempt ${record.n} ended: ${how}`;
  return blocked(view, { phase: 'Queued', reason: 'AttemptEnded', sentence });
};

/** The record ends first: its Job then belongs to no attempt. */
const gpuSecondsSpent: Rule = (view) => {
  const found = runIn(view.runs, 'working') === undefined ? undefined : gpuBudgetSpent(view.seen, view.judging);
  return found === undefined ? undefined : blocked(givenUp(view, { message: found.sentence, reason: 'BudgetSpent' }), found);
};

const workspaceMissing =
  (what: JobKind): Rule =>
  (view) =>
    isJobIn(view.runs, 'missing', what)
      ? under(view, {
          what,
          reason: 'WorkspaceMissing',
          message: `waits for the Job of the ${what}, which is listed and not seen: it soon counts as lost`,
          afterMs: UNREAD_MS,
        })
      : undefined;

const receiptMissing =
  (what: JobKind): Rule =>
  (view) =>
    isJobIn(view.runs, 'unreceipted', what)
      ? under(view, {
          what,
          reason: 'ReceiptMissing',
          message: `waits for the gateway's receipt of what the ${what} says: without one it soon counts as a fault`,
          afterMs: UNREAD_MS,
        })
      : undefined;

const podUnread =
  (what: JobKind): Rule =>
  ({ runs }) =>
    isJobIn(runs, 'unread', what)
      ? leave(`the Job of the ${what} has ended; waits for its pod, which says how`, { kind: 'waiting', afterMs: UNREAD_MS })
      : undefined;

const namespaceOf = ({ seen }: TaskView): Prerequisites =>
  prerequisites(seen.task.metadata.namespace, seen.namespace, seen.platform);

/** Accounts and policy that somebody deleted while the workspace runs are put back: without its policy it is not contained. */
const putBack = (view: TaskView): readonly Effect[] => {
  const found = namespaceOf(view);
  return found.kind === 'absent' ? found.effects : [];
};

const atWork = (view: TaskView, { waitsFor, lookAgainMs }: Progress, words: UnderWay): TaskDecision => {
  const dates = [lookAgainMs === undefined ? undefined : untilMs(lookAgainMs, view.now), words.afterMs].filter(
    (date) => date !== undefined,
  );
  const said =
    waitsFor === undefined ? words : { ...words, reason: 'WorkspaceWaiting', message: `the ${words.what} waits for ${waitsFor}` };
  return under(view, { ...said, ...(dates.length > 0 && { afterMs: Math.min(...dates) }), effects: putBack(view) });
};

const working: Rule = (view) => {
  const found = runIn(view.runs, 'working');
  if (found === undefined) return undefined;
  const message = `attempt ${found.run.n} is at work`;
  const afterMs = gpuBudget(view.seen, view.now)?.leftMs;
  const words = { what: 'attempt', reason: 'Running', message, ...(afterMs === undefined ? {} : { afterMs }) } as const;
  return atWork(view, found.stage.progress, words);
};

const carrying: Rule = (view) => {
  const found = runIn(view.runs, 'carrying');
  if (found === undefined) return undefined;
  const message = 'the courier brings the patch to the story branch';
  return atWork(view, found.stage.progress, { what: 'courier', reason: 'Integrating', message });
};

const courierAtWork: Rule = (view) =>
  runIn(view.runs, 'carrying')?.stage.progress.hasStarted === true ? carrying(view) : undefined;

/** What a courier pushed is pushed: one that has started is not interrupted, its end is read, and it is short. */
const courierUnderWay: Rule = (view) =>
  courierAtWork(view) ?? workspaceMissing('courier')(view) ?? podUnread('courier')(view) ?? receiptMissing('courier')(view);

/** Comes before places and turns: nobody gives any to a Task that cannot go, and whoever can help has to hear of it. */
const policyAltered = (found: Prerequisites, phase: Blocked['phase']): Blocked | undefined => {
  if (found.kind !== 'altered') return undefined;
  const sentence = `networkpolicy ${found.name} was altered: delete it, and it is made anew`;
  return { phase, reason: 'NetworkPolicyAltered', sentence, stalled: true };
};

const namespacePrepared = (found: Prerequisites): TaskDecision | undefined =>
  found.kind === 'absent'
    ? leave('the namespace gets its workspace accounts and policy first', { kind: 'waiting' }, found.effects)
    : undefined;

const start = (view: TaskView, wanted: WantedJob, why: string): TaskDecision | undefined => {
  const { task, council, platform, gateway } = view.seen;
  const record = view.runs.find((run) => isSameRun(run, wanted))?.record;
  const name = courierProfileName(record, council); // an attempt that is to start has no record
  const profile = name === undefined ? undefined : foundRow(imageProfileNamed(name, task.metadata.namespace, platform));
  if (profile === undefined || gateway === undefined) return undefined; // blockers ruled it out
  // the status is left: the next pass sees the Job and lists it together with its uid, in one write
  return leave(why, { kind: 'waiting' }, [
    { verb: 'create', object: taskJob({ task, council, profile, platform, gateway }, wanted) },
  ]);
};

const backingOff = (view: TaskView, { run, stage }: RunIn<'delivered'>): TaskDecision => {
  const { reason = 'unknown', message } = run.record;
  const sentence = `waits before its next courier: the last one failed (${reason}${message === undefined ? '' : `, ${message}`})`;
  return blocked(view, { phase: 'Integrating', reason: 'BackOff', sentence, afterMs: untilMs(stage.notBeforeMs, view.now) });
};

/** What is written is counted: only then is its Job not asked any more. */
const courierFailed: Rule = (view) => {
  const found = runIn(view.runs, 'delivered');
  return found?.stage.isNewlyFailed === true ? backingOff(view, found) : undefined;
};

const courierBlocked: Rule = (view) => {
  const waiting = runIn(view.runs, 'delivered');
  if (waiting === undefined) return undefined;
  const found = firstBlocker(courierBlockers, view.seen, view.judging);
  if (found !== undefined) return blocked(view, { ...found, phase: 'Integrating' });
  const namespace = namespaceOf(view);
  const altered = policyAltered(namespace, 'Integrating');
  if (altered !== undefined) return blocked(view, altered);
  if (view.now < waiting.stage.notBeforeMs) return backingOff(view, waiting);
  const turn = notItsTurn(view.seen, view.judging);
  return turn === undefined ? namespacePrepared(namespace) : blocked(view, turn);
};

const courierStarts: Rule = (view) => {
  const found = runIn(view.runs, 'delivered');
  if (found === undefined) return undefined;
  const { n, candidate } = found.run;
  const courierTry = found.stage.nextTry;
  return start(view, { kind: 'courier', n, candidate, courierTry }, `courier ${courierTry} of attempt ${n} starts`);
};

const attemptBlocked: Rule = (view) => {
  const { place, platform } = view.seen;
  const found = firstBlocker(attemptBlockers, view.seen, view.judging);
  if (found !== undefined) return blocked(view, found);
  const namespace = namespaceOf(view);
  const held = policyAltered(namespace, 'Pending') ?? withoutPlace(place, platform);
  return held === undefined ? namespacePrepared(namespace) : blocked(view, held);
};

const attemptStarts: Rule = (view) => {
  const n = currentAttempt(view.runs) + 1;
  return start(view, { kind: 'attempt', n, candidate: 1, courierTry: 1 }, `attempt ${n} starts`);
};

/** The specification: what holds first decides. */
export const rules: Rules<[TaskView], TaskStatus> = [
  ['a finished Task stays finished; what still runs is ended', finished],
  ['a Task that was given to another owner is left alone', ownerChanged],
  ['without its Story nothing starts; garbage collection takes the Task', storyGone],
  ['a patch that landed has succeeded, whatever else happened', integrated],
  ['a courier that has started is let finish, whatever else happened', courierUnderWay],
  ['a cancelled Task ends', cancelled],
  ['a Task ends with its Story', storyEnded],
  ['a Task fails when the wall clock budget ends', deadlinePassed],
  ['an attempt that ended is written down before anything else starts', attemptEnded],
  ['an attempt at work is given up when the GPU seconds of its Story are spent', gpuSecondsSpent],
  ['a courier that failed is written down before another starts', courierFailed],
  ['a Job that belongs to no attempt, or to one that was given up, is deleted', strayJobs],
  ['a listed Job that is not seen is missed for a while, then lost', workspaceMissing('attempt')],
  ['a Job that ended is waited for until its pod is seen, or lost', podUnread('attempt')],
  ['what is said to be delivered is believed when the gateway says the same', receiptMissing('attempt')],
  ['an attempt at work is listed', working],
  ['a courier whose pod has not started is waited for', carrying],
  ['a patch waits for what its courier needs', courierBlocked],
  ['a patch gets its courier', courierStarts],
  ['an attempt waits for what it needs, then for its place', attemptBlocked],
  ['an attempt starts', attemptStarts],
];
