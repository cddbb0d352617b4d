// `npm run simulate`: runs schedules, one for each seed, and judges them.
//   npm run simulate -- --schedules 100000 --seed 1 --workers 2
//   npm run simulate -- --seed 17 --schedules 1 --stories 1 --tasks 2 --count 1 --faults crash,quota     one schedule, made smaller
// The first schedule that breaks a guarantee ends it: the seed, what broke, the smallest schedule found in which the same breaks, and the
// command that replays that one. Without one the table of rules and outcomes, and which rule was never reached.

import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { optionsOf } from '../options.ts';
import { judge, replayCommand, shrink } from './court.ts';
import { Coverage } from './coverage.ts';
import { FAULT_KINDS, type FaultKind } from './faults.ts';
import { scheduleOf, type Schedule } from './schedule.ts';
import type { Share, Told } from './worker.ts';

const HELP = `npm run simulate [-- OPTIONS]

  --schedules N     how many, one for each seed (1000)
  --seed S          the first seed (1)
  --workers N       threads (${availableParallelism()}, the processors of this machine)
  --help            this text

Of one schedule, to make it smaller:
  --stories N --tasks N --count N
  --faults LIST     none, or of ${FAULT_KINDS.join(', ')}`;

const values = optionsOf(HELP, {
  schedules: { type: 'string', default: '1000' },
  seed: { type: 'string', default: '1' },
  workers: { type: 'string', default: String(availableParallelism()) },
  stories: { type: 'string' },
  tasks: { type: 'string' },
  count: { type: 'string' },
  faults: { type: 'string' },
});

const numberOf = (name: keyof typeof values): number | undefined => {
  const text = values[name];
  if (text === undefined) return undefined;
  const number = Number(text);
  if (!Number.isSafeInteger(number) || number < 0) throw new Error(`--${name} ${text} is no number`);
  return number;
};

const isKind = (text: string): text is FaultKind => (FAULT_KINDS as readonly string[]).includes(text);

const faultsOf = (text: string): readonly FaultKind[] =>
  text === 'none'
    ? []
    : text.split(',').map((kind) => {
        if (!isKind(kind)) throw new Error(`there is no fault ${kind}; there are none, ${FAULT_KINDS.join(', ')}`);
        return kind;
      });

const asAsked = (schedule: Schedule): Schedule => ({
  ...schedule,
  stories: numberOf('stories') ?? schedule.stories,
  tasks: numberOf('tasks') ?? schedule.tasks,
  count: numberOf('count') ?? schedule.count,
  faults: values.faults === undefined ? schedule.faults : faultsOf(values.faults),
});

type Broke = Extract<Told, { kind: 'broke' }>;

interface Result {
  readonly coverage: Coverage;
  readonly broke: Broke | undefined;
}

/** Ends with the first schedule that breaks, or when all are judged. */
const judgeAll = async (
  schedules: readonly Schedule[],
  threads: number,
  onJudged: (schedules: number) => void,
): Promise<Result> => {
  const coverage = new Coverage();
  const found = Promise.withResolvers<Broke>();
  const workers = Array.from({ length: threads }, (_, thread) => {
    const share: Share = { schedules: schedules.filter((_, index) => index % threads === thread) };
    return new Worker(new URL('worker.ts', import.meta.url), { workerData: share });
  });
  const ends = workers.map(
    (worker) =>
      new Promise<void>((resolve, reject) => {
        worker.on('message', (told: Told) => {
          if (told.kind === 'judged') onJudged(told.schedules);
          else if (told.kind === 'broke') found.resolve(told);
          else coverage.add(told.counts);
        });
        worker.on('error', reject);
        worker.on('exit', () => resolve());
      }),
  );
  const broke = await Promise.race([found.promise, Promise.all(ends).then(() => undefined)]);
  await Promise.all(workers.map((worker) => worker.terminate()));
  return { coverage, broke };
};

const tellBroken = async ({ schedule, broke, message }: Broke): Promise<void> => {
  console.log(`seed ${schedule.seed} breaks ${broke}: ${message}`);
  console.log(`replay: ${replayCommand(schedule)}`);
  const again = await judge(schedule);
  if (again === undefined) return console.log('it did not break again when it was replayed, which is a fault of the simulation');
  const least = await shrink(again);
  console.log(`smallest: ${replayCommand(least.schedule)}`);
  console.log(least.error instanceof Error ? least.error.message : String(least.error));
};

const main = async (): Promise<number> => {
  const first = numberOf('seed') ?? 1;
  const count = numberOf('schedules') ?? 1;
  const schedules = Array.from({ length: count }, (_, index) => asAsked(scheduleOf(first + index)));
  const startedAt = performance.now();
  const tellEvery = Math.max(1_000, count / 20);
  let judged = 0;
  let told = 0;
  const seconds = (): string => `${((performance.now() - startedAt) / 1000).toFixed(0)} s`;
  const { coverage, broke } = await judgeAll(schedules, Math.max(1, Math.min(numberOf('workers') ?? 1, count)), (more) => {
    judged += more;
    if (judged - told < tellEvery) return;
    told = judged;
    console.log(`${judged} of ${count} schedules in ${seconds()}`);
  });
  if (broke !== undefined) {
    await tellBroken(broke);
    return 1;
  }
  console.log(coverage.table());
  for (const rule of coverage.missing()) console.log(`never reached: ${rule}`);
  console.log(`${count} schedules from seed ${first} hold, in ${seconds()}`);
  return 0;
};

process.exitCode = await main();
