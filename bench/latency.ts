// What one change costs: the floors, our controller on top of them, and beside it one on controller-runtime that does the same. All take
// turns, sample by sample, so that a slow moment of the machine meets all of them.

import { openBed, until, type Bed } from './bed.ts';
import type { Benchmark } from './benchmark.ts';
import { counted, makeSubject, measureFloors, sampled, type Subject } from './floors.ts';
import { startProcess, type Running } from './process.ts';
import { median } from './statistics.ts';

const ROWS = {
  status: 'floor: status apply, p50',
  create: "floor: create of an attempt's Job, p50",
  watch: 'floor: write → watch, p50',
  ours: 'spec write → status seen, p50',
  compared: 'the same by a controller on controller-runtime, p50',
  toFloor: 'spec write → status seen ÷ (2 × write → watch)',
  toCompared: 'spec write → status seen ÷ that of controller-runtime',
} as const;

const startCompared = async (bed: Bed, subject: Subject): Promise<Running> => {
  const argv = [bed.programOf('controller'), bed.cluster.kubeconfig, subject.namespace];
  const running = startProcess({ name: 'compared', argv, env: {}, folder: bed.folder });
  const first = subject.changed(-1, 'reconciled');
  const done = { is: false };
  void first.then(() => (done.is = true));
  await until(running, async () => done.is);
  return running;
};

const measure = async (bed: Bed): Promise<Readonly<Record<'floor' | 'ours' | 'compared', number>>> => {
  const floor = await makeSubject(bed, 'bare');
  const ours = await makeSubject(bed, 'ours');
  const compared = await makeSubject(bed, 'compared');
  const controller = await startCompared(bed, compared);
  try {
    await bed.startOperator({ FLEET_WATCH_NAMESPACE: ours.namespace });
    const samples = { floor: [] as number[], ours: [] as number[], compared: [] as number[] };
    await sampled(async (n) => {
      samples.floor.push(await floor.changed(n, 'written'));
      samples.ours.push(await ours.changed(n, 'reconciled'));
      samples.compared.push(await compared.changed(n, 'reconciled'));
    });
    const middle = (taken: readonly number[]): number => median(counted(taken));
    return { floor: middle(samples.floor), ours: middle(samples.ours), compared: middle(samples.compared) };
  } finally {
    await controller.stop();
    await Promise.all([floor, ours, compared].map((subject) => subject.stop()));
  }
};

export const latency: Benchmark = {
  name: 'latency',
  what: 'the floors, and one reconcile beside one of controller-runtime',
  rows: [
    { name: ROWS.status, unit: 'ms' },
    { name: ROWS.create, unit: 'ms' },
    { name: ROWS.watch, unit: 'ms' },
    { name: ROWS.ours, unit: 'ms' },
    { name: ROWS.compared, unit: 'ms' },
    { name: ROWS.toFloor, unit: '×', goal: '≤ 1.5' },
    { name: ROWS.toCompared, unit: '×', goal: '≤ 1.2' },
  ],
  run: async (run) => {
    const { tell } = run;
    const bed = await openBed(run);
    const floors = await measureFloors(bed);
    tell(ROWS.status, floors.statusMs);
    tell(ROWS.create, floors.createMs);
    tell(ROWS.watch, floors.writeToWatchMs);
    const { floor, ours, compared } = await measure(bed);
    tell(ROWS.ours, ours);
    tell(ROWS.compared, compared);
    tell(ROWS.toFloor, ours / (2 * floor));
    tell(ROWS.toCompared, ours / compared);
  },
};
