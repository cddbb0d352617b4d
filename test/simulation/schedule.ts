// A schedule is a run that a seed makes up: Stories in several namespaces, what becomes of each workspace, and what goes wrong. Everything
// follows from these few numbers, so that a failing one replays, and can be made smaller by lowering one of them.

import { createHash } from 'node:crypto';
import type { PlatformConfig } from '../../crds/contracts/platform.ts';
import type { PlanTask } from '../../crds/kinds/plan-task.ts';
import type { KubeObject } from '../../kube/object.ts';
import { council, deliberation, plan, platform, story, unstored, work } from '../builders/objects.ts';
import type { ApiServer, SimObject } from './api-server.ts';
import { FAULT_KINDS, type FaultKind, type FaultPlan } from './faults.ts';
import { isTerminal } from './invariants.ts';
import type { Ending, Plot, Workspace } from './kubelet.ts';
import { people } from './people.ts';
import type { TurnEnding, TurnPlot } from './pool.ts';
import { Random } from './random.ts';
import type { Scenario } from './scenario.ts';

export interface Schedule {
  readonly seed: number;
  readonly stories: number;
  /** Most tasks of a plan. */
  readonly tasks: number;
  readonly faults: readonly FaultKind[];
  /** How often each of them happens. */
  readonly count: number;
}

const NAMESPACES = ['shop', 'bank', 'zoo'] as const;
const PHASES = ['BUILD', 'BUILD', 'BUILD', 'DESIGN', 'TEST', 'DOCS'] as const;
const FOLDERS = [['src/a/**'], ['src/b/**'], ['src/**'], ['test/**'], []] as const;
/** From then on everything goes well, so that a run comes to its end. */
const LAST_BAD_ATTEMPT = 7;
const LAST_BAD_COURIER = 4;

/** The schedule of that seed, from faults of these kinds. */
export const scheduleOf = (seed: number, kinds: readonly FaultKind[] = FAULT_KINDS): Schedule => {
  const random = new Random(seed);
  const stories = random.pick([1, 1, 1, 2, 2, 3]);
  const tasks = random.pick([1, 2, 2, 3]);
  const number = random.pick([0, 1, 2, 3, 4, 6]);
  const faults = Array.from({ length: Math.min(number, kinds.length) }, () => random.pick(kinds));
  return { seed, stories, tasks, faults: [...new Set(faults)].sort(), count: 1 + random.below(4) };
};

/** A number in [0, 1) that is a function of these words. */
const chanceOf = (...words: readonly (string | number)[]): number =>
  createHash('sha256').update(words.join('\n')).digest().readUInt32BE(0) / 2 ** 32;

const badEnding = ({ kind }: Workspace, which: number): Ending => {
  const endings: readonly Ending[] =
    kind === 'attempt'
      ? [
          { how: 'killed', step: 'work', reason: 'OOMKilled', exitCode: 137 },
          { how: 'killed', step: 'checkout', reason: 'Error', exitCode: 1 },
          { how: 'deadline', step: 'work' },
          { how: 'finding', step: 'verify', reason: 'VerifyFailed' },
          { how: 'finding', step: 'checkout', reason: 'GatewayUnavailable' },
          { how: 'hang' },
          { how: 'lost' },
          { how: 'forgotten' },
        ]
      : [
          { how: 'finding', step: 'merge', reason: 'Conflict' },
          { how: 'finding', step: 'push', reason: 'PushRejected' },
          { how: 'killed', step: 'push', reason: 'Error', exitCode: 1 },
          { how: 'lost' },
          { how: 'hang' },
          { how: 'forgotten' },
        ];
  return endings[Math.floor(which * endings.length)] ?? { how: 'ok' };
};

const plotOf =
  (seed: number, roughness: number): Plot =>
  (workspace) => {
    const { story: key, revision, taskId, kind, attempt, courierTry } = workspace;
    if (attempt >= LAST_BAD_ATTEMPT || courierTry >= LAST_BAD_COURIER) return { how: 'ok' };
    const words = [seed, key, revision, taskId, kind, attempt, courierTry];
    return chanceOf(...words) < roughness ? badEnding(workspace, chanceOf('how', ...words)) : { how: 'ok' };
  };

/** Tasks of a plan: what a further revision repeats word for word counts as done. */
const tasksOf =
  ({ seed, tasks }: Schedule) =>
  (key: string, revision: number): readonly PlanTask[] => {
    const random = new Random(Math.floor(chanceOf(seed, key) * 2 ** 32));
    const count = 1 + random.below(tasks);
    const isRefused = chanceOf(seed, key, 'refused') < 0.03;
    return Array.from({ length: count }, (_, index) => {
      const isRevised = random.chance(0.3);
      const [isAfter, phase, folder] = [random.chance(0.5), random.pick(PHASES), random.pick(FOLDERS)];
      return work(`t${index + 1}`, {
        phase,
        fileScope: folder,
        priority: random.below(3),
        ...(isAfter && index > 0 && { dependsOn: [`t${index}`] }),
        ...(revision === 1 && isRefused && { candidates: 2 }),
        ...(isRevised && { description: `As of revision ${revision}.` }),
      });
    });
  };

/** Phases follow each other: a task cannot wait for one of a later phase. */
const ORDER = ['DESIGN', 'BUILD', 'TEST', 'DOCS'];
const possible = (tasks: readonly PlanTask[]): readonly PlanTask[] =>
  tasks.map((task) => ({
    ...task,
    dependsOn: task.dependsOn.filter((id) => {
      const other = tasks.find((each) => each.id === id);
      return other !== undefined && ORDER.indexOf(other.phase) <= ORDER.indexOf(task.phase);
    }),
  }));

const inNamespace = <T extends KubeObject>(object: T, namespace: string): T => ({
  ...object,
  metadata: { ...object.metadata, namespace },
});

const budgetOf = (random: Random): { readonly budget?: Readonly<Record<string, number>> } => {
  const wallClockSeconds = random.chance(0.1) ? 60 + random.below(1_200) : undefined;
  const gpuSeconds = random.chance(0.05) ? 1 + random.below(60) : undefined;
  if (wallClockSeconds === undefined && gpuSeconds === undefined) return {};
  return {
    budget: { ...(wallClockSeconds !== undefined && { wallClockSeconds }), ...(gpuSeconds !== undefined && { gpuSeconds }) },
  };
};

const storyObject = (random: Random, name: string): KubeObject => {
  const isVague = random.chance(0.05);
  const gate = (): 'Human' | 'Auto' => (random.chance(0.2) ? 'Human' : 'Auto');
  const spec = {
    priority: random.below(3),
    gates: { scope: gate(), design: random.chance(0.1) ? 'Auto' : 'Human', test: gate(), docs: gate() },
    ...(isVague && { description: '', acceptanceCriteria: [] }),
    ...budgetOf(random),
    ...(random.chance(0.03) && { plan: { mode: 'Council' } }),
  };
  const written = unstored(story(spec));
  return { ...written, metadata: { ...written.metadata, name } };
};

/** Councils that never get ready, and a kind that this version does not serve: they must not disturb anybody. */
const oddities = (random: Random): readonly KubeObject[] => {
  const named = (name: string, spec: Parameters<typeof council>[0]): KubeObject => {
    const object = unstored(council({ role: 'QA', ...spec }, false));
    return { ...object, metadata: { ...object.metadata, name } };
  };
  const odd = [
    named('nowhere', { model: { endpoint: 'nowhere', name: 'qwen' } }),
    named('reserved', { model: { endpoint: 'reserved', name: 'qwen' } }),
    named('unlisted', { model: { endpoint: 'gpu', name: 'unlisted' } }),
    named('unbuilt', { workspace: { imageProfile: 'cobol' } }),
    named('greedy', { workspace: { imageProfile: 'node', resources: { limits: { memory: '900Ti' } } } }),
  ];
  return odd.filter(() => random.chance(0.05));
};

/** Questions that people ask beside the Stories. */
const questions = (random: Random, namespaces: readonly string[]): readonly KubeObject[] =>
  Array.from({ length: random.pick([0, 0, 0, 1, 1, 2, 4]) }, (_, index) => {
    const asked = unstored(deliberation());
    const spec = {
      ...asked.spec,
      ...(random.chance(0.5) && { numAgents: 1 + random.below(3) }),
      ...(random.chance(0.5) && { rounds: random.below(3) }),
      ...(random.chance(0.2) && { quorum: 1 + random.below(3) }),
      ...(random.chance(0.3) && { select: 'Score' as const }),
      ...(random.chance(0.3) && { timeoutSeconds: 40 + random.below(200) }),
      ...(random.chance(0.3) && { storyRef: { name: 'story-1' } }),
    };
    const object = { ...asked, spec, metadata: { ...asked.metadata, name: `question-${index + 1}` } };
    return inNamespace(object, random.pick(namespaces));
  });

const turnEnding = (roughness: number, which: number, how: number): TurnEnding => {
  if (which >= roughness) return 'answered';
  return (['failed', 'invalid', 'silent', 'late'] as const)[Math.floor(how * 4)] ?? 'failed';
};

const turnPlotOf =
  (seed: number, roughness: number): TurnPlot =>
  (name, n) => ({
    ending: turnEnding(roughness, chanceOf(seed, 'turn', name, n), chanceOf(seed, 'turn how', name, n)),
    chance: (...words) => chanceOf(seed, 'turn', name, n, ...words),
  });

const platformOf = (random: Random): PlatformConfig => {
  const workspaces = 1 + random.below(3);
  return platform({
    upstreams: [
      { name: 'gpu', kind: 'model', host: 'vllm.example', namespaces: ['*'], models: ['qwen'] },
      { name: 'reserved', kind: 'model', host: 'vllm.example', namespaces: ['bank'] },
      { name: 'git', kind: 'git', host: 'git.example', namespaces: ['*'] },
    ],
    capacity: { workspaces, perNamespace: 1 + random.below(2), perStory: 1 + random.below(2) },
  });
};

/** Few agents may deliberate at once, or any number; and now and then few tokens are there for a day. */
const withEndpoint = (given: PlatformConfig, random: Random): PlatformConfig => {
  const isPoor = random.chance(0.05);
  const asked = isPoor ? { ...given, deliberation: { ...given.deliberation, namespaceTokensPerDay: 20_000 } } : given;
  if (random.chance(0.5)) return asked;
  const concurrency = 1 + random.below(3);
  return { ...asked, upstreams: asked.upstreams.map((row) => (row.name === 'gpu' ? { ...row, concurrency } : row)) };
};

const isMalformed = ({ metadata }: SimObject): boolean => metadata.name.startsWith('broken-');
const hasEnded = (object: SimObject): boolean => isTerminal(object) && object.metadata.deletionTimestamp === undefined;
/** It was asked once whether it can work, and answered. */
const isProbed = ({ status }: SimObject): boolean => status?.['ready'] === 'True' || status?.['ready'] === 'False';

const isOver = (server: ApiServer): boolean => {
  const all = (kind: string, holds: (object: SimObject) => boolean): boolean =>
    server.list(kind).every((object) => isMalformed(object) || holds(object));
  return (
    all('Story', hasEnded) &&
    all('Task', isTerminal) &&
    all('Council', isProbed) &&
    all('Deliberation', ({ status }) => status?.['finishedAt'] !== undefined)
  );
};

export const scenarioOf = (schedule: Schedule): Scenario => {
  const { seed, stories } = schedule;
  const random = new Random(seed ^ 0xc0de);
  const asking = new Random(seed ^ 0xa5c);
  const written = tasksOf(schedule);
  const tasks = (key: string, revision: number): readonly PlanTask[] => possible(written(key, revision));
  const places = Array.from({ length: stories }, (_, index) => ({
    namespace: random.pick(NAMESPACES),
    name: `story-${index + 1}`,
  }));
  const namespaces = [...new Set(places.map(({ namespace }) => namespace))];
  const councils = namespaces.map((namespace) => {
    const workspace = { imageProfile: 'node', ...(random.chance(0.3) && { gpu: { count: 1 + random.below(2) } }) };
    return inNamespace(unstored(council({ workspace }, false)), namespace);
  });
  const asked = questions(asking, namespaces);
  const objects = places.flatMap(({ namespace, name }) => {
    const made = unstored(plan(tasks(`${namespace}/${name}`, 1), { storyRef: { name } }));
    return [inNamespace(storyObject(random, name), namespace), inNamespace(made, namespace)];
  });
  return {
    objects: [
      ...[...councils, ...objects, ...asked],
      ...oddities(random).map((object) => inNamespace(object, namespaces[0] ?? 'shop')),
    ],
    plot: plotOf(seed, random.pick([0, 0.1, 0.2, 0.35])),
    turns: turnPlotOf(seed, asking.pick([0, 0, 0.1, 0.3])),
    deeds: [],
    habits: people(councils, tasks),
    platform: withEndpoint(platformOf(random), asking),
    isOver,
  };
};

export const faultPlanOf = ({ seed, faults, count }: Schedule): FaultPlan => ({ seed, kinds: faults, count });
