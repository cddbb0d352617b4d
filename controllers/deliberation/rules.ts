// The specification of a Deliberation. Read `rules`, at the end, from top to bottom: the first that applies decides. What is asked next, and who
// wins, is crds/deliberation's to say; here it is decided when it begins, what is sent and written, and when it is over.
// May: judge one record. May not: read a clock or a cache, or change what was pinned or recorded.

import { estimatedTokens } from '../../crds/deliberation/cost.ts';
import { deliberate, type Deliberated, type End } from '../../crds/deliberation/deliberate.ts';
import { withGivenUp, type Contribution } from '../../crds/deliberation/contributions.ts';
import type { OpenTurn } from '../../crds/deliberation/protocol.ts';
import type { Pinned } from '../../crds/deliberation/seats.ts';
import { timeline, type Timeline } from '../../crds/deliberation/timeline.ts';
import { commandOf, turnEndMs, turnPriority, type Run } from '../../crds/deliberation/turns.ts';
import { sharedBytes } from '../../crds/deliberation/shared.ts';
import type { DeliberationStatus } from '../../crds/kinds/deliberation.ts';
import { isFinished } from '../../crds/rules/phases.ts';
import { epochMs, preciseTimestamp, untilMs } from '../../crds/time.ts';
import { READER_ACCOUNT } from '../../crds/contracts/steps.ts';
import { leave } from '../compose.ts';
import type { Effect } from '../contract.ts';
import type { Rules } from '../rules.ts';
import { fleetAccount } from '../workspace/accounts.ts';
import { pinOf } from './pinning.ts';
import type { DeliberationCore, DeliberationSeen } from './seen.ts';
import { progressFields, written, type Given, type Rule } from './status.ts';

const hasEnded: Rule = ({ deliberation: { status } }) =>
  status?.finishedAt === undefined ? undefined : leave('the Deliberation has ended and stays as it is', { kind: 'done' });

const begun = ({ deliberation }: DeliberationSeen): (Timeline & { readonly pinned: Pinned }) | undefined => {
  const time = timeline(deliberation);
  const pinned = deliberation.status?.pinned;
  return time === undefined || pinned === undefined ? undefined : { ...time, pinned };
};

/** What came of its turns so far, the answers that are not recorded yet included. */
const courseOf = (
  { deliberation, answers }: DeliberationSeen,
  { pinned, startedMs }: { readonly pinned: Pinned; readonly startedMs: number },
): Deliberated =>
  deliberate({
    ...{ pinned, startedMs, select: deliberation.spec.select },
    contributions: deliberation.status?.contributions ?? [],
    answers: new Map(answers),
  });

/** What was answered is kept, also of a Deliberation that is ended before its time. */
const progressOf = (seen: DeliberationSeen): ReturnType<typeof progressFields> => {
  const run = begun(seen);
  return run === undefined ? {} : progressFields(courseOf(seen, run));
};

const ownerIsOver = ({ isOfStory, story, task }: DeliberationSeen): boolean =>
  isOfStory &&
  ((story !== undefined && (isFinished(story) || story.spec.cancel)) ||
    (task !== undefined && (isFinished(task) || task.spec.cancel)));

const cancelled: Rule = (seen, now) => {
  const own = seen.deliberation.spec.cancel;
  if (!own && !ownerIsOver(seen)) return undefined;
  const message = own ? 'the Deliberation was cancelled' : 'what it was made for is cancelled or over';
  return written(seen, now, { phase: 'Failed', reason: 'Cancelled', message, fields: progressOf(seen) });
};

const isSuspended = ({ deliberation, isOfStory, story, task }: DeliberationSeen): boolean =>
  deliberation.spec.suspend || (isOfStory && ((story?.spec.suspend ?? false) || (task?.spec.suspend ?? false)));

const outOfTime: Rule = (seen, now) => {
  const run = begun(seen);
  if (run === undefined || isSuspended(seen) || now < run.endMs(run.pinned.timeoutSeconds, now)) return undefined;
  const course = courseOf(seen, run);
  if (course.stand.kind === 'ended') return undefined;
  const message = `it took longer than ${run.pinned.timeoutSeconds} s: ${course.answered} of ${course.expected} turns were answered`;
  return written(seen, now, { phase: 'TimedOut', reason: 'TimedOut', message, fields: progressFields(course) });
};

const waits = (seen: DeliberationSeen, now: number, reason: string, message: string) =>
  written(seen, now, { phase: seen.deliberation.status?.phase ?? 'Pending', reason, message });

const suspended: Rule = (seen, now) => {
  if (!isSuspended(seen)) return undefined;
  const run = begun(seen);
  const message = 'waits to be resumed: spec.suspend of the Deliberation, or of what it was made for, is true';
  if (run === undefined) return waits(seen, now, 'Suspended', message);
  const course = courseOf(seen, run);
  const { status } = seen.deliberation;
  const fields = { ...progressFields(course), suspendedAt: status?.suspendedAt ?? preciseTimestamp(now) };
  return written(seen, now, { phase: 'InProgress', reason: 'Suspended', message, fields });
};

/** The clock goes on from here, and whoever has not answered gets the whole time of a turn again. */
const resumed: Rule = (seen, now) => {
  const run = begun(seen);
  if (run?.suspendedMs === undefined) return undefined;
  const fields = { suspendedAt: undefined, resumedAt: preciseTimestamp(now), pausedMs: run.pausedMs(now) };
  return written(seen, now, { phase: 'InProgress', reason: 'Resumed', message: 'it goes on', fields });
};

const councilMissing: Rule = (seen, now) => {
  const { deliberation, council } = seen;
  if (begun(seen) !== undefined || council !== undefined) return undefined;
  const { name } = deliberation.spec.councilRef;
  return waits(
    seen,
    now,
    'CouncilMissing',
    `waits for Council ${name}: none of that name is in namespace ${deliberation.metadata.namespace}`,
  );
};

const councilNotReady: Rule = (seen, now) => {
  const { council } = seen;
  if (begun(seen) !== undefined || council === undefined || council.status?.ready === 'True') return undefined;
  const why = council.status?.reason ?? 'it was not looked at yet';
  return waits(
    seen,
    now,
    'CouncilNotReady',
    `waits for Council ${council.metadata.name} to be Ready (${why}): see kubectl describe council ${council.metadata.name}`,
  );
};

const storeUnavailable: Rule = (seen, now) => {
  if (seen.storeAvailable) return undefined;
  const message = 'JetStream is down: no turn is sent, and no answer can be seen';
  const flag = { type: 'StoreUnavailable', status: 'True', reason: 'StoreUnavailable', message } as const;
  return written(seen, now, {
    phase: seen.deliberation.status?.phase ?? 'Pending',
    reason: 'StoreUnavailable',
    message,
    conditions: [flag],
  });
};

/** What the account that pays has left; undefined: it has no limit. */
const tokensLeft = ({ story, isOfStory, usage, platform }: DeliberationSeen): number | undefined => {
  const limit = isOfStory ? story?.spec.budget.tokens : platform.deliberation.namespaceTokensPerDay;
  const spent = Math.max((usage?.spent ?? 0) + (usage?.reserved ?? 0), isOfStory ? (story?.status?.usage?.tokens ?? 0) : 0);
  return limit === undefined ? undefined : Math.max(0, limit - spent);
};

const budgetTooSmall: Rule = (seen, now) => {
  if (begun(seen) !== undefined || seen.council === undefined) return undefined;
  const left = tokensLeft(seen);
  const estimate = estimatedTokens(pinOf(seen, seen.council), sharedBytes(seen));
  if (left === undefined || estimate <= left) return undefined;
  const whose = seen.isOfStory ? "the Story's budget (spec.budget.tokens)" : `the namespace's tokens of one day`;
  const message = `it may cost ${estimate} tokens, and ${left} are left of ${whose}: fewer agents, rounds or tokens of an answer cost less`;
  return written(seen, now, { phase: 'Failed', reason: 'BudgetTooSmall', message });
};

const inLine: Rule = (seen, now) => {
  const { line, council } = seen;
  if (begun(seen) !== undefined || line.isNext) return undefined;
  const message = `waits in line for model endpoint ${council?.spec.model.endpoint ?? ''}: as many deliberate there as it takes`;
  return waits(seen, now, 'EndpointFull', message);
};

/** In a pass of its own: what is pinned has to be assumed at the moment of decision, or another would begin in the same place. */
const readerMissing: Rule = (seen) => {
  if (begun(seen) !== undefined || seen.readerAccount !== undefined) return undefined;
  const object = fleetAccount(READER_ACCOUNT, seen.deliberation.metadata.namespace);
  return leave('the namespace gets the account by which people read its texts', { kind: 'waiting' }, [
    { verb: 'create', object },
  ]);
};

/** Pinned and written before anybody is asked: the gateway serves a turn only by what stands there. */
const begins: Rule = (seen, now) => {
  const { council } = seen;
  if (begun(seen) !== undefined || council === undefined) return undefined;
  const fields = { pinned: pinOf(seen, council), startedAt: preciseTimestamp(now), step: 'Generate', round: 0 } as const;
  return written(seen, now, {
    phase: 'InProgress',
    reason: 'Deliberating',
    message: 'the agents write their proposals',
    fields,
  });
};

const endWords = (
  end: End,
): { readonly reason: string; readonly message: string; readonly fields: Partial<DeliberationStatus> } => {
  const { results } = end;
  if (end.kind === 'failed') return { reason: end.reason, message: end.message, fields: { results: [...results] } };
  const { agent, rationale, dissent } = end.choice;
  const message = `the proposal of ${agent} won${end.byScores === undefined ? '' : ` by its score, as ${end.byScores}`}`;
  return { reason: 'Decided', message, fields: { results: [...results], winner: agent, rationale, dissent } };
};

const ended = (seen: DeliberationSeen, now: number, course: Deliberated, end: End) => {
  const { reason, message, fields } = endWords(end);
  const byScores = end.kind === 'completed' ? end.byScores : undefined;
  return written(seen, now, {
    ...{ phase: end.kind === 'completed' ? 'Completed' : 'Failed', reason, message },
    fields: { ...progressFields(course), ...fields },
    conditions:
      byScores === undefined ? [] : [{ type: 'SelectedByScore', status: 'True', reason: 'NoArchitect', message: byScores }],
  });
};

const STEP_WORDS = {
  Generate: 'the agents write their proposals',
  Critique: 'the agents criticise each other',
  Revise: 'the authors revise',
  Score: 'everybody scores the proposals of the others',
  Select: 'the architect chooses among the best',
} as const;

/** A contribution that is not recorded is written at the latest after so long: many of them share a write. */
const PROGRESS_MS = 10_000;

/** When the oldest answer that the status does not show is due to be written; undefined: it shows all. */
const progressDueMs = (recorded: readonly Contribution[], course: Deliberated): number | undefined => {
  const known = new Set(recorded.map(({ at, agent, kind, round, target }) => `${at} ${agent} ${kind} ${round} ${target}`));
  const fresh = course.contributions.filter(
    ({ at, agent, kind, round, target }) => !known.has(`${at} ${agent} ${kind} ${round} ${target}`),
  );
  const times = fresh.flatMap(({ at }) => epochMs(at) ?? []);
  return times.length === 0 ? undefined : Math.min(...times) + PROGRESS_MS;
};

interface Moving {
  readonly run: Run;
  readonly course: Deliberated;
  readonly turns: readonly OpenTurn[];
  readonly wholeEndMs: number;
}

/** Turns that nobody waits for any more are written down as such before anything follows from it. */
const givenUp = (seen: DeliberationSeen, now: number, { run, course, turns }: Moving) => {
  const late = turns.filter((turn) => turnEndMs(run, turn) <= now);
  if (late.length === 0) return undefined;
  const contributions = withGivenUp(
    run.pinned,
    course.contributions,
    late.map(({ place }) => place),
    now,
  );
  const message = `${late.length} turn${late.length === 1 ? '' : 's'} took too long and count${late.length === 1 ? 's' : ''} as lost`;
  return written(seen, now, {
    ...{ phase: 'InProgress', reason: 'TurnTimedOut', message },
    fields: progressFields({ ...course, contributions, answered: contributions.length }),
  });
};

const goesOn = (seen: DeliberationSeen, now: number, moving: Moving) => {
  const { run, course, turns, wholeEndMs } = moving;
  const { status } = seen.deliberation;
  if (course.stand.kind !== 'open') return undefined;
  const { step, round } = course.stand;
  const effects = turns.map((turn): Effect => ({ verb: 'command', command: commandOf(run, turn) }));
  const dueMs = progressDueMs(status?.contributions ?? [], course);
  const nextMs = Math.min(wholeEndMs, dueMs ?? Infinity, ...turns.map((turn) => turnEndMs(run, turn)));
  const outcome = { kind: 'waiting', afterMs: untilMs(nextMs, now) } as const;
  const message = STEP_WORDS[step];
  const isNews = status?.step !== step || status.round !== round || status.message !== message || (dueMs ?? Infinity) <= now;
  if (!isNews) return leave<DeliberationStatus>(message, outcome, effects);
  const fields = { ...progressFields(course), step, round };
  return written(seen, now, { phase: 'InProgress', reason: 'Deliberating', message, outcome, effects, fields });
};

const deliberates: Rule = (seen, now) => {
  const time = begun(seen);
  const { metadata } = seen.deliberation;
  if (time === undefined) return leave('it waits to begin', { kind: 'waiting' });
  const course = courseOf(seen, time);
  if (course.stand.kind === 'ended') return ended(seen, now, course, course.stand.end);
  const run: Run = {
    ...{ pinned: time.pinned, namespace: metadata.namespace, uid: metadata.uid, resumedMs: time.resumedMs },
    priority: turnPriority(seen.isOfStory ? (seen.story?.spec.priority ?? 0) : 0),
  };
  const moving: Moving = { run, course, turns: course.stand.turns, wholeEndMs: time.endMs(time.pinned.timeoutSeconds, now) };
  return givenUp(seen, now, moving) ?? goesOn(seen, now, moving);
};

/** Rules that hold a Deliberation up before it stands in line. */
const holds: readonly Rule[] = [
  hasEnded,
  cancelled,
  suspended,
  councilMissing,
  councilNotReady,
  storeUnavailable,
  budgetTooSmall,
];

/** Whether something else than its turn keeps it from beginning. */
export const isHeld = (core: DeliberationCore, now: number): boolean =>
  holds.some((rule) => rule({ ...core, line: { isNext: true } }, now) !== undefined);

/** The specification: what holds first decides. */
export const rules: Rules<Given, DeliberationStatus> = [
  ['what has ended stays as it is', hasEnded],
  ['what is cancelled, or was made for something that is over, ends', cancelled],
  ['what takes too long ends', outOfTime],
  ['while it is suspended nothing is sent, and what comes counts', suspended],
  ['what is resumed goes on with its clock', resumed],
  ['it waits for its Council', councilMissing],
  ['it waits for its Council to be Ready', councilNotReady],
  ['without JetStream nothing moves', storeUnavailable],
  ['what costs more than is left does not begin', budgetTooSmall],
  ['its namespace gets the account by which its texts are read', readerMissing],
  ['it waits in line for its endpoint', inLine],
  ['it begins with what it pins', begins],
  ['it asks what comes next, and ends when everything is said', deliberates],
];
