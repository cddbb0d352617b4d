// One walk of the pair with its points, one after the other, each at its moment; then what came of it is read and judged.
import { auditedSoFar } from '../environment/audit.ts';
import type { Fault, Moment, Point, Reached, Scene, Traces } from './contract.ts';
import { endingOf, type Ending } from './ending.ts';
import { judge, type NormalStory } from './judge.ts';
import { momentReached } from './moments.ts';
import { applyPair, approvePair, endedPair, landed, leavePair, preparePair, type Pair } from './pair.ts';
import { FAULTS } from './points.ts';
import { restore } from './restore.ts';
import type { Rig } from './rig.ts';

export interface PointSeen extends Point {
  /** What was struck and how; or why it was not. */
  readonly what: string;
  readonly struck: boolean;
  /** From the strike until the fault was taken away and what it hit served again. */
  readonly healedMs?: number;
  /** From the strike until an object of the pair moved after that. */
  readonly wholeMs?: number;
}

export interface RoundSeen {
  readonly points: readonly PointSeen[];
  readonly problems: readonly string[];
  readonly ending: Ending;
  readonly walkedMs: number;
}

export interface RoundInput {
  readonly rig: Rig;
  /** Unique in the box. */
  readonly id: string;
  readonly points: readonly Point[];
  readonly reference?: readonly NormalStory[] | undefined;
  readonly say: (line: string) => void;
}

/** So many Tasks have landed before the moment of the first, second … point is looked for: they are spread over the walk of twelve. */
const SPREAD = [0, 2, 4, 6, 8] as const;
export const POINTS_IN_A_ROUND = SPREAD.length;

/** Nothing waits so long in the undisturbed walk, nor after a fault: what has not ended by then is stuck. */
const STUCK_MS = 15 * 60_000;

const BEGINNINGS: readonly string[] = ['Story applied', 'Plan approved'];

export const faultOf = ({ kind }: Point): Fault => {
  const fault = FAULTS[kind];
  if (fault === undefined) throw new Error(`there is no kind of fault "${kind}"`);
  return fault;
};

interface Walk {
  readonly input: RoundInput;
  readonly pair: Pair;
  readonly signal: AbortSignal;
  readonly startedAt: number;
}

const message = (error: unknown): string => (error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error));

const reach = async ({ input, pair, signal }: Walk, point: Point, slot: number): Promise<Reached> => {
  const due = SPREAD[slot] ?? 0;
  const late = (): true | undefined => (landed(pair) >= due ? true : undefined);
  await Promise.race(pair.map(({ follower }) => follower.until(late, signal)));
  const fits = faultOf(point).fits ?? ((): boolean => true);
  return momentReached(point.moment, { rig: input.rig, pair, fits, signal });
};

const versions = (pair: Pair): string =>
  pair
    .flatMap(({ follower }) => [...follower.view().stories, ...follower.view().tasks])
    .map(({ metadata }) => metadata.resourceVersion)
    .join();

/** Until an object of the pair is written again, or there is nothing left to write. */
const movedOn = async (pair: Pair, signal: AbortSignal): Promise<void> => {
  const before = versions(pair);
  const moved = (): true | undefined => (versions(pair) === before ? undefined : true);
  await Promise.race(pair.map(({ follower }) => follower.until(moved, signal))).catch(() => undefined);
};

/** Strikes, lets go what was held, and waits until the system is whole again. */
const strike = async (walk: Walk, point: Point, reached: Reached): Promise<PointSeen> => {
  const { input, pair, signal } = walk;
  const at = performance.now();
  const scene: Scene = { rig: input.rig, pair, reached, signal };
  const struck = await faultOf(point)
    .strike(scene)
    .finally(() => reached.release());
  const what = `${reached.what}: ${struck.what}`;
  input.say(`${((at - walk.startedAt) / 1000).toFixed(1)} s  ${what}`);
  await struck.heal();
  const healedMs = Math.round(performance.now() - at);
  await movedOn(pair, signal);
  const wholeMs = Math.round(performance.now() - at);
  input.say(`        healed after ${(healedMs / 1000).toFixed(1)} s, whole after ${(wholeMs / 1000).toFixed(1)} s`);
  return { ...point, what, struck: true, healedMs, wholeMs };
};

const pointSeen = async (walk: Walk, point: Point, slot: number): Promise<PointSeen> =>
  reach(walk, point, slot)
    .then((reached) => strike(walk, point, reached))
    .catch((error: unknown) => {
      walk.input.say(`not struck: ${point.kind} at ${point.moment}: ${message(error)}`);
      return { ...point, what: message(error), struck: false };
    });

/** The persons' part, with the point in it that comes before there is any Task. Bob does not wait for what happens to Alice's. */
const begin = async (walk: Walk, points: readonly Point[]): Promise<readonly PointSeen[]> => {
  const { input, pair, signal } = walk;
  const [first] = points;
  await applyPair(input.rig.environment, pair);
  const at = async (moment: Moment): Promise<readonly PointSeen[]> =>
    first?.moment === moment ? [await pointSeen(walk, first, 0)] : [];
  const [applied] = await Promise.all([at('Story applied'), approvePair(input.rig.environment, pair, signal)]);
  return [...applied, ...(await at('Plan approved'))];
};

const walkThrough = async (walk: Walk): Promise<readonly PointSeen[]> => {
  const { points } = walk.input;
  const seen = [...(await begin(walk, points))];
  for (const [slot, point] of points.entries())
    if (!BEGINNINGS.includes(point.moment)) seen.push(await pointSeen(walk, point, slot));
  return seen;
};

export const tracesOf = (points: readonly PointSeen[]): readonly Traces[] =>
  points.flatMap((point) => (point.struck ? (faultOf(point).traces ?? []) : []));

export const runRound = async (input: RoundInput): Promise<RoundSeen> => {
  const { rig, id } = input;
  const { environment } = rig;
  await restore(rig, AbortSignal.timeout(STUCK_MS));
  const since = auditedSoFar(environment.cluster);
  const pair = await preparePair(environment, id);
  const over = new AbortController();
  const stuck = AbortSignal.timeout(STUCK_MS);
  const walk: Walk = { input, pair, signal: AbortSignal.any([over.signal, stuck]), startedAt: performance.now() };
  const ended = endedPair(pair, stuck).then(
    () => [],
    () => stuckAt(pair),
  );
  const walking = walkThrough(walk);
  const problems = await Promise.race([ended, walking.then(() => ended)]); // a walk that cannot be begun is not waited for
  const walkedMs = Math.round(performance.now() - walk.startedAt);
  over.abort();
  const points = await walking;
  const ending = await endingOf(environment, pair, since, AbortSignal.timeout(problems.length > 0 ? 1_000 : 60_000));
  await leavePair(environment, pair);
  return { points, problems: [...problems, ...judge(ending, input.reference, tracesOf(points))], ending, walkedMs };
};

const stuckAt = (pair: Pair): readonly string[] =>
  pair.flatMap(({ namespace, follower }) => {
    const { stories, tasks } = follower.view();
    const open = tasks.filter(({ status }) => status?.phase !== 'Succeeded');
    return [
      `${namespace}: stuck in phase ${stories[0]?.status?.phase ?? 'none'}: ${stories[0]?.status?.waitingFor ?? ''}`,
      ...open.map(
        ({ spec, status }) => `${namespace}: Task ${spec.task.id} is ${status?.phase ?? 'none'}: ${status?.waitingFor ?? ''}`,
      ),
    ];
  });
