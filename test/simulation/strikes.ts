// The strikes: each befalls the cluster once, says what it did (nothing, where there is nothing to strike), and arranges for its own healing.

import { API_VERSION } from '../../crds/kinds/meta.ts';
import { commandSubject } from '../../crds/contracts/commands.ts';
import type { KubeObject } from '../../kube/object.ts';
import { keyOf } from '../../kube/object.ts';
import { OBJECT_KINDS } from '../../operator/state/watched-kinds.ts';
import type { ApiServer, SimObject } from './api-server.ts';
import type { WatchEnd } from './client.ts';
import { nameOf } from './broken.ts';
import { isTerminal } from './invariants.ts';
import { isFinished, isNodeLost, NODE_FINALIZER } from './kubelet.ts';
import type { Job } from '../../controllers/kubernetes.ts';
import type { Random } from './random.ts';
import type { Simulation } from './simulation.ts';

interface Hand {
  readonly simulation: Simulation;
  readonly random: Random;
  readonly later: (after: { readonly ms: number } | { readonly moves: number }, then: () => void) => void;
}

type Strike = (hand: Hand) => string | undefined;

const MINUTE_MS = 60_000;
const HOLD = 'people.example/hold';

const between = (random: Random, leastMs: number, mostMs: number): { readonly ms: number } => ({
  ms: leastMs + random.below(mostMs - leastMs),
});

const pickOf = (
  { simulation: { server }, random }: Hand,
  kinds: readonly string[],
  suits: (object: SimObject) => boolean = () => true,
) => {
  const found = kinds
    .flatMap((kind) => server.list(kind))
    .filter((object) => !object.metadata.name.startsWith('broken-') && suits(object));
  return found.length === 0 ? undefined : random.pick(found);
};

const deleted =
  (kinds: readonly string[], suits?: (object: SimObject) => boolean): Strike =>
  (hand) => {
    const object = pickOf(hand, kinds, suits);
    if (object === undefined) return undefined;
    hand.simulation.server.delete('person', object.kind, keyOf(object.metadata));
    return nameOf(object);
  };

const edited = (server: ApiServer, { kind, metadata }: SimObject, edit: (draft: SimObject) => SimObject): void => {
  if (server.byUid(metadata.uid) !== undefined) server.update('person', kind, keyOf(metadata), edit);
};

const withFinalizer =
  (finalizer: string) =>
  (draft: SimObject): SimObject => ({
    ...draft,
    metadata: { ...draft.metadata, finalizers: [...(draft.metadata.finalizers ?? []), finalizer] },
  });
const withoutFinalizer =
  (finalizer: string) =>
  (draft: SimObject): SimObject => ({
    ...draft,
    metadata: { ...draft.metadata, finalizers: (draft.metadata.finalizers ?? []).filter((each) => each !== finalizer) },
  });

/** Deletes an object that is held for a while; what is being deleted stays visible meanwhile. */
const held = ({ simulation: { server }, later }: Hand, object: SimObject, finalizer: string, ms: number): void => {
  edited(server, object, withFinalizer(finalizer));
  server.delete('person', object.kind, keyOf(object.metadata), { uid: object.metadata.uid });
  later({ ms }, () => edited(server, object, withoutFinalizer(finalizer)));
};

const heldDeletion =
  (kinds: readonly string[]): Strike =>
  (hand) => {
    const object = pickOf(hand, kinds, ({ metadata }) => metadata.deletionTimestamp === undefined);
    if (object === undefined) return undefined;
    held(hand, object, HOLD, between(hand.random, 1_000, 10 * MINUTE_MS).ms);
    return nameOf(object);
  };

const nodeLoss: Strike = (hand) => {
  const pod = pickOf(hand, ['Pod'], (each) => each.status?.['phase'] === 'Running' && !isNodeLost(each));
  if (pod === undefined) return undefined;
  held(hand, pod, NODE_FINALIZER, between(hand.random, MINUTE_MS, 20 * MINUTE_MS).ms);
  return nameOf(pod);
};

const statusLoss =
  (kinds: readonly string[], suits: (object: SimObject) => boolean = ({ status }) => status !== undefined): Strike =>
  (hand) => {
    const object = pickOf(hand, kinds, suits);
    if (object === undefined) return undefined;
    edited(hand.simulation.server, object, ({ status: _status, ...rest }) => rest);
    return nameOf(object);
  };

/** As a person wrote it: what a backup of manifests, or a repository of them, brings back. */
const asWritten = ({ apiVersion, kind, metadata, spec }: SimObject): KubeObject & { readonly spec: unknown } => {
  const { name, namespace } = metadata;
  return { apiVersion, kind, metadata: { name, ...(namespace !== undefined && { namespace }) }, spec };
};

const restored: Strike = (hand) => {
  const { server } = hand.simulation;
  const story = pickOf(hand, ['Story'], (each) => !isTerminal(each) && each.metadata.deletionTimestamp === undefined);
  if (story === undefined) return undefined;
  const plans = server.list('Plan').filter(({ metadata, spec }) => {
    const { name } = spec?.['storyRef'] as { readonly name: string };
    return metadata.namespace === story.metadata.namespace && name === story.metadata.name;
  });
  for (const object of [story, ...plans]) {
    server.delete('person', object.kind, keyOf(object.metadata));
    if (server.get(object.kind, keyOf(object.metadata)) === undefined) server.create('person', asWritten(object));
  }
  return `${nameOf(story)} and ${plans.length} plans are there again, with other uids`;
};

/** The Story alone is made anew: the plans that name it were for the one before. */
const storyReplaced: Strike = (hand) => {
  const { server } = hand.simulation;
  const story = pickOf(hand, ['Story'], (each) => !isTerminal(each) && each.metadata.deletionTimestamp === undefined);
  if (story === undefined) return undefined;
  server.delete('person', 'Story', keyOf(story.metadata));
  if (server.get('Story', keyOf(story.metadata)) === undefined) server.create('person', asWritten(story));
  return nameOf(story);
};

const watchEnds =
  (end: WatchEnd): Strike =>
  ({ simulation, random }) => {
    const kind = random.pick(OBJECT_KINDS);
    if (end === 'expired') simulation.server.compact(kind);
    for (const process of simulation.processes) process.endWatch(kind, end);
    return kind;
  };

const storeGone =
  (isEmptied: boolean): Strike =>
  ({ simulation, random, later }) => {
    const { store } = simulation;
    if (!store.isUp) return undefined;
    store.isUp = false;
    for (const { link } of simulation.processes) link.end();
    later(between(random, 1_000, 15 * MINUTE_MS), () => {
      if (isEmptied) store.clear();
      store.isUp = true;
      for (const { link } of simulation.processes) link.begin();
    });
    return 'JetStream is down';
  };

const sessionLost: Strike = ({ simulation, random, later }) => {
  const { link } = simulation.leader;
  if (!link.available) return undefined;
  link.end();
  later(between(random, 1_000, MINUTE_MS), () => link.begin());
  return 'the session with JetStream ended';
};

const TURN_COMMANDS = 'fleet.turn.cmd.';
const TURN_ANSWERS = 'fleet.turn.result.';

/** Of an answer it is as if it had never come. */
const commandLost: Strike = ({ simulation: { store }, random }) => {
  const open = [...store.last(commandSubject('')), ...store.last(TURN_COMMANDS), ...store.last(TURN_ANSWERS)].map(
    ([subject]) => subject,
  );
  if (open.length === 0) return undefined;
  const subject = random.pick(open);
  store.drop(subject);
  return subject;
};

/** The leader was frozen, and does not know that another leads: it goes on, until it hears of it. */
const twoLeaders: Strike = ({ simulation, random, later }) => {
  if (simulation.processes.length > 1) return undefined;
  const old = simulation.leader;
  simulation.begin();
  later({ moves: random.below(150) }, () => {
    old.die(() => random.chance(0.5));
    if (old.parked.length === 0) simulation.bury(old);
  });
  return 'the old one goes on';
};

const quota: Strike = ({ simulation: { server }, random, later }) => {
  const namespaces = [...new Set(server.list('Story').map(({ metadata }) => metadata.namespace ?? ''))];
  if (namespaces.length === 0) return undefined;
  const namespace = random.pick(namespaces);
  const key = `${namespace}/no-jobs`;
  if (server.get('ResourceQuota', key) !== undefined) return undefined;
  server.create('person', { apiVersion: 'v1', kind: 'ResourceQuota', metadata: { name: 'no-jobs', namespace } });
  later(between(random, 10_000, 30 * MINUTE_MS), () => void server.delete('person', 'ResourceQuota', key));
  return namespace;
};

const timeToLive: Strike = (hand) => {
  const job = pickOf(hand, ['Job'], (each) => isFinished(each as unknown as Job));
  if (job === undefined) return undefined;
  hand.simulation.server.delete('ttl', 'Job', keyOf(job.metadata));
  return nameOf(job);
};

const malformedObject: Strike = ({ simulation: { server }, random }) => {
  const kind = random.pick(['Story', 'Plan', 'Task', 'Council']);
  const [namespace = 'shop'] = server.list('Story').map(({ metadata }) => metadata.namespace);
  const name = `broken-${server.version}`;
  const spec = { storyRef: { name: 'x' } };
  server.plant('person', { ...{ apiVersion: API_VERSION, kind, metadata: { name, namespace } }, ...{ spec } });
  return `${kind} ${name}`;
};

/** What people may change at any time. */
const meddling: Strike = (hand) => {
  const { simulation, random, later } = hand;
  const object = pickOf(hand, ['Story', 'Task'], (each) => !isTerminal(each));
  if (object === undefined) return undefined;
  const set = (spec: Readonly<Record<string, unknown>>): void => {
    const now = simulation.server.get(object.kind, keyOf(object.metadata)); // perhaps another of that name by now
    if (now !== undefined) edited(simulation.server, now, (draft) => ({ ...draft, spec: { ...draft.spec, ...spec } }));
  };
  const change = random.pick([{ suspend: true }, { suspend: true }, { priority: random.below(9) }, { cancel: true }]);
  set(change);
  if ('suspend' in change) later(between(random, 1_000, 10 * MINUTE_MS), () => set({ suspend: false }));
  return `${nameOf(object)} ${JSON.stringify(change)}`;
};

/** Where admission is not installed. Its Story misses it meanwhile, and nothing of it goes on. */
const reowned: Strike = (hand) => {
  const { simulation, random, later } = hand;
  const isOwned = ({ metadata }: SimObject): boolean => metadata.ownerReferences?.[0]?.kind === 'Story';
  const task = pickOf(
    hand,
    ['Task'],
    (each) => isOwned(each) && !isTerminal(each) && each.metadata.deletionTimestamp === undefined,
  );
  const owner = pickOf(hand, ['Council'], (each) => each.metadata.namespace === task?.metadata.namespace);
  if (task === undefined || owner === undefined) return undefined;
  const owned = (ownerReferences: SimObject['metadata']['ownerReferences']): void =>
    edited(simulation.server, task, (draft) => ({
      ...draft,
      metadata: { ...draft.metadata, ...(ownerReferences !== undefined && { ownerReferences }) },
    }));
  const { apiVersion, kind, metadata } = owner;
  owned([{ apiVersion, kind, name: metadata.name, uid: metadata.uid, controller: true }]);
  later(between(random, 1_000, 30 * MINUTE_MS), () => owned(task.metadata.ownerReferences));
  return `${nameOf(task)} belongs to ${nameOf(owner)}`;
};

/** Somebody else's hand on the policy: nothing may be started under it. */
const alteredPolicy: Strike = (hand) => {
  const policy = pickOf(hand, ['NetworkPolicy']);
  if (policy === undefined) return undefined;
  edited(hand.simulation.server, policy, (draft) => ({ ...draft, spec: { ...draft.spec, ingress: [{}] } }));
  return nameOf(policy);
};

export const STRIKE_KINDS = [
  'crash',
  'twoLeaders',
  'cutWatch',
  'endedWatch',
  'expiredWatch',
  'storeOutage',
  'storeLoss',
  'sessionLost',
  'commandLost',
  'jobDeleted',
  'podDeleted',
  'taskDeleted',
  'succeededTaskDeleted',
  'planDeleted',
  'councilDeleted',
  'deliberationDeleted',
  'storyDeleted',
  'accessDeleted',
  'heldDeletion',
  'heldJobDeletion',
  'statusLoss',
  'endedTaskStatusLoss',
  'restored',
  'storyReplaced',
  'timeToLive',
  'nodeLoss',
  'quota',
  'malformedObject',
  'meddling',
  'alteredPolicy',
  'reowned',
] as const;
export type StrikeKind = (typeof STRIKE_KINDS)[number];

export const strikes: Readonly<Record<StrikeKind, Strike>> = {
  crash: ({ simulation }) => {
    simulation.crash();
    return 'the operator dies';
  },
  twoLeaders,
  cutWatch: watchEnds('cut'),
  endedWatch: watchEnds('ended'),
  expiredWatch: watchEnds('expired'),
  storeOutage: storeGone(false),
  storeLoss: storeGone(true),
  sessionLost,
  commandLost,
  jobDeleted: deleted(['Job']),
  podDeleted: deleted(['Pod']),
  taskDeleted: deleted(['Task'], (task) => !isTerminal(task)),
  succeededTaskDeleted: deleted(['Task'], isTerminal),
  planDeleted: deleted(['Plan']),
  councilDeleted: deleted(['Council']),
  deliberationDeleted: deleted(['Deliberation']),
  storyDeleted: deleted(['Story']),
  accessDeleted: deleted(['ServiceAccount', 'NetworkPolicy']),
  heldDeletion: heldDeletion(['Story', 'Task', 'Council']),
  heldJobDeletion: heldDeletion(['Job']),
  statusLoss: statusLoss(['Story', 'Plan', 'Task', 'Council', 'Deliberation']),
  endedTaskStatusLoss: statusLoss(['Task'], isTerminal),
  restored,
  storyReplaced,
  timeToLive,
  nodeLoss,
  quota,
  malformedObject,
  meddling,
  alteredPolicy,
  reowned,
};
