// What holds for every record, not only for those of the tables: a decision is a function of its record, changes nothing in it, and is
// never an exception, however strange the values are that the types allow.

import { describe, expect, it } from 'vitest';
import type { Decision } from '../../../controllers/contract.ts';
import { decideCouncil } from '../../../controllers/council/decide.ts';
import { decidePlan } from '../../../controllers/plan/decide.ts';
import { decideStory } from '../../../controllers/story/decide.ts';
import { decideTask } from '../../../controllers/task/decide.ts';
import type { TaskSeen } from '../../../controllers/task/seen.ts';
import { probeCommandId, probeRetryCommandId } from '../../../crds/contracts/commands.ts';
import { kindDefinitions, type Kind } from '../../../crds/kinds/registry.ts';
import {
  approvedPlan,
  at,
  attempt,
  COMMIT,
  condition,
  council,
  DIGEST,
  NOW,
  outboxEvent,
  plan,
  platform,
  story,
  storyStatus,
  task,
  work,
} from '../../builders/objects.ts';
import { planSeen, storySeen, taskSeen } from '../../builders/seen.ts';
import { job, over, pod, REPORT, workspaces } from '../../builders/workspaces.ts';
import { Random } from '../../simulation/random.ts';

const STRANGE_TEXTS = [
  '',
  'x',
  '__proto__',
  '\u{1F9EA}',
  'sha256:',
  '2026-13-99T99:99:99Z',
  '-1',
  '{{',
  'a/b/../c',
  'Succeeded',
  '9'.repeat(400),
];
// the largest one leaves room for counting on: no object has had as many events
const STRANGE_NUMBERS = [0, -1, 1, 31, 2_147_483_647, Number.MAX_SAFE_INTEGER - 1_000];

interface Strangeness {
  /** Chance for each leaf and each list. */
  readonly rate: number;
  /** Names under which nothing is changed. */
  readonly spared: readonly string[];
}

// `ok` chooses a member of a union: another one would need other fields
const WILD: Strangeness = { rate: 0.04, spared: ['ok'] };
const MILD: Strangeness = { rate: 0.01, spared: ['ok', 'apiVersion', 'kind', 'metadata', 'platform'] };

/**
 * A copy in which some leaves are strange, some lists are cut, doubled or turned round. Types stay as they are; functions too.
 */
const strange = (value: unknown, random: Random, how: Strangeness): unknown => {
  const isHit = random.chance(how.rate);
  if (typeof value === 'string') return isHit ? random.pick(STRANGE_TEXTS) : value;
  if (typeof value === 'number') return isHit ? random.pick(STRANGE_NUMBERS) : value;
  if (typeof value === 'boolean') return isHit ? !value : value;
  if (Array.isArray(value)) {
    const items = value.map((item) => strange(item, random, how));
    return isHit ? random.pick([[], [...items, ...items], items.toReversed(), items.slice(1)]) : items;
  }
  if (value instanceof Map) return new Map([...value].map(([key, item]) => [key, strange(item, random, how)] as const));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [
      name,
      how.spared.includes(name) ? (item as unknown) : strange(item, random, how),
    ]),
  );
};

const frozen = <T>(value: T): T => {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const item of value instanceof Map ? value.values() : Object.values(value)) frozen(item);
  }
  return value;
};

const form = work('form', { dependsOn: ['base'], fileScope: ['src/**'] });
const base = work('base');
const busy = task(form, {
  phase: 'Integrating',
  eventSeq: 5,
  outbox: [outboxEvent(5, { type: 'orchestration.task.integrating' })],
  conditions: [{ ...condition('WorkspaceMissing', 'True'), lastTransitionTime: at(-60) }],
  attempts: [
    attempt(1, { finishedAt: at(), outcome: 'InfrastructureFailed', reason: 'PodLost' }),
    attempt(2, { patch: DIGEST, evidence: DIGEST, base: COMMIT, courierUid: 'uid-courier-2', courierTries: 1 }),
  ],
});
const attemptJob = job(busy, { n: 2 });
const courierJob = job(busy, { kind: 'courier', n: 2 });
const doneBase = { task: task(base, { phase: 'Succeeded', commit: COMMIT, completedAt: at() }), jobs: [] };

const tasks: readonly TaskSeen[] = [
  taskSeen(task(form), { family: [doneBase] }, [base]),
  taskSeen(
    busy,
    {
      ...workspaces(
        [over(attemptJob, 'Complete'), pod(attemptJob, { report: { finding: REPORT } })],
        [over(courierJob, 'Complete'), pod(courierJob, { push: { finding: { commit: COMMIT } } })],
      ),
      family: [doneBase],
    },
    [base],
  ),
  taskSeen(
    busy,
    {
      ...workspaces([over(attemptJob, 'Failed'), pod(attemptJob, { work: { exitCode: 137, reason: 'OOMKilled' } })]),
      family: [doneBase],
    },
    [base],
  ),
  taskSeen(task(form, { phase: 'Running', attempts: [attempt(1)] }), workspaces([job(busy)])),
];

const kinds: readonly {
  readonly kind: Kind;
  readonly records: readonly object[];
  readonly decide: (seen: never, now: number) => Decision<unknown>;
}[] = [
  { kind: 'Task', records: tasks, decide: decideTask },
  {
    kind: 'Story',
    records: [
      storySeen(story()),
      storySeen(story({}, storyStatus()), { plans: [approvedPlan([form, base])], tasks: [busy, doneBase.task] }),
      storySeen(story({}, storyStatus({ phase: 'Test' })), { plans: [approvedPlan([base])], tasks: [doneBase.task] }),
      storySeen(story({}, storyStatus({ phase: 'Design', plan: undefined })), { plans: [approvedPlan([form, base])] }),
    ],
    decide: decideStory,
  },
  {
    kind: 'Plan',
    records: [
      planSeen(plan([form, base])),
      planSeen(approvedPlan([form, base])),
      planSeen(plan([], { tasks: undefined, source: '- [ ] a: b' })),
    ],
    decide: decidePlan,
  },
  {
    kind: 'Council',
    records: [
      {
        ...{ council: council(), platform: platform(), storeAvailable: true, cursor: undefined },
        answers: [probeCommandId('gpu', 'qwen', NOW), probeRetryCommandId('gpu', 'qwen', NOW)].map((id) => ({
          ...{ id, kind: 'probe', at: at(), ok: true, models: ['qwen'], toolCalls: true, structuredOutput: true },
        })),
      },
    ],
    decide: decideCouncil,
  },
];

const RECORDS = 500;

const isOurs = (kind: unknown): kind is Kind => typeof kind === 'string' && Object.hasOwn(kindDefinitions, kind);

/** Whether the API server would have stored each of our objects in it. */
const isPossible = (value: unknown): boolean => {
  if (typeof value !== 'object' || value === null) return true;
  const { kind, spec, status } = value as Readonly<Record<string, unknown>>;
  if (isOurs(kind) && spec !== undefined && !kindDefinitions[kind].spec.safeParse(spec).success) return false;
  if (isOurs(kind) && status !== undefined && !kindDefinitions[kind].status.safeParse(status).success) return false;
  return (value instanceof Map ? [...value.values()] : Object.values(value)).every(isPossible);
};

describe.each(kinds)('every decision about a $kind', ({ kind, records, decide }) => {
  it(`is the same twice, and no exception, for ${RECORDS} strange records that are frozen`, () => {
    for (let seed = 1; seed <= RECORDS; seed += 1) {
      const random = new Random(seed);
      const seen = frozen(strange(random.pick(records), random, WILD));
      const now = NOW + random.below(10_000_000);
      try {
        expect(JSON.stringify(decide(seen as never, now))).toBe(JSON.stringify(decide(seen as never, now)));
      } catch (error) {
        throw new Error(`seed ${seed}`, { cause: error });
      }
    }
  });

  it('writes a status that the schema takes, wherever all objects that it looks at are ones that the schemas take', () => {
    let looked = 0;
    for (let seed = 1; seed <= RECORDS; seed += 1) {
      const random = new Random(seed);
      const seen = strange(random.pick(records), random, MILD);
      const wanted = isPossible(seen) ? decide(seen as never, NOW + random.below(1_000_000)).status : undefined;
      if (wanted === undefined) continue;
      looked += 1;
      const problem = kindDefinitions[kind].status.safeParse(JSON.parse(JSON.stringify(wanted))).error;
      expect({ seed, problem }).toEqual({ seed, problem: undefined });
    }
    expect(looked).toBeGreaterThan(20);
  });

  it('does not hang on the order in which lists come', () => {
    for (const record of records) {
      const turned = Object.fromEntries(
        Object.entries(record).map(([name, value]) => [
          name,
          Array.isArray(value) && name !== 'plans' && name !== 'answers' ? value.toReversed() : (value as unknown),
        ]),
      );
      expect(decide(turned as never, NOW)).toEqual(decide(record as never, NOW));
    }
  });
});
