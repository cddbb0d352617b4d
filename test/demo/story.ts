// The demo's Story, from `kubectl apply` to its end. Everything goes the way a person would go: kubectl as alice, kubectl fleet as bob.
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Plan } from '../../crds/kinds/plan.ts';
import type { StoryPhase } from '../../crds/kinds/story.ts';
import type { Repository, Environment } from '../environment/environment.ts';
import { follow, type Follower, type View } from '../environment/watching.ts';
import { seconds, type Progress } from './progress.ts';

const root = join(import.meta.dirname, '..', '..');
const example = (file: string): string => join(root, 'examples', file);
const STORY = 'say-goodbye';
const PLAN = 'say-goodbye-1';
const REPOSITORY = 'pocket-greetings';
const COUNTDOWN_SECONDS = { terminal: 20, nobody: 3 };
const ENDS: readonly StoryPhase[] = ['Done', 'Failed', 'Cancelled'];

export interface DemoOptions {
  readonly environment: Environment;
  readonly namespace: string;
  readonly progress: Progress;
  readonly approveAtOnce: boolean;
  readonly signal: AbortSignal;
}

export interface FinishedStory {
  readonly name: string;
  readonly phase: StoryPhase;
  readonly branch: string;
  readonly repository: Repository;
}

export const runStory = async (options: DemoOptions): Promise<FinishedStory> => {
  const { environment, namespace, progress, signal } = options;
  progress.say('\nA Story becomes a commit');
  const repository = await progress.step('git repository', async () => {
    await environment.as('alice')('delete', 'stories,plans', '--all', '--namespace', namespace); // of an earlier demo in a kept cluster
    return environment.createRepository(REPOSITORY, join(root, 'test', 'fixtures', 'node-repo'));
  });
  progress.say(`    ${repository.url} (main at ${repository.head.slice(0, 10)})`);
  const follower = await follow(environment.cluster.kubeconfig, namespace);
  try {
    await progress.step('alice: kubectl apply -f examples/story.yaml -f examples/plan.yaml', () =>
      environment.as('alice')('apply', '-f', example('story.yaml'), '-f', example('plan.yaml')),
    );
    const plan = await progress.step('the Story is looked at, the Plan is parsed', () => follower.until(planToApprove, signal));
    await approve(options, plan);
    return await toTheEnd(options, follower, repository);
  } finally {
    await follower.close();
  }
};

const planToApprove = ({ stories, plans }: View): Plan | undefined => {
  const waiting = stories.some((story) => story.metadata.name === STORY && story.status?.phase === 'Design');
  return waiting ? plans.find((plan) => plan.metadata.name === PLAN && plan.status?.digest !== undefined) : undefined;
};

const approve = async ({ environment, namespace, progress, approveAtOnce, signal }: DemoOptions, plan: Plan): Promise<void> => {
  progress.say(`\n${await environment.as('bob')('get', 'stories,plans', '--namespace', namespace)}`);
  progress.say(`The Plan waits for a person who is not its author. It has ${plan.status?.taskCount ?? 0} tasks:`);
  for (const task of plan.status?.tasks ?? [])
    progress.say(
      `    ${task.phase.padEnd(6)} ${task.id}: ${task.title} [${task.fileScope.join(' ')}] tested by ${task.verify.commands.join('; ')}`,
    );
  progress.say(`    digest ${plan.status?.digest ?? ''}\n`);
  if (!approveAtOnce) await untilSomebodyAgrees(progress, signal);
  const argv = ['approve', 'plan', PLAN, '--namespace', namespace, '--yes', '--reason', 'the demo says so'];
  const end = await progress.step(`bob: kubectl fleet ${argv.slice(0, 3).join(' ')}`, () => environment.fleet('bob', ...argv));
  if (end.status !== 0) throw new Error(`kubectl fleet approve failed:\n${end.stdout}${end.stderr}`);
};

/** Enter approves at once; without anybody the countdown does. */
const untilSomebodyAgrees = async (progress: Progress, signal: AbortSignal): Promise<void> => {
  const terminal = process.stdin.isTTY;
  const wait = terminal ? COUNTDOWN_SECONDS.terminal : COUNTDOWN_SECONDS.nobody;
  progress.say(
    terminal
      ? `Press Enter to approve it as bob (by itself in ${wait} s).`
      : `Nobody is at the terminal: bob approves it in ${wait} s.`,
  );
  await new Promise<void>((resolve, reject) => {
    const lines = terminal ? createInterface({ input: process.stdin }) : undefined;
    const timer = setTimeout(() => end(resolve), wait * 1000);
    const end = (then: () => void): void => {
      clearTimeout(timer);
      lines?.close();
      then();
    };
    lines?.once('line', () => end(resolve));
    signal.addEventListener('abort', () => end(() => reject(new Error('interrupted'))), { once: true });
  });
};

const toTheEnd = async (
  { progress, signal }: DemoOptions,
  follower: Follower,
  repository: Repository,
): Promise<FinishedStory> => {
  const startedAt = Date.now();
  const said = new Map<string, string>();
  const tell = (view: View): void => {
    for (const [name, line] of linesOf(view)) {
      if (said.get(name) === line) continue;
      said.set(name, line);
      progress.say(`    ${seconds(startedAt).padStart(7)}  ${name.padEnd(32)} ${line}`);
    }
  };
  follower.onChange(tell);
  tell(follower.view());
  return follower.until(({ stories }) => {
    const story = stories.find((candidate) => candidate.metadata.name === STORY);
    const phase = story?.status?.phase;
    if (phase === undefined || !ENDS.includes(phase)) return undefined;
    return { name: STORY, phase, branch: story?.status?.branch ?? '', repository };
  }, signal);
};

const linesOf = ({ stories, tasks }: View): readonly (readonly [string, string])[] => {
  const story = stories.map((object) => [`story ${object.metadata.name}`, stateOf(object.status)] as const);
  const task = tasks.map((object) => [`task  ${object.spec.task.id}`, stateOf(object.status)] as const);
  return [...story, ...task];
};

const stateOf = (
  status: { readonly phase?: string | undefined; readonly waitingFor?: string | undefined } | undefined,
): string => {
  if (status?.phase === undefined) return 'new';
  return status.waitingFor === undefined || status.waitingFor === '' ? status.phase : `${status.phase}: ${status.waitingFor}`;
};
