import { describe, expect, it } from 'vitest';
import { turnNumber, type TurnResult } from '../../../../crds/contracts/turns.ts';
import { deliberate } from '../../../../crds/deliberation/deliberate.ts';
import { everyTurn } from '../../../../crds/deliberation/protocol.ts';
import { obliging, pins, play, type Played, type Script } from './play.ts';

const counts = ({ asked }: Played): string =>
  ['Proposal', 'Critique', 'Revision', 'Score', 'Selection']
    .map((kind) => `${kind} ${asked.filter(({ place }) => place.kind === kind).length}`)
    .join(', ');

const summary = ({ end }: Played): string => {
  if (end.kind === 'failed') return `failed ${end.reason}`;
  return `${end.choice.agent} of ${end.results.map(({ agent, score }) => `${agent.slice(-1)}=${score}`).join(' ')}`;
};

const failing =
  (reason: string, fails: (asked: Parameters<Script>[0]) => boolean): Script =>
  (asked) =>
    fails(asked) ? { fails: reason } : obliging(asked);

describe('the turns of a Deliberation', () => {
  it.each([
    [
      'one agent alone: nobody criticises, nobody scores',
      { proposers: 1 },
      {},
      'Proposal 1, Critique 0, Revision 0, Score 0, Selection 0',
    ],
    ['two agents', { proposers: 2 }, {}, 'Proposal 2, Critique 2, Revision 2, Score 2, Selection 1'],
    ['three agents', { proposers: 3 }, {}, 'Proposal 3, Critique 3, Revision 3, Score 3, Selection 1'],
    ['without rounds', { proposers: 3 }, { rounds: 0 }, 'Proposal 3, Critique 0, Revision 0, Score 3, Selection 1'],
    ['five rounds of nine', { proposers: 9 }, { rounds: 5 }, 'Proposal 9, Critique 45, Revision 45, Score 9, Selection 1'],
    ['without an architect', { proposers: 3, architect: false }, {}, 'Proposal 3, Critique 3, Revision 3, Score 3, Selection 0'],
    [
      'reviewers criticise and score all',
      { proposers: 3, reviewers: 2, architect: false },
      {},
      'Proposal 3, Critique 9, Revision 3, Score 5, Selection 0',
    ],
    [
      'one proposer and a reviewer',
      { proposers: 1, reviewers: 1 },
      {},
      'Proposal 1, Critique 1, Revision 1, Score 1, Selection 0',
    ],
  ] as const)('%s', (_, roster, more, want) => {
    const pinned = pins(roster, more);
    const played = play(pinned);
    expect(counts(played)).toBe(want);
    expect(played.course.answered).toBe(played.course.expected);
    const every = new Set(everyTurn(pinned).map(turnNumber));
    expect(played.asked.every(({ place }) => every.has(turnNumber(place)))).toBe(true);
  });

  it.each([2, 3, 5, 9])('of %i agents with one round: five calls one after the other', (proposers) => {
    expect(play(pins({ proposers })).hops).toBe(5);
  });

  it('are the same to the byte in whatever order the answers come, and so is the end', () => {
    const pinned = pins({ proposers: 4, reviewers: 1 }, { rounds: 2 });
    const kept = ({ end, course }: Played): string =>
      JSON.stringify([end, course.contributions.map((each) => ({ ...each, at: '' })), course.usage]);
    const want = kept(play(pinned));
    for (let seed = 1; seed <= 200; seed += 1) {
      let state = seed;
      const pick = (waiting: readonly unknown[]): number =>
        (state = (state * 48_271) % 2_147_483_647) % Math.max(1, waiting.length);
      expect(kept(play(pinned, { pick }))).toBe(want);
    }
  });

  it('replay from the contributions alone', () => {
    const pinned = pins({ proposers: 5 }, { rounds: 2 });
    const script: Script = (asked) => (asked.place.kind === 'Critique' && asked.place.seat === 2 ? undefined : obliging(asked));
    const { end, course } = play(pinned, { script });
    const again = deliberate({
      pinned,
      select: 'Architect',
      startedMs: 0,
      contributions: course.contributions,
      answers: new Map(),
    });
    expect(again.stand).toEqual({ kind: 'ended', end });
    expect(again.contributions).toEqual(course.contributions);
  });

  it('are not held up by one who is slow: a revision follows its critique at once', () => {
    const pinned = pins({ proposers: 3 });
    const { asked } = play(pinned, {
      script: (turn) => (turn.place.kind === 'Proposal' && turn.place.seat === 2 ? undefined : obliging(turn)),
    });
    const order = asked.map(({ place }) => `${place.kind} ${place.seat + 1}`);
    // agent 1 criticises 2, who revises; 3 criticises 1, who revises; only then is the third one's proposal given up
    expect(order).toEqual([
      'Proposal 1', 'Proposal 2', 'Proposal 3',
      'Critique 3', 'Critique 1',
      'Revision 1', 'Revision 2',
      'Score 1', 'Score 2', 'Score 3',
      'Selection 4',
    ]); // prettier-ignore
  });
});

describe('what fails', () => {
  it.each<[string, Script, string, string]>([
    [
      'a proposal: nobody criticises it, and its author still judges the others',
      failing('ModelRefused', ({ place }) => place.kind === 'Proposal' && place.seat === 0),
      'Proposal 3, Critique 2, Revision 2, Score 3, Selection 1',
      'agent-dev',
    ],
    [
      'a critique: the text goes on unrevised',
      failing('AnswerInvalid', ({ place }) => place.kind === 'Critique' && place.seat === 0),
      'Proposal 3, Critique 3, Revision 2, Score 3, Selection 1',
      'agent-dev',
    ],
    [
      'a revision: the text before it stands',
      failing('AnswerInvalid', ({ place }) => place.kind === 'Revision' && place.seat === 0),
      'Proposal 3, Critique 3, Revision 3, Score 3, Selection 1',
      'agent-dev',
    ],
    [
      'two proposals of three: too few',
      failing('ModelRefused', ({ place }) => place.kind === 'Proposal' && place.seat < 2),
      'Proposal 3, Critique 0, Revision 0, Score 0, Selection 0',
      'failed QuorumMissing',
    ],
    [
      'all scores: nothing can win',
      failing('AnswerInvalid', ({ place }) => place.kind === 'Score'),
      'Proposal 3, Critique 3, Revision 3, Score 3, Selection 0',
      'failed NoneEligible',
    ],
    [
      'the architect, twice: the scores decide',
      failing('AnswerInvalid', ({ place }) => place.kind === 'Selection'),
      'Proposal 3, Critique 3, Revision 3, Score 3, Selection 2',
      'agent-dev-001 of',
    ],
  ])('%s', (_, script, turns, want) => {
    const played = play(pins({ proposers: 3 }), { script });
    expect([counts(played), summary(played).slice(0, want.length)]).toEqual([turns, want]);
  });

  it('by silence counts as given up, and an answer that comes later is only marked', () => {
    const pinned = pins({ proposers: 3 });
    const { course } = play(pinned, {
      script: (turn) => (turn.place.kind === 'Critique' && turn.place.seat === 0 ? undefined : obliging(turn)),
    });
    const lost = course.contributions.filter(({ outcome }) => outcome === 'TimedOut');
    expect(lost.map(({ agent, kind, target }) => `${agent} ${kind} ${target}`)).toEqual(['agent-dev-001 Critique agent-dev-002']);
    const n = turnNumber({ kind: 'Critique', round: 1, seat: 0, target: 1 });
    const late = deliberate({
      ...{ pinned, select: 'Architect', startedMs: 0, contributions: course.contributions },
      answers: new Map([[n, { result: { ...lateResult, id: `uid-d.${n}` }, seenMs: 1 }]]),
    });
    expect(late.stand).toEqual(course.stand);
    expect(late.contributions.filter((each) => each.late)).toEqual([
      { ...lost[0], late: true, digest: lateResult.digest, tokens: 7, durationMs: 8 },
    ]);
  });
});

const lateResult: Extract<TurnResult, { ok: true }> = {
  id: '',
  ...{ at: '2026-11-21T02:15:00Z', agent: 'agent-dev-001', model: 'qwen', tokens: 7, durationMs: 8, prompts: '1' },
  ...{ ok: true, digest: `sha256:${'0'.repeat(64)}` },
};

describe('who wins', () => {
  const points =
    (...by: readonly number[]): Script =>
    (asked) => {
      if (asked.place.kind !== 'Score') return obliging(asked);
      const scorer = asked.place.seat;
      return {
        scores: asked.inputs.map(({ label }, index) => ({
          label,
          points: [0, 1, 2, 3].map(() => by[(scorer + index) % by.length] ?? 0),
        })),
      };
    };

  it.each<[string, Script, Parameters<typeof pins>[1], string]>([
    ['by equal scores the first by name', obliging, {}, 'agent-dev-001'],
    [
      'no score of a scorer that left one out',
      (asked) => (asked.place.kind === 'Score' && asked.place.seat === 0 ? { scores: [] } : obliging(asked)),
      {},
      'agent-dev-001',
    ],
    ['no score out of range', points(0, 1000, 0), {}, 'agent-dev-00'],
  ])('%s', (_, script, more, want) => {
    const { end } = play(pins({ proposers: 3, architect: false }, more), { script });
    expect(end.kind === 'completed' ? end.choice.agent.slice(0, want.length) : end.reason).toBe(want);
  });

  it('never one that failed a required check, whatever its scores', () => {
    const script: Script = (asked) => {
      const checks = { policy: { passed: asked.place.seat !== 0, errors: asked.place.seat === 0 ? 1 : 0, warnings: 0 } };
      return asked.place.kind === 'Proposal' || asked.place.kind === 'Revision' ? { checks } : obliging(asked);
    };
    const { end } = play(pins({ proposers: 2, architect: false }), { script });
    expect(end.kind === 'completed' && [end.choice.agent, end.results.map(({ agent, rank }) => `${rank} ${agent}`)]).toEqual([
      'agent-dev-002',
      ['1 agent-dev-002', '2 agent-dev-001'],
    ]);
  });

  it('nobody, when every text failed a required check', () => {
    const script: Script = (asked) => ({ ...obliging(asked), checks: { policy: { passed: false, errors: 1, warnings: 0 } } });
    const { end } = play(pins({ proposers: 2 }), { script });
    expect(end.kind === 'failed' && end).toMatchObject({
      reason: 'NoneEligible',
      message: 'no proposal can win: agent-dev-001, the policy check failed; agent-dev-002, the policy check failed',
    });
  });

  it('whom the architect chooses, and who would have chosen otherwise is told', () => {
    const script: Script = (asked) => {
      if (asked.place.kind === 'Selection')
        return { choice: { label: asked.inputs.at(-1)?.label ?? '', rationale: 'simpler', dissent: 'slower' } };
      return obliging(asked);
    };
    const { end } = play(pins({ proposers: 2 }), { script });
    const winner = end.kind === 'completed' ? end.choice.agent : '';
    const other = winner === 'agent-dev-001' ? 'agent-dev-002' : 'agent-dev-001';
    // of two agents each judged the other alone: the winner's words about the other are no dissent, the other's are for the winner
    expect(end.kind === 'completed' && end.choice).toEqual({ agent: winner, rationale: 'simpler', dissent: 'slower' });
    expect(other).not.toBe(winner);
  });

  it('with words that are cut between characters: the API server would store half of one as another', () => {
    const dissent = `${'x'.repeat(1022)}\u{1F600}`;
    const script: Script = (asked) =>
      asked.place.kind === 'Selection'
        ? { choice: { label: 'A', rationale: `${dissent}\u{1F600}`, dissent: `${dissent}\u{1F600}` } }
        : obliging(asked);
    const { end } = play(pins({ proposers: 3 }), { script });
    const { rationale = '', dissent: cut = '' } = end.kind === 'completed' ? end.choice : {};
    expect([rationale, cut].map((words) => [words.isWellFormed(), words.length, words.endsWith('…')])).toEqual([
      [true, 1023, true],
      [true, expect.any(Number), true],
    ]);
  });

  it.each([
    ['a letter that was not among them', { choice: { label: 'Z', rationale: '', dissent: '' } }],
    ['no choice at all', {}],
  ])('by score, when the architect names %s', (_, said) => {
    const { end } = play(pins({ proposers: 3 }), {
      script: (asked) => (asked.place.kind === 'Selection' ? said : obliging(asked)),
    });
    expect(end.kind === 'completed' && end.byScores).toBe('the architect gave no valid choice');
  });
});

describe('what an agent is shown', () => {
  it('are letters in the order of digests, never its own text, and no names', () => {
    const { asked } = play(pins({ proposers: 4 }));
    const scores = asked.filter(({ place }) => place.kind === 'Score');
    const all = [...new Set(scores.flatMap(({ inputs }) => inputs.map(({ label, digest }) => `${label} ${digest}`)))].sort();
    expect(all.map((each) => each.split(' ')[0])).toEqual(['A', 'B', 'C', 'D']);
    expect(all.map((each) => each.split(' ')[1])).toEqual(all.map((each) => each.split(' ')[1]).toSorted());
    expect(scores.map(({ inputs }) => inputs.length)).toEqual([3, 3, 3, 3]);
    expect(JSON.stringify(scores.map(({ inputs }) => inputs))).not.toContain('agent-');
  });
});
