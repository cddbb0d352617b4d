// How fast many Tasks go: 20 Stories of 50 independent Tasks through 200 places, beside a bare client on a cluster as new as that one.

import { serviceAccounts } from '../kube/resources.ts';
import { openBed } from './bed.ts';
import type { Benchmark, Run } from './benchmark.ts';
import { runBareClient } from './bare-client.ts';
import { applyStory, followTasks, independent, makeTeam, rateOf } from './stories.ts';
import { nowMs } from './watch.ts';

const STORIES = 20;
const TASKS_PER_STORY = 50;
const TASKS = STORIES * TASKS_PER_STORY;
const PLACES = 200;
/** What is finished by then is the figure: a rate needs no end. */
const LIMIT_MS = 240_000;
const TEAM = 'team';

const ROWS = {
  bare: 'Tasks a second by a bare client',
  ours: 'Tasks a second by the operator, 20 Stories of 50, 200 places',
  ratio: 'Tasks a second ÷ those of the bare client',
  cpu: "operator's CPU time per Task",
} as const;

const finished = (done: number): string => (done === TASKS ? '' : `${done} of ${TASKS} finished in ${LIMIT_MS / 1_000} s`);

const bareRate = async (run: Run): Promise<number> => {
  const bed = await openBed(run);
  await makeTeam(bed, TEAM);
  const account = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { namespace: TEAM, name: 'fleet-workspace' } };
  await bed.client.create(serviceAccounts, account);
  const startedAt = nowMs();
  const work = { namespace: TEAM, stories: STORIES, tasksPerStory: TASKS_PER_STORY, places: PLACES };
  const ends = await bed.whileRunning(runBareClient(bed, work, LIMIT_MS));
  const rate = rateOf(ends, startedAt);
  run.tell(ROWS.bare, { value: rate, note: finished(ends.length) });
  await bed.close();
  return rate;
};

const ourRate = async (run: Run): Promise<number> => {
  const bed = await openBed(run);
  await bed.startGateway();
  const operator = await bed.startOperator();
  await makeTeam(bed, TEAM);
  const progress = await followTasks(bed, TEAM);
  const cpuBefore = operator.cpuMs();
  const startedAt = nowMs();
  for (let n = 0; n < STORIES; n += 1)
    await applyStory(bed, { namespace: TEAM, name: `story-${n}`, tasks: independent(TASKS_PER_STORY) });
  await bed.whileRunning(progress.within(LIMIT_MS, () => progress.succeededAtMs.length === TASKS));
  const ends = progress.succeededAtMs;
  const rate = rateOf(ends, startedAt);
  run.tell(ROWS.ours, { value: rate, note: finished(ends.length) });
  run.tell(ROWS.cpu, (operator.cpuMs() - cpuBefore) / ends.length);
  await progress.stop();
  await bed.close();
  return rate;
};

export const walk: Benchmark = {
  name: 'walk',
  what: `${TASKS} independent Tasks, by a bare client and by the operator`,
  rows: [
    { name: ROWS.bare, unit: '1/s' },
    { name: ROWS.ours, unit: '1/s' },
    { name: ROWS.ratio, unit: '×', goal: '≥ 0.7' },
    { name: ROWS.cpu, unit: 'ms' },
  ],
  run: async (run) => {
    const bare = await bareRate(run);
    run.tell(ROWS.ratio, (await ourRate(run)) / bare);
  },
};
