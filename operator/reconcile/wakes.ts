// What wakes what: from a change that was seen to the keys whose decision may depend on it. A table; it decides nothing.
// Waking too much costs a pure decision that writes nothing; waking too little would leave a key asleep.

import { controllerOf } from '../../crds/kinds/meta.ts';
import { canonicalJson } from '../../crds/canonical.ts';
import { isProbeId, storyUidOfAccount, storyUidOfResolve } from '../../crds/contracts/commands.ts';
import { conditionOf } from '../../controllers/conditions.ts';
import { COURIER_TURN } from '../../controllers/task/courier-turn.ts';
import { isLive } from '../../controllers/task/job-reading.ts';
import { podHasStarted, statusesOf } from '../../controllers/task/workspace-progress.ts';
import { LABEL_WORKSPACE } from '../../crds/labels.ts';
import { isBehind } from '../../controllers/outbox.ts';
import { isFinished } from '../../crds/rules/phases.ts';
import type { Change } from '../../kube/cache.ts';
import { keyOf, type KubeObject } from '../../kube/object.ts';
import {
  UNBEGUN_IN,
  BY_COUNCIL,
  NAMESPACE,
  OF_STORY,
  STORY,
  UNFINISHED,
  UNFINISHED_IN,
  type ObjectKind,
  type Objects,
} from '../state/watched-kinds.ts';
import type { Caches } from '../state/caches.ts';

/** `Kind namespace/name`: one queue serves all kinds. */
type WorkKey = `${ObjectKind} ${string}`;

export const workKey = (kind: ObjectKind, object: KubeObject): WorkKey => `${kind} ${keyOf(object.metadata)}`;

export const splitWorkKey = (key: string): { readonly kind: string; readonly key: string } => {
  const space = key.indexOf(' ');
  return { kind: key.slice(0, space), key: key.slice(space + 1) };
};

type Keys = readonly WorkKey[];
const keysOf = (kind: ObjectKind, objects: Iterable<KubeObject>): Keys => [...objects].map((object) => workKey(kind, object));

const ownerKey = (kind: ObjectKind, object: KubeObject): Keys => {
  const owner = controllerOf(object);
  if (owner?.kind !== kind) return [];
  return [`${kind} ${keyOf({ namespace: object.metadata.namespace, name: owner.name })}`];
};

const unfinishedTasks = (caches: Caches): Keys => keysOf('Task', caches.cache('Task').by(UNFINISHED, 'all'));
const unfinishedTasksIn = (caches: Caches, object: KubeObject): Keys =>
  keysOf('Task', caches.cache('Task').by(UNFINISHED_IN, object.metadata.namespace ?? ''));
const unfinishedStoriesIn = (caches: Caches, object: KubeObject): Keys =>
  keysOf(
    'Story',
    caches
      .cache('Story')
      .by(NAMESPACE, object.metadata.namespace ?? '')
      .filter((story) => !isFinished(story)),
  );

type Moved<K extends ObjectKind> = Change<Objects[K]>;
const sidesOf = <K extends ObjectKind>(change: Moved<K>): readonly Objects[K][] =>
  change.type === 'changed' ? [change.old, change.object] : [change.type === 'added' ? change.object : change.old];

/** What a Story's status tells of how far it is: nobody but people reads it. */
const PROGRESS: readonly string[] = ['tasks', 'usage', 'headCommit', 'waitingFor', 'conditions', 'eventSeq', 'outbox'];

/** A Story is written each time one of its Tasks ends: its Plans and Tasks look only when something changed that they decide by. */
const isProgressOnly = (change: Moved<'Story'>): boolean => {
  if (change.type !== 'changed' || change.old.metadata.generation !== change.object.metadata.generation) return false;
  const [old, now] = sidesOf<'Story'>(change).map(({ status = {} }) =>
    canonicalJson(Object.fromEntries(Object.entries(status).filter(([name]) => !PROGRESS.includes(name)))),
  );
  return old === now;
};

const isDependent = ({ spec }: Objects['Task'], on: Objects['Task']): boolean =>
  spec.task.dependsOn.includes(on.spec.task.id) || (on.spec.task.phase === 'DESIGN' && spec.task.phase === 'BUILD');

const isIntegrating = ({ status }: Objects['Task']): boolean => status?.phase === 'Integrating';

/** It has a courier, or has a patch and waits for nothing but its turn. */
const isInTurn = ({ status }: Objects['Task']): boolean =>
  conditionOf(status?.conditions, 'Succeeded')?.reason === COURIER_TURN ||
  (status?.attempts?.some(({ outcome, courierUid }) => outcome === undefined && courierUid !== undefined) ?? false);

/** A Task that was carried, or came before others, and now neither: its courier ended or failed, it is cancelled, or something holds it up. */
const hasLeftTurn = (old: Objects['Task'], now: Objects['Task']): boolean =>
  isIntegrating(old) && !(isIntegrating(now) && isInTurn(now));

/**
 * Of the same Story: those that may only start after it, when it has ended; and those that wait for their courier's turn, when it lets them
 * by. Places are no matter of these wakes: who gets one is told by state/places.ts.
 */
const relatives = (task: Objects['Task'], caches: Caches, change: Moved<'Task'>): Keys => {
  const isOver = change.type !== 'changed' || isFinished(change.old) !== isFinished(change.object);
  const isTurn = change.type !== 'changed' || hasLeftTurn(change.old, change.object);
  if (!isOver && !isTurn) return [];
  const family = caches.cache('Task').by(OF_STORY, task.spec.storyRef.uid);
  const isConcerned = (other: Objects['Task']): boolean =>
    (isOver && isDependent(other, task)) || (isTurn && isIntegrating(other));
  return keysOf(
    'Task',
    family.filter((other) => !isFinished(other) && isConcerned(other)),
  );
};

/**
 * While it runs, a courier keeps those of its Story from their turn also when its Task does not list it (any more). When that one ends,
 * nothing of its Task changes.
 */
const waitingForUnlisted = (job: Objects['Job'], caches: Caches, change: Moved<'Job'>): Keys => {
  if (job.metadata.labels?.[LABEL_WORKSPACE] !== 'courier' || (change.type !== 'deleted' && isLive(job, []))) return [];
  const task = caches.cache('Task').byUid(controllerOf(job)?.uid ?? '');
  const isListed = task?.status?.attempts?.some(
    ({ courierUid, outcome }) => courierUid === job.metadata.uid && outcome === undefined,
  );
  if (task === undefined || isListed === true) return [];
  const family = caches.cache('Task').by(OF_STORY, task.spec.storyRef.uid);
  return keysOf('Task', family.filter(isIntegrating));
};

/** That the first step begins is news, and trouble; what follows as it should is none before the last step has ended. */
const AS_USUAL: readonly string[] = ['PodInitializing', 'ContainerCreating'];
const ENDED: readonly (string | undefined)[] = ['Succeeded', 'Failed'];

const newsOf = (pod: Objects['Pod']): string => {
  const { status = {} } = pod;
  return JSON.stringify([
    ENDED.includes(status.phase) ? status.phase : '',
    [status.reason, status.message],
    status.conditions?.filter(
      ({ type, status: holds }) => type === 'DisruptionTarget' || (type === 'PodScheduled' && holds === 'False'),
    ) ?? [],
    statusesOf(pod)
      .flatMap(({ state }) => state?.waiting?.reason ?? [])
      .filter((why) => !AS_USUAL.includes(why)),
    podHasStarted(pod),
    status.containerStatuses?.flatMap(({ state }) => state?.terminated ?? []) ?? [],
  ]);
};

/** How many pods it has just now, and how many it has counted, is between the Job and its controller. */
const isJobNews = (change: Moved<'Job'>): boolean => {
  if (change.type !== 'changed') return true;
  const [old, now] = sidesOf<'Job'>(change).map(({ metadata, status = {} }) =>
    JSON.stringify([
      metadata.deletionTimestamp,
      metadata.labels,
      metadata.ownerReferences,
      status.conditions,
      status.completionTime,
    ]),
  );
  return old !== now;
};

const isPodNews = (change: Moved<'Pod'>): boolean => {
  if (change.type !== 'changed' || change.old.metadata.deletionTimestamp !== change.object.metadata.deletionTimestamp)
    return true;
  const [old, now] = sidesOf<'Pod'>(change).map(newsOf);
  return old !== now;
};

/** That it was probed once more is no news to those who work with it. */
const isCouncilNews = (change: Moved<'Council'>): boolean => {
  if (change.type !== 'changed' || change.old.metadata.generation !== change.object.metadata.generation) return true;
  const [old, now] = sidesOf<'Council'>(change).map(({ status }) => conditionOf(status?.conditions, 'Ready'));
  return old?.status !== now?.status || old?.reason !== now?.reason;
};

type Wakes = { readonly [K in ObjectKind]: (object: Objects[K], caches: Caches, change: Moved<K>) => Keys };

const wakes: Wakes = {
  Story: (story, caches, change) =>
    isProgressOnly(change)
      ? [workKey('Story', story)]
      : [
          workKey('Story', story),
          ...keysOf('Plan', caches.cache('Plan').by(STORY, keyOf(story.metadata))),
          ...keysOf('Task', caches.cache('Task').by(OF_STORY, story.metadata.uid)),
          ...keysOf('Deliberation', caches.cache('Deliberation').by(OF_STORY, story.metadata.uid)),
        ],
  Plan: (plan, caches) => {
    const story = { namespace: plan.metadata.namespace, name: plan.spec.storyRef.name };
    const storyUid = caches.cache('Story').get(keyOf(story))?.metadata.uid ?? '';
    return [
      workKey('Plan', plan),
      `Story ${keyOf(story)}`,
      // plans of one Story supersede each other
      ...keysOf('Plan', caches.cache('Plan').by(STORY, keyOf(story))),
      // a Task is checked against its Plan before anything starts
      ...keysOf('Task', caches.cache('Task').by(OF_STORY, storyUid)),
    ];
  },
  Task: (task, caches, change) => [
    workKey('Task', task),
    `Story ${keyOf({ namespace: task.metadata.namespace, name: task.spec.storyRef.name })}`,
    ...relatives(task, caches, change),
  ],
  Council: (council, caches, change) =>
    isCouncilNews(change)
      ? [
          workKey('Council', council),
          ...unfinishedTasksIn(caches, council),
          ...unfinishedStoriesIn(caches, council),
          ...keysOf('Deliberation', caches.cache('Deliberation').by(BY_COUNCIL, keyOf(council.metadata))),
        ]
      : [workKey('Council', council)],
  Deliberation: (deliberation) => [
    workKey('Deliberation', deliberation),
    ...ownerKey('Story', deliberation),
    ...ownerKey('Task', deliberation),
  ],
  Job: (job, caches, change) => (isJobNews(change) ? [...ownerKey('Task', job), ...waitingForUnlisted(job, caches, change)] : []),
  Pod: (pod, caches, change) => {
    if (!isPodNews(change)) return [];
    const job = caches.overlay('Job').byUid(controllerOf(pod)?.uid ?? '');
    return job === undefined ? [] : ownerKey('Task', job);
  },
  ServiceAccount: (account, caches) => [
    ...unfinishedTasksIn(caches, account),
    ...keysOf('Deliberation', caches.cache('Deliberation').by(UNBEGUN_IN, account.metadata.namespace ?? '')),
  ],
  NetworkPolicy: (policy, caches) => unfinishedTasksIn(caches, policy),
  Service: (_service, caches) => unfinishedTasks(caches),
};

/** The keys that a change of an object wakes. */
export const wokenBy = <K extends ObjectKind>(kind: K, change: Change<Objects[K]>, caches: Caches): Keys => {
  const object = change.type === 'deleted' ? change.old : change.object;
  return [...new Set(wakes[kind](object, caches, change))];
};

/**
 * A pass that failed took back what it had assumed of its object and its children. Whoever decided meanwhile saw what never came to be,
 * and no watch will say so.
 */
export const wokenByFailure = (workKeyText: string, caches: Caches): Keys => {
  const { kind, key } = splitWorkKey(workKeyText) as { readonly kind: ObjectKind; readonly key: string };
  const object = caches.cache(kind).get(key);
  // as for a new object, whose coming concerns all whom it can concern
  return object === undefined ? [] : wokenBy(kind, { type: 'added', object }, caches).filter((woken) => woken !== workKeyText);
};

/** What a namespace needs was being made by one of its Tasks, which failed: couriers waited for it. Who got a place is told by the index. */
export const wokenByUnprepared = (namespace: string, caches: Caches): Keys =>
  keysOf('Task', caches.cache('Task').by(UNFINISHED_IN, namespace).filter(isIntegrating));

/** An answer of the gateway wakes who asked: a Story for its base commit, every Council for its endpoint. */
export const wokenByAnswer = (commandId: string, caches: Caches): Keys => {
  if (isProbeId(commandId)) return keysOf('Council', caches.cache('Council').values());
  const story = caches.cache('Story').byUid(storyUidOfResolve(commandId) ?? '');
  return story === undefined ? [] : [workKey('Story', story)];
};

/** An answer of the agent pool wakes its Deliberation. `key`: `<root uid>.<deliberation uid>.<n>`. */
export const wokenByTurn = (key: string, caches: Caches): Keys => {
  const deliberation = caches.cache('Deliberation').byUid(key.split('.')[1] ?? '');
  return deliberation === undefined ? [] : [workKey('Deliberation', deliberation)];
};

/** Usage of a Story's account concerns the Story, which watches its budget. */
export const wokenByUsage = (account: string, caches: Caches): Keys => {
  const story = caches.cache('Story').byUid(storyUidOfAccount(account) ?? '');
  return story === undefined ? [] : [workKey('Story', story)];
};

/** A receipt concerns the Task whose Job it is of. */
export const wokenByReceipt = (jobUid: string, caches: Caches): Keys => {
  const job = caches.overlay('Job').byUid(jobUid);
  return job === undefined ? [] : ownerKey('Task', job);
};

/** JetStream came or went, or the gateway's CA changed: whoever waits for it looks again. */
export const wokenByStore = (caches: Caches): Keys => [
  ...unfinishedTasks(caches),
  ...keysOf(
    'Story',
    [...caches.cache('Story').values()].filter((story) => !isFinished(story)),
  ),
  ...keysOf('Council', caches.cache('Council').values()),
  ...keysOf(
    'Deliberation',
    [...caches.cache('Deliberation').values()].filter(({ status }) => status?.finishedAt === undefined),
  ),
];

const PUBLISHING = ['Story', 'Plan', 'Task', 'Council', 'Deliberation'] as const satisfies readonly ObjectKind[];
export type PublishingKind = (typeof PUBLISHING)[number];
export const PUBLISHING_KINDS: readonly PublishingKind[] = PUBLISHING;

/** An outbox that was full has room again once its events are published; one that the cursor is ahead of is numbered again. */
const OUTBOX_NEARLY_FULL = 32;
export const wokenByCursor = (uid: string, cursor: number, caches: Caches): Keys =>
  PUBLISHING.flatMap((kind) => {
    const object = caches.cache(kind).byUid(uid);
    const waiting = object?.status?.outbox?.length ?? 0;
    if (object === undefined || waiting === 0) return [];
    return waiting >= OUTBOX_NEARLY_FULL || isBehind(object.status, cursor) ? [workKey(kind, object)] : [];
  });
