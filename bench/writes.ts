// How often the operator writes for one Story of ten Tasks, from the API server's audit log, and how often when nothing is left to do.

import { setTimeout as sleep } from 'node:timers/promises';
import { auditedWrites, type AuditedWrite } from '../test/environment/audit.ts';
import { isCourier } from './audit.ts';
import { openBed, OPERATOR_USER, type Bed } from './bed.ts';
import type { Benchmark } from './benchmark.ts';
import { applyStory, independent, makeTeam, storyDone } from './stories.ts';

const TASKS = 10;
const TEAM = 'team';
/** What follows the end of a Story, such as a last Event, has come by then. */
const SETTLE_MS = 5_000;
const SETTLED_MS = 30_000;

const ROWS = {
  writes: 'operator writes per Task of a ten-task Story, creation and Story included, Jobs and Events apart',
  story: 'of these to the Story and its Plan, per Task',
  attempts: "operator writes to attempts' Jobs, per Task",
  couriers: "operator writes to couriers' Jobs, per Task",
  events: 'operator writes of Events, per Task',
  settled: 'operator writes of a settled system in 30 s, all but the Lease',
} as const;

const ours = ({ user, verb, resource }: AuditedWrite): boolean =>
  user === OPERATOR_USER && verb !== 'get' && resource !== 'leases';
const isJob = ({ resource }: AuditedWrite): boolean => resource === 'jobs';
const isEvent = ({ resource }: AuditedWrite): boolean => resource === 'events';
const isStory = ({ resource }: AuditedWrite): boolean => resource === 'stories' || resource === 'plans';

const writesOf = ({ cluster }: Bed): readonly AuditedWrite[] => auditedWrites(cluster).filter(ours);

export const writes: Benchmark = {
  name: 'writes',
  what: 'writes of one Story of ten Tasks, and of a settled system',
  rows: [
    { name: ROWS.writes, unit: 'writes', goal: '≤ 8' },
    { name: ROWS.story, unit: 'writes' },
    { name: ROWS.attempts, unit: 'writes' },
    { name: ROWS.couriers, unit: 'writes' },
    { name: ROWS.events, unit: 'writes' },
    { name: ROWS.settled, unit: 'writes', goal: '≤ 0' },
  ],
  run: async (run) => {
    const { tell } = run;
    const bed = await openBed(run);
    await bed.startGateway();
    await bed.startOperator();
    await makeTeam(bed, TEAM);
    const { done, watching } = await storyDone(bed, TEAM);
    await applyStory(bed, { namespace: TEAM, name: 'ten', tasks: independent(TASKS) });
    await bed.whileRunning(done);
    await watching.stop();
    await sleep(SETTLE_MS);
    const made = writesOf(bed);
    const perTask = (holds: (write: AuditedWrite) => boolean): number => made.filter(holds).length / TASKS;
    tell(
      ROWS.writes,
      perTask((write) => !isEvent(write) && !isJob(write)),
    );
    tell(ROWS.story, perTask(isStory));
    tell(
      ROWS.attempts,
      perTask((write) => isJob(write) && !isCourier(write)),
    );
    tell(
      ROWS.couriers,
      perTask((write) => isJob(write) && isCourier(write)),
    );
    tell(ROWS.events, perTask(isEvent));
    await sleep(SETTLED_MS);
    tell(ROWS.settled, writesOf(bed).length - made.length);
  },
};
