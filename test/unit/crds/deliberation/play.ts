// Plays a Deliberation by its rules alone: every turn that is asked for is answered as the script says, in an order of the caller's.
import type { TurnInput, TurnPlace, TurnResult } from '../../../../crds/contracts/turns.ts';
import { turnIdOf, turnNumber } from '../../../../crds/contracts/turns.ts';
import { withGivenUp, type Answer, type Contribution } from '../../../../crds/deliberation/contributions.ts';
import { deliberate, type Deliberated, type End } from '../../../../crds/deliberation/deliberate.ts';
import type { OpenTurn } from '../../../../crds/deliberation/protocol.ts';
import { DEFAULT_RUBRIC, WEIGHTS } from '../../../../crds/deliberation/rigor.ts';
import { agentAt, type Pinned } from '../../../../crds/deliberation/seats.ts';
import { sha256 } from '../../../../crds/canonical.ts';

type Seat = Pinned['seats'][number];
const seat = (agent: string, part: Seat['part']): Seat => ({
  ...{
    agent,
    part,
    role: 'DEV',
    council: 'dev',
    endpoint: 'gpu',
    model: 'qwen',
    temperature: '0.7',
    maxTokens: 2048,
    persona: '',
  },
});

export interface Roster {
  readonly proposers: number;
  readonly reviewers?: number;
  readonly architect?: boolean;
}

export const pins = ({ proposers, reviewers = 0, architect = true }: Roster, more: Partial<Pinned> = {}): Pinned => ({
  ...{ rootUid: 'uid-root', councilUid: 'uid-dev', payer: 'Namespace', rigor: 'L1', weights: WEIGHTS.L1, rules: '1' },
  seats: [
    ...Array.from({ length: proposers }, (_, index) => seat(`agent-dev-00${index + 1}`, 'Proposer')),
    ...Array.from({ length: reviewers }, (_, index) => seat(`agent-qa-00${index + 1}`, 'Reviewer')),
    ...(architect ? [seat('agent-architect-001', 'Architect')] : []),
  ],
  ...{ rubric: DEFAULT_RUBRIC, rounds: 1, quorum: Math.floor(proposers / 2) + 1, topK: 3, timeoutSeconds: 300 },
  ...more,
});

type Said = Partial<Omit<Extract<TurnResult, { ok: true }>, 'ok'>> | { readonly fails: string };
export interface Asked {
  readonly place: TurnPlace;
  readonly agent: string;
  readonly inputs: readonly TurnInput[];
}
export type Script = (asked: Asked) => Said | undefined;

const RUBRIC_LENGTH = DEFAULT_RUBRIC.length;
/** Every text gets the same points, the first letter is chosen. */
export const obliging: Script = ({ place, inputs }) => {
  if (place.kind === 'Score')
    return { scores: inputs.map(({ label }) => ({ label, points: Array.from({ length: RUBRIC_LENGTH }, () => 500) })) };
  if (place.kind === 'Selection') return { choice: { label: inputs[0]?.label ?? '', rationale: 'it is the best', dissent: '' } };
  return {};
};

export const resultOf = (pinned: Pinned, asked: Asked, said: Said): TurnResult => {
  const n = turnNumber(asked.place);
  const common = {
    ...{ id: turnIdOf('uid-d', n), at: '2026-11-21T02:15:00Z', agent: asked.agent, model: 'qwen' },
    ...{ tokens: 100, durationMs: 1000, prompts: '1' },
  };
  if ('fails' in said) return { ...common, ok: false, reason: said.fails, message: said.fails };
  return { ...common, ok: true, digest: sha256(`text of turn ${n}`), ...said };
};

const STARTED = Date.parse('2026-11-21T02:15:00Z');

export interface Played {
  readonly end: End;
  readonly asked: readonly Asked[];
  /** Turns that were open at the same time share a hop. */
  readonly hops: number;
  readonly course: Deliberated;
}

interface Playing {
  readonly script?: Script;
  /** Which of the turns that wait is answered next; without it all of them at once. */
  readonly pick?: (waiting: readonly OpenTurn[]) => number;
}

/** A turn that the script leaves unanswered is given up when nothing else is left to do. */
export const play = (pinned: Pinned, { script = obliging, pick }: Playing = {}): Played => {
  const answers = new Map<number, Answer>();
  const asked: Asked[] = [];
  const silent = new Set<number>();
  let recorded: readonly Contribution[] = [];
  for (let hops = 0; hops < 1000; hops += 1) {
    const course = deliberate({ pinned, select: 'Architect', startedMs: STARTED, contributions: recorded, answers });
    if (course.stand.kind === 'ended') return { end: course.stand.end, asked, hops, course };
    const open = course.stand.turns.filter(({ place }) => !silent.has(turnNumber(place)));
    const first = pick === undefined ? 0 : pick(open);
    const now = pick === undefined ? open : open.slice(first, first + 1);
    for (const { place, inputs } of now) {
      const turn: Asked = { place, inputs, agent: agentAt(pinned, place.seat) };
      asked.push(turn);
      const said = script(turn);
      if (said === undefined) silent.add(turnNumber(place));
      else answers.set(turnNumber(place), { result: resultOf(pinned, turn, said), seenMs: STARTED + hops * 1000 });
    }
    if (now.length > 0) continue;
    const lost = course.stand.turns.map(({ place }) => place);
    recorded = withGivenUp(pinned, course.contributions, lost, STARTED + hops * 1000);
    silent.clear();
  }
  throw new Error('the Deliberation does not end');
};
