// The specification of a Story. Read `rules`, at the end, from top to bottom: the first that applies decides, and says why; its
// sentence is what `kubectl get stories` shows as what the Story waits for.
// May: judge one record. May not: read a clock or a cache, do a Task's work, or undo a terminal phase.

import type { StoryStatus } from '../../crds/kinds/story.ts';
import { storyDeadlineMs } from '../../crds/rules/limits.ts';
import { isFinished } from '../../crds/rules/phases.ts';
import type { Effect } from '../contract.ts';
import { leave } from '../compose.ts';
import type { Rules } from '../rules.ts';
import { cancellations, taskObject } from './children.ts';
import { draftRules } from './draft.ts';
import { gateState } from './gates.ts';
import { headCommit } from './head.ts';
import { adopted, councilPlansUnserved, planDeleted, planMadeAgain, planMissing, planSuperseded } from './plans.ts';
import {
  isBeingDeleted,
  isDone,
  isWorkPhase,
  plannedTasks,
  openPhase,
  progressSentence,
  tasksSentence,
  unfinishedTasks,
  type WorkPhase,
} from './progress.ts';
import type { StorySeen } from './seen.ts';
import { planInForce, written, type Given, type Rule, type StoryDecision } from './status.ts';

const phaseOf = ({ story }: StorySeen) => story.status?.phase ?? 'Draft';

const finished: Rule = (seen) =>
  isFinished(seen.story) ? leave('the Story is finished and stays as it is', { kind: 'done' }) : undefined;

const tasksEnding = (seen: StorySeen, now: number, why: string, effects: readonly Effect[]): StoryDecision | undefined => {
  const open = unfinishedTasks(seen.tasks).filter((task) => !isBeingDeleted(task));
  if (open.length === 0) return undefined;
  const message = `${why}; waits for ${open.length} task${open.length === 1 ? '' : 's'} to end`;
  return written(seen, now, { phase: phaseOf(seen), reason: 'Ending', message, effects });
};

const cancelled: Rule = (seen, now) => {
  if (!seen.story.spec.cancel) return undefined;
  const ending = tasksEnding(seen, now, 'the Story was cancelled', cancellations(unfinishedTasks(seen.tasks)));
  return (
    ending ??
    written(seen, now, { phase: 'Cancelled', reason: 'Cancelled', message: 'the Story was cancelled', succeeded: 'False' })
  );
};

const deadlinePassed: Rule = (seen, now) => {
  const endMs = storyDeadlineMs(seen.story);
  if (endMs === undefined || now < endMs) return undefined;
  const message = 'the wall clock budget (spec.budget.wallClockSeconds) ended';
  const ending = tasksEnding(seen, now, message, []); // each Task reads the same date and fails by itself
  return ending ?? written(seen, now, { phase: 'Failed', reason: 'DeadlineExceeded', message, succeeded: 'False' });
};

const suspended: Rule = (seen, now) => {
  if (!seen.story.spec.suspend) return undefined;
  const message = `waits to be resumed: set spec.suspend of story ${seen.story.metadata.name} to false`;
  return written(seen, now, { phase: phaseOf(seen), reason: 'Suspended', message });
};

const oldTasks: Rule = (seen, now) => {
  const digest = seen.story.status?.plan?.digest;
  const old = unfinishedTasks(seen.tasks).filter(({ spec }) => spec.planRef.digest !== digest);
  if (digest === undefined || old.length === 0) return undefined;
  const message = `waits for ${old.length} task${old.length === 1 ? '' : 's'} of the superseded plan to end`;
  return written(seen, now, { phase: phaseOf(seen), reason: 'Superseding', message, effects: cancellations(old) });
};

const plannedOf = (seen: StorySeen) => {
  const plan = planInForce(seen);
  return plan === undefined ? [] : plannedTasks(seen, plan);
};

const tasksMissing: Rule = (seen) => {
  const plan = planInForce(seen);
  if (plan === undefined) return undefined;
  const missing = plannedOf(seen).filter((each) => each.task === undefined && !isDone(each));
  if (missing.length === 0) return undefined;
  const effects = missing.map((each): Effect => ({ verb: 'create', object: taskObject(seen.story, plan, each) }));
  return leave(`the tasks of plan ${plan.metadata.name} are created`, { kind: 'waiting' }, effects);
};

const taskLost: Rule = (seen, now) => {
  const lost = plannedOf(seen).find((each) => each.task !== undefined && isFinished(each.task) && !isDone(each));
  if (lost?.task === undefined) return undefined;
  const message = `waits for a further revision of the plan, or to be cancelled: task ${lost.name} ended as ${lost.task.status?.phase ?? ''}`;
  const outcome = { kind: 'stalled', reason: 'TaskLost', message } as const;
  return written(seen, now, { phase: phaseOf(seen), reason: 'TaskLost', message, outcome });
};

/** Why the phase began, as it was told then: the same while it lasts, so that its first Task is no reason to write. */
const REASON_OF = { Build: 'PlanApproved', Test: 'Built', Docs: 'Tested' } as const satisfies Record<WorkPhase, string>;

const tasksOpen: Rule = (seen, now) => {
  const phase = phaseOf(seen);
  if (!isWorkPhase(phase)) return undefined;
  const planned = plannedOf(seen);
  const open = openPhase(planned, phase);
  if (open === undefined) return undefined;
  const message = progressSentence(planned, open);
  return written(seen, now, { phase, reason: REASON_OF[phase], message });
};

/** A gate that was shut on this very head commit: only a further revision makes another. */
const headRejected: Rule = (seen, now) => {
  const head = headCommit(seen);
  for (const gate of ['test', 'docs'] as const) {
    const state = gateState(seen, gate, head);
    if (state.kind !== 'rejected') continue;
    const message = `waits for a further revision of the plan: ${state.by} rejected gate ${gate} (${state.reason})`;
    return written(seen, now, { phase: 'Build', reason: 'GateRejected', message });
  }
  return undefined;
};

const built: Rule = (seen, now) =>
  phaseOf(seen) === 'Build'
    ? written(seen, now, { phase: 'Test', reason: 'Built', message: tasksSentence(plannedOf(seen), 'Test') })
    : undefined;

/** Only Test and Docs come this far: Draft, Design and Build were decided above, and an end is final. */
const gatedPhaseOf = (seen: StorySeen): 'Test' | 'Docs' => (phaseOf(seen) === 'Docs' ? 'Docs' : 'Test');
const gates = { Test: 'test', Docs: 'docs' } as const;

const gateShut: Rule = (seen, now) => {
  const phase = gatedPhaseOf(seen);
  const head = headCommit(seen);
  const gate = gates[phase];
  if (gateState(seen, gate, head).kind === 'open') return undefined;
  const { name } = seen.story.metadata;
  const message = `waits for approval of ${phase.toLowerCase()} (kubectl fleet approve story ${name} --gate ${gate}) for commit ${(head ?? '').slice(0, 12)}`;
  return written(seen, now, { phase, reason: 'GateShut', message });
};

const phaseDone: Rule = (seen, now) => {
  if (gatedPhaseOf(seen) === 'Test')
    return written(seen, now, { phase: 'Docs', reason: 'Tested', message: tasksSentence(plannedOf(seen), 'Docs') });
  const message = `everything is done on branch ${seen.story.status?.branch ?? ''}`;
  return written(seen, now, { phase: 'Done', reason: 'Done', message, succeeded: 'True' });
};

/** The specification: what holds first decides. */
export const rules: Rules<Given, StoryStatus> = [
  ['a finished Story stays finished', finished],
  ['a cancelled Story ends when its Tasks have ended', cancelled],
  ['a Story fails when its wall clock budget ends', deadlinePassed],
  ['a suspended Story starts nothing', suspended],
  ...draftRules,
  ['plans by a council are not served yet', councilPlansUnserved],
  ['a further revision that is approved takes over', planSuperseded],
  ['the first plan that is approved comes into force', adopted],
  ['Design waits for a plan and its approval', planMissing],
  ['a plan that was deleted and made again as it was is in force again', planMadeAgain],
  ['without the plan in force nothing goes on', planDeleted],
  ['Tasks of a superseded plan end before any of the new one begins', oldTasks],
  ['every task of the plan gets its Task', tasksMissing],
  ['a Task that ended without success needs another plan', taskLost],
  ['a phase waits for its Tasks and for those of the phases before it', tasksOpen],
  ['what was rejected goes back to Build, for another plan', headRejected],
  ['when everything is built, Test begins', built],
  ['Test and Docs end when a person opens their gate', gateShut],
  ['an open gate ends the phase', phaseDone],
];
