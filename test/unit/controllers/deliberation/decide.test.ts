import { describe, expect, it } from 'vitest';
import { decideDeliberation } from '../../../../controllers/deliberation/decide.ts';
import { fleetAccount } from '../../../../controllers/workspace/accounts.ts';
import type { DeliberationSeen } from '../../../../controllers/deliberation/seen.ts';
import { turnIdOf, turnNumber, turnPlaceOf, type TurnCommand } from '../../../../crds/contracts/turns.ts';
import type { Answer } from '../../../../crds/deliberation/contributions.ts';
import type { Deliberation, DeliberationSpec } from '../../../../crds/kinds/deliberation.ts';
import { council, deliberation, NOW, platform, story } from '../../../builders/objects.ts';
import { obliging, resultOf, type Asked } from '../../crds/deliberation/play.ts';

const architects = {
  ...council({ role: 'ARCHITECT' }),
  metadata: { ...council().metadata, name: 'architects', uid: 'uid-architects' },
};

const reader = fleetAccount('fleet-reader', 'shop');
const seen = (more: Partial<DeliberationSeen> = {}, spec: Partial<DeliberationSpec> = {}): DeliberationSeen => ({
  ...{ story: undefined, task: undefined, isOfStory: false, answers: [], line: { isNext: true }, usage: undefined },
  readerAccount: reader,
  ...{ council: council(), architects, platform: platform(), storeAvailable: true, cursor: undefined },
  ...more,
  deliberation: { ...deliberation(), ...more.deliberation, spec: { ...(more.deliberation ?? deliberation()).spec, ...spec } },
});

/** The same a moment later, with what was decided written. */
const after = (given: DeliberationSeen, now: number, answers: DeliberationSeen['answers'] = given.answers): DeliberationSeen => {
  const { status } = decideDeliberation(given, now);
  const written: Deliberation = status === undefined ? given.deliberation : { ...given.deliberation, status };
  return { ...given, deliberation: written, answers };
};

const commandsOf = (given: DeliberationSeen, now: number): readonly TurnCommand[] =>
  decideDeliberation(given, now).effects.flatMap((effect) =>
    effect.verb === 'command' && effect.command.kind === 'turn' ? [effect.command] : [],
  );

const answerTo = (given: DeliberationSeen, command: TurnCommand, seenMs: number): readonly [number, Answer] => {
  const { pinned } = given.deliberation.status ?? {};
  const place = turnPlaceOf(command.n);
  if (pinned === undefined || place === undefined) throw new Error(`no turn ${command.n}`);
  const asked: Asked = { place, inputs: command.inputs, agent: pinned.seats[place.seat]?.agent ?? '' };
  return [command.n, { result: resultOf(pinned, asked, obliging(asked) ?? {}), seenMs }];
};

/** Answers all turns that are asked for, until there are none; returns what was written on the way. */
const run = (first: DeliberationSeen, hopMs = 1000): { readonly phases: readonly string[]; readonly last: DeliberationSeen } => {
  let now = NOW;
  let given = first;
  const phases: string[] = [];
  for (let pass = 0; pass < 100; pass += 1) {
    const decision = decideDeliberation(given, now);
    const commands = commandsOf(given, now).filter(({ n }) => !given.answers.some(([known]) => known === n));
    if (decision.status !== undefined)
      phases.push(`${decision.status.phase} ${decision.status.step ?? ''} ${decision.status.progress ?? ''}`.trim());
    given = after(given, now);
    if (decision.outcome.kind === 'done') return { phases, last: given };
    now += hopMs;
    given = { ...given, answers: [...given.answers, ...commands.map((command) => answerTo(given, command, now))] };
  }
  throw new Error('it does not end');
};

const begun = (more: Partial<DeliberationSeen> = {}, spec: Partial<DeliberationSpec> = {}): DeliberationSeen =>
  after(seen(more, spec), NOW);
const reasonOf = (given: DeliberationSeen, now = NOW): string => {
  const { status } = decideDeliberation(given, now);
  const condition = status?.conditions?.find(({ type }) => type === 'Succeeded');
  return `${status?.phase ?? 'as it is'} ${condition?.reason ?? ''}`.trim();
};

describe('a Deliberation that has not begun', () => {
  it.each<[string, DeliberationSeen, string]>([
    ['its Council is missing', seen({ council: undefined }), 'Pending CouncilMissing'],
    ['its Council is not Ready', seen({ council: council({}, false) }), 'Pending CouncilNotReady'],
    ['JetStream is down', seen({ storeAvailable: false }), 'Pending StoreUnavailable'],
    ['it is suspended', seen({}, { suspend: true }), 'Pending Suspended'],
    [
      'the Story that it was made for is suspended',
      seen({ isOfStory: true, story: story({ suspend: true }) }),
      'Pending Suspended',
    ],
    ['a Story that it only names is suspended', seen({ story: story({ suspend: true }) }), 'InProgress Deliberating'],
    ['it was cancelled', seen({}, { cancel: true }), 'Failed Cancelled'],
    [
      'the Story that it was made for was cancelled',
      seen({ isOfStory: true, story: story({ cancel: true }) }),
      'Failed Cancelled',
    ],
    [
      'it may cost more than the Story has',
      seen({ isOfStory: true, story: story({ budget: { tokens: 1000, wallClockSeconds: 60 } }) }),
      'Failed BudgetTooSmall',
    ],
    ['its endpoint has its fill', seen({ line: { isNext: false } }), 'Pending EndpointFull'],
    ['nothing is in its way', seen(), 'InProgress Deliberating'],
  ])('%s', (_, given, want) => {
    expect(reasonOf(given)).toBe(want);
    expect(commandsOf(given, NOW)).toEqual([]);
  });

  it('pins who takes part before anybody is asked', () => {
    const { status } = decideDeliberation(seen(), NOW);
    expect(status?.pinned).toMatchObject({
      seats: [
        { agent: 'agent-dev-001', part: 'Proposer', endpoint: 'gpu', model: 'qwen', temperature: '0.7', maxTokens: 2048 },
        { agent: 'agent-dev-002', part: 'Proposer', temperature: '0.91' },
        { agent: 'agent-dev-003', part: 'Proposer', temperature: '0.6' },
        { agent: 'agent-architect-001', part: 'Architect' },
      ],
      ...{ rounds: 1, quorum: 2, topK: 3, timeoutSeconds: 300, payer: 'Namespace', rootUid: 'uid-which-way', rigor: 'L1' },
    });
    const personas = status?.pinned?.seats.slice(0, 3).map(({ persona }) => persona);
    expect(new Set(personas).size).toBe(3);
  });

  it('gives its namespace the account by which people read texts first', () => {
    const first = decideDeliberation(seen({ readerAccount: undefined }), NOW);
    expect(first).toMatchObject({
      status: undefined,
      effects: [{ verb: 'create', object: reader }],
      outcome: { kind: 'waiting' },
    });
  });

  it('of the architects themselves is judged by one who proposes nothing, or by its scores', () => {
    const of = (numAgents: number) =>
      decideDeliberation(seen({ council: architects }, { numAgents }), NOW).status?.pinned?.seats.map(
        ({ agent, part }) => `${agent} ${part}`,
      );
    expect(of(2)).toEqual(['agent-architect-001 Proposer', 'agent-architect-002 Proposer', 'agent-architect-003 Architect']);
    expect(of(3)?.some((each) => each.endsWith('Architect'))).toBe(false);
  });
});

describe('a Deliberation at work', () => {
  it('asks for all proposals at once, and writes nothing more for it', () => {
    const given = begun();
    const commands = commandsOf(given, NOW);
    expect(commands.map(({ id, endpoint, priority, inputs }) => ({ id, endpoint, priority, inputs }))).toEqual(
      [0, 1, 2].map((seat) => ({
        ...{ id: turnIdOf('uid-which-way', turnNumber({ kind: 'Proposal', round: 0, seat })), endpoint: 'gpu' },
        ...{ priority: 'normal', inputs: [] },
      })),
    );
    expect(decideDeliberation(given, NOW).status).toBeUndefined();
  });

  it('comes to its end in six writes, each of which a person can read', () => {
    const { phases, last } = run(seen());
    expect(phases).toEqual([
      'InProgress Generate',
      'InProgress Critique 3/13',
      'InProgress Revise 6/13',
      'InProgress Score 9/13',
      'InProgress Select 12/13',
      'Completed  13/13',
    ]);
    const { status } = last.deliberation;
    expect(status).toMatchObject({ usage: { tokens: 1300, calls: 13 }, results: [{ rank: 1 }, { rank: 2 }, { rank: 3 }] });
    expect(status?.contributions?.length).toBe(13);
    expect(status?.outbox?.map(({ type }) => type)).toEqual([
      'orchestration.deliberation.started',
      'orchestration.deliberation.completed',
    ]);
  });

  it('goes on by what it pinned when its Council is changed, shrunk or gone', () => {
    const given = { ...begun(), council: undefined, architects: undefined };
    expect(run(given).last.deliberation.status?.phase).toBe('Completed');
  });

  it('begins again with the answers that are there when its status was wiped', () => {
    const { last } = run(seen());
    const { status, ...wiped } = last.deliberation;
    const again = run({ ...last, deliberation: wiped });
    expect(again.last.deliberation.status?.winner).toBe(status?.winner);
    expect(again.phases.length).toBe(2);
  });

  it('gives up a turn after a third of its time, writes that down, and only then asks what follows from it', () => {
    const given = begun();
    const [first, second] = commandsOf(given, NOW);
    if (first === undefined || second === undefined) throw new Error('nothing was asked');
    const later = { ...given, answers: [answerTo(given, first, NOW), answerTo(given, second, NOW)] };
    const before = decideDeliberation(after(later, NOW), NOW + 99_999);
    expect(before.outcome).toEqual({ kind: 'waiting', afterMs: 1 });
    const lost = decideDeliberation(after(later, NOW), NOW + 100_000);
    expect(lost.effects).toEqual([]);
    expect(
      lost.status?.contributions?.filter(({ outcome }) => outcome === 'TimedOut').map(({ agent, kind }) => `${agent} ${kind}`),
    ).toEqual(['agent-dev-003 Proposal', 'agent-dev-001 Critique', 'agent-dev-003 Critique']);
  });

  it('ends after its time, and keeps what was answered', () => {
    const given = begun();
    const [first] = commandsOf(given, NOW);
    if (first === undefined) throw new Error('nothing was asked');
    const late = { ...given, answers: [answerTo(given, first, NOW)] };
    const { status } = decideDeliberation(late, NOW + 300_000);
    expect([status?.phase, status?.contributions?.length, status?.durationMs]).toEqual(['TimedOut', 1, 300_000]);
  });

  it('stands still while it is suspended: nothing is sent, answers count, the clock stands', () => {
    const given = begun();
    const commands = commandsOf(given, NOW);
    const held = { ...given, deliberation: { ...given.deliberation, spec: { ...given.deliberation.spec, suspend: true } } };
    const stopped = after(
      held,
      NOW + 1000,
      commands.map((command) => answerTo(given, command, NOW + 2000)),
    );
    expect(reasonOf(stopped, NOW + 900_000)).toBe('InProgress Suspended');
    expect(commandsOf(stopped, NOW + 900_000)).toEqual([]);
    const kept = after(stopped, NOW + 900_000);
    expect(kept.deliberation.status?.contributions?.length).toBe(3);
    const going = { ...kept, deliberation: { ...kept.deliberation, spec: given.deliberation.spec } };
    const resumed = after(going, NOW + 901_000);
    expect(resumed.deliberation.status).toMatchObject({ pausedMs: 900_000, phase: 'InProgress' });
    expect(commandsOf(resumed, NOW + 901_000).length).toBe(3);
  });

  it('that was cancelled ends at once, and is not taken up again', () => {
    const given = begun();
    const stopped = after(
      { ...given, deliberation: { ...given.deliberation, spec: { ...given.deliberation.spec, cancel: true } } },
      NOW + 1000,
    );
    expect(stopped.deliberation.status?.phase).toBe('Failed');
    expect(decideDeliberation(stopped, NOW + 2000)).toMatchObject({ status: undefined, effects: [], outcome: { kind: 'done' } });
  });
});
