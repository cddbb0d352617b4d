// Judges what a round left behind: what must hold of every ending, and that it equals the undisturbed one in all that a fault may not
// change. Pure.
import type { Traces } from './contract.ts';
import type { EndedStory, EndedTask, Ending } from './ending.ts';

/** What every walk must end in, disturbed or not: no names, uids, times, numbers of attempts or ids of commits. */
export interface NormalStory {
  readonly phase: string;
  readonly summary: string;
  readonly conditions: readonly string[];
  readonly planPhases: readonly string[];
  readonly tasks: readonly { readonly id: string; readonly phase: string; readonly conditions: readonly string[] }[];
  readonly commits: readonly string[];
  readonly files: readonly string[];
  readonly refs: readonly string[];
}

const sorted = (texts: readonly string[]): readonly string[] => [...texts].sort();

const isForeign = (traces: readonly Traces[], path: string): boolean => traces.some(({ foreignFile }) => foreignFile === path);

const normalStory = (story: EndedStory, traces: readonly Traces[]): NormalStory => ({
  phase: story.phase,
  summary: story.summary,
  conditions: sorted(story.conditions),
  planPhases: story.planPhases,
  tasks: [...story.tasks]
    .sort((a, b) => a.id.localeCompare(b.id))
    .map(({ id, phase, conditions }) => ({ id, phase, conditions: sorted(conditions) })),
  commits: sorted(story.commits.filter(({ task }) => task !== '').map(({ task, title }) => `${task} ${title}`)),
  files: story.files.filter((line) => !isForeign(traces, line.split(' ')[0] ?? '')),
  refs: story.refs.map((ref) => ref.replace(`/${story.namespace}/`, '/NAMESPACE/')),
});

export const normalForm = (ending: Ending, traces: readonly Traces[] = []): readonly NormalStory[] =>
  ending.map((story) => normalStory(story, traces));

/** Every broken promise in a sentence; none: it survived. */
export const judge = (
  ending: Ending,
  reference: readonly NormalStory[] | undefined,
  traces: readonly Traces[],
): readonly string[] => [
  ...ending.flatMap((story) => judgeStory(story, traces).map((problem) => `${story.namespace}: ${problem}`)),
  ...(reference === undefined ? [] : differences(normalForm(ending, traces), reference)),
];

const differences = (found: readonly NormalStory[], wanted: readonly NormalStory[]): readonly string[] =>
  wanted.flatMap((want, index) =>
    (Object.keys(want) as (keyof NormalStory)[]).flatMap((key) => {
      const [is, should] = [JSON.stringify(found[index]?.[key]), JSON.stringify(want[key])];
      return is === should ? [] : [`Story ${index + 1} differs from the undisturbed walk in ${key}: ${is}, not ${should}`];
    }),
  );

const judgeStory = (story: EndedStory, traces: readonly Traces[]): readonly string[] => [
  ...story.tasks.flatMap((task) => judgeTask(task, traces).map((problem) => `Task ${task.id}: ${problem}`)),
  ...judgeJobs(story),
  ...judgeBranch(story, traces),
];

const judgeTask = ({ attempts, phase, commit }: EndedTask, traces: readonly Traces[]): readonly string[] => {
  const agentReasons = traces.flatMap(({ agentReason }) => agentReason ?? []);
  const problems: string[] = [];
  if (attempts.some(({ n }, index) => n !== index + 1))
    problems.push(`its attempts are numbered ${attempts.map(({ n }) => n).join()}`);
  for (const { n, finishedAt, outcome, reason = '' } of attempts) {
    if (finishedAt === undefined || outcome === undefined) problems.push(`attempt ${n} has no end`);
    if (outcome === 'AgentFailed' && !agentReasons.includes(reason))
      problems.push(`attempt ${n} is held against the agent: ${reason}`);
  }
  const won = attempts.filter(({ outcome }) => outcome === 'Succeeded');
  if (phase === 'Succeeded' && (won.length !== 1 || won[0] !== attempts.at(-1)))
    problems.push(`${won.length} attempts succeeded`);
  if (phase === 'Succeeded' && won[0]?.commit !== commit) problems.push('its commit is not that of the attempt that succeeded');
  return problems;
};

const twice = (names: readonly string[]): readonly string[] => [
  ...new Set(names.filter((name, index) => names.indexOf(name) !== index)),
];

const judgeJobs = ({ jobs, tasks, createdJobs, livePods }: EndedStory): readonly string[] => {
  const listed = new Set(
    tasks.flatMap(({ attempts }) => attempts.flatMap(({ jobUid, courierUid }) => [jobUid, courierUid ?? ''])),
  );
  const runs = jobs.map(({ ownerUid, kind, attempt, courierTry }) => [ownerUid, kind, attempt, courierTry].join(' '));
  const last = (job: EndedStory['jobs'][number]): boolean =>
    !jobs.some(
      (each) =>
        each.ownerUid === job.ownerUid && each.attempt === job.attempt && Number(each.courierTry) > Number(job.courierTry),
    );
  return [
    ...twice(createdJobs).map((name) => `Job ${name} was created twice`),
    ...twice(runs).map((run) => `two Jobs for the same run (${run})`),
    ...jobs.filter(({ isOver }) => !isOver).map(({ name }) => `Job ${name} still runs`),
    ...jobs
      .filter((job) => (job.kind === 'attempt' || last(job)) && !listed.has(job.uid))
      .map(({ name }) => `Job ${name} is listed by no attempt`),
    ...livePods.map((name) => `pod ${name} still runs`),
  ];
};

const judgeBranch = (story: EndedStory, traces: readonly Traces[]): readonly string[] => {
  const { commits, tasks, base, uid } = story;
  const ours = commits.filter(({ task }) => task !== '');
  const foreign = commits.length - ours.length;
  const allowed = traces.filter(({ foreignFile }) => foreignFile !== undefined).length;
  return [
    ...twice(ours.map(({ task }) => task)).map((task) => `Task ${task} has two commits`),
    ...commits.flatMap(({ id, parents }, index) =>
      parents.join() === (commits[index - 1]?.id ?? base) ? [] : [`commit ${id} is out of line`],
    ),
    ...ours.filter((commit) => commit.story !== uid).map(({ id }) => `commit ${id} names another Story`),
    ...ours.flatMap((commit) => {
      const task = tasks.find(({ id }) => id === commit.task);
      const won = task?.attempts.find(({ n }) => String(n) === commit.attempt);
      if (task?.commit !== commit.id) return [`commit ${commit.id} is not what Task ${commit.task} says`];
      return won?.evidence === commit.evidence ? [] : [`commit ${commit.id} names other evidence than its attempt`];
    }),
    ...(foreign > allowed ? [`${foreign} commits are not ours`] : []),
    ...(story.mainKept ? [] : ['main was moved']),
  ];
};
