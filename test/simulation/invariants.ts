// What must hold at every moment of a run, on the API server itself, whatever any cache says. Each is checked at each write, and names the
// guarantee that it holds. What a person may do to a system (a status wiped, an object deleted) excuses what follows from it, and no more.

import { isSameJson } from '../../crds/canonical.ts';
import { planDigest, planTaskDigest } from '../../crds/digests.ts';
import type { JobKind } from '../../crds/contracts/steps.ts';
import type { PlatformConfig } from '../../crds/contracts/platform.ts';
import { controllerOf } from '../../crds/kinds/meta.ts';
import type { Plan } from '../../crds/kinds/plan.ts';
import { kindDefinitions, type Kind } from '../../crds/kinds/registry.ts';
import { storyDeadlineMs } from '../../crds/rules/limits.ts';
import { isFinished } from '../../crds/rules/phases.ts';
import type { Story } from '../../crds/kinds/story.ts';
import type { Attempt, Task } from '../../crds/kinds/task.ts';
import { LABEL_ATTEMPT, LABEL_CANDIDATE, LABEL_WORKSPACE } from '../../crds/labels.ts';
import type { Job, Pod } from '../../controllers/kubernetes.ts';
import { gpuBudget } from '../../controllers/task/gpu.ts';
import type { TaskCore } from '../../controllers/task/seen.ts';
import type { Deliberation } from '../../crds/kinds/deliberation.ts';
import type { ApiServer, SimObject, Write } from './api-server.ts';
import { check, nameOf } from './broken.ts';
import { deliberationWritten } from './deliberations.ts';
import { isNodeLost } from './kubelet.ts';
import type { Repository } from './repository.ts';

const TERMINAL: Readonly<Record<string, readonly string[]>> = {
  Task: ['Succeeded', 'Failed', 'Cancelled'],
  Story: ['Done', 'Failed', 'Cancelled'],
  Deliberation: ['Completed', 'Failed', 'TimedOut'],
};
const OPERATOR = 'operator';
/** What etcd takes of one object. */
const MOST_CHARACTERS = 1_500_000;

/** What the operator may do to an object of a kind whose controller is (or was) of that kind. */
const MAY: Readonly<Record<Write['verb'], (kind: string, owner: string | undefined) => boolean>> = {
  create: (kind, owner) => owner !== undefined || ['ServiceAccount', 'NetworkPolicy'].includes(kind),
  apply: (kind, owner) => kind === 'Task' && owner === 'Story',
  'apply status': (kind) => kind in kindDefinitions,
  update: () => false,
  delete: (kind, owner) => kind === 'Job' && owner === 'Task',
};

export const phaseOf = (object: SimObject | undefined): string | undefined =>
  (object?.status as { readonly phase?: string } | undefined)?.phase;
export const isTerminal = (object: SimObject): boolean => (TERMINAL[object.kind] ?? []).includes(phaseOf(object) ?? '');

interface CommonStatus {
  readonly phase?: string;
  readonly eventSeq?: number;
  readonly outbox?: readonly { readonly seq: number }[];
}

const recordsOf = (object: SimObject | undefined): readonly Attempt[] =>
  (object as unknown as Task | undefined)?.status?.attempts ?? [];
const hasEnded = (job: Job): boolean =>
  job.status?.conditions?.some(({ type, status }) => ['Complete', 'Failed'].includes(type) && status === 'True') === true;
/** The last step of its pod, which reports or pushes, has ended well: nothing of the workspace runs any more. */
const hasDelivered = ({ status }: Pod): boolean =>
  status?.containerStatuses?.some(({ state }) => state?.terminated?.exitCode === 0) === true;

/** By a person who is not its author, for that digest; or by nobody, where the gate is open. */
const isApproved = (plan: Plan | undefined, digest: string, story: Story | undefined): boolean => {
  const { approval, author } = plan?.spec ?? {};
  if (approval === undefined) return (story?.status?.gates?.design ?? story?.spec.gates.design) === 'Auto';
  return approval.verdict === 'Approved' && approval.digest === digest && approval.by !== author;
};

/** As its status says it. While that write is under way: what text and scope give, as it is never another. */
const digestOf = (plan: Plan | undefined, story: Story | undefined): string | undefined => {
  if (plan?.status?.digest !== undefined) return plan.status.digest;
  const scope = story?.status?.scopeDigest;
  if (plan === undefined || story === undefined || scope === undefined) return undefined;
  const { revision, tasks = [] } = plan.spec;
  return planDigest({ storyUid: story.metadata.uid, scopeDigest: scope, revision, tasks });
};

export interface Scene {
  readonly server: ApiServer;
  readonly repository: Repository;
  readonly platform: PlatformConfig;
  /** The highest number of an event of that object which the store took. */
  readonly toldUpTo: (uid: string) => number;
  /** The server's version when the process that makes the present request began; undefined while others may act beside it. */
  readonly aloneSince: () => number | undefined;
  /** By the clock of the process that makes the present request; epoch milliseconds. */
  readonly nowMs: () => number;
}

export class Invariants {
  readonly #scene: Scene;
  /** Uids of objects whose status somebody wiped. */
  readonly #wiped = new Set<string>();
  /** Versions at which Jobs were created, by uid. */
  readonly #jobs = new Map<string, number>();

  constructor(scene: Scene) {
    this.#scene = scene;
  }

  isWiped(uid: string): boolean {
    return this.#wiped.has(uid);
  }

  onWrite(write: Write): void {
    const { before, after, who } = write;
    if (who === OPERATOR) this.#mayWrite(write);
    if (after === undefined) return;
    this.#bounded(after, before);
    if (before?.status !== undefined && after.status === undefined) this.#wiped.add(after.metadata.uid);
    if (before?.metadata.uid === after.metadata.uid) this.#terminalPhaseLeft(before, after);
    if (['Story', 'Plan', 'Task', 'Council', 'Deliberation'].includes(after.kind) && after.status !== undefined)
      this.#eventsHaveGaps(before, after);
    this.#ofItsKind(before, after);
  }

  #ofItsKind(before: SimObject | undefined, after: SimObject): void {
    switch (after.kind) {
      case 'Deliberation':
        if (after.status !== before?.status) this.#deliberates(before, after);
        break;
      case 'Task':
        this.#attemptsMiscounted(before, after);
        this.#landedAnothers(after);
        break;
      case 'Job':
        if (before === undefined) this.#jobCreated(after);
        this.#workspacesTwice(after);
    }
  }

  #deliberates(before: SimObject | undefined, after: SimObject): void {
    const { server, platform, aloneSince } = this.#scene;
    const all = (): readonly Deliberation[] => server.list('Deliberation') as unknown as readonly Deliberation[];
    const isAlone = (): boolean => aloneSince() !== undefined && !this.#deliberationsWiped();
    deliberationWritten(before, after, { isWiped: this.#wiped.has(after.metadata.uid), scene: { platform, all, isAlone } });
  }

  /** One that begins anew stands in line again, and those that went on meanwhile did not know. */
  #deliberationsWiped(): boolean {
    return this.#scene.server.list('Deliberation').some(({ metadata }) => this.#wiped.has(metadata.uid));
  }

  /** G12 and G16: what is not the operator's it neither deletes nor rewrites, and it holds up no deletion. */
  #mayWrite({ verb, before, after }: Write): void {
    const object = after ?? before;
    if (object === undefined || object.kind === 'Event') return;
    const owner = controllerOf(object);
    const ownerKind = owner === undefined ? undefined : this.#scene.server.lastOf(owner.uid)?.kind;
    check(MAY[verb](object.kind, ownerKind), 'G12', () => `the operator may not ${verb} ${nameOf(object)}`);
    const holds = (each: SimObject | undefined): number => each?.metadata.finalizers?.length ?? 0;
    check(holds(after) <= holds(before), 'G16', () => `a finalizer was added to ${nameOf(object)}`);
  }

  #bounded(after: SimObject, before: SimObject | undefined): void {
    const definition = kindDefinitions[after.kind as Kind] as (typeof kindDefinitions)[Kind] | undefined;
    if (definition === undefined || after.status === before?.status || after.status === undefined) return;
    const status = definition.status.safeParse(after.status);
    check(status.success, 'G11', () => `${nameOf(after)}.status: ${status.error?.message ?? ''}`);
    check(JSON.stringify(after).length < MOST_CHARACTERS, 'G11', () => `${nameOf(after)} is too large`);
  }

  #terminalPhaseLeft(before: SimObject, after: SimObject): void {
    if (!isTerminal(before) || after.status === undefined) return;
    check(
      phaseOf(before) === phaseOf(after),
      'G9',
      () => `${nameOf(after)} left its terminal phase ${phaseOf(before) ?? ''} for ${phaseOf(after) ?? ''}`,
    );
  }

  #eventsHaveGaps(before: SimObject | undefined, after: SimObject): void {
    const old = before?.status as CommonStatus | undefined;
    const status = after.status as CommonStatus;
    if (old === undefined && this.#wiped.has(after.metadata.uid)) return; // it may begin anew, or behind what was published
    const oldSeq = old?.eventSeq ?? 0;
    const seqs = (status.outbox ?? []).map(({ seq }) => seq).filter((seq) => seq > oldSeq);
    // events that were under way when their status was wiped have their numbers, as far as the operator knows by now
    const toldSeq = this.#wiped.has(after.metadata.uid) ? this.#scene.toldUpTo(after.metadata.uid) : 0;
    const fromSeq = Math.max(oldSeq, Math.min(toldSeq, (seqs[0] ?? 0) - 1));
    const expected = Array.from({ length: Math.max(0, (status.eventSeq ?? 0) - fromSeq) }, (_, index) => fromSeq + index + 1);
    check(
      isSameJson(seqs, expected),
      'G6',
      () => `${nameOf(after)}: events ${seqs.join()} after ${fromSeq}, not ${expected.join()}`,
    );
    check((status.eventSeq ?? 0) >= fromSeq, 'G6', () => `${nameOf(after)}: event numbers went back from ${fromSeq}`);
    if (old !== undefined && old.phase !== status.phase)
      check(expected.length > 0, 'G6', () => `${nameOf(after)} went from ${old.phase} to ${status.phase} without an event`);
  }

  #attemptsMiscounted(before: SimObject | undefined, after: SimObject): void {
    const [old, attempts] = [recordsOf(before), recordsOf(after)];
    if (old === attempts || after.status === undefined) return;
    const name = nameOf(after);
    if (!this.#wiped.has(after.metadata.uid))
      attempts.forEach(({ n }, index) => check(n === index + 1, 'G2', () => `${name}: attempt ${n} in place ${index + 1}`));
    for (const entry of old) {
      const now = attempts.find(({ n }) => n === entry.n);
      check(now !== undefined, 'G2', () => `${name}: attempt ${entry.n} was forgotten`);
      check(now?.jobUid === entry.jobUid, 'G2', () => `${name}: attempt ${entry.n} changed its Job`);
      if (entry.finishedAt !== undefined)
        check(isSameJson(now, entry), 'G2', () => `${name}: attempt ${entry.n} changed after its end`);
    }
    for (const { n, jobUid } of attempts)
      check(this.#jobs.has(jobUid), 'G2', () => `${name}: attempt ${n} names Job ${jobUid}, which never was`);
    const open = attempts.filter(({ finishedAt }) => finishedAt === undefined);
    check(open.length <= 1, 'G2', () => `${name}: two attempts are open`);
  }

  /** A Task that succeeded names a commit of its own: one that was made from its own evidence, not from an earlier revision's. */
  #landedAnothers(task: SimObject): void {
    const { phase, commit = '', evidence = '' } = (task as unknown as Task).status ?? {};
    if (phase !== 'Succeeded') return;
    const rests = this.#scene.repository.rests(commit, evidence);
    check(rests, 'G5', () => `${nameOf(task)} has succeeded with a commit that is not on the branch, or not of its evidence`);
  }

  #jobCreated(job: SimObject): void {
    this.#jobs.set(job.metadata.uid, this.#scene.server.version);
    const task = this.#scene.server.lastOf(controllerOf(job)?.uid ?? '') as unknown as Task | undefined;
    if (task === undefined) return;
    this.#startedTooEarly(job, task);
    this.#notApproved(job, task);
    if (job.metadata.labels?.[LABEL_WORKSPACE] === 'attempt') this.#placesExceeded(job, task);
  }

  /** G4: the dependencies have succeeded, in Tasks of the same content, or their commits are on the branch. */
  #startedTooEarly(job: SimObject, task: Task): void {
    const { server, repository } = this.#scene;
    const { storyRef, planRef, task: work } = task.spec;
    const plan = server.lastOf(planRef.uid) as unknown as Plan | undefined;
    for (const id of work.dependsOn) {
      const wanted = plan?.status?.tasks?.find((each) => each.id === id) ?? plan?.spec.tasks?.find((each) => each.id === id);
      const isDone = (server.list('Task') as unknown as readonly Task[]).some(
        ({ spec, status }) =>
          spec.storyRef.uid === storyRef.uid &&
          spec.task.id === id &&
          wanted !== undefined &&
          spec.taskDigest === planTaskDigest(wanted) &&
          status?.phase === 'Succeeded',
      );
      // what landed has succeeded, also while the write that says so is still under way
      const has = isDone || repository.has(storyRef.uid, id);
      check(has, 'G4', () => `${job.metadata.name} was asked for before ${id} had succeeded`);
    }
  }

  /** G5: what runs is what was approved, by digest. A Plan that was deleted meanwhile was approved as it last was. */
  #notApproved({ metadata: { name } }: SimObject, { spec }: Task): void {
    const { server } = this.#scene;
    const { storyRef, planRef, task: work, taskDigest } = spec;
    const story = server.lastOf(storyRef.uid) as unknown as Story | undefined;
    const plan = server.lastOf(planRef.uid) as unknown as Plan | undefined;
    const isWiped = this.#wiped.has(planRef.uid);
    check(isApproved(plan, planRef.digest, story), 'G5', () => `${name} runs what nobody approved`);
    check(isWiped || digestOf(plan, story) === planRef.digest, 'G5', () => `${name} is of another digest than its plan`);
    check(planTaskDigest(work) === taskDigest, 'G5', () => `${name} is another task than it says`);
    const approved = (plan?.status?.tasks ?? plan?.spec.tasks)?.find(({ id }) => id === work.id);
    check(approved !== undefined && planTaskDigest(approved) === taskDigest, 'G5', () => `${name} is not what its plan says`);
    const isInForce = story?.status?.plan !== undefined || this.#wiped.has(storyRef.uid);
    check(isInForce, 'G5', () => `${name} has no plan in force`);
  }

  #podsOf(job: SimObject): readonly Pod[] {
    return this.#scene.server.ownedBy(job.metadata.uid, 'Pod') as unknown as readonly Pod[];
  }

  /** Something of it may still run, as the server knows it. */
  #isLive(job: SimObject): boolean {
    return !hasEnded(job as unknown as Job) && this.#podsOf(job).every((pod) => !hasDelivered(pod) && !isNodeLost(pod));
  }

  /** G3: one live workspace for each attempt, candidate and kind. */
  #workspacesTwice(job: SimObject): void {
    const place = ({ metadata }: SimObject): string =>
      [LABEL_ATTEMPT, LABEL_CANDIDATE, LABEL_WORKSPACE].map((label) => metadata.labels?.[label]).join('/');
    const owner = controllerOf(job)?.uid ?? '';
    const [first, second] = this.#scene.server
      .ownedBy(owner, 'Job')
      .filter((other) => place(other) === place(job) && this.#isLive(other));
    check(
      second === undefined,
      'G3',
      () => `${first?.metadata.name ?? ''} and ${second?.metadata.name ?? ''} run at once for one attempt`,
    );
  }

  /** Its workspaces are given up, by the clock of who decides it. */
  #isGpuSpent(story: Story): boolean {
    if (story.spec.budget.gpuSeconds === undefined) return false;
    const { server, nowMs } = this.#scene;
    const tasks = server.list('Task').filter(({ spec }) => (spec as Task['spec']).storyRef.uid === story.metadata.uid);
    const family = tasks.map((task) => {
      const jobs = server.ownedBy(task.metadata.uid, 'Job');
      return { task, jobs, gpuPods: jobs.flatMap((job) => this.#podsOf(job)) };
    });
    return gpuBudget({ story, family } as unknown as TaskCore, nowMs())?.isSpent === true;
  }

  /** A Task that goes on, and whose latest attempt has a workspace that lives. What is past its deadline gives its place back, as what is cancelled does. */
  #hasPlace(task: SimObject): boolean {
    const { server, nowMs } = this.#scene;
    const { spec, status } = task as unknown as Task;
    const story = server.byUid(spec.storyRef.uid) as unknown as Story | undefined;
    if (spec.cancel || isTerminal(task) || story === undefined || story.spec.cancel || isFinished(story)) return false;
    if ((storyDeadlineMs(story) ?? Infinity) <= nowMs() || this.#isGpuSpent(story)) return false;
    const jobs = server.ownedBy(task.metadata.uid, 'Job');
    const latest = Math.max(0, ...jobs.map(({ metadata }) => Number(metadata.labels?.[LABEL_ATTEMPT])));
    const isOf = (job: SimObject, kind: JobKind, n: number): boolean =>
      job.metadata.labels?.[LABEL_WORKSPACE] === kind && Number(job.metadata.labels[LABEL_ATTEMPT]) === n;
    // what was given up is written down first, and its Job deleted when that is seen: one that cannot go keeps nobody
    const isGivenUp = (job: SimObject): boolean =>
      status?.attempts?.some(({ jobUid, finishedAt }) => jobUid === job.metadata.uid && finishedAt !== undefined) ?? false;
    return jobs.some((job) => isOf(job, 'attempt', latest) && this.#isLive(job) && !isGivenUp(job));
  }

  /** Capacity is exact within one leader: it counts what was there when it began and what it asked for itself. */
  #placesExceeded(job: SimObject, task: Task): void {
    const { server, platform, aloneSince } = this.#scene;
    if (aloneSince() === undefined) return;
    const placed = server.list('Task').filter((each) => this.#hasPlace(each)) as unknown as readonly Task[];
    const { capacity } = platform;
    const mine = placed.filter(({ metadata }) => metadata.namespace === task.metadata.namespace);
    const ofStory = placed.filter(({ spec }) => spec.storyRef.uid === task.spec.storyRef.uid);
    const most = (found: readonly Task[], places: number, whose: string): void =>
      check(
        found.length <= places,
        'capacity',
        () =>
          `${job.metadata.name} is one too many for ${whose}: ${found.map(({ metadata }) => metadata.name).join(', ')} of ${places}`,
      );
    most(placed, capacity.workspaces, 'the cluster');
    most(mine, capacity.perNamespace, 'its namespace');
    most(ofStory, capacity.perStory, 'its Story');
  }
}
