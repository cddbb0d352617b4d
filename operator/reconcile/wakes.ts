// What wakes what: from a change that was seen to the keys whose decision may depend on it. A table; it decides nothing.
// Waking too much costs a pure decision that writes nothing; waking too little would leave a key asleep.

import { isProbeId, storyUidOfAccount, storyUidOfResolve } from '../../crds/contracts/commands.ts';
import { isFinished } from '../../crds/rules/phases.ts';
import type { Change } from '../../kube/cache.ts';
import { controllerOf, keyOf, type KubeObject } from '../../kube/object.ts';
import { NAMESPACE, STORY, UNFINISHED, UNFINISHED_IN, type ObjectKind, type Objects } from '../state/watched-kinds.ts';
import type { World } from '../state/caches.ts';

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

const unfinishedTasks = (world: World): Keys => keysOf('Task', world.cache('Task').by(UNFINISHED, 'all'));
const unfinishedTasksIn = (world: World, object: KubeObject): Keys =>
  keysOf('Task', world.cache('Task').by(UNFINISHED_IN, object.metadata.namespace ?? ''));
const unfinishedStoriesIn = (world: World, object: KubeObject): Keys =>
  keysOf(
    'Story',
    world
      .cache('Story')
      .by(NAMESPACE, object.metadata.namespace ?? '')
      .filter((story) => !isFinished(story)),
  );

/**
 * Capacity is shared out among all unfinished Tasks, by what each says of itself: when one moves, is held up or let go, changes its
 * priority or ends, another may have its place.
 */
const isCapacityMoved = (change: Change<Objects['Task']>): boolean => {
  if (change.type !== 'changed') return true;
  const [old, now] = [change.old, change.object];
  return (
    old.metadata.generation !== now.metadata.generation ||
    old.status?.phase !== now.status?.phase ||
    old.status?.waitingFor !== now.status?.waitingFor ||
    old.status?.attempts?.length !== now.status?.attempts?.length
  );
};

type Wakes = { readonly [K in ObjectKind]: (object: Objects[K], world: World, change: Change<Objects[K]>) => Keys };

const wakes: Wakes = {
  Story: (story, world) => [
    workKey('Story', story),
    ...keysOf('Plan', world.cache('Plan').by(STORY, keyOf(story.metadata))),
    ...keysOf('Task', world.cache('Task').ownedBy(story.metadata.uid)),
  ],
  Plan: (plan, world) => {
    const story = { namespace: plan.metadata.namespace, name: plan.spec.storyRef.name };
    const storyUid = world.cache('Story').get(keyOf(story))?.metadata.uid ?? '';
    return [
      workKey('Plan', plan),
      `Story ${keyOf(story)}`,
      // plans of one Story supersede each other
      ...keysOf('Plan', world.cache('Plan').by(STORY, keyOf(story))),
      // a Task is checked against its Plan before anything starts
      ...keysOf('Task', world.cache('Task').ownedBy(storyUid)),
    ];
  },
  Task: (task, world, change) => [
    workKey('Task', task),
    ...ownerKey('Story', task),
    ...(isCapacityMoved(change) ? unfinishedTasks(world) : []),
  ],
  Council: (council, world) => [
    workKey('Council', council),
    ...unfinishedTasksIn(world, council),
    ...unfinishedStoriesIn(world, council),
  ],
  Deliberation: (deliberation) => [workKey('Deliberation', deliberation), ...ownerKey('Story', deliberation)],
  Job: (job) => ownerKey('Task', job),
  Pod: (pod, world) => {
    const job = world.overlay('Job').byUid(controllerOf(pod)?.uid ?? '');
    return job === undefined ? [] : ownerKey('Task', job);
  },
  ServiceAccount: (account, world) => unfinishedTasksIn(world, account),
  NetworkPolicy: (policy, world) => unfinishedTasksIn(world, policy),
  Service: (_service, world) => unfinishedTasks(world),
};

/** The keys that a change of an object wakes. */
export const wokenBy = <K extends ObjectKind>(kind: K, change: Change<Objects[K]>, world: World): Keys => {
  const object = change.type === 'deleted' ? change.old : change.object;
  return [...new Set(wakes[kind](object, world, change))];
};

/**
 * A pass that failed took back what it had assumed of its object and its children. Whoever decided meanwhile saw what never came to be,
 * and no watch will say so.
 */
export const wokenByFailure = (workKeyText: string, world: World): Keys => {
  const { kind, key } = splitWorkKey(workKeyText) as { readonly kind: ObjectKind; readonly key: string };
  const object = world.cache(kind).get(key);
  // as for a new object, whose change concerns whoever competes with it
  return object === undefined ? [] : wokenBy(kind, { type: 'added', object }, world).filter((woken) => woken !== workKeyText);
};

/** An answer of the gateway wakes who asked: a Story for its base commit, every Council for its endpoint. */
export const wokenByAnswer = (commandId: string, world: World): Keys => {
  if (isProbeId(commandId)) return keysOf('Council', world.cache('Council').values());
  const story = world.cache('Story').byUid(storyUidOfResolve(commandId) ?? '');
  return story === undefined ? [] : [workKey('Story', story)];
};

/** Usage of a Story's account concerns the Story, which watches its budget. */
export const wokenByUsage = (account: string, world: World): Keys => {
  const story = world.cache('Story').byUid(storyUidOfAccount(account) ?? '');
  return story === undefined ? [] : [workKey('Story', story)];
};

/** JetStream came or went, or the gateway's CA changed: whoever waits for it looks again. */
export const wokenByStore = (world: World): Keys => [
  ...unfinishedTasks(world),
  ...keysOf(
    'Story',
    [...world.cache('Story').values()].filter((story) => !isFinished(story)),
  ),
  ...keysOf('Council', world.cache('Council').values()),
];

const PUBLISHING = ['Story', 'Plan', 'Task', 'Council', 'Deliberation'] as const satisfies readonly ObjectKind[];
export type PublishingKind = (typeof PUBLISHING)[number];
export const PUBLISHING_KINDS: readonly PublishingKind[] = PUBLISHING;

/** An outbox that was full has room again once its events are published. */
const OUTBOX_NEARLY_FULL = 32;
export const wokenByCursor = (uid: string, world: World): Keys =>
  PUBLISHING.flatMap((kind) => {
    const object = world.cache(kind).byUid(uid);
    return (object?.status?.outbox?.length ?? 0) >= OUTBOX_NEARLY_FULL && object !== undefined ? [workKey(kind, object)] : [];
  });
