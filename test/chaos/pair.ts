// Two Stories of six tasks in fresh namespaces: what every round walks. The tasks depend on each other so that attempts and couriers of
// both Stories run beside each other from the first to the last.
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { API_VERSION } from '../../crds/kinds/meta.ts';
import type { Task } from '../../crds/kinds/task.ts';
import { PERSONS, RELEASE } from '../environment/chart.ts';
import type { Environment, Repository } from '../environment/environment.ts';
import { planName, planObject, STORY_ENDS, storyObject, type TaskInput } from '../environment/stories.ts';
import { follow, type Follower } from '../environment/watching.ts';
import { scriptedModelName } from '../model/script.ts';
import { notePath, noteScript, type NoteNumber } from '../model/scripts/notes.ts';

export interface Walking {
  readonly namespace: string;
  readonly name: string;
  readonly branch: string;
  readonly repository: Repository;
  readonly follower: Follower;
}

export type Pair = readonly [Walking, Walking];

const STORY = 'notes';
const task = (number: NoteNumber, ...dependsOn: readonly NoteNumber[]): TaskInput => ({
  id: `t${number}`,
  title: `Write note ${number}`,
  description: `Write note ${number}. [[script:${noteScript(number)}]]`,
  dependsOn: dependsOn.map((other) => `t${other}`),
  fileScope: [notePath(number)],
  verify: { commands: [`grep -q "Note ${number}" ${notePath(number)}`] },
});

export const TASKS: readonly TaskInput[] = [task(1), task(2), task(3, 1), task(4, 2), task(5, 3), task(6, 4)];

const fixture = join(import.meta.dirname, '..', 'fixtures', 'node-repo');

/** Namespaces of walks have it. */
const WALKS = { 'chaos.example.com/walk': '' };

/** A namespace as a platform engineer makes it for a team: the persons' rights, and a Council for all tasks. */
const namespaceObjects = (name: string): readonly object[] => [
  { apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels: WALKS } },
  ...Object.entries(PERSONS).flatMap(([person, roles]) =>
    roles.map((role) => ({
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'RoleBinding',
      metadata: { name: `${person}-${role}`, namespace: name },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: `${RELEASE}-${role}` },
      subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: person }],
    })),
  ),
  {
    apiVersion: API_VERSION,
    kind: 'Council',
    metadata: { name: 'dev', namespace: name },
    spec: {
      role: 'DEV',
      default: true,
      model: { endpoint: 'scripted', name: scriptedModelName },
      workspace: { imageProfile: 'node' },
    },
  },
];

/** Takes away what walks that were ended in the midst of it left: their Stories would walk on. */
export const clearWalks = async ({ kubectl }: Environment): Promise<void> =>
  void (await kubectl('delete', 'namespaces', '--selector', Object.keys(WALKS).join(), '--wait=false'));

/** Makes namespaces, repositories and the watch. Nothing is asked of the operator yet but to look at the Councils. */
export const preparePair = async (environment: Environment, round: string): Promise<Pair> => {
  const one = async (letter: 'a' | 'b'): Promise<Walking> => {
    const namespace = `chaos-${round}-${letter}`;
    await environment.kubectl.apply(namespaceObjects(namespace));
    const repository = await environment.createRepository(namespace, fixture);
    const follower = await follow(environment.cluster.kubeconfig, namespace);
    return { namespace, name: STORY, branch: `fleet/${namespace}/${STORY}`, repository, follower };
  };
  return Promise.all([one('a'), one('b')]);
};

/** Alice applies, bob approves when the Plan can be: in both namespaces at once. */
export const applyPair = async (environment: Environment, pair: Pair): Promise<void> => {
  const objects = pair.flatMap(({ namespace, name, repository }) => {
    const input = { namespace, name };
    return [storyObject(input, repository), planObject(input, TASKS)];
  });
  await environment.as('alice').apply(objects);
};

export const approvePair = async (environment: Environment, pair: Pair, signal: AbortSignal): Promise<void> => {
  const approve = async ({ follower, namespace, name }: Walking): Promise<void> => {
    const plan = planName(name);
    await follower.until(
      ({ stories, plans }) =>
        stories[0]?.status?.phase === 'Design' && plans.some(({ status }) => status?.digest !== undefined) ? plans : undefined,
      signal,
    );
    const words = ['approve', 'plan', plan, '--namespace', namespace, '--yes', '--reason', 'reviewed'];
    // as a person would while the API is away: again
    while (!signal.aborted && (await environment.fleet('bob', ...words)).status !== 0) await delay(1_000);
  };
  await Promise.all(pair.map(approve));
};

export const tasksOf = (pair: Pair): readonly Task[] => pair.flatMap(({ follower }) => follower.view().tasks);

export const landed = (pair: Pair): number => tasksOf(pair).filter(({ status }) => status?.phase === 'Succeeded').length;

/** Both Stories have ended, however. */
export const endedPair = async (pair: Pair, signal: AbortSignal): Promise<void> => {
  const ended = ({ follower }: Walking): Promise<unknown> =>
    follower.until(({ stories }) => stories.find(({ status }) => STORY_ENDS.includes(status?.phase ?? 'Draft')), signal);
  await Promise.all(pair.map(ended));
};

/** Takes the namespaces away and does not wait for it: the next round has its own. */
export const leavePair = async (environment: Environment, pair: Pair): Promise<void> => {
  await Promise.all(pair.map(({ follower }) => follower.close()));
  await environment.kubectl.attempt('delete', 'namespaces', ...pair.map(({ namespace }) => namespace), '--wait=false');
};
