// Waits until a moment of the walk has come, and holds what it caught: the process of a step is stopped there and then, so that the fault
// strikes within that step however quick the step is.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Task } from '../../crds/kinds/task.ts';
import type { Moment, Reached } from './contract.ts';
import { landed, tasksOf, type Pair, type Walking } from './pair.ts';
import type { StepProcess } from './pod-processes.ts';
import type { Rig } from './rig.ts';

export interface Watch {
  readonly rig: Rig;
  readonly pair: Pair;
  readonly fits: (reached: Reached) => boolean;
  readonly signal: AbortSignal;
}

export const momentReached = async (moment: Moment, watch: Watch): Promise<Reached> => {
  if (moment === 'Story applied') return now('both Stories are applied');
  if (moment === 'Plan approved') return now('both Plans are approved');
  if (moment === 'Task succeeded') return anotherLanded(watch);
  if (moment === 'patch accepted') return patchAccepted(watch);
  if (moment === 'model asked') return modelAsked(watch);
  if (moment === 'commit pushed') return commitPushed(watch);
  return stepBegun(moment, watch);
};

const now = (what: string): Reached => ({ what, release: () => undefined });

const send = (pid: number, signal: NodeJS.Signals): boolean => {
  try {
    return process.kill(pid, signal);
  } catch {
    return false; // it has ended
  }
};

interface Owner {
  readonly task: Task;
  readonly walking: Walking;
}

const ownerOf = (pair: Pair, step: StepProcess): Owner | undefined => {
  const walking = pair.find(({ follower }) => follower.view().tasks.some(({ metadata }) => metadata.uid === step.taskUid));
  const task = walking?.follower.view().tasks.find(({ metadata }) => metadata.uid === step.taskUid);
  return walking === undefined || task === undefined ? undefined : { walking, task };
};

/** Stops the step. Undefined when it has ended already, or is none of the pair's. */
const hold = (pair: Pair, step: StepProcess, what: string): Reached | undefined => {
  const owner = ownerOf(pair, step);
  if (owner === undefined || !send(step.pid, 'SIGSTOP')) return undefined;
  const whose = `${owner.walking.namespace}/${owner.task.spec.task.id} attempt ${step.attempt}`;
  return { what: `${what} of ${whose} (held)`, step, walking: owner.walking, release: () => void send(step.pid, 'SIGCONT') };
};

/** Resolves with the first thing that is caught and fits; what does not fit is let go. */
const caught = async (
  { fits, signal }: Watch,
  listen: (offer: (found: Reached | undefined) => void) => () => void,
): Promise<Reached> =>
  new Promise((resolve, reject) => {
    let isOver = false;
    const leave = listen((found) => {
      if (found === undefined) return;
      if (isOver || !fits(found)) return found.release();
      isOver = true;
      queueMicrotask(() => leave());
      resolve(found);
    });
    signal.addEventListener('abort', () => {
      isOver = true;
      leave();
      reject(new Error('the walk ended before the moment came'));
    });
  });

const stepBegun = (moment: Moment, watch: Watch): Promise<Reached> =>
  caught(watch, (offer) => {
    const listener = (step: StepProcess): void => {
      if (`${step.kind} ${step.command.replace(/^courier-/, '')}` === moment) offer(hold(watch.pair, step, moment));
    };
    watch.rig.onStep.add(listener);
    return () => void watch.rig.onStep.delete(listener);
  });

/** The model has a request of a step that works; its answer is not there yet. */
const modelAsked = (watch: Watch): Promise<Reached> =>
  caught(watch, (offer) => {
    const working = new Set<StepProcess>();
    const onStep = (step: StepProcess): void => void (step.command === 'work' && working.add(step));
    const onRequest = (line: { readonly played?: string }): void => {
      const number = /^note-(\d)#/.exec(line.played ?? '')?.[1];
      const asking = [...working].filter((step) => ownerOf(watch.pair, step)?.task.spec.task.id === `t${number ?? ''}`);
      for (const step of asking) offer(hold(watch.pair, step, `the model is asked by the work`));
    };
    watch.rig.onStep.add(onStep);
    watch.rig.onModelRequest.add(onRequest);
    return () => {
      watch.rig.onStep.delete(onStep);
      watch.rig.onModelRequest.delete(onRequest);
    };
  });

export const headOf = ({ repository, branch }: Walking): string | undefined => {
  const file = join(repository.bare, 'refs', 'heads', branch);
  return existsSync(file) ? readFileSync(file, 'utf8').trim() : undefined;
};

const LOOK_MS = 5;

/** The branch has the courier's commit; the step that pushed it has not told yet. */
const commitPushed = async (watch: Watch): Promise<Reached> => {
  const before = watch.pair.map(headOf);
  const pushing = new Map<Walking, StepProcess>();
  const onStep = (step: StepProcess): void => {
    const owner = step.command === 'push' ? ownerOf(watch.pair, step) : undefined;
    if (owner !== undefined) pushing.set(owner.walking, step);
  };
  watch.rig.onStep.add(onStep);
  try {
    for (;;) {
      if (watch.signal.aborted) throw new Error('the walk ended before the moment came');
      const moved = watch.pair.find((walking, index) => headOf(walking) !== before[index]);
      if (moved === undefined) {
        await delay(LOOK_MS);
        continue;
      }
      const step = pushing.get(moved);
      const held = step === undefined ? undefined : hold(watch.pair, step, 'the branch moved, the push');
      const found = held ?? { ...now(`the branch of ${moved.namespace} moved, its push has ended`), walking: moved };
      if (watch.fits(found)) return found;
      found.release();
      before[watch.pair.indexOf(moved)] = headOf(moved);
    }
  } finally {
    watch.rig.onStep.delete(onStep);
  }
};

const fromView = async (watch: Watch, found: () => string | undefined): Promise<Reached> => {
  const what = await Promise.race(watch.pair.map(({ follower }) => follower.until(() => found(), watch.signal)));
  return now(what);
};

const anotherLanded = (watch: Watch): Promise<Reached> => {
  const before = landed(watch.pair);
  return fromView(watch, () => (landed(watch.pair) > before ? `${landed(watch.pair)} Tasks have succeeded` : undefined));
};

/** The operator has listed a patch that no courier carries yet. */
const patchAccepted = (watch: Watch): Promise<Reached> => {
  const waiting = (task: Task): boolean =>
    task.status?.attempts?.at(-1)?.patch !== undefined && task.status.attempts.at(-1)?.finishedAt === undefined;
  const before = new Set(
    tasksOf(watch.pair)
      .filter(waiting)
      .map(({ metadata }) => metadata.uid),
  );
  return fromView(watch, () => {
    const task = tasksOf(watch.pair).find((each) => waiting(each) && !before.has(each.metadata.uid));
    return task === undefined ? undefined : `the patch of ${task.metadata.namespace}/${task.spec.task.id} is listed`;
  });
};
