import { describe, expect, it } from 'vitest';
import { storyTree, type StoryView } from '../../../cli/story-tree.ts';
import { plain } from '../../../cli/terminal.ts';
import { tells } from '../../../cli/tree-lines.ts';
import {
  approvedPlan,
  at,
  attempt,
  COMMIT,
  condition,
  DIGEST,
  NOW,
  plan,
  story,
  storyStatus,
  task,
  work,
} from '../../builders/objects.ts';

const drawn = (view: StoryView): readonly string[] =>
  storyTree(view, NOW + 90_000, plain)
    .trimEnd()
    .split('\n');

describe('the tree of a Story', () => {
  it('shows what a new one waits for', () => {
    const given = story(
      {},
      {
        phase: 'Draft',
        waitingFor: 'waits for approval of the scope',
        gates: { scope: 'Human', design: 'Human', test: 'Auto', docs: 'Auto' },
      },
    );
    expect(drawn({ story: given, plans: [], tasks: [] })).toEqual([
      'Story login  Draft  Visitors can log in',
      '├─ waits for approval of the scope',
      '└─ gates: scope Human · design Human · test Auto · docs Auto',
    ]);
  });

  it('says how to decide a Plan that is parsed, and why one was rejected', () => {
    const rejected = plan(
      [work('api')],
      { approval: { verdict: 'Rejected', by: 'bob', digest: DIGEST, reason: 'too large' } },
      { phase: 'Rejected', digest: DIGEST },
    );
    const next = plan([work('api')], { revision: 2 }, { phase: 'Parsed', digest: DIGEST });
    expect(drawn({ story: story({}, { phase: 'Design' }), plans: [next, rejected], tasks: [] }).slice(2)).toEqual([
      '├─ Plan login-1  r1  Rejected  by bob  sha256:dddddddddddd',
      '│  └─ reason: too large',
      '└─ Plan login-2  r2  Parsed  sha256:dddddddddddd',
      '   └─ to decide: kubectl fleet approve plan login-2 -n shop',
    ]);
  });

  it('shows Tasks in the order of the Plan with attempts, reasons, checks, commits and evidence', () => {
    const [api, docs] = [work('api'), work('docs')];
    const inForce = approvedPlan([api, docs]);
    const status = storyStatus({
      ...{ headCommit: COMMIT, baseCommit: 'b'.repeat(40), gates: undefined },
      tasks: { total: 2, succeeded: 1, failed: 0, summary: '1/2' },
    });
    const done = task(api, {
      phase: 'Succeeded',
      commit: COMMIT,
      attempts: [
        attempt(1, {
          ...{ finishedAt: at(20), outcome: 'AgentFailed', reason: 'VerifyFailed', message: 'npm test ended with 1' },
          verify: { passed: 0, failed: 1 },
        }),
        attempt(2, {
          ...{ courierTries: 1, startedAt: at(20), finishedAt: at(80), outcome: 'Succeeded', verify: { passed: 1, failed: 0 } },
          ...{ files: 1, insertions: 10, deletions: 2, tokens: 1200, commit: COMMIT, evidence: DIGEST },
        }),
      ],
    });
    const stuck = task(docs, {
      phase: 'Pending',
      waitingFor: 'waits for a person',
      conditions: [condition('Stalled', 'True', 'AttemptsUsedUp', 'grant extraAttempts')],
    });
    expect(drawn({ story: story({}, status), plans: [inForce], tasks: [stuck, done] })).toEqual([
      'Story login  Build  1/2  Visitors can log in',
      '├─ gates: scope ? · design Approved by grace · test ? · docs ?',
      '├─ branch fleet/shop/login  head cccccccccccc  base bbbbbbbbbbbb',
      '└─ Plan login-1  r1  Approved  by grace  in force  sha256:dddddddddddd',
      '   ├─ api  Succeeded  Write api  login-api',
      '   │  ├─ attempt 1  agent-dev-001  AgentFailed  VerifyFailed  npm test ended with 1  20s',
      '   │  │  └─ checks 0 passed, 1 failed',
      '   │  └─ attempt 2  agent-dev-002  Succeeded  1m',
      '   │     └─ 1 file +10 −2  checks 1 passed  1200 tokens  commit cccccccccccc  evidence sha256:dddddddddddd',
      '   └─ docs  Pending  Write docs  login-docs',
      '      ├─ waits for a person',
      '      └─ stalled: AttemptsUsedUp  grant extraAttempts',
    ]);
  });

  it('says why it failed, and nothing more once it is done', () => {
    const failed = story({}, { phase: 'Failed', reason: 'BudgetSpent', message: 'all tokens are spent', waitingFor: 'nothing' });
    expect(drawn({ story: failed, plans: [], tasks: [] })[1]).toBe('├─ BudgetSpent  all tokens are spent');
    const done = story({}, { phase: 'Done', message: 'done', waitingFor: 'nothing' });
    expect(drawn({ story: done, plans: [], tasks: [] })).toHaveLength(2);
  });

  it('counts the time of a running attempt until now', () => {
    const running = task(work('api'), { phase: 'Running', attempts: [attempt(1)] });
    const inForce = plan([work('api')], {}, { phase: 'Approved', tasks: [work('api')] });
    expect(drawn({ story: story(), plans: [inForce], tasks: [running] }).at(-1)).toBe(
      '      └─ attempt 1  agent-dev-001  Running  1m30s',
    );
  });

  it('says once what a Story, its Task, the Stalled condition and an attempt all say', () => {
    const message = 'the workspace reached what it must not';
    const halted = task(work('api'), {
      phase: 'Pending',
      waitingFor: `${message}; then grant an attempt`,
      conditions: [condition('Stalled', 'True', 'NetworkNotContained', `${message}; then grant an attempt`)],
      attempts: [attempt(1, { finishedAt: at(20), outcome: 'Stalled', reason: 'NetworkNotContained', message })],
    });
    const inForce = plan([work('api')], {}, { phase: 'Approved', tasks: [work('api')] });
    const given = (waitingFor: string): StoryView => ({
      story: story({}, { phase: 'Build', waitingFor }),
      plans: [inForce],
      tasks: [halted],
    });
    expect(drawn(given('the tasks of phase Build: 0 of 1 done')).slice(4)).toEqual([
      '   └─ api  Pending  Write api  login-api',
      `      ├─ stalled: NetworkNotContained  ${message}; then grant an attempt`,
      '      └─ attempt 1  agent-dev-001  Stalled  20s',
    ]);
    const told = drawn(given(`Task api is stalled: ${message}; then grant an attempt.`));
    expect(told[1]).toBe(`├─ Task api is stalled: ${message}; then grant an attempt.`);
    expect(told.slice(4)).toEqual([
      '   └─ api  Pending  Write api  login-api',
      '      ├─ stalled: NetworkNotContained',
      '      └─ attempt 1  agent-dev-001  Stalled  20s',
    ]);
  });

  it('says how to decide a Plan, and why one was rejected, at the Story or at the Plan', () => {
    const undecided = plan([work('api')], { revision: 2 }, { phase: 'Parsed', digest: DIGEST });
    const asked = story(
      {},
      { phase: 'Design', waitingFor: 'waits for approval of plan login-2 (kubectl fleet approve plan login-2)' },
    );
    expect(drawn({ story: asked, plans: [undecided], tasks: [] })).toEqual([
      'Story login  Design  Visitors can log in',
      '├─ waits for approval of plan login-2 (kubectl fleet approve plan login-2)',
      '├─ gates: scope ? · design ? · test ? · docs ?',
      '└─ Plan login-2  r2  Parsed  sha256:dddddddddddd',
    ]);
    const approval = { verdict: 'Rejected', by: 'bob', digest: DIGEST, reason: 'too large' } as const;
    const rejected = plan([work('api')], { approval }, { phase: 'Rejected', digest: DIGEST });
    const refused = story({}, { phase: 'Design', waitingFor: 'waits for a further Plan: bob rejected plan login-1 (too large)' });
    expect(drawn({ story: refused, plans: [rejected], tasks: [] }).slice(2)).toEqual([
      '├─ gates: scope ? · design ? · test ? · docs ?',
      '└─ Plan login-1  r1  Rejected  by bob  sha256:dddddddddddd',
    ]);
  });
});

describe('what one text tells of another', () => {
  it.each([
    { text: 'the agent failed: npm test ended with 1', other: 'npm test ended with 1', want: true },
    { text: 'Grant extraAttempts.', other: 'grant extraAttempts', want: true },
    { text: 'another plan', other: 'no', want: false },
    { text: 'rejected (no)', other: 'no', want: true },
    { text: 'npm test', other: 'npm test ended with 1', want: false },
    { text: 'npm test ended w…', other: 'npm test ended with 1', want: true },
  ])('"$text" and "$other": $want', ({ text, other, want }) => {
    expect(tells(text, other)).toBe(want);
  });
});
