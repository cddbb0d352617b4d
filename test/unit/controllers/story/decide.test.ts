import { describe, expect, it } from 'vitest';
import { planTaskDigest, scopeDigest } from '../../../../crds/digests.ts';
import { taskName } from '../../../../crds/names.ts';
import type { Condition } from '../../../../crds/kinds/meta.ts';
import type { Plan } from '../../../../crds/kinds/plan.ts';
import type { PlanTask } from '../../../../crds/kinds/plan-task.ts';
import type { Story } from '../../../../crds/kinds/story.ts';
import type { Task, TaskStatus } from '../../../../crds/kinds/task.ts';
import { decideStory } from '../../../../controllers/story/decide.ts';
import { resolveIdOf } from '../../../../controllers/story/observe.ts';
import { rules } from '../../../../controllers/story/rules.ts';
import type { StorySeen } from '../../../../controllers/story/seen.ts';
import {
  approved,
  approvedPlan,
  at,
  COMMIT,
  condition,
  DEADLINE_S,
  DIGEST,
  NOW,
  plan,
  planStatus,
  platform,
  story,
  storyStatus,
  task,
  work,
} from '../../../builders/objects.ts';
import { storySeen } from '../../../builders/seen.ts';
import { spec, type Spec } from '../../../builders/spec.ts';

const waits = `waits ${DEADLINE_S} s`;
const lasting = 'BaseResolved=True/Resolved Ready=True/Ready ScopeApproved=True/Approved';
const inForce = `BaseResolved=True/Resolved PlanApproved=True/Approved Ready=True/Ready ScopeApproved=True/Approved`;
const head = 'a'.repeat(40);

const nameOf = (id: string, digest = DIGEST as string): string => taskName(story().metadata, digest, id);
/** The Task of a plan task, under the very name that the Story gives it. */
const taskOf = (wanted: PlanTask, status?: TaskStatus, more = {}): Task => {
  const made = task(wanted, status, more);
  return { ...made, metadata: { ...made.metadata, name: nameOf(wanted.id), uid: `uid-${wanted.id}` } };
};
const done = (wanted: PlanTask, commit = head): Task => taskOf(wanted, { phase: 'Succeeded', commit, completedAt: at(5) });

const form = work('form');
const proof = work('proof', { phase: 'TEST' });
const draft = (more = {}): Story => story(more, { phase: 'Draft', gates: storyStatus().gates, eventSeq: 1 });
const inDesign = (more = {}): Story =>
  story(more, storyStatus({ phase: 'Design', plan: undefined, startedAt: undefined, deadline: undefined }));
const inPhase = (phase: 'Build' | 'Test' | 'Docs', more = {}, status = {}): Story =>
  story(more, storyStatus({ phase, ...status }));
const answer = { id: 'x', kind: 'resolve', at: at(), ok: true, commit: COMMIT } as const;
const refusal = {
  id: 'x',
  kind: 'resolve',
  at: at(),
  ok: false,
  reason: 'RefUnknown',
  message: 'no such ref',
  retryable: false,
} as const;

interface Case {
  readonly name: string;
  readonly given: StorySeen;
  readonly nowS?: number;
  readonly want: Spec;
  /** The sentence that `kubectl get stories` shows. */
  readonly says?: string | RegExp;
}

const resolve = (of: Story, answers = 0): string => `command ${resolveIdOf(of, answers)}`;
/** A command that nobody answers is asked again, as it may be lost. */
const ASKED = 'waits 180 s';
const held = (reason: string, conditions: string, more: Partial<Spec> = {}): Spec => ({
  writes: [`status Draft ${conditions.replace('Succeeded', `Succeeded=Unknown/${reason}`)}`],
  outcome: 'waiting',
  ...more,
});

const drafts: readonly Case[] = [
  {
    name: 'the first look pins the gates, tells of the Story, and asks for the base commit when the scope gate is open by itself',
    given: storySeen(story()),
    want: {
      writes: [
        resolve(story()),
        'status Draft BaseResolved=False/Asked Ready=True/Ready ScopeApproved=True/Approved Succeeded=Unknown/BaseUnresolved',
      ],
      outcome: ASKED,
      events: ['planning.story.created'],
    },
    says: 'waits for the commit of main in https://git.example/shop.git',
  },
  {
    name: 'a text that is not ready is held, with what to change',
    given: storySeen(draft({ acceptanceCriteria: [], title: 'Login' })),
    want: held('NotReady', 'Ready=False/NotReady Succeeded'),
    says: /^waits for a clearer text: readiness 45 of 75 \(TITLE_VALUE: .*; AC_MISSING: /,
  },
  {
    name: 'a lower rigor takes the same text',
    given: storySeen(draft({ acceptanceCriteria: [], rigor: 'L0' })),
    want: {
      ...held('BaseUnresolved', 'BaseResolved=False/Asked Ready=True/Ready ScopeApproved=True/Approved Succeeded'),
      writes: [
        resolve(story({ acceptanceCriteria: [], rigor: 'L0' })),
        'status Draft BaseResolved=False/Asked Ready=True/Ready ScopeApproved=True/Approved Succeeded=Unknown/BaseUnresolved',
      ],
      outcome: ASKED,
    },
  },
  {
    name: 'the scope gate waits for a person',
    given: storySeen(
      story(
        { gates: { scope: 'Human' } },
        { ...draft().status, gates: { scope: 'Human', design: 'Human', test: 'Auto', docs: 'Auto' } },
      ),
    ),
    want: held('ScopeShut', 'Ready=True/Ready ScopeApproved=False/ScopeShut Succeeded'),
    says: 'waits for approval of the scope (kubectl fleet approve story login --gate scope)',
  },
  {
    name: 'a gate that was Auto is Human as soon as a person says so',
    given: storySeen(draft({ gates: { scope: 'Human' } })),
    want: held('ScopeShut', 'Ready=True/Ready ScopeApproved=False/ScopeShut Succeeded'),
  },
  {
    name: 'an approval of another text does not count',
    given: storySeen(
      draft({ gates: { scope: 'Human' }, approvals: [{ gate: 'scope', digest: DIGEST, verdict: 'Approved', by: 'grace' }] }),
    ),
    want: held('ScopeShut', 'Ready=True/Ready ScopeApproved=False/ScopeShut Succeeded'),
  },
  {
    name: 'an approval of this text opens the gate',
    given: storySeen(
      draft({
        gates: { scope: 'Human' },
        approvals: [{ gate: 'scope', digest: scopeDigest(story().spec), verdict: 'Approved', by: 'grace' }],
      }),
    ),
    want: {
      writes: [
        resolve(story()),
        'status Draft BaseResolved=False/Asked Ready=True/Ready ScopeApproved=True/Approved Succeeded=Unknown/BaseUnresolved',
      ],
      outcome: ASKED,
    },
  },
  {
    name: 'a rejection of this text waits for another, even where the gate would open by itself',
    given: storySeen(
      draft({
        approvals: [{ gate: 'scope', digest: scopeDigest(story().spec), verdict: 'Rejected', by: 'grace', reason: 'too vague' }],
      }),
    ),
    want: held('ScopeRejected', 'Ready=True/Ready ScopeApproved=False/ScopeRejected Succeeded'),
    says: 'waits for another text: grace rejected the scope (too vague)',
  },
  {
    name: 'a question that was answered with a refusal waits before it is asked again',
    given: storySeen(draft(), { answers: [refusal] }),
    nowS: 10,
    want: held('BaseUnresolved', 'BaseResolved=False/RefUnknown Ready=True/Ready ScopeApproved=True/Approved Succeeded', {
      outcome: 'waits 50 s',
    }),
    says: /RefUnknown, no such ref$/,
  },
  {
    name: 'and is then asked again under another id',
    given: storySeen(draft(), { answers: [refusal] }),
    nowS: 61,
    want: {
      writes: [
        resolve(story(), 1),
        'status Draft BaseResolved=False/RefUnknown Ready=True/Ready ScopeApproved=True/Approved Succeeded=Unknown/BaseUnresolved',
      ],
      outcome: ASKED,
    },
  },
  {
    name: 'while JetStream is down nothing is asked',
    given: storySeen(draft(), { storeAvailable: false }),
    want: held(
      'StoreUnavailable',
      'BaseResolved=False/Asked Ready=True/Ready ScopeApproved=True/Approved StoreUnavailable=True/StoreUnavailable Succeeded',
    ),
  },
  {
    name: 'with its base commit the scope is frozen and Design begins',
    given: storySeen(draft(), { answers: [answer] }),
    want: {
      writes: [`status Design ${lasting} Succeeded=Unknown/ScopeApproved`],
      outcome: 'waiting',
      events: ['planning.story.transitioned'],
    },
    says: 'waits for a Plan for story login (an object Plan with its name in spec.storyRef.name)',
  },
];

const shut = (reason: string): Spec => ({
  writes: [
    `status Design BaseResolved=True/Resolved PlanApproved=False/${reason} Ready=True/Ready ScopeApproved=True/Approved Succeeded=Unknown/${reason}`,
  ],
  outcome: 'waiting',
});
const written = (more = {}, status = {}) => plan([form], more, planStatus([form], { phase: 'Parsed', ...status }));

const designs: readonly Case[] = [
  {
    name: 'there is no Plan',
    given: storySeen(inDesign()),
    want: shut('PlanMissing'),
    says: /^waits for a Plan for story login/,
  },
  {
    name: 'plans by a council are not served yet',
    given: storySeen(inDesign({ plan: { mode: 'Council' } })),
    want: shut('CouncilPlansNotServed'),
  },
  {
    name: 'a Plan waits to be parsed',
    given: storySeen(inDesign(), { plans: [plan([form])] }),
    want: shut('PlanUnparsed'),
    says: 'waits for plan login-1 to be parsed',
  },
  {
    name: 'a Plan is invalid',
    given: storySeen(inDesign(), { plans: [plan([form], {}, { phase: 'Invalid', message: 'tasks[0]: no' })] }),
    want: shut('PlanInvalid'),
    says: 'waits for a further Plan: plan login-1 is invalid, tasks[0]: no',
  },
  {
    name: 'a Plan waits for a person',
    given: storySeen(inDesign(), { plans: [written()] }),
    want: shut('PlanUndecided'),
    says: 'waits for approval of plan login-1 (kubectl fleet approve plan login-1)',
  },
  {
    name: 'an approval of another digest does not count',
    given: storySeen(inDesign(), { plans: [written({ approval: { ...approved, digest: `sha256:${'0'.repeat(64)}` } })] }),
    want: shut('DecisionRefused'),
  },
  {
    name: 'nobody approves what they wrote',
    given: storySeen(inDesign(), { plans: [written({ approval: { ...approved, by: 'ada' } })] }),
    want: shut('DecisionRefused'),
    says: /ada wrote the plan and cannot decide on it$/,
  },
  {
    name: 'a rejected Plan waits for another',
    given: storySeen(inDesign(), { plans: [written({ approval: { ...approved, verdict: 'Rejected', reason: 'no tests' } })] }),
    want: shut('PlanRejected'),
    says: 'waits for a further Plan: grace rejected plan login-1 (no tests)',
  },
  {
    name: 'an approved Plan comes into force, and the clock starts',
    given: storySeen(inDesign(), { plans: [approvedPlan([form])] }),
    want: {
      writes: [`status Build ${inForce} Succeeded=Unknown/PlanApproved`],
      outcome: 'waiting',
      events: ['planning.story.transitioned'],
    },
    says: 'tasks of phase Build: 0 of 1 done',
  },
  {
    name: 'where the design gate is Auto a parsed Plan is as good as approved',
    given: storySeen(
      story(
        {},
        storyStatus({
          phase: 'Design',
          plan: undefined,
          startedAt: undefined,
          deadline: undefined,
          gates: { scope: 'Auto', design: 'Auto', test: 'Auto', docs: 'Auto' },
        }),
      ),
      {
        plans: [written()],
      },
    ),
    want: {
      writes: [`status Build ${inForce} Succeeded=Unknown/PlanApproved`],
      outcome: 'waiting',
      events: ['planning.story.transitioned'],
    },
  },
];

const busy = (reason: string, phase = 'Build', more: Partial<Spec> = {}): Spec => ({
  writes: [`status ${phase} ${inForce} Succeeded=Unknown/${reason}`],
  outcome: waits,
  ...more,
});
const force = (tasks: readonly PlanTask[], made: readonly Task[]) => ({ plans: [approvedPlan(tasks)], tasks: made });
const second = 'sha256:' + 'e'.repeat(64);
const secondPlan = plan(
  [form],
  { revision: 2, approval: { ...approved, digest: second } },
  planStatus([form], { digest: second }),
);

/** A Plan of another uid that says the same as the one that was in force. */
const madeAgain = (approval?: Plan['spec']['approval'], digest: string = DIGEST): Plan => {
  const again = plan([form], approval === undefined ? {} : { approval }, planStatus([form], { digest }));
  return { ...again, metadata: { ...again.metadata, name: 'login-again', uid: 'uid-login-again' } };
};

const builds: readonly Case[] = [
  {
    name: 'every task of the plan gets its Task, all at once',
    given: storySeen(inPhase('Build'), force([form, proof], [])),
    want: { writes: [`create Task ${nameOf('form')}`, `create Task ${nameOf('proof')}`], outcome: waits },
  },
  {
    name: 'a task that succeeded under another revision needs no Task',
    given: storySeen(inPhase('Build', {}, { plan: { name: 'login-2', uid: 'uid-login-2', revision: 2, digest: second } }), {
      plans: [approvedPlan([form]), plan([form, proof], { revision: 2 }, planStatus([form, proof], { digest: second }))],
      tasks: [done(form)],
    }),
    want: { writes: [`create Task ${nameOf('proof', second)}`], outcome: waits },
  },
  {
    name: 'a phase waits for its Tasks',
    given: storySeen(inPhase('Build'), force([form, proof], [taskOf(form, { phase: 'Running' }), taskOf(proof)])),
    want: busy('PlanApproved'),
    says: 'tasks of phase Build: 0 of 1 done',
  },
  {
    name: 'a Task that needs a person is named',
    given: storySeen(
      inPhase('Build'),
      force(
        [form],
        [
          taskOf(form, {
            phase: 'Pending',
            conditions: [condition('Stalled', 'True', 'AttemptsUsedUp', 'grant more')],
          }),
        ],
      ),
    ),
    want: busy('PlanApproved'),
    says: 'tasks of phase Build: 0 of 1 done; form needs a person: grant more',
  },
  {
    name: 'a Task that a person cancelled needs another plan',
    given: storySeen(inPhase('Build'), force([form], [taskOf(form, { phase: 'Cancelled' })])),
    want: busy('TaskLost', 'Build', { outcome: `stalled: TaskLost, ${waits}` }),
  },
  {
    name: 'when everything is built, Test begins',
    given: storySeen(inPhase('Build'), force([form, proof], [done(form), taskOf(proof)])),
    want: busy('Built', 'Test', { events: ['planning.story.transitioned'] }),
  },
  {
    name: 'without the plan in force nothing goes on',
    given: storySeen(inPhase('Build'), { tasks: [taskOf(form, { phase: 'Running' })] }),
    want: busy('PlanDeleted', 'Build', { outcome: `stalled: PlanDeleted, ${waits}` }),
  },
  {
    name: 'a plan whose status is not seen yet is waited for in silence',
    given: storySeen(inPhase('Build'), { plans: [plan([form])], tasks: [] }),
    want: { writes: [], outcome: waits },
  },
  {
    name: 'the plan made again as it was, and approved again, is in force again: its Tasks go on',
    given: storySeen(inPhase('Test'), { plans: [madeAgain(approved)], tasks: [taskOf(form, { phase: 'Running' })] }),
    want: busy('PlanMadeAgain', 'Test'),
    says: 'plan login-again is in force again, as it was approved',
  },
  {
    name: 'the plan made again and not approved again is not in force',
    given: storySeen(inPhase('Build'), { plans: [madeAgain()], tasks: [taskOf(form, { phase: 'Running' })] }),
    want: busy('PlanDeleted', 'Build', { outcome: `stalled: PlanDeleted, ${waits}` }),
    says: /^waits for a Plan: plan login-1, which was in force, was deleted; make it again as it was/,
  },
  {
    name: 'another plan of the same revision is not the one that was in force',
    given: storySeen(inPhase('Build'), { plans: [madeAgain({ ...approved, digest: second }, second)] }),
    want: busy('PlanDeleted', 'Build', { outcome: `stalled: PlanDeleted, ${waits}` }),
  },
  {
    name: 'a Task of a phase that is over, which somebody deleted, is made again',
    given: storySeen(inPhase('Test'), force([form, proof], [taskOf(proof)])),
    want: { writes: [`create Task ${nameOf('form')}`], outcome: waits },
  },
  {
    name: 'and the phase waits for it',
    given: storySeen(inPhase('Test'), force([form, proof], [taskOf(form), done(proof)])),
    want: busy('Built', 'Test'),
    says: 'tasks of phase Build: 0 of 1 done',
  },
  {
    name: 'a further revision that is approved takes over',
    given: storySeen(inPhase('Build'), {
      plans: [approvedPlan([form]), secondPlan],
      tasks: [taskOf(form, { phase: 'Running' })],
    }),
    want: busy('PlanApproved'),
  },
  {
    name: 'Tasks of the superseded plan are cancelled before any of the new one is made',
    given: storySeen(inPhase('Build', {}, { plan: { name: 'login-2', uid: 'uid-login-2', revision: 2, digest: second } }), {
      plans: [approvedPlan([form]), secondPlan],
      tasks: [taskOf(form, { phase: 'Running' })],
    }),
    want: { ...busy('Superseding'), writes: [`apply Task ${nameOf('form')}`, ...busy('Superseding').writes] },
  },
  {
    name: 'one that is being cancelled is not cancelled again',
    given: storySeen(inPhase('Build', {}, { plan: { name: 'login-2', uid: 'uid-login-2', revision: 2, digest: second } }), {
      plans: [approvedPlan([form]), secondPlan],
      tasks: [taskOf(form, { phase: 'Running' }, { cancel: true })],
    }),
    want: busy('Superseding'),
  },
];

/** The Task of a plan task that waits, as its own controller says it. */
const waitingTask = (wanted: PlanTask, reason: string, message: string, more: readonly Condition[] = []): Task =>
  taskOf(wanted, {
    phase: 'Pending',
    conditions: [...more, condition('Succeeded', 'Unknown', reason, message)],
  });
const stalledCondition = (message: string): Condition => condition('Stalled', 'True', 'AttemptsUsedUp', message);
const unready = (id: string) => waitingTask(work(id), 'CouncilNotReady', 'waits for council dev to be ready (ModelMissing)');
const saysOf = (made: readonly Task[]): string | undefined =>
  decideStory(storySeen(inPhase('Build'), force([form, work('session'), proof], made)), NOW).status?.waitingFor;

describe('what a Story says of its open Tasks', () => {
  const session = taskOf(work('session'), { phase: 'Running' });
  const tests = taskOf(proof);
  const none = 'tasks of phase Build: 0 of 2 done';
  it.each([
    [
      'one that waits for something outside',
      [unready('form'), session, tests],
      `${none}; form waits for council dev to be ready (ModelMissing)`,
    ],
    [
      'the first of several, in the order of the plan',
      [unready('session'), unready('form'), tests],
      `${none}; form waits for council dev to be ready (ModelMissing)`,
    ],
    [
      'one that needs a person before one that waits',
      [unready('form'), waitingTask(work('session'), 'AttemptsUsedUp', 'no more', [stalledCondition('grant more')]), tests],
      `${none}; session needs a person: grant more`,
    ],
    [
      'also one of a later phase that needs a person',
      [taskOf(form), session, waitingTask(proof, 'NotApproved', 'no', [stalledCondition('make a further revision')])],
      `${none}; proof needs a person: make a further revision`,
    ],
    ['none of a later phase that waits', [taskOf(form), session, unready('proof')], none],
    ['none that is at work', [waitingTask(form, 'Running', 'attempt 1 is at work'), session, tests], none],
    ['none that waits for its turn', [waitingTask(form, 'ClusterFull', 'waits for a workspace'), session, tests], none],
    [
      'one that waits for a place while nothing is at work',
      [
        waitingTask(work('session'), 'Dependencies', 'waits for task form'),
        waitingTask(form, 'ClusterFull', 'waits for a workspace'),
        waitingTask(proof, 'Phase', 'waits for phase Test'),
      ],
      `${none}; form waits for a workspace`,
    ],
    ['none that waits for another task', [waitingTask(form, 'Dependencies', 'waits for task session'), session, tests], none],
  ] as const)('%s', (_, made, want) => {
    expect(saysOf(made)).toBe(want);
  });

  it('in no more characters than the column takes', () => {
    const long = waitingTask(form, 'x', 'x', [stalledCondition('y'.repeat(1000))]);
    const said = saysOf([long, session, tests]) ?? '';
    expect([said.length, said.startsWith(`${none}; form needs a person: yyy`), said.endsWith('…')]).toEqual([256, true, true]);
  });
});

const human = { scope: 'Auto', design: 'Human', test: 'Human', docs: 'Human' } as const;
const verdict = (gate: 'test' | 'docs', answered: 'Approved' | 'Rejected') => ({
  gate,
  digest: head,
  verdict: answered,
  by: 'grace',
  reason: 'because',
});

const notes = work('notes', { phase: 'DOCS' });
const dying = (of: Task): Task => ({ ...of, metadata: { ...of.metadata, deletionTimestamp: at() } });

const gatesAndEnds: readonly Case[] = [
  {
    name: 'the test gate waits for a person, and names the head commit',
    given: storySeen(inPhase('Test', {}, { gates: human }), force([form], [done(form)])),
    want: busy('GateShut', 'Test'),
    says: `waits for approval of test (kubectl fleet approve story login --gate test) for commit ${head.slice(0, 12)}`,
  },
  {
    name: 'an approval of an older commit does not open it',
    given: storySeen(
      inPhase('Test', { approvals: [{ ...verdict('test', 'Approved'), digest: COMMIT }] }, { gates: human }),
      force([form], [done(form)]),
    ),
    want: busy('GateShut', 'Test'),
  },
  {
    name: 'an approval of the head commit ends Test',
    given: storySeen(
      inPhase('Test', { approvals: [verdict('test', 'Approved')] }, { gates: human }),
      force([form], [done(form)]),
    ),
    want: busy('Tested', 'Docs', { events: ['planning.story.transitioned'] }),
  },
  {
    name: 'where nothing landed yet the head is the base commit: a plan of documentation alone has a test gate too',
    given: storySeen(inPhase('Test', {}, { gates: human }), force([notes], [taskOf(notes)])),
    want: busy('GateShut', 'Test'),
    says: `waits for approval of test (kubectl fleet approve story login --gate test) for commit ${COMMIT.slice(0, 12)}`,
  },
  {
    name: 'and an approval of the base commit opens it',
    given: storySeen(
      inPhase('Test', { approvals: [{ ...verdict('test', 'Approved'), digest: COMMIT }] }, { gates: human }),
      force([notes], [taskOf(notes)]),
    ),
    want: busy('Tested', 'Docs', { events: ['planning.story.transitioned'] }),
  },
  {
    name: 'a rejection of the head commit goes back to Build, for another plan',
    given: storySeen(
      inPhase('Test', { approvals: [verdict('test', 'Rejected')] }, { gates: human }),
      force([form], [done(form)]),
    ),
    want: busy('GateRejected', 'Build', { events: ['planning.story.transitioned'] }),
    says: 'waits for a further revision of the plan: grace rejected gate test (because)',
  },
  {
    name: 'and stays there while the head commit is the same',
    given: storySeen(
      inPhase('Build', { approvals: [verdict('docs', 'Rejected')] }, { gates: human }),
      force([form], [done(form)]),
    ),
    want: busy('GateRejected'),
  },
  {
    name: 'the docs gate ends the Story',
    given: storySeen(
      inPhase('Docs', { approvals: [verdict('docs', 'Approved')] }, { gates: human }),
      force([form], [done(form)]),
    ),
    want: {
      writes: [`status Done ${inForce} Succeeded=True/Done`],
      outcome: 'done',
      events: ['planning.story.transitioned'],
    },
  },
  {
    name: 'a finished Story stays as it is',
    given: storySeen(story({}, storyStatus({ phase: 'Done' }))),
    want: { writes: [], outcome: 'done' },
  },
  {
    name: 'a suspended Story starts nothing',
    given: storySeen(inPhase('Build', { suspend: true }), force([form], [])),
    want: busy('Suspended'),
    says: 'waits to be resumed: set spec.suspend of story login to false',
  },
  {
    name: 'a cancelled Story cancels its Tasks first',
    given: storySeen(inPhase('Build', { cancel: true }), force([form], [taskOf(form, { phase: 'Running' })])),
    want: { ...busy('Ending'), writes: [`apply Task ${nameOf('form')}`, ...busy('Ending').writes] },
    says: 'the Story was cancelled; waits for 1 task to end',
  },
  {
    name: 'and ends when they have ended',
    given: storySeen(inPhase('Build', { cancel: true }), force([form], [taskOf(form, { phase: 'Cancelled' })])),
    want: {
      writes: [`status Cancelled ${inForce} Succeeded=False/Cancelled`],
      outcome: 'done',
      events: ['planning.story.transitioned'],
    },
  },
  {
    name: 'at the end of its wall clock budget a Story waits for its Tasks to fail',
    given: storySeen(inPhase('Build'), force([form], [taskOf(form, { phase: 'Running' })])),
    nowS: DEADLINE_S,
    want: { ...busy('Ending'), outcome: 'waiting' },
  },
  {
    name: 'a Task that is being deleted and cannot go does not keep its Story from ending',
    given: storySeen(inPhase('Build', { cancel: true }), force([form], [dying(taskOf(form, { phase: 'Running' }))])),
    want: {
      writes: [`status Cancelled ${inForce} Succeeded=False/Cancelled`],
      outcome: 'done',
      events: ['planning.story.transitioned'],
    },
  },
  {
    name: 'while there is time its Story waits for it to be gone, and says so',
    given: storySeen(inPhase('Build'), force([form], [dying(taskOf(form, { phase: 'Running' }))])),
    want: busy('PlanApproved'),
    says: /^tasks of phase Build: 0 of 1 done; form waits for task login-form-\w+ to be gone: it is being deleted/,
  },
  {
    name: 'a budget that was raised moves the end',
    given: storySeen(
      inPhase('Build', { budget: { wallClockSeconds: 2 * DEADLINE_S } }),
      force([form], [taskOf(form, { phase: 'Running' })]),
    ),
    nowS: DEADLINE_S,
    want: busy('PlanApproved'),
  },
  {
    name: 'a Story that needs a person fails at its end all the same',
    given: storySeen(inPhase('Build'), force([form], [taskOf(form, { phase: 'Cancelled' })])),
    nowS: DEADLINE_S,
    want: {
      writes: [`status Failed ${inForce} Succeeded=False/DeadlineExceeded`],
      outcome: 'done',
      events: ['planning.story.transitioned'],
    },
  },
  {
    name: 'and fails with them',
    given: storySeen(inPhase('Build'), force([form], [taskOf(form, { phase: 'Failed' })])),
    nowS: DEADLINE_S,
    want: {
      writes: [`status Failed ${inForce} Succeeded=False/DeadlineExceeded`],
      outcome: 'done',
      events: ['planning.story.transitioned'],
    },
  },
];

const groups = { Draft: drafts, Design: designs, Build: builds, 'gates and ends': gatesAndEnds };

describe.each(Object.entries(groups))('the decision about a Story: %s', (_, cases) => {
  it.each(cases)('$name', ({ given, nowS = 0, want, says }) => {
    const decision = decideStory(given, NOW + nowS * 1000);
    expect(spec(decision, given.story.status?.eventSeq)).toEqual(want);
    if (says !== undefined)
      expect(decision.status?.waitingFor).toEqual(typeof says === 'string' ? says : expect.stringMatching(says));
  });
});

describe('what a Story pins', () => {
  it('its gates at the first look, from its spec and else from the platform', () => {
    const seen = storySeen(story({ gates: { test: 'Human' } }), { platform: platform() });
    expect(decideStory(seen, NOW).status?.gates).toEqual({ scope: 'Auto', design: 'Human', test: 'Human', docs: 'Auto' });
  });

  it('the plan with its digest, and the end of its wall clock budget', () => {
    const { status } = decideStory(
      storySeen(inDesign({ budget: { wallClockSeconds: 600 } }), { plans: [approvedPlan([form])] }),
      NOW,
    );
    expect(status?.plan).toEqual({ name: 'login-1', uid: 'uid-login-1', revision: 1, digest: DIGEST });
    expect([status?.startedAt, status?.deadline]).toEqual([at(), at(600)]);
    expect(status?.tasks).toEqual({ total: 1, succeeded: 0, failed: 0, summary: '0/1' });
  });

  it('the end of its wall clock budget anew, when a person raises it', () => {
    const raised = storySeen(inPhase('Build', { budget: { wallClockSeconds: 1000 } }), force([form], [taskOf(form)]));
    expect(decideStory(raised, NOW).status?.deadline).toBe(at(1000));
  });
});

describe('the Task that a Story makes', () => {
  it('carries the task as approved, with its digest, and belongs to the Story', () => {
    const { effects } = decideStory(storySeen(inPhase('Build'), force([form], [])), NOW);
    expect(effects).toEqual([
      {
        verb: 'create',
        object: expect.objectContaining({
          metadata: expect.objectContaining({
            ownerReferences: [
              expect.objectContaining({ kind: 'Story', uid: 'uid-login', controller: true, blockOwnerDeletion: false }),
            ],
          }) as unknown,
          spec: expect.objectContaining({ task: form, taskDigest: planTaskDigest(form), cancel: false }) as unknown,
        }) as unknown,
      },
    ]);
  });
});

describe('the rules about a Story', () => {
  it('are sentences, each once', () => {
    const names = rules.map(([name]) => name);
    expect(new Set(names).size).toBe(names.length);
  });
});
