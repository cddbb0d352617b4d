// The line before a model endpoint: Deliberations begin in the order of Story priority, of how many their namespace has at work, and of age, until
// twice as many agents deliberate as the endpoint serves at once: each of them waits for others half of the time.
// May: judge one Deliberation, and order what others judged so. May not: remember; who keeps the line is the operator's shell.

import type { PlatformConfig } from '../../crds/contracts/platform.ts';
import { agentsOf } from '../../crds/rules/councils.ts';
import type { Council } from '../../crds/kinds/council.ts';
import type { Deliberation } from '../../crds/kinds/deliberation.ts';
import type { DeliberationCore } from './seen.ts';

export interface LineClaim {
  readonly endpoint: string;
  readonly namespace: string;
  readonly name: string;
  /** It deliberates, or would if the endpoint took it. */
  readonly standing: 'running' | 'waiting';
  readonly agents: number;
  readonly priority: number;
  readonly born: string;
}

const AGENTS_A_SLOT = 2;

/** Agents that may deliberate on the endpoint at one time; undefined: any number. */
export const mostOf = ({ upstreams }: PlatformConfig, endpoint: string): number | undefined => {
  const concurrency = upstreams.find(({ kind, name }) => kind === 'model' && name === endpoint)?.concurrency;
  return concurrency === undefined ? undefined : concurrency * AGENTS_A_SLOT;
};

export interface LineJudging {
  /** Whether it waits for something else than its turn. */
  readonly isHeld: boolean;
  /** As the API server last showed it: an end gives its place back when it is seen there, and not when it is decided. */
  readonly shown: Deliberation | undefined;
}

/** As it counts for the others: what ends is at work until the API server shows its end. */
const standingStatus = ({ deliberation }: DeliberationCore, shown: Deliberation | undefined): Deliberation['status'] => {
  const isEnding = deliberation.status?.finishedAt !== undefined && shown?.status?.finishedAt === undefined;
  return isEnding ? shown?.status : deliberation.status;
};

const agentsAsking = ({ deliberation }: DeliberationCore, council: Council): number =>
  Math.min(deliberation.spec.numAgents ?? Infinity, agentsOf(council).length);

/** undefined: it has ended, or waits for something else than its turn. */
export const lineClaimOf = (core: DeliberationCore, { isHeld, shown }: LineJudging): LineClaim | undefined => {
  const { deliberation, council, story, isOfStory } = core;
  const { namespace, name, creationTimestamp, deletionTimestamp } = deliberation.metadata;
  const { finishedAt, pinned } = standingStatus(core, shown) ?? {};
  if (finishedAt !== undefined || deletionTimestamp !== undefined) return undefined;
  const common = { namespace, name, born: creationTimestamp, priority: isOfStory ? (story?.spec.priority ?? 0) : 0 };
  if (pinned !== undefined)
    return { ...common, standing: 'running', endpoint: pinned.seats[0]?.endpoint ?? '', agents: pinned.seats.length };
  if (isHeld || council === undefined) return undefined;
  return { ...common, standing: 'waiting', endpoint: council.spec.model.endpoint, agents: agentsAsking(core, council) };
};

const inOrder = (a: string, b: string): number => (a === b ? 0 : a < b ? -1 : 1);

/** Those who wait at one endpoint, in order. */
export const waitingLine = (claims: readonly LineClaim[]): readonly LineClaim[] => {
  const atWork = Map.groupBy(
    claims.filter(({ standing }) => standing === 'running'),
    ({ namespace }) => namespace,
  );
  const turns = new Map<LineClaim, number>();
  const waiting = claims
    .filter(({ standing }) => standing === 'waiting')
    .toSorted(
      (a, b) =>
        b.priority - a.priority || inOrder(a.born, b.born) || inOrder(a.namespace, b.namespace) || inOrder(a.name, b.name),
    );
  const counts = new Map<string, number>([...atWork].map(([namespace, running]) => [namespace, running.length]));
  for (const claim of waiting) {
    const turn = counts.get(claim.namespace) ?? 0;
    turns.set(claim, turn);
    counts.set(claim.namespace, turn + 1);
  }
  return waiting.toSorted(
    (a, b) => b.priority - a.priority || (turns.get(a) ?? 0) - (turns.get(b) ?? 0) || inOrder(a.born, b.born),
  );
};

const agentsIn = (claims: readonly LineClaim[]): number => claims.reduce((sum, { agents }) => sum + agents, 0);

/** Who may begin now: in order, until the endpoint has its fill. Somebody always may, however many agents he has. */
export const admitted = (claims: readonly LineClaim[], most: number | undefined): readonly LineClaim[] => {
  const line = waitingLine(claims);
  if (most === undefined) return line;
  let taken = agentsIn(claims.filter(({ standing }) => standing === 'running'));
  const isFull = line.findIndex(({ agents }) => {
    const fits = taken === 0 || taken + agents <= most;
    taken += agents;
    return !fits;
  });
  return isFull < 0 ? line : line.slice(0, isFull);
};
