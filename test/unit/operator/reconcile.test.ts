import { describe, expect, it } from 'vitest';
import type { Decision, Effect, KubeObject as Wanted, Outcome } from '../../../controllers/contract.ts';
import type { Snapshot } from '../../../controllers/snapshot.ts';
import { Cache } from '../../../kube/cache.ts';
import { answerError, networkError } from '../../../kube/error.ts';
import { apiVersionOf, keyOf, type KubeObject, type Resource, type Stored } from '../../../kube/object.ts';
import { Overlay } from '../../../operator/state/overlay.ts';
import { Refusals } from '../../../operator/state/refusals.ts';
import { StoreUnavailable } from '../../../runtime/bus/errors.ts';
import type { Next } from '../../../runtime/queue.ts';
import { condition } from '../../builders/objects.ts';
import { reconcile, type PassRecord, type ReconcilePorts } from '../../../operator/reconcile/reconcile.ts';

const NOW_MS = Date.UTC(2026, 0, 2, 3, 4, 5);
const UID = 'uid-task';

const resource = (group: string, plural: string, kind: string): Resource => ({
  group,
  version: 'v1',
  plural,
  kind,
  namespaced: true,
});
const RESOURCES: readonly Resource[] = [
  resource('test', 'tasks', 'Task'),
  resource('batch', 'jobs', 'Job'),
  resource('', 'serviceaccounts', 'ServiceAccount'),
];

const meta = (name: string, owner?: string) => ({
  ...{ namespace: 'ns', name },
  ...(owner !== undefined && {
    ownerReferences: [{ apiVersion: 'test/v1', kind: 'Task', name: 'task', uid: owner, controller: true }],
  }),
});

const task = (status?: object, extra: object = {}): KubeObject =>
  ({ apiVersion: 'test/v1', kind: 'Task', metadata: { ...meta('task'), generation: 3, ...extra }, status }) as KubeObject;
const job = (owner?: string, extra: object = {}): Wanted => ({
  apiVersion: 'batch/v1',
  kind: 'Job',
  metadata: meta('job', owner),
  ...extra,
});
const managed = { 'app.kubernetes.io/managed-by': 'swe-fleet' };
const account = (labels: Readonly<Record<string, string>> = managed): Wanted => ({
  apiVersion: 'v1',
  kind: 'ServiceAccount',
  metadata: { ...meta('account'), labels },
});

const stored = (object: object, uid: string): Stored => {
  const { metadata } = object as KubeObject;
  return { ...(object as KubeObject), metadata: { ...metadata, uid, resourceVersion: '5' } };
};

interface Given {
  /** Objects in the caches besides the Task. */
  readonly seen?: readonly Stored[];
  readonly subject?: KubeObject;
  readonly effects?: readonly Effect[];
  readonly status?: object | undefined;
  readonly outcome?: Outcome;
  readonly cursor?: number;
  /** Ids of commands that were sent a moment ago. */
  readonly sent?: readonly string[];
  /** What calls fail with, by their first words, e.g. `create Job`. */
  readonly fail?: Readonly<Record<string, Error>>;
  /** What the server has although no cache shows it. */
  readonly server?: Stored;
  readonly decide?: () => Decision<unknown>;
  readonly subjectUid?: string;
  /** Called at each write with what the overlay shows then. */
  readonly during?: (look: () => readonly string[]) => void;
  readonly refusals?: Refusals;
  readonly nowMs?: () => number;
}

interface Run {
  readonly writes: readonly string[];
  readonly next: Next;
  readonly passes: readonly PassRecord[];
  /** Names and phases as the overlay shows them after the pass. */
  readonly overlaid: readonly string[];
}

const fakeApi = (given: Given, writes: string[], look: () => readonly string[]): ReconcilePorts['api'] => {
  const answer = (call: string, object: object): Stored => {
    writes.push(call);
    given.during?.(look);
    const failure = Object.entries(given.fail ?? {}).find(([prefix]) => call.startsWith(prefix));
    if (failure !== undefined) throw failure[1];
    return { ...(object as KubeObject), metadata: { ...(object as KubeObject).metadata, uid: 'uid-new', resourceVersion: '9' } };
  };
  const text = (object: object): string => JSON.stringify((object as { readonly status?: object }).status);
  return {
    create: async (_resource, object) => answer(`create ${object.kind} ${object.metadata.name}`, object) as Stored<typeof object>,
    apply: async (_resource, object, { subresource }) => {
      const { uid = 'no uid', resourceVersion } = object.metadata;
      const pinned = resourceVersion === undefined ? uid : `${uid} at ${resourceVersion}`;
      const what = subresource === undefined ? `${object.kind} ${object.metadata.name}` : `status ${text(object)}`;
      return answer(`apply ${what} (${pinned})`, object) as Stored<typeof object>;
    },
    delete: async (target, ref, options) => {
      answer(`delete ${target.kind} ${ref.name} (${options?.preconditions?.uid})`, { metadata: {} });
      return 'deleted';
    },
    get: async <T extends KubeObject>(target: Resource, ref: { readonly name: string }) => {
      writes.push(`get ${target.kind} ${ref.name}`);
      return given.server as Stored<T> | undefined;
    },
  };
};

const overlaysOf = (objects: readonly Stored[]): ReadonlyMap<string, Overlay<KubeObject>> =>
  new Map(
    RESOURCES.map(({ kind }) => {
      const cache = new Cache<KubeObject>();
      cache.advance('5');
      cache.replace(objects.filter((object) => object.kind === kind));
      return [kind, new Overlay(cache, () => NOW_MS)];
    }),
  );

const found = <T>(value: T | undefined): T => {
  if (value === undefined) throw new Error('not there');
  return value;
};

const run = async (given: Given): Promise<Run> => {
  const writes: string[] = [];
  const passes: PassRecord[] = [];
  const overlays = overlaysOf([stored(given.subject ?? task(), given.subjectUid ?? UID), ...(given.seen ?? [])]);
  const look = (): readonly string[] =>
    [...overlays.values()]
      .flatMap((overlay) => [...overlay.values()])
      .map((object) => {
        const { phase } = (object as { readonly status?: { readonly phase?: string } }).status ?? {};
        return `${object.kind} ${keyOf(object.metadata)}${phase === undefined ? '' : ` ${phase}`}`;
      });
  const decision = {
    outcome: given.outcome ?? { kind: 'done' },
    status: given.status,
    effects: given.effects ?? [],
    why: 'the test',
  };
  const controller = {
    kind: 'Task' as const,
    observe: () => ({}),
    decide: (): Decision<unknown> => (given.decide === undefined ? decision : given.decide()),
  };
  const next = await reconcile(controller, 'ns/task', {
    api: fakeApi(given, writes, look),
    onUnsure: () => undefined,
    onSure: () => undefined,
    refusals: given.refusals ?? new Refusals(),
    resourceOf: (apiVersion, kind) => found(RESOURCES.find((each) => apiVersionOf(each) === apiVersion && each.kind === kind)),
    overlayOf: (kind) => found(overlays.get(kind)),
    commands: {
      isSent: ({ id }) => given.sent?.includes(id) === true,
      send: async (command) => {
        writes.push(`send ${command.id}`);
        const failure = given.fail?.['send'];
        if (failure !== undefined) throw failure;
      },
    },
    nowMs: given.nowMs ?? ((): number => NOW_MS),
    snapshot: { eventCursor: () => given.cursor } as unknown as Snapshot,
    onPass: (record) => passes.push(record),
    onDecided: () => undefined,
  });
  return { writes, next, passes, overlaid: look() };
};

const create = (object: Wanted): Effect => ({ verb: 'create', object });
const apply = (object: Wanted): Effect => ({ verb: 'apply', object });
const remove = (uid: string): Effect => ({
  ...{ verb: 'delete', uid },
  ref: { apiVersion: 'batch/v1', kind: 'Job', namespace: 'ns', name: 'job' },
});
const command: Effect = {
  verb: 'command',
  command: { id: 'resolve-1', kind: 'resolve', namespace: 'ns', storyUid: 'uid-story' },
};
const conflict = answerError('x', 409, { reason: 'Conflict', message: 'uid mismatch' });
const exists = answerError('x', 409, { reason: 'AlreadyExists', message: 'there is one' });
const done: Next = { kind: 'done' };
const overQuota = answerError('x', 403, { reason: 'Forbidden', message: 'exceeded quota' });
/** The write of nothing but the condition Stalled. */
const stalled = (message: RegExp): string =>
  expect.stringMatching(
    new RegExp(
      `^apply status \\{"conditions":\\[\\{"type":"Stalled","status":"True","reason":"WriteRefused","message":"[^"]*${message.source}`,
    ),
  ) as string;

interface Case extends Given {
  readonly name: string;
  readonly want: readonly string[];
  readonly next?: Next;
}

const cases: readonly Case[] = [
  { name: 'a decision without effects or status writes nothing', want: [] },
  {
    name: 'effects come in order, the status last, in one write that is pinned to what was seen',
    effects: [create(account()), create(job(UID)), command],
    status: { phase: 'Running' },
    want: ['create ServiceAccount account', 'create Job job', 'send resolve-1', `apply status {"phase":"Running"} (${UID} at 5)`],
  },
  {
    name: 'a status that says what is there already is not written, whatever the order of its keys and conditions',
    subject: task({ phase: 'Queued', conditions: [condition('B', 'True'), condition('A', 'False')] }),
    status: { conditions: [condition('A', 'False'), condition('B', 'True')], phase: 'Queued' },
    want: [],
  },
  { name: 'no status wanted leaves the status as it is', subject: task({ phase: 'Queued' }), want: [] },
  {
    name: 'an empty list and no list are the same',
    subject: task({ phase: 'Queued' }),
    ...{ status: { phase: 'Queued', outbox: [], conditions: [] }, want: [] },
  },
  {
    name: 'a Job that is seen under a stranger is told, and asked for again but rarely',
    ...{ seen: [stored(job('uid-other'), 'uid-job')], effects: [create(job(UID))], status: { phase: 'Running' } },
    want: [stalled(/Job ns\/job exists and belongs to somebody else/)],
    next: { kind: 'retry', minMs: 30_000 },
  },
  {
    name: 'an outbox that could be trimmed is no reason to write',
    subject: task({ phase: 'Queued', outbox: [{ seq: 1 }, { seq: 2 }] }),
    ...{ status: { phase: 'Queued', outbox: [{ seq: 1 }, { seq: 2 }] }, cursor: 2 },
    want: [],
  },
  {
    name: 'a status that is written anyway drops what the publisher has passed',
    subject: task({ phase: 'Queued', outbox: [{ seq: 1 }, { seq: 2 }] }),
    ...{ status: { phase: 'Running', outbox: [{ seq: 1 }, { seq: 2 }, { seq: 3 }] }, cursor: 1 },
    want: [`apply status {"phase":"Running","outbox":[{"seq":2},{"seq":3}]} (${UID} at 5)`],
  },
  {
    name: 'a status that was restored from before its last events numbers what waits behind them, although nothing else changed',
    subject: task({ phase: 'Queued', eventSeq: 2, outbox: [{ seq: 2 }, { seq: 1 }] }),
    ...{ status: { phase: 'Queued', eventSeq: 2, outbox: [{ seq: 2 }, { seq: 1 }] }, cursor: 50 },
    want: [`apply status {"phase":"Queued","eventSeq":52,"outbox":[{"seq":51},{"seq":52}]} (${UID} at 5)`],
  },
  {
    name: 'a status that was restored and tells of nothing is left alone',
    subject: task({ phase: 'Queued', eventSeq: 2 }),
    ...{ status: { phase: 'Queued', eventSeq: 2 }, cursor: 50, want: [] },
  },
  {
    name: 'a stalled outcome sets the condition Stalled and there is no retry',
    ...{ status: { phase: 'Failed' }, outcome: { kind: 'stalled', reason: 'BranchTaken', message: 'choose another name' } },
    want: [
      `apply status {"phase":"Failed","conditions":[{"type":"Stalled","status":"True","reason":"BranchTaken","message":"choose another name","lastTransitionTime":"2026-01-02T03:04:05Z","observedGeneration":3}]} (${UID} at 5)`,
    ],
  },
  {
    name: 'a Stalled that stays keeps its time, and so is not written again',
    subject: task({ conditions: [{ ...condition('Stalled', 'True', 'X', 'm'), observedGeneration: 3 }] }),
    outcome: { kind: 'stalled', reason: 'X', message: 'm' },
    want: [],
  },
  {
    name: 'any other outcome takes Stalled away, also when no status was wanted',
    subject: task({ conditions: [condition('Ready', 'True'), condition('Stalled', 'True')] }),
    want: [`apply status ${JSON.stringify({ conditions: [condition('Ready', 'True')] })} (${UID} at 5)`],
  },
  {
    name: 'a date that the decision waits for goes to the queue',
    outcome: { kind: 'waiting', afterMs: 5_000 },
    ...{ want: [], next: { kind: 'after', delayMs: 5_000 } },
  },
  {
    name: 'a date at which a stalled one is over goes to the queue, too',
    subject: task({ conditions: [{ ...condition('Stalled', 'True', 'X', 'm'), observedGeneration: 3 }] }),
    outcome: { kind: 'stalled', reason: 'X', message: 'm', afterMs: 5_000 },
    ...{ want: [], next: { kind: 'after', delayMs: 5_000 } },
  },
  { name: 'waiting without a date waits for a watch', outcome: { kind: 'waiting' }, want: [] },
  {
    name: 'an object that is being deleted is left alone',
    subject: task({}, { deletionTimestamp: '2026-01-01T00:00:00Z' }),
    ...{ effects: [create(job(UID))], status: { phase: 'Running' } },
    want: [],
  },
  { name: 'a Job that is seen is not created again', seen: [stored(job(UID), 'uid-job')], effects: [create(job(UID))], want: [] },
  {
    name: 'a create that meets our own object is done',
    ...{ effects: [create(job(UID))], fail: { 'create Job': exists }, server: stored(job(UID), 'uid-job') },
    ...{
      status: { phase: 'Running' },
      want: ['create Job job', 'get Job job', `apply status {"phase":"Running"} (${UID} at 5)`],
    },
  },
  {
    name: 'a create that meets a stranger of that name is not done, and asked again but rarely',
    ...{ effects: [create(job(UID))], fail: { 'create Job': exists }, server: stored(job('uid-other'), 'uid-job') },
    status: { phase: 'Running' },
    want: ['create Job job', 'get Job job', stalled(/belongs to somebody else/)],
    next: { kind: 'retry', minMs: 30_000 },
  },
  {
    name: 'a service account that exists is as good as created, whoever made it',
    ...{ effects: [create(account())], fail: { 'create Serv': exists }, server: stored(account(), 'uid-sa') },
    want: ['create ServiceAccount account', 'get ServiceAccount account'],
  },
  {
    name: 'a service account that exists without our label would never be seen: a person is told what to do',
    ...{ effects: [create(account())], fail: { 'create Serv': exists }, server: stored(account({}), 'uid-sa') },
    want: [
      'create ServiceAccount account',
      'get ServiceAccount account',
      stalled(/without the label app.kubernetes.io\/managed-by=swe-fleet: label it, or delete it/),
    ],
    next: { kind: 'retry', minMs: 30_000 },
  },
  { name: 'a child without our owner reference is refused', effects: [create(job())], want: [], next: { kind: 'retry' } },
  { name: 'a child of another owner is refused', effects: [create(job('uid-other'))], want: [], next: { kind: 'retry' } },
  {
    name: 'a child in another namespace is refused',
    effects: [create({ ...job(UID), metadata: { ...meta('job', UID), namespace: 'elsewhere' } })],
    ...{ want: [], next: { kind: 'retry' } },
  },
  {
    name: 'our own child is deleted by its uid',
    ...{ seen: [stored(job(UID), 'uid-job')], effects: [remove('uid-job')], want: ['delete Job job (uid-job)'] },
  },
  {
    name: 'an object of another owner is never deleted, and nothing else of that decision is done',
    ...{
      seen: [stored(job('uid-other'), 'uid-job')],
      effects: [create(account()), remove('uid-job')],
      status: { phase: 'Failed' },
    },
    ...{ want: [], next: { kind: 'retry' } },
  },
  {
    name: 'a deletion of what is gone, or of its successor, does nothing',
    ...{ seen: [stored(job(UID), 'uid-successor')], effects: [remove('uid-job')], want: [] },
  },
  {
    name: 'an apply of what is so already, defaults aside, does nothing',
    seen: [stored(job(UID, { spec: { suspend: false, parallelism: 1 } }), 'uid-job')],
    ...{ effects: [apply(job(UID, { spec: { suspend: false } }))], want: [] },
  },
  {
    name: 'an apply that changes our own object is pinned to what was seen',
    seen: [stored(job(UID, { spec: { suspend: false } }), 'uid-job')],
    ...{ effects: [apply(job(UID, { spec: { suspend: true } }))], want: ['apply Job job (uid-job at 5)'] },
  },
  {
    name: 'an apply never takes over the object of another owner',
    seen: [stored(job('uid-other', { spec: { suspend: false } }), 'uid-job')],
    ...{ effects: [apply(job(UID, { spec: { suspend: true } }))], want: [], next: { kind: 'retry' } },
  },
  { name: 'an apply of what is absent creates it', effects: [apply(job(UID))], want: ['create Job job'] },
  {
    name: 'after a failed effect nothing more is written, not even the status',
    ...{
      effects: [create(job(UID)), create(account())],
      fail: { 'create Job': networkError('x', new Error('reset')) },
      status: { phase: 'Running' },
    },
    ...{ want: ['create Job job'], next: { kind: 'retry', minMs: undefined, maxMs: 30_000 } },
  },
  {
    name: 'the server’s own wish to wait is kept',
    ...{ status: { phase: 'Running' }, fail: { 'apply status': answerError('x', 429, {}, '7') } },
    ...{ want: [`apply status {"phase":"Running"} (${UID} at 5)`], next: { kind: 'retry', minMs: 7_000, maxMs: 30_000 } },
  },
  {
    name: 'a conflict is looked at again soon',
    ...{ status: { phase: 'Running' }, fail: { 'apply status': conflict } },
    ...{ want: [`apply status {"phase":"Running"} (${UID} at 5)`], next: { kind: 'retry' } },
  },
  {
    name: 'what the server refuses is told in a condition, and asked again but rarely',
    ...{ effects: [create(job(UID))], fail: { 'create Job': overQuota }, status: { phase: 'Running' } },
    want: ['create Job job', stalled(/exceeded quota/)],
    next: { kind: 'retry', minMs: 30_000 },
  },
  {
    name: 'what is still refused is not told again',
    subject: task({
      conditions: [{ ...condition('Stalled', 'True', 'WriteRefused'), message: overQuota.message, observedGeneration: 3 }],
    }),
    ...{ effects: [create(job(UID))], fail: { 'create Job': overQuota } },
    want: ['create Job job'],
    next: { kind: 'retry', minMs: 30_000 },
  },
  {
    name: 'what is no longer refused is told by taking the condition away',
    subject: task({ conditions: [condition('Ready', 'True'), condition('Stalled', 'True', 'WriteRefused')] }),
    effects: [create(job(UID))],
    want: ['create Job job', expect.stringMatching(/^apply status \{"conditions":\[\{"type":"Ready"[^[]*\]\}/)],
  },
  { name: 'a command that was sent a moment ago is not sent again', effects: [command], sent: ['resolve-1'], want: [] },
  {
    name: 'a command waits for a store that is down',
    ...{ effects: [command], fail: { send: new StoreUnavailable('down') }, status: { phase: 'Running' } },
    ...{ want: ['send resolve-1'], next: { kind: 'retry', minMs: undefined, maxMs: 30_000 } },
  },
];

describe('one pass', () => {
  for (const { name, want, next = done, ...given } of cases)
    it(name, async () => {
      const result = await run(given);
      expect(result.writes).toEqual(want);
      expect(result.next).toEqual(next);
    });

  it('turns a thrown bug into a retry of that key, with the error told', async () => {
    const bug = new TypeError('undefined is not a function');
    const thrown = (): never => {
      throw bug;
    };
    const { writes, next, passes } = await run({ decide: thrown });
    expect([writes, next]).toEqual([[], { kind: 'retry' }]);
    expect(passes).toEqual([expect.objectContaining({ kind: 'Task', key: 'ns/task', problem: { sort: 'bug', error: bug } })]);
  });

  it('is told once when it wrote, with why, effects and flips; and not at all when it did not', async () => {
    const subject = task({ phase: 'Queued', conditions: [condition('Ready', 'False'), condition('Old', 'True')] });
    const status = { phase: 'Running', conditions: [condition('Ready', 'True', 'Good')] };
    const { passes } = await run({ subject, status, effects: [create(job(UID))] });
    expect(passes).toEqual([
      {
        ...{ kind: 'Task', key: 'ns/task', why: 'the test', outcome: 'done' },
        effects: ['create Job ns/job', 'status'],
        flips: ['phase: Queued→Running', 'Ready: False→True (Good)', 'Old: True→-'],
      },
    ]);
    expect((await run({ subject })).passes).toEqual([]);
  });

  it('shows its writes to other keys from the decision on, before the server answered', async () => {
    const { overlaid } = await run({ effects: [create(job(UID))], status: { phase: 'Running' } });
    expect(overlaid).toEqual(['Task ns/task Running', 'Job ns/job']);
  });

  it('shows a status to other keys only once its effects are done: what a refusal leaves as it was never seems to change', async () => {
    const conditions = [condition('Stalled', 'True', 'WriteRefused')];
    const shown: unknown[] = [];
    const { overlaid } = await run({
      subject: task({ phase: 'Queued', conditions }),
      effects: [create(job(UID))],
      status: { phase: 'Running' },
      during: (look) => shown.push(...look()),
    });
    expect(shown).toEqual(['Task ns/task Queued', 'Job ns/job', 'Task ns/task Running', 'Job ns/job']);
    expect(overlaid).toEqual(['Task ns/task Running', 'Job ns/job']);
  });

  it('waits for the real object where it sees one that was only asked for', async () => {
    const { writes, next } = await run({ subjectUid: '', status: { phase: 'Running' }, effects: [create(account())] });
    expect([writes, next]).toEqual([[], done]);
  });

  it('makes a refused write again when its date has come, and not earlier, however often the key is woken', async () => {
    const refusals = new Refusals();
    const time = { nowMs: NOW_MS };
    const given: Given = { effects: [create(job(UID))], fail: { 'create Job': overQuota }, refusals, nowMs: () => time.nowMs };
    const first = await run(given);
    expect([first.writes[0], first.next]).toEqual(['create Job job', { kind: 'retry', minMs: 30_000 }]);
    time.nowMs += 10_000;
    const woken = await run(given);
    expect([woken.writes, woken.next, woken.overlaid]).toEqual([[], { kind: 'after', delayMs: 20_000 }, ['Task ns/task']]);
    time.nowMs += 20_000;
    const again = await run(given);
    expect([again.writes[0], again.next]).toEqual(['create Job job', { kind: 'retry', minMs: 60_000 }]);
    time.nowMs += 10_000;
    const other = await run({ ...given, effects: [], status: { phase: 'Cancelled' } });
    expect(other.writes).toEqual([`apply status {"phase":"Cancelled"} (${UID} at 5)`]);
    expect(other.next).toEqual({ kind: 'after', delayMs: 50_000 });
  });

  it('takes back what failed, and what was not reached because of it', async () => {
    const fail = { 'create Job': conflict };
    const { overlaid } = await run({
      subject: task({ phase: 'Queued' }),
      effects: [create(job(UID))],
      status: { phase: 'Running' },
      fail,
    });
    expect(overlaid).toEqual(['Task ns/task Queued']);
  });

  it('takes back everything when a decision is refused', async () => {
    const seen = [stored({ ...job('uid-other'), metadata: meta('foreign', 'uid-other') }, 'uid-foreign')];
    const foreign: Effect = {
      ...remove('uid-foreign'),
      ref: { apiVersion: 'batch/v1', kind: 'Job', namespace: 'ns', name: 'foreign' },
    } as Effect;
    const subject = task({ phase: 'Queued' });
    const { overlaid, writes } = await run({ subject, seen, effects: [create(job(UID)), foreign], status: { phase: 'Running' } });
    expect(writes).toEqual([]);
    expect(overlaid).toEqual(['Task ns/task Queued', 'Job ns/foreign']);
  });
});
