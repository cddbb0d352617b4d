// Gathers what the decision about a Task is made from: the Task, its Story, Plan, Council, Jobs and pods, its relatives, and the
// unfinished Tasks with which it competes for capacity.
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
import { gpusOf } from './gpu.ts';
import { runJobs } from './job-identity.ts';
import { listedRecords } from './records.ts';
import { type NamespaceSeen, type Receipts, type Relative, type TaskCore, type TaskSeen } from './seen.ts';

const livingJobs = (task: Task, snapshot: Snapshot): readonly Job[] =>
  isAssumed(task) ? [] : snapshot.jobsOf(task.metadata.uid).filter(({ metadata }) => metadata.deletionTimestamp === undefined);

const gpuPods = (jobs: readonly Job[], snapshot: Snapshot): readonly Pod[] =>
  jobs.filter((job) => !isAssumed(job) && gpusOf(job) > 0).flatMap(({ metadata }) => snapshot.podsOf(metadata.uid));

/** Look-ups that many Tasks of one pass share: each is made once in a pass. */
interface Shared {
  readonly snapshot: Snapshot;
  readonly families: (storyUid: string) => readonly Relative[];
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

const sharedLookUps = (snapshot: Snapshot): Shared => ({
  snapshot,
  families: remembered((storyUid) => {
    const hasGpuBudget = snapshot.storyByUid(storyUid)?.spec.budget.gpuSeconds !== undefined;
    return snapshot.tasksOf(storyUid).map((task) => {
      const jobs = livingJobs(task, snapshot);
      return { task, jobs, ...(hasGpuBudget ? { gpuPods: gpuPods(jobs, snapshot) } : {}) };
    });
  }),
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
  const inForce = story?.status?.plan;
  const plan = inForce === undefined ? undefined : snapshot.plan(`${namespace}/${inForce.name}`);
  return {
    task,
    story,
    plan: plan?.metadata.uid === inForce?.uid ? plan : undefined,
    council: story === undefined ? undefined : shared.councils(`${storyRef.uid} ${work.role}`, story),
    jobs: livingJobs(task, snapshot),
    family: shared.families(storyRef.uid),
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
      const found = isAssumed(job) ? undefined : snapshot.receipt(job.metadata.uid);
      return found === undefined ? [] : [[job.metadata.uid, found] as const];
    }),
  );

const namespaceSeen = (namespace: string, snapshot: Snapshot): NamespaceSeen => ({
  workspaceAccount: snapshot.serviceAccount(`${namespace}/${WORKSPACE_ACCOUNT}`),
  readerAccount: snapshot.serviceAccount(`${namespace}/${READER_ACCOUNT}`),
  networkPolicy: snapshot.networkPolicy(`${namespace}/${networkPolicyName(snapshot.platform)}`),
});

const rivalsOf = ({ task }: TaskCore, shared: Shared): readonly TaskCore[] =>
  shared.snapshot
    .unfinishedTasks()
    .filter(({ metadata }) => metadata.uid !== task.metadata.uid)
    .map((rival) => coreOf(rival, shared));

export const observeTask = (key: string, snapshot: Snapshot): TaskSeen | undefined => {
  const task = snapshot.task(key);
  if (task === undefined) return undefined;
  const shared = sharedLookUps(snapshot);
  const core = coreOf(task, shared);
  return {
    ...core,
    pods: core.jobs.flatMap((job) => (isAssumed(job) ? [] : snapshot.podsOf(job.metadata.uid))),
    attemptUsage: attemptUsage(core, snapshot),
    receipts: receiptsOf(core.jobs, snapshot),
    rivals: () => rivalsOf(core, shared),
    namespace: namespaceSeen(task.metadata.namespace, snapshot),
    platform: snapshot.platform,
    gateway: snapshot.gateway,
    storeAvailable: snapshot.storeAvailable,
    cursor: snapshot.eventCursor(task.metadata.uid),
  };
};
