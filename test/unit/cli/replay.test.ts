// replay: what comes out again of what a Deliberation recorded, what does not, and what is said of one that has no outcome.
import { describe, expect, it } from 'vitest';
import { Failure } from '../../../cli/failure.ts';
import { replay } from '../../../cli/replay.ts';
import { plain as unpainted, type Terminal } from '../../../cli/terminal.ts';
import { replayed } from '../../../crds/deliberation/replay.ts';
import { deliberationStatus, type Deliberation } from '../../../crds/kinds/deliberation.ts';
import { condition, deliberation } from '../../builders/objects.ts';
import { scenarios, transcribed } from './deliberations.ts';

const plain = transcribed(scenarios.plain).deliberation;
const byScores = transcribed(scenarios.byScores).deliberation;
const rough = transcribed(scenarios.rough).deliberation;
const noQuorum = transcribed(scenarios.noQuorum).deliberation;

type Status = NonNullable<Deliberation['status']>;
const having = (from: Deliberation, change: (status: Status) => object): Deliberation => ({
  ...from,
  status: deliberationStatus.parse({ ...from.status, ...change(from.status ?? {}) }),
});

const contributionsOf = ({ contributions = [] }: Status) => contributions;
const winnerOf = ({ status }: Deliberation): string => status?.winner ?? '';

/** Code and lines, as a person sees them. */
const said = async (given: Deliberation): Promise<readonly string[]> => {
  const lines: string[] = [];
  const terminal: Terminal = {
    ...{ write: (text) => void lines.push(...text.trimEnd().split('\n')), complain: () => undefined },
    ...{ paint: unpainted, isInteractive: false, ask: undefined },
  };
  const client = { get: async () => given as never, ...NOTHING_ELSE };
  try {
    await replay({ place: {}, name: given.metadata.name }, { client, namespace: 'shop' }, terminal);
    return ['0', ...lines];
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return [String(error.exitCode), ...lines, error.message, error.hint ?? ''];
  }
};

const refuse = async (): Promise<never> => Promise.reject(new Error('nothing but the object is asked for'));
const NOTHING_ELSE = {
  ...{ listPage: refuse, patch: refuse, raw: refuse },
  watch: async function* () {
    throw new Error('nobody watches here');
  },
};

describe('what replays', () => {
  it.each<[string, Deliberation, string]>([
    ['a plain one', plain, `Deliberation which-way replays: ${winnerOf(plain)} won again; of 1000: `],
    ['one decided by scores', byScores, `Deliberation which-way replays: ${winnerOf(byScores)} won again; of 1000: `],
    ['one with failures and a late answer', rough, `Deliberation which-way replays: ${winnerOf(rough)} won again; of 1000: `],
    [
      'one that failed',
      noQuorum,
      'Deliberation which-way replays: it failed again, QuorumMissing, fewer than the 2 proposals that are needed came: see the reasons among the contributions',
    ],
  ])('%s', async (_, given, want) => {
    expect(replayed(given)).toEqual({ kind: 'same' });
    const [code, line = '', ...more] = await said(given);
    expect([code, line.slice(0, want.length), ...more]).toEqual(['0', want]);
    if (given.status?.winner !== undefined) expect(line).toMatch(/of 1000: (agent-dev-\d+ \d+(, |$))+/);
  });
});

describe('what does not', () => {
  const other = plain.status?.results?.find(({ agent }) => agent !== plain.status?.winner)?.agent ?? '';
  it.each<[string, Deliberation, readonly string[]]>([
    ['another winner', having(plain, () => ({ winner: other })), ['winner']],
    ['another reason', having(plain, () => ({ rationale: 'it was cheap' })), ['rationale']],
    ['dissent that is hushed up', having(plain, () => ({ dissent: '' })), ['dissent']],
    ['dissent that is gone', having(plain, () => ({ dissent: undefined })), ['dissent']],
    ['fewer tokens', having(plain, () => ({ usage: { tokens: 1, calls: 13 } })), ['usage.tokens']],
    [
      'a better score',
      having(plain, ({ results = [] }) => ({ results: results.map((each, i) => (i === 1 ? { ...each, score: 999 } : each)) })),
      ['results.1.score'],
    ],
    ['a result that is gone', having(plain, ({ results = [] }) => ({ results: results.slice(0, 2) })), ['results.2']],
    [
      'points that were changed',
      having(byScores, (status) => ({
        contributions: contributionsOf(status).map((each) =>
          each.kind === 'Score' && each.agent === 'agent-qa-001'
            ? { ...each, scores: each.scores?.map(({ agent }) => ({ agent, points: [0, 0, 0, 0] })) }
            : each,
        ),
      })),
      ['results', 'rationale', 'dissent'],
    ],
    [
      'a contribution that is gone: a turn is open again',
      having(plain, (status) => ({ contributions: contributionsOf(status).filter(({ kind }) => kind !== 'Selection') })),
      ['phase', 'results', 'winner', 'rationale', 'dissent', 'usage'],
    ],
    ['a failure that is told otherwise', having(noQuorum, () => ({ message: 'nobody came' })), ['message']],
    [
      'a failure for another reason',
      having(noQuorum, () => ({ conditions: [condition('Succeeded', 'False', 'NoneEligible', 'x')] })),
      ['reason'],
    ],
  ])('%s', async (_, given, want) => {
    const replay = replayed(given);
    const paths = replay.kind === 'differs' ? replay.differences.map(({ path }) => path) : [];
    // of what differs within, its beginning is enough
    expect([...new Set(paths.map((path) => want.find((one) => path === one || path.startsWith(`${one}.`)) ?? path))]).toEqual(
      want,
    );
    const lines = await said(given);
    expect(lines[0]).toBe('1');
    expect(lines.at(-2)).toMatch(
      /^Deliberation which-way does not replay: \d+ values? in its status (is|are) not what comes out$/,
    );
    expect(lines.at(-1)).toContain('kubectl fleet transcript deliberation which-way -n shop');
  });

  it('says both values, on one line, whatever they hold', async () => {
    const given = having(plain, () => ({ winner: '\u001b[2Jme\u202e\nme' }));
    expect((await said(given))[1]).toBe(`winner: recorded is "\\u001b[2Jme\\nme", and what comes out is "${winnerOf(plain)}"`);
  });

  it('names no more than twenty values', async () => {
    const none = Array.from({ length: 16 }, (_, index) => ({ criterion: `c${index}`, score: 1 }));
    const given = having(plain, ({ results = [] }) => ({ results: results.map((each) => ({ ...each, criteria: none })) }));
    expect(await said(given)).toHaveLength(1 + 20 + 2);
  });
});

describe('what has no outcome', () => {
  const failed = (reason: string, message: string) => () => ({
    ...{ phase: 'Failed', message, conditions: [condition('Succeeded', 'False', reason, message)] },
    ...{ winner: undefined, results: undefined },
  });
  it.each<[string, Deliberation, RegExp, RegExp]>([
    ['nobody has looked at it', deliberation(), /has not ended.*: nobody has looked at it yet$/, /kubectl get deliberation/],
    [
      'it is under way',
      having(plain, () => ({ phase: 'InProgress', finishedAt: undefined, message: 'the authors revise' })),
      /has not ended.*: the authors revise$/,
      /--watch/,
    ],
    [
      'it was cancelled',
      having(plain, failed('Cancelled', 'the Deliberation was cancelled')),
      /was ended before it had an outcome: Cancelled, the Deliberation was cancelled$/,
      /kubectl fleet transcript/,
    ],
    [
      'it took too long',
      having(plain, () => ({
        ...{ phase: 'TimedOut', message: 'it took longer than 300 s', winner: undefined, results: undefined },
        conditions: [condition('Succeeded', 'False', 'TimedOut', 'it took longer')],
      })),
      /before it had an outcome: TimedOut, it took longer than 300 s$/,
      /kubectl fleet transcript/,
    ],
    [
      'it never began',
      having(plain, () => ({ ...failed('BudgetTooSmall', 'it may cost too much')(), pinned: undefined })),
      /before it had an outcome: BudgetTooSmall, it may cost too much$/,
      /kubectl fleet transcript/,
    ],
    [
      'other rules made it',
      having(plain, ({ pinned }) => ({ pinned: { ...pinned, rules: '7' } })),
      /was made by rules 7, and this command knows rules 1$/,
      /Take the kubectl-fleet of the release/,
    ],
  ])('%s', async (_, given, message, hint) => {
    const [code, ...lines] = await said(given);
    expect([code, lines.length]).toEqual(['1', 2]);
    expect(lines[0]).toMatch(message);
    expect(lines[1]).toMatch(hint);
  });
});
