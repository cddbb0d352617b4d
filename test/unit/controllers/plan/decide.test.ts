import { describe, expect, it } from 'vitest';
import { decidePlan } from '../../../../controllers/plan/decide.ts';
import type { PlanSeen } from '../../../../controllers/plan/seen.ts';
import type { PlanTask } from '../../../../crds/kinds/plan-task.ts';
import { planDigest, scopeDigest } from '../../../../crds/digests.ts';
import { approved, approvedPlan, DIGEST, NOW, plan, planStatus, story, storyStatus, work } from '../../../builders/objects.ts';
import { planSeen } from '../../../builders/seen.ts';
import { spec, type Spec } from '../../../builders/spec.ts';

const form = work('form');
const parsed = (more = {}) => plan([form], more, planStatus([form], { phase: 'Parsed' }));
const undecided = 'status Parsed Approved=Unknown/Undecided Parsed=True/Parsed';
const invalid: Spec = {
  writes: ['status Invalid Approved=False/Invalid Parsed=False/Invalid'],
  outcome: 'done',
  events: ['planning.plan.invalid'],
};

/** Each task waits for the 64 before it. */
const chained = (count: number): readonly PlanTask[] => {
  const ids = Array.from({ length: count }, (_, n) => `a-task-with-a-name-${n}`);
  return ids.map((id, n) => work(id, { dependsOn: ids.slice(Math.max(0, n - 64), n) }));
};

interface Case {
  readonly name: string;
  readonly given: PlanSeen;
  readonly want: Spec;
  readonly says?: string | RegExp;
}

const cases: readonly Case[] = [
  {
    name: 'the tasks are parsed when the scope is pinned, and get their digest',
    given: planSeen(plan([form])),
    want: { writes: [undecided], outcome: 'waiting', events: ['planning.plan.parsed'] },
    says: /^waits for approval of digest sha256:[0-9a-f]{64} \(kubectl fleet approve plan login-1\)$/,
  },
  {
    name: 'while the Story is a draft the Plan has no digest yet',
    given: planSeen(plan([form]), { story: story({}, { phase: 'Draft', scopeDigest: DIGEST }) }),
    want: {
      writes: ['status Pending Approved=Unknown/ScopeOpen Parsed=Unknown/ScopeOpen'],
      outcome: 'waiting',
      events: ['planning.plan.pending'],
    },
  },
  {
    name: 'a Plan may come before its Story',
    given: planSeen(plan([form]), { story: undefined }),
    want: {
      writes: ['status Pending Approved=Unknown/StoryMissing Parsed=Unknown/StoryMissing'],
      outcome: 'waiting',
      events: ['planning.plan.pending'],
    },
  },
  {
    name: 'tasks that wait for each other are refused whole',
    given: planSeen(plan([work('a', { dependsOn: ['b'] }), work('b', { dependsOn: ['a'] })])),
    want: invalid,
    says: 'tasks: tasks wait for each other: a → b → a; make another Plan',
  },
  {
    name: 'a source that is no plan is refused, also while the Story is a draft',
    given: planSeen(plan([], { tasks: undefined, source: 'Please do something.' }), { story: story() }),
    want: invalid,
    says: /^source: this is no plan/,
  },
  {
    name: 'a plan that would not fit into the store with its tasks in its status is refused with a reason',
    given: planSeen(plan(chained(500))),
    want: invalid,
    says: /^tasks: the tasks take \d{7} bytes of the Plan, and at most 1280000 fit: say less, or make several Stories; make another Plan$/,
  },
  {
    name: 'a plan of 500 plain tasks fits',
    given: planSeen(plan(Array.from({ length: 500 }, (_, n) => work(`t${n}`)))),
    want: { writes: [undecided], outcome: 'waiting', events: ['planning.plan.parsed'] },
  },
  {
    name: 'more than one candidate is refused with a reason',
    given: planSeen(plan([work('form', { candidates: 3 })])),
    want: invalid,
    says: 'task form: candidates: 3 is refused: this version runs one candidate of a task; make another Plan',
  },
  {
    name: 'a task for agents that only read is refused with a reason',
    given: planSeen(plan([work('form', { role: 'ARCHITECT', phase: 'DESIGN' })])),
    want: invalid,
    says: 'task form: role ARCHITECT only reads: give the task to a role that writes, as DEV does; make another Plan',
  },
  {
    name: 'an invalid Plan stays invalid',
    given: planSeen(plan([form], {}, { phase: 'Invalid', problems: [] })),
    want: { writes: [], outcome: 'done' },
  },
  { name: 'what was parsed waits for a person', given: planSeen(parsed()), want: { writes: [undecided], outcome: 'waiting' } },
  {
    name: 'an approval of its digest counts',
    given: planSeen(parsed({ approval: approved })),
    want: {
      writes: ['status Approved Approved=True/Approved Parsed=True/Parsed'],
      outcome: 'done',
      events: ['planning.plan.approved'],
    },
    says: 'approved by grace',
  },
  {
    name: 'an approval of another digest is explained and does not count',
    given: planSeen(parsed({ approval: { ...approved, digest: `sha256:${'0'.repeat(64)}` } })),
    want: { writes: ['status Parsed Approved=False/DecisionRefused Parsed=True/Parsed'], outcome: 'waiting' },
    says: `the decision does not count: grace decided on sha256:${'0'.repeat(64)}, but the tasks have digest ${DIGEST}; make another Plan`,
  },
  {
    name: 'an approval by the author does not count',
    given: planSeen(parsed({ approval: { ...approved, by: 'ada' } })),
    want: { writes: ['status Parsed Approved=False/DecisionRefused Parsed=True/Parsed'], outcome: 'waiting' },
  },
  {
    name: 'a rejection says by whom and why',
    given: planSeen(parsed({ approval: { ...approved, verdict: 'Rejected', reason: 'no tests' } })),
    want: {
      writes: ['status Rejected Approved=False/Rejected Parsed=True/Parsed'],
      outcome: 'done',
      events: ['planning.plan.rejected'],
    },
    says: 'rejected by grace: no tests; make another Plan',
  },
  {
    name: 'where the design gate is Auto it is open for what was parsed',
    given: planSeen(parsed(), {
      story: story(
        {},
        storyStatus({ phase: 'Design', plan: undefined, gates: { scope: 'Auto', design: 'Auto', test: 'Auto', docs: 'Auto' } }),
      ),
    }),
    want: {
      writes: ['status Approved Approved=True/Approved Parsed=True/Parsed'],
      outcome: 'done',
      events: ['planning.plan.approved'],
    },
    says: 'approved by auto',
  },
  {
    name: 'a higher revision in force supersedes',
    given: planSeen(approvedPlan([form]), {
      story: story({}, storyStatus({ plan: { name: 'login-2', uid: 'uid-login-2', revision: 2, digest: DIGEST } })),
    }),
    want: {
      writes: ['status Superseded Approved=False/Superseded Parsed=True/Parsed'],
      outcome: 'done',
      events: ['planning.plan.superseded'],
    },
  },
  {
    name: 'a Plan that was parsed for a Story of the same name before this one is past',
    given: planSeen(plan([form], { approval: approved }, planStatus([form], { storyUid: 'uid-of-an-older-login' }))),
    want: {
      writes: ['status Superseded Approved=False/StoryReplaced Parsed=True/Parsed'],
      outcome: 'done',
      events: ['planning.plan.superseded'],
    },
  },
  {
    name: 'an approved Plan whose Story is not seen stays as it is',
    given: planSeen(approvedPlan([form]), { story: undefined }),
    want: { writes: [], outcome: 'waiting' },
  },
];

describe('the decision about a Plan', () => {
  it.each(cases)('$name', ({ given, want, says }) => {
    const decision = decidePlan(given, NOW);
    expect(spec(decision, given.plan.status?.eventSeq)).toEqual(want);
    if (says !== undefined)
      expect(decision.status?.message).toEqual(typeof says === 'string' ? says : expect.stringMatching(says));
  });

  it('names Story, scope, revision and tasks in the digest, and keeps what it parsed', () => {
    const { status } = decidePlan(planSeen(plan([form])), NOW);
    const scope = scopeDigest(story().spec);
    expect(status).toMatchObject({
      storyUid: 'uid-login',
      scopeDigest: scope,
      digest: planDigest({ storyUid: 'uid-login', scopeDigest: scope, revision: 1, tasks: [form] }),
      taskCount: 1,
      tasks: [form],
    });
    const later = decidePlan(planSeen(plan([form], { approval: { ...approved, digest: status?.digest } }, status)), NOW + 60_000);
    expect(later.status).toMatchObject({ phase: 'Approved', digest: status?.digest, tasks: [form] });
  });

  it('parses a source in markdown to the same tasks every time', () => {
    const source = '- [ ] form: Write the form\n- [ ] proof: Test the form\n';
    const first = decidePlan(planSeen(plan([], { tasks: undefined, source })), NOW).status;
    expect(first?.tasks?.map(({ id }) => id)).toEqual(['form', 'proof']);
    expect(decidePlan(planSeen(plan([], { tasks: undefined, source })), NOW).status).toEqual(first);
  });
});
