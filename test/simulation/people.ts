// What people do in a simulation when they look at the cluster: they approve, they answer what needs a person, and they put back what is
// missing. Each habit says what somebody would do now; what nobody needs to do is nothing.

import type { Deliberation } from '../../crds/kinds/deliberation.ts';
import type { Story } from '../../crds/kinds/story.ts';
import type { Plan } from '../../crds/kinds/plan.ts';
import type { PlanTask } from '../../crds/kinds/plan-task.ts';
import type { Task } from '../../crds/kinds/task.ts';
import { scopeDigest } from '../../crds/digests.ts';
import { keyOf, type KubeObject } from '../../kube/object.ts';
import { plan, unstored } from '../builders/objects.ts';
import type { ApiServer, SimObject } from './api-server.ts';
import { isTerminal } from './invariants.ts';
import type { Habit, Move } from './scenario.ts';

type Fields = Readonly<Record<string, unknown>>;

const isLeft = ({ metadata }: SimObject): boolean =>
  metadata.name.startsWith('broken-') || metadata.deletionTimestamp !== undefined;

/** Those that people look after: not malformed, not being deleted, not finished. */
const open = (server: ApiServer, kind: string): readonly SimObject[] =>
  server.list(kind).filter((object) => !isLeft(object) && !isTerminal(object));

export const edit = (server: ApiServer, kind: string, key: string, spec: Fields): void => {
  server.update('person', kind, key, (draft): SimObject => ({ ...draft, spec: { ...draft.spec, ...spec } }));
};

const stalledReason = ({ status }: SimObject): string | undefined => {
  const conditions = (status as Task['status'])?.conditions ?? [];
  return conditions.find((condition) => condition.type === 'Stalled' && condition.status === 'True')?.reason;
};

const plansOf = (server: ApiServer, story: SimObject): readonly Plan[] =>
  (server.list('Plan').filter((each) => !isLeft(each)) as unknown as readonly Plan[])
    .filter(({ metadata, spec }) => metadata.namespace === story.metadata.namespace && spec.storyRef.name === story.metadata.name)
    .sort((a, b) => a.spec.revision - b.spec.revision);

const approvesPlans: Habit = (server) =>
  open(server, 'Plan').flatMap((object): Move[] => {
    const { spec, status, metadata } = object as unknown as Plan;
    if (status?.phase !== 'Parsed' || status.digest === undefined || spec.approval !== undefined) return [];
    const story = server.get('Story', `${metadata.namespace}/${spec.storyRef.name}`) as unknown as Story | undefined;
    if (story?.spec.gates.design === 'Auto') return []; // it opens by itself
    // now and then she looked at something else: that approval counts for nothing
    const digest = status.digest.startsWith('sha256:0') ? `sha256:${'f'.repeat(64)}` : status.digest;
    const approval = { verdict: 'Approved', by: 'grace', digest };
    return [{ what: `grace approves plan ${keyOf(metadata)}`, make: () => edit(server, 'Plan', keyOf(metadata), { approval }) }];
  });

/** The verdict that the Story's sentence asks for. */
const wantedVerdict = ({ spec, status }: Story): { readonly gate: string; readonly digest: string } | undefined => {
  if (status?.conditions?.some(({ reason }) => reason === 'ScopeShut') === true)
    return { gate: 'scope', digest: scopeDigest(spec) };
  const isShut = status?.conditions?.some(({ type, reason }) => type === 'Succeeded' && reason === 'GateShut') === true;
  if (!isShut) return undefined;
  return { gate: status.phase === 'Docs' ? 'docs' : 'test', digest: status.headCommit ?? status.baseCommit ?? '' };
};

const opensGates: Habit = (server) =>
  open(server, 'Story').flatMap((object): Move[] => {
    const story = object as unknown as Story;
    const wanted = wantedVerdict(story);
    const approvals = story.spec.approvals ?? [];
    if (wanted === undefined || approvals.some(({ gate, digest }) => gate === wanted.gate && digest === wanted.digest)) return [];
    const key = keyOf(story.metadata);
    // a commit whose id begins so is sent back, once
    const isSentBack =
      wanted.gate !== 'scope' && wanted.digest.startsWith('0') && approvals.every(({ gate }) => gate === 'scope');
    const verdict = isSentBack ? 'Rejected' : 'Approved';
    const approval = { ...wanted, verdict, by: 'grace' };
    return [
      {
        what: `grace says ${verdict} at gate ${wanted.gate} of ${key}`,
        make: () => edit(server, 'Story', key, { approvals: [...approvals, approval] }),
      },
    ];
  });

const USED_UP: readonly string[] = ['AttemptsUsedUp', 'InfrastructureRetriesUsedUp'];
/** What ends by itself, or what somebody else mends. */
const PASSING: readonly string[] = ['WriteRefused', 'TaskLost', 'OwnerChanged'];
const MOST_EXTRA = 5;
const MOST_REVISIONS = 6;

const cancels = (server: ApiServer, kind: string, key: string): Move => ({
  what: `ada gives ${kind} ${key} up`,
  make: () => edit(server, kind, key, { cancel: true }),
});

const helpsTasks: Habit = (server) =>
  open(server, 'Task').flatMap((object): Move[] => {
    const reason = stalledReason(object);
    const task = object as unknown as Task;
    if (reason === undefined || PASSING.includes(reason) || task.spec.cancel) return [];
    const key = keyOf(task.metadata);
    const extraAttempts = task.spec.extraAttempts + 1;
    if (reason === 'NetworkPolicyAltered') return [];
    if (!USED_UP.includes(reason) || extraAttempts > MOST_EXTRA) return [cancels(server, 'Task', key)];
    return [{ what: `ada grants ${key} one more attempt`, make: () => edit(server, 'Task', key, { extraAttempts }) }];
  });

/** A policy that somebody altered is deleted, and made anew. */
const mendsPolicies: Habit = (server) => {
  const altered = open(server, 'Task').filter((task) => stalledReason(task) === 'NetworkPolicyAltered');
  const namespaces = new Set(altered.map(({ metadata }) => metadata.namespace));
  return server
    .list('NetworkPolicy')
    .filter(({ metadata, spec }) => namespaces.has(metadata.namespace) && JSON.stringify(spec?.['ingress']) === '[{}]')
    .map(({ metadata }) => ({
      what: `an administrator deletes networkpolicy ${keyOf(metadata)}`,
      make: () => void server.delete('person', 'NetworkPolicy', keyOf(metadata)),
    }));
};

/** There is no Plan, or none that can still be approved. */
const isWithoutPlan = (newest: Plan | undefined): boolean => {
  if (newest === undefined) return true;
  const { phase = 'Pending', conditions = [] } = newest.status ?? {};
  return ['Invalid', 'Rejected', 'Superseded'].includes(phase) || conditions.some(({ reason }) => reason === 'DecisionRefused');
};

const WANTS_REVISION: readonly string[] = ['PlanDeleted', 'TaskLost', 'GateRejected'];

/** Whether the Story needs another Plan than those there are. */
const needsPlan = ({ status }: Story, plans: readonly Plan[]): boolean => {
  const newest = plans.at(-1);
  const wantsRevision = status?.conditions?.some(({ reason }) => WANTS_REVISION.includes(reason)) === true;
  if (wantsRevision) return (newest?.spec.revision ?? 0) <= (status.plan?.revision ?? 0) || isWithoutPlan(newest);
  return status?.phase === 'Design' && isWithoutPlan(newest);
};

const plansAnew =
  (tasksOf: (key: string, revision: number) => readonly PlanTask[]): Habit =>
  (server) =>
    open(server, 'Story').flatMap((object): Move[] => {
      const story = object as unknown as Story;
      if (story.spec.cancel) return [];
      const plans = plansOf(server, object);
      const key = keyOf(story.metadata);
      if (!needsPlan(story, plans)) return [];
      const revision = Math.max(story.status?.plan?.revision ?? 0, plans.at(-1)?.spec.revision ?? 0) + 1;
      if (revision > MOST_REVISIONS) return [cancels(server, 'Story', key)];
      const { namespace, name } = story.metadata;
      const written = unstored(plan(tasksOf(key, revision), { revision, storyRef: { name } }));
      const made: KubeObject = { ...written, metadata: { ...written.metadata, namespace } };
      if (server.get('Plan', keyOf(made.metadata)) !== undefined) return [];
      return [{ what: `ada writes revision ${revision} for ${key}`, make: () => void server.create('person', made) }];
    });

/** What a GitOps tool keeps: objects that are to be there are put back. */
const keeps =
  (objects: readonly KubeObject[]): Habit =>
  (server) =>
    objects
      .filter(({ kind, metadata }) => server.get(kind, keyOf(metadata)) === undefined)
      .map((object) => ({
        what: `${object.kind} ${keyOf(object.metadata)} is put back`,
        make: () => void server.create('person', object),
      }));

/** A Story that asks for what this version does not serve, or whose text is not ready, is changed. */
const clarifies: Habit = (server) =>
  open(server, 'Story').flatMap((object): Move[] => {
    const { spec, status, metadata } = object as unknown as Story;
    const key = keyOf(metadata);
    const reasons = (status?.conditions ?? []).map(({ reason }) => reason);
    if (reasons.includes('NotReady') && !spec.description.startsWith('So that'))
      return [
        {
          what: `ada makes the text of ${key} clearer`,
          make: () =>
            edit(server, 'Story', key, {
              description: 'So that a visitor finds her orders again.',
              acceptanceCriteria: ['Given a known visitor, when she logs in, then she sees her orders'],
            }),
        },
      ];
    return reasons.includes('CouncilPlansNotServed') && !spec.cancel ? [cancels(server, 'Story', key)] : [];
  });

/** `kept` are put back when they go; `tasksOf` are those of a further revision of a Story's plan. */
/** Some think again when the first answers are there: they stop it for a while, or for good. */
const rethinks: Habit = (server) =>
  open(server, 'Deliberation').flatMap((object): Move[] => {
    const { metadata, spec, status } = object as unknown as Deliberation;
    const key = keyOf(metadata);
    const answers = status?.contributions?.length ?? 0;
    const change = (what: string, fields: Fields): Move => ({
      what: `ada ${what} ${key}`,
      make: () => edit(server, 'Deliberation', key, fields),
    });
    if (spec.suspend) return status?.suspendedAt === undefined ? [] : [change('resumes', { suspend: false })];
    if (metadata.name.endsWith('1') && answers === 2 && !spec.cancel) return [change('cancels', { cancel: true })];
    const mayStop =
      metadata.name.endsWith('2') && status?.suspendedAt === undefined && status?.pausedMs === undefined && answers > 0;
    return mayStop ? [change('suspends', { suspend: true })] : [];
  });

export const people = (
  kept: readonly KubeObject[],
  tasksOf: (key: string, revision: number) => readonly PlanTask[],
): readonly Habit[] => [
  approvesPlans,
  opensGates,
  helpsTasks,
  mendsPolicies,
  plansAnew(tasksOf),
  keeps(kept),
  clarifies,
  rethinks,
];
