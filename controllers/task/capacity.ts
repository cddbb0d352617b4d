// Who gets the next workspace. Places are given in the order of Story priority, Task priority, turn and age; a Task keeps its place from
// its attempt until the courier has landed the patch. Two Tasks of one Story whose file scopes overlap never have places together.
// The turn: whoever's Story has fewer places comes first, as a Story lands one patch at a time and cannot use many.
//
//   TaskCore ─► claimOf: Claim ─► nextOfStory: Candidate ─► firstInLine of its namespace ─► of the cluster ─► PlaceSeen ─► withoutPlace
//
// May: judge one Task, and order what others judged so. May not: remember; who keeps the claims of all Tasks is the operator's shell.

import type { PlatformConfig } from '../../crds/contracts/platform.ts';
import { isFinished } from '../../crds/rules/phases.ts';
import type { Blocked } from './blocked.ts';
import { attemptBlockers, courierBlockers, firstBlocker, type Judging } from './blockers.ts';
import { scopesOverlap } from './file-scope.ts';
import { isLive } from './job-reading.ts';
import { isInFlight } from './run-reading.ts';
import type { PlaceSeen, TaskCore } from './seen.ts';

/**
 * placed   it has a workspace, or may have one that nobody sees yet, or a patch that is on its way to the branch
 * parked   it has a patch that cannot go on for now: it gives its place back, but nobody may touch its files
 * ready    nothing but a place is missing
 * waiting  something else is missing
 */
export type Standing = 'placed' | 'parked' | 'ready' | 'waiting';

/** What an unfinished Task means to the others that want a place. */
export interface Claim {
  readonly namespace: string;
  readonly name: string;
  readonly storyUid: string;
  readonly standing: Standing;
  readonly storyPriority: number;
  readonly priority: number;
  /** As the API server writes times, in UTC, earlier is also smaller as text. */
  readonly born: string;
  readonly fileScope: readonly string[];
}

/** `isBarred`: no Job of it can be made for now, whatever its own state is: its namespace is not in order, or the last one was refused. */
export interface ClaimJudging extends Judging {
  readonly isBarred: boolean;
  /** Its next Job was asked for, and whether it was made is not known: it is asked for again. */
  readonly isUnsure: boolean;
}

/** Nothing of it runs, and its patch cannot go on. */
const isParked = (core: TaskCore, judging: ClaimJudging): boolean =>
  !core.jobs.some((job) => isLive(job, [])) && (judging.isBarred || firstBlocker(courierBlockers, core, judging) !== undefined);

const standingOf = (core: TaskCore, judging: ClaimJudging): Standing => {
  if (judging.isUnsure) return 'placed';
  if (isInFlight(core.task, core.jobs)) return isParked(core, judging) ? 'parked' : 'placed';
  return judging.isBarred || firstBlocker(attemptBlockers, core, judging) !== undefined ? 'waiting' : 'ready';
};

/** undefined: it is finished, and means nothing to the others. */
export const claimOf = (core: TaskCore, judging: ClaimJudging): Claim | undefined => {
  if (isFinished(core.task)) return undefined;
  const { metadata, spec } = core.task;
  return {
    namespace: metadata.namespace,
    name: metadata.name,
    storyUid: spec.storyRef.uid,
    standing: standingOf(core, judging),
    storyPriority: core.story?.spec.priority ?? 0,
    priority: spec.priority,
    born: metadata.creationTimestamp,
    fileScope: spec.task.fileScope ?? [],
  };
};

const inOrder = (a: string, b: string): number => (a === b ? 0 : a < b ? -1 : 1);

const byPriority = (a: Claim, b: Claim): number => b.storyPriority - a.storyPriority || b.priority - a.priority;
const byAge = (a: Claim, b: Claim): number =>
  inOrder(a.born, b.born) || inOrder(a.namespace, b.namespace) || inOrder(a.name, b.name);

/** Within a Story. Negative: a comes first. Total, so that there is one line. */
export const byPrecedence = (a: Claim, b: Claim): number => byPriority(a, b) || byAge(a, b);

/** Who could have a place, and how many its Story has before it gets its own. */
export interface Candidate {
  readonly claim: Claim;
  readonly turn: number;
}

/** Among Stories. Within one it is the same as `byPrecedence`. */
export const byTurn = (a: Candidate, b: Candidate): number =>
  byPriority(a.claim, b.claim) || a.turn - b.turn || byAge(a.claim, b.claim);

const isReady = ({ standing }: Claim): boolean => standing === 'ready';
const isPlaced = ({ standing }: Claim): boolean => standing === 'placed';
/** Has begun something in its files that is not on the branch yet. */
const isHolding = ({ standing }: Claim): boolean => standing === 'placed' || standing === 'parked';

const overlaps = (a: Claim, b: Claim): boolean => scopesOverlap(a.fileScope, b.fileScope);

/** Those of one Story that would get a place if namespace and cluster had enough of them, in order. `claims` are all of the Story. */
export const nextOfStory = (claims: readonly Claim[], perStory: number): readonly Candidate[] => {
  const holding = claims.filter(isHolding);
  const placed = holding.filter(isPlaced).length;
  const next: Claim[] = [];
  if (placed >= perStory) return [];
  for (const claim of claims.filter(isReady).sort(byPrecedence)) {
    if ([...holding, ...next].some((other) => overlaps(claim, other))) continue;
    next.push(claim);
    if (placed + next.length === perStory) break;
  }
  return next.map((claim, n) => ({ claim, turn: placed + n }));
};

interface OpenLine {
  readonly line: readonly Candidate[];
  readonly at: number;
  readonly head: Candidate;
}

const opened = (line: readonly Candidate[], at: number): readonly OpenLine[] => {
  const head = line[at];
  return head === undefined ? [] : [{ line, at, head }];
};

/** Where it belongs among those that are in order already. */
const placeAmong = (open: readonly OpenLine[], head: Candidate): number => {
  let [low, high] = [0, open.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    const other = open[middle];
    if (other !== undefined && byTurn(other.head, head) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
};

/** The first of several lines that are each in order, as many as there are places. Merged by their heads: few of many are ever asked for. */
export const firstInLine = (lines: Iterable<readonly Candidate[]>, free: number): readonly Candidate[] => {
  if (free <= 0) return [];
  const open = [...lines].flatMap((line) => opened(line, 0)).sort((a, b) => byTurn(a.head, b.head));
  const first: Candidate[] = [];
  for (let next = open.shift(); next !== undefined; next = open.shift()) {
    first.push(next.head);
    if (first.length === free) break;
    for (const rest of opened(next.line, next.at + 1)) open.splice(placeAmong(open, rest.head), 0, rest);
  }
  return first;
};

/** Everybody else who has a place or gets one before `me`. */
export interface Others {
  /** Of its Story, whatever their standing. */
  readonly family: readonly Claim[];
  /** The line of its Story. */
  readonly line: readonly Candidate[];
  /** Who gets the places that are free, in order. */
  readonly next: readonly Candidate[];
  readonly placed: PlaceSeen['taken'];
}

/** What a Task sees of places, whether it is in the line itself or not. */
export const placeSeen = (me: Claim, { family, line, next, placed }: Others): PlaceSeen => {
  const mine = { claim: me, turn: placed.story + line.filter(({ claim }) => byPrecedence(claim, me) < 0).length };
  const ahead = next.filter((other) => byTurn(other, mine) < 0).map(({ claim }) => claim);
  const ofStory = ahead.filter(({ storyUid }) => storyUid === me.storyUid);
  const holding = family.filter((other) => isHolding(other) && other.name !== me.name);
  return {
    taken: {
      cluster: placed.cluster + ahead.length,
      namespace: placed.namespace + ahead.filter(({ namespace }) => namespace === me.namespace).length,
      story: placed.story + ofStory.length,
    },
    overlaps: [...holding, ...ofStory].some((other) => overlaps(me, other)),
  };
};

const queued = (reason: string, sentence: string): Blocked => ({ phase: 'Queued', reason, sentence });

/** Why the Task, which nothing else blocks, gets no place now; undefined: it has one. No name is told: it would change with each turn. */
export const withoutPlace = (
  { taken, overlaps: isOverlapping }: PlaceSeen,
  { capacity }: PlatformConfig,
): Blocked | undefined => {
  if (isOverlapping) return queued('ScopeOverlap', 'waits for another task of its Story to end, which may change the same files');
  const full = (places: number, of: string): string => `waits for a workspace: all ${places} of the ${of} are in use`;
  if (taken.cluster >= capacity.workspaces) return queued('ClusterFull', full(capacity.workspaces, 'cluster'));
  if (taken.namespace >= capacity.perNamespace) return queued('NamespaceFull', full(capacity.perNamespace, 'namespace'));
  return taken.story >= capacity.perStory ? queued('StoryFull', full(capacity.perStory, 'Story')) : undefined;
};
