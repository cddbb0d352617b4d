// How fast one Task follows another: a chain of 300 Tasks, each of which waits for the one before. Measured is the operator's part of each
// link: from the moment at which the end of a courier's push can be seen to the moment at which the next Task's Job reaches the API server.

import type { KubeObject } from '../kube/object.ts';
import { pods } from '../kube/resources.ts';
import { LABEL_TASK, LABEL_WORKSPACE } from '../crds/labels.ts';
import { auditedWrites } from '../test/environment/audit.ts';
import { isCourier } from './audit.ts';
import { openBed, OPERATOR_USER, type Bed } from './bed.ts';
import type { Benchmark } from './benchmark.ts';
import { measureFloors } from './floors.ts';
import { median, quantile } from './statistics.ts';
import { applyStory, chained, followTasks, makeTeam } from './stories.ts';
import { watchFromNow } from './watch.ts';

const TASKS = 300;
const TEAM = 'team';
/** The links that are there by then are measured. */
const LIMIT_MS = 240_000;

const ROWS = {
  p50: "chain: push finding visible → next Task's Job create, p50",
  p99: 'chain: the same, p99',
  ratio: 'chain: the same, p50 ÷ (2 × write → watch + write)',
} as const;

interface Ended extends KubeObject {
  readonly status?: { readonly containerStatuses?: readonly { readonly state?: { readonly terminated?: object } }[] };
}

interface Couriers {
  readonly endedAtMs: () => readonly number[];
  stop(): Promise<void>;
}

interface End {
  readonly atMs: number;
  readonly jobUid: string;
}

/** When it was first to be seen that the courier of each Task has ended, in that order: its pod says so, and its receipt is stored. */
const watchCouriers = async (bed: Bed): Promise<Couriers> => {
  const ended = new Map<string, End>();
  const onChange = (object: KubeObject, atMs: number): void => {
    const { metadata, status } = object as Ended;
    const task = metadata.labels?.[LABEL_TASK] ?? '';
    const isOver = status?.containerStatuses?.some(({ state }) => state?.terminated !== undefined) ?? false;
    if (isOver && !ended.has(task)) ended.set(task, { atMs, jobUid: metadata.ownerReferences?.[0]?.uid ?? '' });
  };
  const watching = await watchFromNow(bed.client, {
    ...{ resource: pods, namespace: TEAM, labelSelector: `${LABEL_WORKSPACE}=courier` },
    onChange,
  });
  const visibleAtMs = ({ atMs, jobUid }: End): number => Math.max(atMs, bed.receiptStoredAtMs(jobUid) ?? NaN);
  return { endedAtMs: () => [...ended.values()].map(visibleAtMs), stop: () => watching.stop() };
};

/** When each attempt's Job was asked for, by the API server's clock, which is this machine's. */
const attemptsAskedAtMs = ({ cluster }: Bed): readonly number[] =>
  auditedWrites(cluster)
    .filter(({ user, verb, resource }) => user === OPERATOR_USER && verb === 'create' && resource === 'jobs')
    .filter((write) => !isCourier(write))
    .map(({ at }) => microseconds(at) / 1_000);

/** Times of the audit log have six digits behind the second; Date keeps three. */
const microseconds = (time: string): number => Date.parse(time) * 1_000 + Number(time.slice(-4, -1));

/** A chain has one Task at work at a time, so the n-th attempt follows the end of courier n - 1. */
const linksOf = (askedAtMs: readonly number[], endedAtMs: readonly number[]): readonly number[] =>
  endedAtMs.flatMap((end, n) => {
    const next = askedAtMs[n + 1];
    return next === undefined ? [] : [next - end];
  });

export const chain: Benchmark = {
  name: 'chain',
  what: `${TASKS} Tasks, each after the one before`,
  rows: [
    { name: ROWS.p50, unit: 'ms' },
    { name: ROWS.p99, unit: 'ms' },
    { name: ROWS.ratio, unit: '×', goal: '≤ 3' },
  ],
  run: async (run) => {
    const bed = await openBed(run);
    const { createMs, writeToWatchMs } = await measureFloors(bed);
    await bed.startGateway();
    await bed.startOperator();
    await makeTeam(bed, TEAM);
    const couriers = await watchCouriers(bed);
    const progress = await followTasks(bed, TEAM);
    await applyStory(bed, { namespace: TEAM, name: 'chain', tasks: chained(TASKS) });
    await bed.whileRunning(progress.within(LIMIT_MS, () => progress.succeededAtMs.length === TASKS));
    const links = linksOf(attemptsAskedAtMs(bed), couriers.endedAtMs());
    await Promise.all([couriers.stop(), progress.stop()]);
    const note = `${links.length} links`;
    run.tell(ROWS.p50, { value: median(links), note });
    run.tell(ROWS.p99, { value: quantile(links, 0.99), note });
    run.tell(ROWS.ratio, { value: median(links) / (2 * writeToWatchMs + createMs), note });
  },
};
