// What thousands of unfinished Tasks cost: the time that one more takes while 1,000, 3,000 and 10,000 are there, and at 10,000 the lag of the event
// loop, CPU, memory, and a start from nothing. All Stories have 50 independent Tasks, and there are 200 places, whatever the number.

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { auditedWrites } from '../test/environment/audit.ts';
import { bundle } from '../images/bundle.ts';
import { openBed, type Bed, type Measured } from './bed.ts';
import type { Benchmark, Run } from './benchmark.ts';
import { startProcess } from './process.ts';
import { SIZES, timePerTaskRow } from './growth.ts';
import { applyStory, followTasks, independent, makeTeam, type Progress } from './stories.ts';
import { nowMs } from './watch.ts';

const TASKS_PER_STORY = 50;
const TEAM = 'team';
const MOST = Math.max(...SIZES);
const LEAST = Math.min(...SIZES);
const WINDOW_MS = 30_000;
/** All Tasks are there and have a status by then. */
const SETTLE_LIMIT_MS = 240_000;
const MEBIBYTE = 1024 * 1024;

const ROWS = {
  growth: `time per Task with ${MOST} unfinished ÷ with ${LEAST}`,
  lagP99: `event-loop lag with ${MOST} unfinished Tasks, p99`,
  lagMax: `event-loop lag with ${MOST} unfinished Tasks, max`,
  cpu: `CPU per Task change with ${MOST} unfinished`,
  operator: `RSS of the operator with ${MOST} unfinished Tasks`,
  operatorPeak: 'RSS of the operator, the most it ever was',
  gateway: `RSS of the gateway with ${MOST} unfinished Tasks`,
  gatewayPeak: 'RSS of the gateway, the most it ever was',
  list: 'raw paginated list of the same, as a process',
  start: 'start → deciding',
  startRatio: 'start → deciding ÷ raw paginated list',
} as const;

interface Window {
  readonly timePerTaskMs: number;
  readonly cpuPerChangeMs: number;
  readonly lagP99Ms: number;
  readonly lagMaxMs: number;
}

/** Writes to Tasks that were answered well, by anybody. */
const taskChanges = ({ cluster }: Bed, fromMs: number, toMs: number): number =>
  auditedWrites(cluster).filter(
    ({ at, resource, code }) => resource === 'tasks' && code < 300 && Date.parse(at) >= fromMs && Date.parse(at) < toMs,
  ).length;

const measureWindow = async (bed: Bed, operator: Measured, progress: Progress): Promise<Window> => {
  await operator.scrape(); // what came before does not count
  const cpuBefore = operator.cpuMs();
  const fromMs = nowMs();
  await bed.whileRunning(sleep(WINDOW_MS));
  const toMs = nowMs();
  const cpu = operator.cpuMs() - cpuBefore;
  const read = await operator.scrape();
  const finished = progress.succeededAtMs.filter((at) => at >= fromMs && at < toMs).length;
  return {
    timePerTaskMs: (toMs - fromMs) / finished,
    cpuPerChangeMs: cpu / taskChanges(bed, fromMs, toMs),
    lagP99Ms: read('nodejs_eventloop_lag_p99_seconds') * 1_000,
    lagMaxMs: read('nodejs_eventloop_lag_max_seconds') * 1_000,
  };
};

const applyTasks = async (bed: Bed, count: number): Promise<void> => {
  const names = Array.from({ length: count / TASKS_PER_STORY }, (_, n) => `story-${n}`);
  await Promise.all(names.map((name) => applyStory(bed, { namespace: TEAM, name, tasks: independent(TASKS_PER_STORY) })));
};

/** ISO time of the first line with that message, in ms. */
const loggedAtMs = async (running: Measured, message: string): Promise<number> => {
  const line = (await readFile(running.logFile, 'utf8')).split('\n').find((each) => each.includes(`"message":"${message}"`));
  if (line === undefined) throw new Error(`${running.name} did not log "${message}"`);
  return Date.parse((JSON.parse(line) as { readonly time: string }).time);
};

const rawListMs = async (bed: Bed): Promise<number> => {
  const repository = join(import.meta.dirname, '..');
  const wanted = [{ entry: 'bench/raw-list.ts', output: 'dist/bench-raw-list.mjs' }];
  await bundle({ repository, wanted, log: bed.log });
  const argv = [process.execPath, join(repository, 'dist/bench-raw-list.mjs'), bed.cluster.kubeconfig];
  const list = startProcess({ name: 'raw-list', argv, env: {}, folder: bed.folder });
  const [code] = await list.ended;
  if (code !== 0) throw new Error(`raw-list ended with ${code}: ${await readFile(list.logFile, 'utf8')}`);
  return nowMs() - list.startedAtMs;
};

const measureStart = async (bed: Bed, run: Run, operator: Measured): Promise<void> => {
  await operator.stop();
  const listMs = await rawListMs(bed);
  const again = await bed.startOperator();
  const startMs = (await loggedAtMs(again, 'leading')) - again.startedAtMs;
  run.tell(ROWS.list, listMs);
  run.tell(ROWS.start, startMs);
  run.tell(ROWS.startRatio, startMs / listMs);
};

/** Resolves with the time per Task while so many are unfinished. */
const measureSize = async (run: Run, count: number): Promise<number> => {
  const bed = await openBed(run);
  const gateway = await bed.startGateway();
  const operator = await bed.startOperator();
  await makeTeam(bed, TEAM);
  const progress = await followTasks(bed, TEAM);
  await applyTasks(bed, count);
  const settled = await bed.whileRunning(progress.within(SETTLE_LIMIT_MS, () => progress.known >= count));
  if (!settled) throw new Error(`after ${SETTLE_LIMIT_MS / 1_000} s ${progress.known} of ${count} Tasks had a status`);
  const window = await measureWindow(bed, operator, progress);
  run.tell(timePerTaskRow(count), window.timePerTaskMs);
  if (count === MOST) {
    run.tell(ROWS.lagP99, window.lagP99Ms);
    run.tell(ROWS.lagMax, window.lagMaxMs);
    run.tell(ROWS.cpu, window.cpuPerChangeMs);
    run.tell(ROWS.operator, operator.rssBytes() / MEBIBYTE);
    run.tell(ROWS.operatorPeak, operator.peakRssBytes() / MEBIBYTE);
    run.tell(ROWS.gateway, gateway.rssBytes() / MEBIBYTE);
    run.tell(ROWS.gatewayPeak, gateway.peakRssBytes() / MEBIBYTE);
    await measureStart(bed, run, operator);
  }
  await progress.stop();
  await bed.close();
  return window.timePerTaskMs;
};

export const scale: Benchmark = {
  name: 'scale',
  what: `up to ${MOST} unfinished Tasks`,
  rows: [
    ...SIZES.map((count) => ({ name: timePerTaskRow(count), unit: 'ms' })),
    { name: ROWS.growth, unit: '×', goal: '≤ 1.2' },
    { name: ROWS.lagP99, unit: 'ms', goal: '≤ 50' },
    { name: ROWS.lagMax, unit: 'ms', goal: '≤ 250' },
    { name: ROWS.cpu, unit: 'ms', goal: '≤ 1' },
    { name: ROWS.operator, unit: 'MiB', goal: '≤ 250' },
    { name: ROWS.operatorPeak, unit: 'MiB' },
    { name: ROWS.gateway, unit: 'MiB', goal: '≤ 250' },
    { name: ROWS.gatewayPeak, unit: 'MiB' },
    { name: ROWS.list, unit: 'ms' },
    { name: ROWS.start, unit: 'ms' },
    { name: ROWS.startRatio, unit: '×', goal: '≤ 1.3' },
  ],
  run: async (run) => {
    const times: number[] = [];
    for (const count of SIZES) times.push(await measureSize(run, count));
    run.tell(ROWS.growth, (times.at(-1) ?? NaN) / (times[0] ?? NaN));
  },
};
