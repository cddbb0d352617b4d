// The operations on which both servers have to agree, as tables: what is done, and what comes of it in words.

import { DIGEST, objectOf, resourceOf, type Fields } from '../../builders/smallest.ts';
import type { Kind } from '../../../crds/kinds/registry.ts';
import { events, jobs, networkPolicies, serviceAccounts } from '../../../kube/resources.ts';
import type { Resource } from '../../../kube/object.ts';
import type { Hand, Whole } from './hand.ts';

export interface Case {
  readonly given: string;
  readonly does: (hand: Hand) => Promise<unknown>;
  readonly want: readonly string[];
}

type Metadata = Partial<Whole['metadata']>;
/** Makes an object of a kind in the namespace of that hand. */
type Maker = (hand: Hand, name: string, metadata?: Metadata, content?: Partial<Whole>) => Whole;

export const NO_ONE = '11111111-1111-1111-1111-111111111111';
const HELD = { finalizers: ['contract.test/held'] };

const ours =
  (kind: Kind, spec: Fields = {}): Maker =>
  ({ namespace }, name, metadata, content) => {
    const object = objectOf(kind, name, namespace, spec);
    return { ...object, metadata: { ...object.metadata, ...metadata }, ...content };
  };

const builtIn =
  ({ group, version, kind }: Resource, body: object): Maker =>
  ({ namespace }, name, metadata, content) => ({
    ...{ apiVersion: group === '' ? version : `${group}/${version}`, kind, metadata: { namespace, name, ...metadata } },
    ...body,
    ...content,
  });

export const stories = resourceOf('Story');
export const tasks = resourceOf('Task');
export const story = ours('Story');
export const task = ours('Task');
const selected = { 'swefleet.io/job': 'a' };
const template = {
  metadata: { labels: selected },
  spec: { restartPolicy: 'Never', containers: [{ name: 'c', image: 'i' }] },
};
/** Selects its pods as ours do; it is nobody's: the Job controller leaves it alone. */
export const job: Maker = (hand, name, metadata) =>
  builtIn(jobs, {
    spec: {
      ...{ backoffLimit: 0, managedBy: 'contract.test/nobody', suspend: true, template },
      ...{ manualSelector: true, selector: { matchLabels: selected } },
    },
  })(hand, name, { ...metadata, labels: { ...selected, ...metadata?.labels } });
export const account = builtIn(serviceAccounts, {});
const policy = builtIn(networkPolicies, { spec: { podSelector: { matchLabels: { a: 'b' } }, policyTypes: ['Ingress'] } });
const event = ((hand, ...rest) =>
  builtIn(events, {
    ...{ type: 'Normal', reason: 'Running', action: 'Running', note: 'It runs', eventTime: '2026-11-21T10:00:00.000000Z' },
    ...{ reportingController: 'swefleet.io/operator', reportingInstance: 'contract-tests' },
    regarding: { apiVersion: 'v1', kind: 'ConfigMap', namespace: hand.namespace, name: 'subject', uid: NO_ONE },
  })(hand, ...rest)) satisfies Maker;

/** Each kind that the operator writes, and a change of its spec where it has one. */
export const writtenKinds: readonly { readonly resource: Resource; readonly make: Maker; readonly change?: Fields }[] = [
  { resource: stories, make: story, change: { priority: 3 } },
  { resource: tasks, make: task, change: { priority: 3 } },
  { resource: jobs, make: job, change: { suspend: false } },
  { resource: networkPolicies, make: policy, change: { policyTypes: ['Egress', 'Ingress'] } },
  { resource: serviceAccounts, make: account },
  { resource: events, make: event },
];

const lives: readonly Case[] = writtenKinds.flatMap(({ resource, make, change }): Case[] => [
  {
    given: `${resource.kind}: made twice, looked at, deleted, made again`,
    does: async (hand) => {
      await hand.get(resource, 'a');
      const made = await hand.create(resource, make(hand, 'a', { labels: { suite: 'conformance' } }));
      await hand.create(resource, make(hand, 'a'));
      await hand.get(resource, 'a');
      await hand.delete(resource, 'a', { uid: NO_ONE });
      await hand.delete(resource, 'a', { resourceVersion: '1' });
      await hand.delete(resource, 'a', made?.metadata.uid === undefined ? {} : { uid: made.metadata.uid });
      await hand.get(resource, 'a');
      await hand.delete(resource, 'a');
      await hand.create(resource, make(hand, 'a'));
    },
    want: [
      ...['get a: none', 'create a: ok', 'create a: conflict 409 AlreadyExists', 'get a: ok'],
      ...['delete a: conflict 409 Conflict', 'delete a: conflict 409 Conflict', 'delete a: deleted'],
      ...['get a: none', 'delete a: absent', 'create a: ok'],
    ],
  },
  {
    given: `${resource.kind}: made with a version, and in a namespace that is not there`,
    does: async (hand) => {
      await hand.create(resource, make(hand, 'a', { resourceVersion: '5' }));
      await hand.create(resource, make(hand, 'a', { namespace: 'nowhere' }));
      await hand.create(resource, make(hand, 'a', { uid: NO_ONE, generation: 7, creationTimestamp: '2020-01-01T00:00:00Z' }));
    },
    want: ['create a: transient 500 ', 'create a: terminal 404 NotFound', 'create a: ok'],
  },
  {
    given: `${resource.kind}: deleted while somebody holds it`,
    does: async (hand) => {
      const made = await hand.create(resource, make(hand, 'a', HELD));
      await hand.delete(resource, 'a');
      await hand.get(resource, 'a');
      await hand.delete(resource, 'a');
      await hand.create(resource, make(hand, 'a'));
      await hand.patch(resource, 'a', { metadata: { labels: { late: 'yes' } } });
      await hand.patch(resource, 'a', { metadata: { finalizers: ['contract.test/another', 'contract.test/held'] } });
      await hand.patch(resource, 'a', { metadata: { finalizers: null } });
      await hand.get(resource, 'a');
      await hand.watch(resource, made?.metadata.resourceVersion ?? '', 3);
    },
    want: [
      ...['create a: ok', 'delete a: deleted', 'get a: ok', 'delete a: deleted', 'create a: conflict 409 AlreadyExists'],
      ...['patch a: ok', 'patch a: terminal 422 Invalid', 'patch a: ok', 'get a: none'],
      ...['watch: MODIFIED a', 'watch: MODIFIED a', 'watch: DELETED a'],
    ],
  },
  {
    given: `${resource.kind}: patched, and patched to what it is`,
    does: async (hand) => {
      await hand.patch(resource, 'a', { metadata: { labels: { one: 'x' } } });
      await hand.create(resource, make(hand, 'a'));
      await hand.patch(resource, 'a', { metadata: { labels: { one: 'x', two: 'y' } } });
      await hand.patch(resource, 'a', { metadata: { labels: { one: 'x' } } });
      await hand.patch(resource, 'a', { metadata: { labels: { one: null } } });
      await hand.patch(resource, 'a', { metadata: { resourceVersion: '1', labels: { one: 'z' } } });
      await hand.patch(resource, 'a', { metadata: { uid: NO_ONE, labels: { one: 'z' } } });
      if (change !== undefined) await hand.patch(resource, 'a', { spec: change });
    },
    want: [
      ...['patch a: terminal 404 NotFound', 'create a: ok', 'patch a: ok', 'patch a: ok', 'patch a: ok'],
      ...['patch a: conflict 409 Conflict', 'patch a: terminal 422 Invalid', ...(change === undefined ? [] : ['patch a: ok'])],
    ],
  },
]);

const versionOf = (object: Whole | undefined): Metadata => ({ resourceVersion: object?.metadata.resourceVersion ?? '' });
const uidOf = (object: Whole | undefined): Metadata => ({ uid: object?.metadata.uid ?? '' });

const applies: readonly Case[] = [
  {
    given: 'an apply of a whole Task that is there, again, and of another priority',
    does: async (hand) => {
      const made = await hand.create(tasks, task(hand, 'a'));
      await hand.apply(tasks, task(hand, 'a'));
      await hand.apply(tasks, task(hand, 'a', { ...versionOf(made), ...uidOf(made) }));
      const urgent = { spec: { ...task(hand, 'a').spec, priority: 5 } };
      const changed = await hand.apply(tasks, task(hand, 'a', {}, urgent));
      await hand.apply(tasks, task(hand, 'a', { ...versionOf(made), ...uidOf(made) }, urgent));
      await hand.apply(tasks, task(hand, 'a', { ...versionOf(changed), ...uidOf(changed) }, urgent));
      await hand.apply(tasks, task(hand, 'a'));
      await hand.get(tasks, 'a');
    },
    want: [
      ...['create a: ok', 'apply a: ok', 'apply a: conflict 409 Conflict', 'apply a: ok', 'apply a: conflict 409 Conflict'],
      ...['apply a: ok', 'apply a: ok', 'get a: ok'],
    ],
  },
  {
    given: 'an apply to another object of that name, and to none',
    does: async (hand) => {
      const made = await hand.create(tasks, task(hand, 'a'));
      await hand.apply(tasks, task(hand, 'a', { uid: NO_ONE }));
      await hand.apply(tasks, task(hand, 'a', { uid: NO_ONE, resourceVersion: '1' }));
      await hand.apply(tasks, task(hand, 'a', { uid: NO_ONE, ...versionOf(made) }));
      await hand.apply(tasks, task(hand, 'b', { uid: NO_ONE }));
      await hand.apply(tasks, task(hand, 'b', { resourceVersion: '1' }));
      await hand.apply(tasks, task(hand, 'b', { uid: NO_ONE, resourceVersion: '1' }));
      await hand.get(tasks, 'b');
      await hand.apply(tasks, task(hand, 'b'));
    },
    want: [
      ...['create a: ok', 'apply a: terminal 422 Invalid', 'apply a: conflict 409 Conflict', 'apply a: terminal 422 Invalid'],
      ...['apply b: conflict 409 Conflict', 'apply b: ok', 'apply b: conflict 409 Conflict'],
      ...['get b: ok', 'apply b: ok'],
    ],
  },
  {
    given: 'an apply with what is fixed, and with what no schema knows',
    does: async (hand) => {
      await hand.create(tasks, task(hand, 'a'));
      const spec = task(hand, 'a').spec ?? {};
      await hand.apply(tasks, task(hand, 'a', {}, { spec: { ...spec, taskDigest: DIGEST.replaceAll('a', 'c') } }));
      await hand.apply(tasks, task(hand, 'a', {}, { spec: { ...spec, priority: 'high' } }));
      await hand.apply(tasks, task(hand, 'a', {}, { spec: { ...spec, nonsense: 1 } }));
      await hand.create(tasks, task(hand, 'b', {}, { spec: { ...spec, nonsense: 1 } }));
      await hand.create(tasks, task(hand, 'c', {}, { spec: { ...spec, priority: 'high' } }));
    },
    want: [
      ...['create a: ok', 'apply a: terminal 422 Invalid', 'apply a: transient 500 ', 'apply a: transient 500 '],
      ...['create b: ok', 'create c: terminal 422 Invalid'],
    ],
  },
  {
    given: 'an apply that leaves out what an earlier one had',
    does: async (hand) => {
      await hand.create(tasks, task(hand, 'a', { labels: { made: 'x' } }));
      const spec = task(hand, 'a').spec ?? {};
      await hand.apply(tasks, task(hand, 'a', { labels: { made: 'x', applied: 'x' } }, { spec: { ...spec, priority: 3 } }));
      await hand.apply(tasks, task(hand, 'a'));
    },
    want: ['create a: ok', 'apply a: ok', 'apply a: ok'],
  },
  {
    given: 'an apply to an object that is being deleted',
    does: async (hand) => {
      await hand.create(tasks, task(hand, 'a', HELD));
      await hand.delete(tasks, 'a');
      const spec = task(hand, 'a').spec ?? {};
      await hand.apply(tasks, task(hand, 'a', {}, { spec: { ...spec, priority: 3 } }));
      await hand.applyStatus(tasks, task(hand, 'a', {}, { spec: {}, status: { phase: 'Pending' } }));
    },
    want: ['create a: ok', 'delete a: deleted', 'apply a: ok', 'status a: ok'],
  },
];

const pending = { status: { phase: 'Pending', waitingFor: 'a place' } };

const statuses: readonly Case[] = [
  {
    given: 'a status: alone, again, with a spec, and less of it',
    does: async (hand) => {
      const bare = (content: Partial<Whole>, metadata: Metadata = {}): Whole => {
        const { spec: _spec, ...rest } = task(hand, 'a', metadata, content);
        return { ...rest, ...content };
      };
      await hand.applyStatus(tasks, bare(pending));
      const made = await hand.create(tasks, task(hand, 'a', {}, pending));
      const one = await hand.applyStatus(tasks, bare(pending));
      await hand.applyStatus(tasks, bare(pending));
      await hand.applyStatus(tasks, bare(pending, versionOf(one)));
      await hand.applyStatus(tasks, bare({ status: { phase: 'Running' } }, versionOf(made)));
      await hand.applyStatus(tasks, bare({ status: { phase: 'Running' }, spec: { priority: 9 } }));
      await hand.applyStatus(tasks, bare({ status: { phase: 'Pending' } }, { labels: { by: 'status' } }));
      await hand.applyStatus(tasks, bare({ status: { phase: 'Nonsense' } }));
      await hand.applyStatus(tasks, bare(pending, { uid: NO_ONE }));
      await hand.apply(tasks, task(hand, 'a', {}, { status: { phase: 'Failed' } }));
      await hand.patch(tasks, 'a', { status: { phase: 'Failed' } });
      await hand.delete(tasks, 'a');
      await hand.applyStatus(tasks, bare(pending, versionOf(one)));
      await hand.applyStatus(tasks, bare(pending));
      await hand.create(tasks, task(hand, 'a'));
      await hand.applyStatus(tasks, bare(pending, versionOf(one)));
    },
    want: [
      ...['status a: terminal 404 NotFound', 'create a: ok', 'status a: ok', 'status a: ok', 'status a: ok'],
      ...['status a: conflict 409 Conflict', 'status a: ok', 'status a: ok', 'status a: terminal 422 Invalid', 'status a: ok'],
      ...['apply a: ok', 'patch a: ok', 'delete a: deleted', 'status a: terminal 404 NotFound'],
      ...['status a: terminal 404 NotFound', 'create a: ok', 'status a: conflict 409 Conflict'],
    ],
  },
];

const readers: readonly Case[] = [
  {
    given: 'a list in pages, and a watch from it that tells each change once and in order',
    does: async (hand) => {
      for (const name of ['c', 'a', 'b']) await hand.create(stories, story(hand, name));
      await hand.list(stories);
      await hand.list(stories, { limit: 2 });
      await hand.list(stories, { continueToken: 'rubbish' });
      const version = await hand.list(stories, { labelSelector: 'suite=conformance' });
      await hand.create(stories, story(hand, 'd'));
      await hand.patch(stories, 'a', { spec: { priority: 1 } });
      await hand.delete(stories, 'b');
      await hand.create(stories, story(hand, 'b'));
      await hand.watch(stories, version, 4);
      await hand.list(stories, { fieldSelector: 'metadata.name=c' });
    },
    want: [
      ...['create c: ok', 'create a: ok', 'create b: ok', 'list: a b c, all, one version'],
      ...['list: a b, more to come, one version', 'list: c, all, one version', 'list: terminal 400 BadRequest'],
      ...['list: , all, one version', 'create d: ok', 'patch a: ok', 'delete b: deleted', 'create b: ok'],
      ...['watch: ADDED d', 'watch: MODIFIED a', 'watch: DELETED b', 'watch: ADDED b', 'list: c, all, one version'],
    ],
  },
  {
    given: 'a watch of a label tells what comes to it as added and what leaves it as deleted',
    does: async (hand) => {
      const version = await hand.list(stories);
      const label = (value: string | null): object => ({ metadata: { labels: { suite: value } } });
      await hand.create(stories, story(hand, 'other'));
      await hand.create(stories, story(hand, 'a'));
      await hand.patch(stories, 'a', label('conformance'));
      await hand.patch(stories, 'a', { spec: { priority: 1 } });
      await hand.patch(stories, 'a', { metadata: { labels: { suite: null } }, spec: { priority: 2 } });
      await hand.delete(stories, 'other');
      await hand.patch(stories, 'a', label('conformance'));
      await hand.delete(stories, 'a');
      await hand.watch(stories, version, 5, { labelSelector: 'suite=conformance' });
    },
    want: [
      ...['list: , all, one version', 'create other: ok', 'create a: ok', 'patch a: ok', 'patch a: ok', 'patch a: ok'],
      ...['delete other: deleted', 'patch a: ok', 'delete a: deleted', 'watch: ADDED a', 'watch: MODIFIED a'],
      ...['watch: DELETED a', 'watch: ADDED a', 'watch: DELETED a'],
    ],
  },
  {
    given: 'a watch from a version before everything that is remembered',
    does: (hand) => hand.watch(stories, '1', 1),
    want: ['watch: ERROR 410 Expired'],
  },
];

const collected: readonly Case[] = [
  {
    given: 'children go with their owner, and those of another uid, too',
    does: async (hand) => {
      const owner = await hand.create(stories, story(hand, 'owner'));
      const other = await hand.create(stories, story(hand, 'other'));
      const ref = (of: Whole | undefined) => ({
        apiVersion: 'swefleet.io/v1alpha1',
        kind: 'Story',
        name: of?.metadata.name ?? '',
        uid: of?.metadata.uid ?? '',
      });
      await hand.create(
        tasks,
        task(hand, 'child', { ownerReferences: [{ ...ref(owner), controller: true, blockOwnerDeletion: false }] }),
      );
      await hand.create(tasks, task(hand, 'of-two', { ownerReferences: [ref(owner), ref(other)] }));
      await hand.create(tasks, task(hand, 'of-nobody', { ownerReferences: [{ ...ref(owner), uid: NO_ONE }] }));
      await hand.untilGone(tasks, 'of-nobody');
      await hand.get(tasks, 'child');
      await hand.delete(stories, 'owner');
      await hand.untilGone(tasks, 'child');
      await hand.untilOwners(tasks, 'of-two', 1);
      await hand.delete(stories, 'other');
      await hand.untilGone(tasks, 'of-two');
      await hand.create(tasks, task(hand, 'late', { ownerReferences: [ref(owner)] }));
      await hand.untilGone(tasks, 'late');
      await hand.create(tasks, task(hand, 'nameless', { ownerReferences: [{ ...ref(owner), uid: '' }] }));
    },
    want: [
      ...['create owner: ok', 'create other: ok', 'create child: ok', 'create of-two: ok', 'create of-nobody: ok'],
      ...[
        'of-nobody is gone',
        'get child: ok',
        'delete owner: deleted',
        'child is gone',
        'of-two has 1',
        'get of-two: ok',
        'delete other: deleted',
      ],
      ...['of-two is gone', 'create late: ok', 'late is gone', 'create nameless: terminal 422 Invalid'],
    ],
  },
];

const quotas: Resource = { group: '', version: 'v1', plural: 'resourcequotas', kind: 'ResourceQuota', namespaced: true };

const full: readonly Case[] = [
  {
    given: 'a quota that leaves no Job: none is made, whether it is there already or not',
    does: async (hand) => {
      await hand.create(jobs, job(hand, 'a'));
      await hand.create(quotas, builtIn(quotas, { spec: { hard: { 'count/jobs.batch': '0' } } })(hand, 'no-jobs'));
      await hand.untilRefused(jobs, job(hand, 'probe'));
      await hand.create(jobs, job(hand, 'b'));
      await hand.create(jobs, job(hand, 'a'));
      await hand.create(jobs, job(hand, 'a', { namespace: 'nowhere' }));
      await hand.create(jobs, job(hand, 'b', { ownerReferences: [{ apiVersion: 'v1', kind: 'Pod', name: 'p', uid: '' }] }));
      await hand.create(serviceAccounts, account(hand, 'b'));
      await hand.patch(jobs, 'a', { metadata: { labels: { one: 'x' } } });
      await hand.delete(jobs, 'a');
    },
    want: [
      ...['create a: ok', 'create no-jobs: ok', 'probe is refused: exceeded quota', 'create b: terminal 403 Forbidden'],
      ...['create a: terminal 403 Forbidden', 'create a: terminal 404 NotFound', 'create b: terminal 422 Invalid'],
      ...['create b: ok', 'patch a: ok', 'delete a: deleted'],
    ],
  },
];

export const cases: readonly Case[] = [...full, ...lives, ...applies, ...statuses, ...readers, ...collected];
