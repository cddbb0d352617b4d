// What must hold at every moment of a run, on the API server itself, whatever any cache says. Each is checked at each write.

import { controllerOf } from '../../crds/kinds/meta.ts';
import type { Job, Pod } from '../../controllers/kubernetes.ts';
import { isLive } from '../../controllers/task/job-reading.ts';
import { kindDefinitions, type Kind } from '../../crds/kinds/registry.ts';
import { LABEL_ATTEMPT, LABEL_WORKSPACE } from '../../crds/labels.ts';
import type { Plan } from '../../crds/kinds/plan.ts';
import { planTaskDigest } from '../../crds/digests.ts';
import type { Story } from '../../crds/kinds/story.ts';
import type { Task } from '../../crds/kinds/task.ts';
import { keyOf } from '../../kube/object.ts';
import type { Publication } from '../../runtime/bus/link.ts';
import type { ApiServer, SimObject } from './api-server.ts';

const TERMINAL: Readonly<Record<string, readonly string[]>> = {
  Task: ['Succeeded', 'Failed', 'Cancelled'],
  Story: ['Done', 'Failed', 'Cancelled'],
};

const nameOf = (object: SimObject): string => `${object.kind} ${keyOf(object.metadata)}`;

export class Broken extends Error {
  override readonly name = 'Broken';
}

const check = (holds: boolean, guarantee: string, what: string): void => {
  if (!holds) throw new Broken(`${guarantee}: ${what}`);
};

/** What of a story branch the checks ask. */
export interface Branch {
  /** Whether a commit of that plan task is on it. */
  has(taskId: string): boolean;
  /** Whether that commit is on it and says that it rests on that evidence. */
  rests(commit: string, evidence: string): boolean;
}

/** A Task that succeeded names a commit of its own: one that was made from its own evidence, not from an earlier revision's. */
const landedAnothers = (task: Task, branch: Branch): void => {
  const { phase, commit = '', evidence = '' } = task.status ?? {};
  if (phase === 'Succeeded')
    check(branch.rests(commit, evidence), 'G5', `Task ${task.metadata.name} succeeded with a commit that is not of its evidence`);
};

interface CommonStatus {
  readonly phase?: string;
  readonly eventSeq?: number;
  readonly outbox?: readonly { readonly seq: number }[];
}

const terminalPhaseLeft = (before: SimObject, after: SimObject): void => {
  const from = (before.status as CommonStatus | undefined)?.phase ?? '';
  const to = (after.status as CommonStatus | undefined)?.phase;
  check(
    !(TERMINAL[after.kind] ?? []).includes(from) || from === to,
    'G9',
    `${nameOf(after)} left its terminal phase ${from} for ${to}`,
  );
};

const eventsHaveGaps = (before: SimObject | undefined, after: SimObject): void => {
  const old = before?.status as CommonStatus | undefined;
  const status = after.status as CommonStatus | undefined;
  if (status === undefined) return;
  const fromSeq = old?.eventSeq ?? 0;
  const seqs = (status.outbox ?? []).map(({ seq }) => seq).filter((seq) => seq > fromSeq);
  const expected = Array.from({ length: (status.eventSeq ?? 0) - fromSeq }, (_, index) => fromSeq + index + 1);
  check(
    JSON.stringify(seqs) === JSON.stringify(expected),
    'G6',
    `${nameOf(after)}: events ${seqs.join()} after ${fromSeq}, not ${expected.join()}`,
  );
  if (old !== undefined && old.phase !== status.phase)
    check(expected.length > 0, 'G6', `${nameOf(after)} went from ${old.phase} to ${status.phase} without an event`);
};

const attemptsMiscounted = (before: SimObject | undefined, after: SimObject): void => {
  const old = (before as unknown as Task | undefined)?.status?.attempts ?? [];
  const attempts = (after as unknown as Task).status?.attempts ?? [];
  attempts.forEach(({ n }, index) => check(n === index + 1, 'G2', `${nameOf(after)}: attempt ${n} in place ${index + 1}`));
  for (const entry of old) {
    const now = attempts.find(({ n }) => n === entry.n);
    check(now !== undefined, 'G2', `${nameOf(after)}: attempt ${entry.n} was forgotten`);
    check(now?.jobUid === entry.jobUid, 'G2', `${nameOf(after)}: attempt ${entry.n} changed its Job`);
    if (entry.finishedAt !== undefined)
      check(JSON.stringify(now) === JSON.stringify(entry), 'G2', `${nameOf(after)}: attempt ${entry.n} changed after its end`);
  }
  check(
    attempts.filter(({ finishedAt }) => finishedAt === undefined).length <= 1,
    'G2',
    `${nameOf(after)}: two attempts are open`,
  );
};

const malformed = (object: SimObject): void => {
  const definition = kindDefinitions[object.kind as Kind] as (typeof kindDefinitions)[Kind] | undefined;
  if (definition === undefined) return;
  const spec = definition.spec.safeParse(object.spec);
  check(spec.success, 'schema', `${nameOf(object)}.spec: ${spec.error?.message ?? ''}`);
  if (object.status === undefined) return;
  const status = definition.status.safeParse(object.status);
  check(status.success, 'schema', `${nameOf(object)}.status: ${status.error?.message ?? ''}`);
};

/** At the request for a Job: its Task's dependencies have succeeded, and the Task is what was approved. */
const startedTooEarly = (job: SimObject, server: ApiServer, branch: Branch): void => {
  const task = server.list('Task').find(({ metadata }) => metadata.uid === controllerOf(job)?.uid) as unknown as Task | undefined;
  if (task === undefined) return;
  const tasks = server.list('Task') as unknown as readonly Task[];
  const story = server.list('Story').find(({ metadata }) => metadata.uid === task.spec.storyRef.uid) as unknown as
    Story | undefined;
  const plan = server.list('Plan').find(({ metadata }) => metadata.uid === task.spec.planRef.uid) as unknown as Plan | undefined;
  const wanted = plan?.status?.tasks ?? [];
  for (const id of task.spec.task.dependsOn) {
    const dependency = wanted.find((each) => each.id === id);
    const isDone = tasks.some(
      ({ spec, status }) =>
        spec.task.id === id &&
        dependency !== undefined &&
        spec.taskDigest === planTaskDigest(dependency) &&
        status?.phase === 'Succeeded',
    );
    // what landed has succeeded, also while the write that says so is still under way
    check(isDone || branch.has(id), 'G4', `${job.metadata.name} was asked for before ${id} had succeeded`);
  }
  const approval = plan?.spec.approval;
  check(
    approval?.verdict === 'Approved' && approval.digest === plan?.status?.digest,
    'G5',
    `${job.metadata.name} runs what nobody approved`,
  );
  check(plan?.status?.digest === task.spec.planRef.digest, 'G5', `${job.metadata.name} is of another digest than its plan`);
  check(planTaskDigest(task.spec.task) === task.spec.taskDigest, 'G5', `${job.metadata.name} is another task than it says`);
  check(story?.status?.plan !== undefined, 'G5', `${job.metadata.name} was asked for without a plan in force`);
};

const workspacesTwice = (server: ApiServer): void => {
  const podsOf = (uid: string): readonly Pod[] =>
    server.list('Pod').filter((pod) => controllerOf(pod)?.uid === uid) as unknown as readonly Pod[];
  const live = server.list('Job').filter((job) => isLive(job as unknown as Job, podsOf(job.metadata.uid)));
  const seen = new Map<string, string>();
  for (const { metadata } of live) {
    const labels = metadata.labels ?? {};
    const owner = metadata.ownerReferences?.[0]?.uid ?? '';
    const place = `${owner}/${labels[LABEL_ATTEMPT]}/${labels[LABEL_WORKSPACE]}`;
    const other = seen.get(place);
    check(other === undefined, 'G3', `${metadata.name} and ${other ?? ''} run at once for one attempt`);
    seen.set(place, metadata.name);
  }
};

/** Throws Broken with the guarantee's number. `before` is undefined for a new object. */
export const checkWrite =
  (branch: Branch) =>
  (server: ApiServer, before: SimObject | undefined, after: SimObject): void => {
    malformed(after);
    if (before !== undefined) terminalPhaseLeft(before, after);
    if (['Story', 'Plan', 'Task', 'Council'].includes(after.kind)) eventsHaveGaps(before, after);
    if (after.kind === 'Task') attemptsMiscounted(before, after);
    if (after.kind === 'Task') landedAnothers(after as unknown as Task, branch);
    if (after.kind !== 'Job') return;
    if (before === undefined) startedTooEarly(after, server, branch);
    workspacesTwice(server);
  };

/** Events of one object are taken in the order of their numbers, none left out. The check remembers the last of each object. */
export const makePublicationCheck = (): ((publication: Publication) => void) => {
  const last = new Map<string, number>();
  return ({ msgId }) => {
    if (msgId === undefined) return;
    const [uid = '', seq = ''] = msgId.split(':');
    const expected = (last.get(uid) ?? 0) + 1;
    check(Number(seq) === expected, 'G6', `event ${seq} of ${uid} was published when ${expected} was due`);
    last.set(uid, expected);
  };
};
