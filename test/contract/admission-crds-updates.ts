// What the API server says to changes of stored objects: what is fixed, one-way or only ever added to. Patches are merge patches, in
// which null takes a field away.
import type { Kind } from '../../crds/kinds/registry.ts';
import { COMMIT } from '../builders/objects.ts';
import { DIGEST, OTHER_DIGEST, task, type Fields } from '../builders/smallest.ts';

export interface UpdateCase {
  readonly given: string;
  readonly kind: Kind;
  readonly spec?: Fields;
  readonly status?: Fields;
  /** Applied in order; what counts is the answer to the last one, the ones before must be accepted. */
  readonly patches: readonly Fields[];
  readonly want: string;
}

const first = { gate: 'scope', verdict: 'Approved', by: 'bob', digest: DIGEST };
const second = { gate: 'test', verdict: 'Rejected', by: 'bob', digest: COMMIT };
const approval = { verdict: 'Rejected', by: 'bob', digest: DIGEST };
const pinned = { phase: 'Design', baseCommit: COMMIT };
const gates = (test: string): Fields => ({ gates: { scope: 'Human', design: 'Human', test, docs: 'Human' } });
const frozen = (field: string): string => `${field} is frozen since the Draft ended`;
const onlyAdded = 'approvals can only be added';
const patch = (spec: Fields): readonly Fields[] => [{ spec }];

const story = (given: string, rest: Omit<UpdateCase, 'given' | 'kind'>): UpdateCase => ({ given, kind: 'Story', ...rest });
const plan = (given: string, rest: Omit<UpdateCase, 'given' | 'kind'>): UpdateCase => ({ given, kind: 'Plan', ...rest });
const taskCase = (given: string, rest: Omit<UpdateCase, 'given' | 'kind'>): UpdateCase => ({ given, kind: 'Task', ...rest });

const stories: readonly UpdateCase[] = [
  story('a Draft may be reworded', {
    status: { phase: 'Draft' },
    patches: patch({ title: 'Other', rigor: 'L2' }),
    want: 'accepted',
  }),
  story('the title after the base commit', { status: pinned, patches: patch({ title: 'Other' }), want: frozen('title') }),
  story('the description after the base commit', {
    status: pinned,
    patches: patch({ description: 'Other' }),
    want: frozen('description'),
  }),
  story('a criterion after the base commit', {
    status: pinned,
    patches: patch({ acceptanceCriteria: ['x'] }),
    want: frozen('acceptanceCriteria'),
  }),
  story('the ref after the base commit', {
    status: pinned,
    patches: patch({ repository: { ref: 'dev' } }),
    want: frozen('repository'),
  }),
  story('the rigor after the base commit', { status: pinned, patches: patch({ rigor: 'L0' }), want: frozen('rigor') }),
  story('the description taken away after the base commit', {
    spec: { description: 'x' },
    status: pinned,
    patches: patch({ description: null }),
    want: frozen('description'),
  }),
  story('priority, suspend and budget after the base commit', {
    status: pinned,
    patches: patch({ priority: 4, suspend: true, budget: { tokens: 7 } }),
    want: 'accepted',
  }),
  story('cancel', { patches: patch({ cancel: true }), want: 'accepted' }),
  story('cancel taken back', { spec: { cancel: true }, patches: patch({ cancel: false }), want: 'cancel cannot be taken back' }),
  story('cancel taken away', { spec: { cancel: true }, patches: patch({ cancel: null }), want: 'cancel cannot be taken back' }),
  story('a first approval', { patches: patch({ approvals: [first] }), want: 'accepted' }),
  story('a second approval', { spec: { approvals: [first] }, patches: patch({ approvals: [second, first] }), want: 'accepted' }),
  story('an approval replaced', { spec: { approvals: [first] }, patches: patch({ approvals: [second] }), want: onlyAdded }),
  story('an approval turned round', {
    spec: { approvals: [first] },
    patches: patch({ approvals: [{ ...first, verdict: 'Rejected' }] }),
    want: onlyAdded,
  }),
  story('an approval given to another', {
    spec: { approvals: [first] },
    patches: patch({ approvals: [{ ...first, by: 'eve' }, second] }),
    want: onlyAdded,
  }),
  story('approvals emptied', { spec: { approvals: [first] }, patches: patch({ approvals: [] }), want: onlyAdded }),
  story('approvals taken away by null', { spec: { approvals: [first] }, patches: patch({ approvals: null }), want: onlyAdded }),
  story('a gate set to Auto before the first status', { patches: patch({ gates: { test: 'Auto' } }), want: 'accepted' }),
  story('a pinned Auto gate set to Human', {
    spec: { gates: { test: 'Auto' } },
    status: gates('Auto'),
    patches: patch({ gates: { test: 'Human' } }),
    want: 'accepted',
  }),
  story('a pinned Human gate set to Auto', {
    status: gates('Human'),
    patches: patch({ gates: { test: 'Auto' } }),
    want: 'gates.test was pinned',
  }),
  story('a gate set to Human and back to Auto', {
    spec: { gates: { test: 'Auto' } },
    status: gates('Auto'),
    patches: [{ spec: { gates: { test: 'Human' } } }, { spec: { gates: { test: 'Auto' } } }],
    want: 'gates.test was pinned',
  }),
  story('a gate taken away and set to Auto again', {
    spec: { gates: { test: 'Auto' } },
    status: gates('Auto'),
    patches: [{ spec: { gates: null } }, { spec: { gates: { test: 'Auto' } } }],
    want: 'gates.test was pinned',
  }),
  story('another change beside a gate that stays Auto', {
    spec: { gates: { test: 'Auto' } },
    status: gates('Human'),
    patches: patch({ priority: 3 }),
    want: 'accepted',
  }),
  story('a status that pins Human under a spec of Auto leaves the object writable', {
    spec: { gates: { test: 'Auto' } },
    status: gates('Human'),
    patches: patch({ gates: { test: 'Human' } }),
    want: 'accepted',
  }),
  story('an external id that was missing', { patches: patch({ externalId: 'A-1' }), want: 'accepted' }),
  story('another external id', {
    spec: { externalId: 'A-1' },
    patches: patch({ externalId: 'A-2' }),
    want: 'externalId cannot be changed once it is set',
  }),
  story('the external id taken away', {
    spec: { externalId: 'A-1' },
    patches: patch({ externalId: null }),
    want: 'externalId cannot be changed once it is set',
  }),
];

const plans: readonly UpdateCase[] = [
  plan('an approval', { patches: patch({ approval }), want: 'accepted' }),
  plan('an approval turned round', {
    spec: { approval },
    patches: patch({ approval: { verdict: 'Approved' } }),
    want: 'approval cannot be changed once it is set',
  }),
  plan('an approval of another digest', {
    spec: { approval },
    patches: patch({ approval: { digest: OTHER_DIGEST } }),
    want: 'approval cannot be changed once it is set',
  }),
  plan('an approval taken away', {
    spec: { approval },
    patches: patch({ approval: null }),
    want: 'approval cannot be changed once it is set',
  }),
  plan("the author's own approval", {
    patches: patch({ approval: { ...approval, by: 'alice' } }),
    want: 'the author of a Plan cannot decide on it',
  }),
  plan('another task', { patches: patch({ tasks: [task('a'), task('b')] }), want: 'tasks is immutable' }),
  plan('another command of a task', {
    patches: patch({ tasks: [task('a', { verify: { commands: ['true'] } })] }),
    want: 'tasks is immutable',
  }),
  plan('tasks exchanged for a source', { patches: patch({ tasks: null, source: '- [ ] a: b' }), want: 'tasks is immutable' }),
  plan('another source', {
    spec: { tasks: undefined, source: '- [ ] a: b' },
    patches: patch({ source: '- [ ] a: c' }),
    want: 'source is immutable',
  }),
  plan('another author', { patches: patch({ author: 'eve' }), want: 'author is immutable' }),
  plan('another revision', { patches: patch({ revision: 2 }), want: 'revision is immutable' }),
  plan('another Story', { patches: patch({ storyRef: { name: 'other' } }), want: 'storyRef is immutable' }),
];

const others: readonly UpdateCase[] = [
  taskCase('a Task may be suspended, hurried and granted attempts', {
    patches: patch({ suspend: true, priority: 8, extraAttempts: 2 }),
    want: 'accepted',
  }),
  taskCase('fewer extra attempts', {
    spec: { extraAttempts: 2 },
    patches: patch({ extraAttempts: 1 }),
    want: 'extraAttempts only grows',
  }),
  taskCase('extra attempts taken away', {
    spec: { extraAttempts: 2 },
    patches: patch({ extraAttempts: null }),
    want: 'extraAttempts only grows',
  }),
  taskCase('cancel taken back', {
    spec: { cancel: true },
    patches: patch({ cancel: false }),
    want: 'cancel cannot be taken back',
  }),
  taskCase('another command', { patches: patch({ task: { verify: { commands: ['curl evil'] } } }), want: 'task is immutable' }),
  taskCase('another digest', { patches: patch({ taskDigest: OTHER_DIGEST }), want: 'taskDigest is immutable' }),
  taskCase('another Plan', { patches: patch({ planRef: { name: 'x' } }), want: 'planRef is immutable' }),
  taskCase('another Story', { patches: patch({ storyRef: { uid: 'x' } }), want: 'storyRef is immutable' }),
  { given: 'a Council may get another model', kind: 'Council', patches: patch({ model: { name: 'other' } }), want: 'accepted' },
  { given: 'a Deliberation may be cancelled', kind: 'Deliberation', patches: patch({ cancel: true }), want: 'accepted' },
  { given: 'another question', kind: 'Deliberation', patches: patch({ subject: 'Else?' }), want: 'subject is immutable' },
  {
    given: 'a constraint added to a Deliberation',
    kind: 'Deliberation',
    patches: patch({ constraints: { requirements: ['x'] } }),
    want: 'constraints is immutable',
  },
  {
    given: 'a Deliberation taken up again',
    kind: 'Deliberation',
    spec: { cancel: true },
    patches: patch({ cancel: false }),
    want: 'cancel cannot be taken back',
  },
];

export const updates: readonly UpdateCase[] = [...stories, ...plans, ...others];
