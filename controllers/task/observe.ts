// Gathers what the decision about a Task is made from: the Task, its Story, Plan, Council, Jobs and pods, its relatives, and its place;
// and the claims of many Tasks to a place, in one go.
// May: ask the snapshot. May not: judge.

import { attemptAccount, storyAccount } from '../../crds/contracts/commands.ts';
import { READER_ACCOUNT, WORKSPACE_ACCOUNT } from '../../crds/contracts/steps.ts';
import { isAssumed } from '../../crds/kinds/meta.ts';
import type { Council } from '../../crds/kinds/council.ts';
import type { Story } from '../../crds/kinds/story.ts';
import type { Task } from '../../crds/kinds/task.ts';
import type { Job, Pod } from '../kubernetes.ts';
import type { Snapshot, Usage } from '../snapshot.ts';
import { networkPolicyName } from '../workspace/network-policy.ts';
import { councilFor } from '../../crds/rules/councils.ts';
import { isFinished } from '../../crds/rules/phases.ts';
import { prerequisites } from './prerequisites.ts';
import { claimOf, type Claim } from './capacity.ts';
import { gpusOf } from './gpu.ts';
import { runJobs } from './job-identity.ts';
import { listedRecords } from './records.ts';
import type { NamespaceSeen, Receipts, Relative, TaskCore, TaskSeen } from './seen.ts';

const NONE: readonly never[] = [];

/** Also those that are being deleted: what runs of one that somebody's finalizer holds runs on. */
const jobsOf = (task: Task, snapshot: Snapshot): readonly Job[] => (isAssumed(task) ? NONE : snapshot.jobsOf(task.metadata.uid));

const gpuPods = (jobs: readonly Job[], snapshot: Snapshot): readonly Pod[] =>
  jobs.filter((job) => !isAssumed(job) && gpusOf(job) > 0).flatMap(({ metadata }) => snapshot.podsOf(metadata.uid));

/** Look-ups that many Tasks of one pass share: each is made once in a pass. */
interface Shared {
  readonly snapshot: Snapshot;
  readonly families: (storyUid: string) => readonly Relative[];
  /** The same with their Jobs: only a Task that has a workspace itself asks whose courier goes first. */
  readonly workingFamilies: (storyUid: string) => readonly Relative[];
  readonly stories: (storyUid: string) => Story | undefined;
  readonly councils: (storyAndRole: string, story: Story) => Council | undefined;
}

const remembered = <Value, Rest extends readonly unknown[]>(
  look: (key: string, ...rest: Rest) => Value,
): ((key: string, ...rest: Rest) => Value) => {
  const known = new Map<string, Value>();
  return (key, ...rest) => {
    if (!known.has(key)) known.set(key, look(key, ...rest));
    return known.get(key) as Value;
  };
};

/** The Jobs are those that `seenJobs` says, unless the Story has a budget of GPU seconds: then all count, with their pods. */
const relativesOf = (storyUid: string, snapshot: Snapshot, seenJobs: (task: Task) => readonly Job[]): readonly Relative[] => {
  const hasGpuBudget = snapshot.storyByUid(storyUid)?.spec.budget.gpuSeconds !== undefined;
  return snapshot.tasksOf(storyUid).map((task) => {
    if (!hasGpuBudget) return { task, jobs: seenJobs(task) };
    const jobs = jobsOf(task, snapshot);
    return { task, jobs, gpuPods: gpuPods(jobs, snapshot) };
  });
};

const sharedLookUps = (snapshot: Snapshot): Shared => ({
  snapshot,
  families: remembered((storyUid) => relativesOf(storyUid, snapshot, () => NONE)),
  workingFamilies: remembered((storyUid) =>
    relativesOf(storyUid, snapshot, (task) => (isFinished(task) ? NONE : jobsOf(task, snapshot))),
  ),
  stories: remembered((storyUid) => snapshot.storyByUid(storyUid)),
  councils: remembered((storyAndRole: string, story: Story) => {
    const role = storyAndRole.slice(storyAndRole.indexOf(' ') + 1);
    return councilFor(role, story, snapshot.councilsIn(story.metadata.namespace));
  }),
});

const coreOf = (task: Task, shared: Shared): TaskCore => {
  const { snapshot } = shared;
  const { storyRef, task: work } = task.spec;
  const { namespace } = task.metadata;
  const story = shared.stories(storyRef.uid);
  const jobs = jobsOf(task, snapshot);
  const hasBegun = jobs.length > 0 || (task.status?.attempts ?? NONE).length > 0;
  const inForce = story?.status?.plan;
  const plan = inForce === undefined ? undefined : snapshot.plan(`${namespace}/${inForce.name}`);
  return {
    task,
    story,
    plan: plan?.metadata.uid === inForce?.uid ? plan : undefined,
    council: story === undefined ? undefined : shared.councils(`${storyRef.uid} ${work.role}`, story),
    jobs,
    family: (hasBegun ? shared.workingFamilies : shared.families)(storyRef.uid),
    usage: snapshot.usage(storyAccount(storyRef.uid)),
  };
};

/** Of the newest attempt, listed or only seen by its Job. */
const attemptUsage = ({ task, jobs }: TaskCore, snapshot: Snapshot): Usage | undefined => {
  const newest = Math.max(0, ...[...listedRecords(task), ...runJobs(task, jobs)].map(({ n }) => n));
  return newest === 0 ? undefined : snapshot.usage(attemptAccount(task.metadata.uid, newest));
};

const receiptsOf = (jobs: readonly Job[], snapshot: Snapshot): Receipts =>
  Object.fromEntries(
    jobs.flatMap((job) => {
      const found = snapshot.receipt(job.metadata.uid);
      return found === undefined ? [] : [[job.metadata.uid, found] as const];
    }),
  );

const namespaceSeen = (namespace: string, snapshot: Snapshot): NamespaceSeen => ({
  workspaceAccount: snapshot.serviceAccount(`${namespace}/${WORKSPACE_ACCOUNT}`),
  readerAccount: snapshot.serviceAccount(`${namespace}/${READER_ACCOUNT}`),
  networkPolicy: snapshot.networkPolicy(`${namespace}/${networkPolicyName(snapshot.platform)}`),
});

export const observeTask = (key: string, snapshot: Snapshot): TaskSeen | undefined => {
  const task = snapshot.task(key);
  if (task === undefined) return undefined;
  const core = coreOf(task, sharedLookUps(snapshot));
  // a Job of its own is only asked for: it has no uid yet that could be listed, and the watch will tell of it
  if (core.jobs.some(isAssumed)) return undefined;
  return {
    ...core,
    pods: core.jobs.flatMap((job) => snapshot.podsOf(job.metadata.uid)),
    attemptUsage: attemptUsage(core, snapshot),
    receipts: receiptsOf(core.jobs, snapshot),
    place: snapshot.place(core),
    namespace: namespaceSeen(task.metadata.namespace, snapshot),
    platform: snapshot.platform,
    gateway: snapshot.gateway,
    storeAvailable: snapshot.storeAvailable,
    cursor: snapshot.eventCursor(task.metadata.uid),
  };
};

/** For one moment: how the claims of Tasks are judged, one that was observed, or any by its key. */
export interface Claims {
  of(core: TaskCore): Claim | undefined;
  /** undefined: it is gone, or finished. */
  at(key: string): Claim | undefined;
}

/** What of the Task of that key its own process knows alone. */
export interface Asked {
  /** Its next Job was refused a while ago, and is not asked for again before its date. */
  isRefused(key: string): boolean;
  /** Its next Job was asked for, and no answer came. */
  isUnsure(key: string): boolean;
}

export const makeClaims = (snapshot: Snapshot, now: number, asked: Asked): Claims => {
  const shared = sharedLookUps(snapshot);
  const { platform, storeAvailable, gateway } = snapshot;
  const judging = { platform, storeAvailable, gatewayKnown: gateway !== undefined, now };
  const isAltered = remembered(
    (namespace: string) => prerequisites(namespace, namespaceSeen(namespace, snapshot), platform).kind === 'altered',
  );
  const of = (core: TaskCore): Claim | undefined => {
    const { namespace, name } = core.task.metadata;
    const key = `${namespace}/${name}`;
    return claimOf(core, {
      ...judging,
      isBarred: asked.isRefused(key) || isAltered(namespace),
      isUnsure: asked.isUnsure(key),
    });
  };
  return {
    of,
    at: (key) => {
      const task = snapshot.task(key);
      return task === undefined || isFinished(task) ? undefined : of(coreOf(task, shared));
    },
  };
};
