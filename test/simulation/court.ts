// Runs schedules and judges each: the guarantees at every write (invariants.ts), and at its end that every Story came to one, every event
// was published, nothing is left undeleted, and a new operator finds nothing to do.

import { controllers as shipped } from '../../controllers/registry.ts';
import type { Plan } from '../../crds/kinds/plan.ts';
import type { Story } from '../../crds/kinds/story.ts';
import type { Task } from '../../crds/kinds/task.ts';
import { Broken, check, nameOf } from './broken.ts';
import { isTerminal } from './invariants.ts';
import { faultPlanOf, scenarioOf, type Schedule } from './schedule.ts';
import { Simulation } from './simulation.ts';

/** What a Story that is Done claims: every task of its plan has landed, and every Task that says so names a commit that is there. */
const judgeDone = (story: Story, { server, repository }: Simulation): void => {
  const { uid, namespace, name } = story.metadata;
  const commits = repository.commits(`${namespace}/${name}`);
  for (const { metadata, spec, status } of server.list('Task') as unknown as readonly Task[]) {
    if (spec.storyRef.uid !== uid || status?.phase !== 'Succeeded') continue;
    const isThere = commits.some(({ id }) => id === status.commit);
    check(isThere, 'G1', () => `task ${metadata.name} has succeeded with a commit that is not on the branch`);
  }
  const head = repository.head(`${namespace}/${name}`);
  check(
    story.status?.headCommit === head,
    'G1',
    () => `Story ${namespace}/${name} is Done at ${story.status?.headCommit}, and not at ${head}`,
  );
  const plan = server.lastOf(story.status?.plan?.uid ?? '') as unknown as Plan | undefined;
  for (const { id } of plan?.status?.tasks ?? [])
    check(repository.has(uid, id), 'G1', () => `Story ${namespace}/${name} is Done without a commit of task ${id}`);
};

const judgeEnd = (simulation: Simulation): void => {
  const { server, publications, invariants } = simulation;
  for (const kind of ['Story', 'Plan', 'Task', 'Council', 'Job', 'Pod'])
    for (const object of server.list(kind)) {
      if (object.metadata.name.startsWith('broken-')) continue;
      const name = nameOf(object);
      check(object.metadata.deletionTimestamp === undefined, 'G16', () => `${name} is still being deleted`);
      if (kind === 'Story' || kind === 'Task') check(isTerminal(object), 'G1', () => `${name} has not ended`);
      // a status that was wiped begins anew: an event that is under way just then may share its number with another
      if (!invariants.isWiped(object.metadata.uid)) publications.allTold(object.metadata.uid, name);
    }
  for (const story of server.list('Story') as unknown as readonly Story[])
    if (story.status?.phase === 'Done') judgeDone(story, simulation);
};

/** Throws what broke. */
export const runSchedule = async (schedule: Schedule, controllers = shipped): Promise<Simulation> => {
  const simulation = new Simulation(scenarioOf(schedule), { seed: schedule.seed, faults: faultPlanOf(schedule) }, controllers);
  await simulation.run();
  judgeEnd(simulation);
  const writes = await simulation.restart();
  check(writes === 0, 'G1', () => `an operator that begins anew writes ${writes} times more`);
  return simulation;
};

export interface Verdict {
  readonly schedule: Schedule;
  /** The guarantee that broke, or what was thrown. */
  readonly broke: string;
  readonly error: unknown;
}

/** undefined: it holds. */
export const judge = async (schedule: Schedule, controllers = shipped): Promise<Verdict | undefined> => {
  try {
    await runSchedule(schedule, controllers);
    return undefined;
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    return { schedule, broke: error instanceof Broken ? (text.split(':')[0] ?? text) : 'thrown', error };
  }
};

/** Every schedule that is one step smaller. */
const smaller = (schedule: Schedule): readonly Schedule[] => [
  ...schedule.faults.map((fault) => ({ ...schedule, faults: schedule.faults.filter((each) => each !== fault) })),
  ...(schedule.stories > 1 ? [{ ...schedule, stories: schedule.stories - 1 }] : []),
  ...(schedule.tasks > 1 ? [{ ...schedule, tasks: schedule.tasks - 1 }] : []),
  ...(schedule.count > 1 ? [{ ...schedule, count: schedule.count - 1 }] : []),
];

/** The smallest schedule found in which the same guarantee breaks. */
export const shrink = async (verdict: Verdict, controllers = shipped): Promise<Verdict> => {
  for (const schedule of smaller(verdict.schedule)) {
    const found = await judge(schedule, controllers);
    if (found?.broke === verdict.broke) return shrink(found, controllers);
  }
  return verdict;
};

export const replayCommand = ({ seed, stories, tasks, faults, count }: Schedule): string =>
  `npm run simulate -- --seed ${seed} --schedules 1 --stories ${stories} --tasks ${tasks} --count ${count} --faults ${faults.join(',') || 'none'}`;
