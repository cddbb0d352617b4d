// Who wins and why: ranking by score, the architect's choice among the best, who would have chosen otherwise. Pure, and the same to the byte
// for the same contributions.
import type { DeliberationSpec } from '../kinds/deliberation.ts';
import { MAX_SELECTIONS, type TurnPlace } from '../contracts/turns.ts';
import { MESSAGE_LENGTH } from '../kinds/meta.ts';
import { epochMs } from '../time.ts';
import type { Book } from './contributions.ts';
import { inputsOf, labelsOf, lettered, type OpenTurn, type Scoring, type Standing, type Texts } from './protocol.ts';
import { criteriaOf, failedCheck, scoreOf, weighed, type Result } from './scores.ts';
import { architect, type Pinned } from './seats.ts';

export interface Judged {
  readonly result: Result;
  readonly text: Standing;
  /** Why it cannot win; undefined: it can. */
  readonly unfit: string | undefined;
}

const pointsOf = (scoring: Scoring, agent: string): readonly (readonly number[])[] =>
  scoring.given.flatMap(({ scores }) => scores.filter((each) => each.agent === agent).map(({ points }) => points));

const unfitOf = (pinned: Pinned, text: Standing, isScored: boolean, isJudged: boolean): string | undefined => {
  const check = failedCheck(pinned, text.checks);
  if (check !== undefined) return `the ${check} check failed`;
  return isJudged && !isScored ? 'nobody scored it' : undefined;
};

const byRank = (a: Judged, b: Judged): number => {
  const fit = Number(a.unfit !== undefined) - Number(b.unfit !== undefined);
  if (fit !== 0) return fit;
  if (a.result.score !== b.result.score) return b.result.score - a.result.score;
  return a.result.agent < b.result.agent ? -1 : 1;
};

/** Every text that stands, best first; those that cannot win last. */
export const ranked = (pinned: Pinned, texts: Texts, scoring: Scoring): readonly Judged[] =>
  texts.standing
    .map((text): Judged => {
      const given = pointsOf(scoring, text.agent);
      const criteria = criteriaOf(pinned, given);
      const checks = text.checks ?? {};
      const result: Result = {
        agent: text.agent,
        digest: text.digest,
        score: scoreOf(pinned, criteria, checks),
        rank: 1,
        ...(criteria !== undefined && { criteria }),
        ...(text.checks !== undefined && { checks: text.checks }),
      };
      return { result, text, unfit: unfitOf(pinned, text, given.length > 0, scoring.expected > 0) };
    })
    .sort(byRank)
    .map((judged, index) => ({ ...judged, result: { ...judged.result, rank: index + 1 } }));

export interface Choice {
  readonly agent: string;
  readonly rationale: string;
  readonly dissent: string;
}

/** `open`: the architect is asked. `byScores` says why no architect decided, where one should have. */
export type Selection =
  | { readonly kind: 'open'; readonly turn: OpenTurn }
  | { readonly kind: 'chosen'; readonly choice: Choice; readonly byScores?: string };

/** The text that a scorer liked best; of equals the first by agent. */
const firstChoiceOf = (pinned: Pinned, { scores }: Scoring['given'][number]): string | undefined =>
  scores
    .map(({ agent, points }) => ({ agent, sum: weighed(pinned, points) }))
    .toSorted((a, b) => (a.sum === b.sum ? (a.agent < b.agent ? -1 : 1) : b.sum - a.sum))[0]?.agent;

/** Who judged and would have chosen another one. The winner itself judged the others only, and does not count. */
const dissenters = (pinned: Pinned, scoring: Scoring, winner: string): readonly string[] =>
  scoring.given.flatMap((each) => {
    const first = firstChoiceOf(pinned, each);
    return each.scorer === winner || first === undefined || first === winner ? [] : [`${each.scorer} preferred ${first}`];
  });

const HALF_AT_END = /[\uD800-\uDBFF]$/;
/** As a status takes it: half a character at its end would be stored as another one, and never come out again. */
export const clip = (text: string): string =>
  text.length <= MESSAGE_LENGTH ? text : `${text.slice(0, MESSAGE_LENGTH - 1).replace(HALF_AT_END, '')}…`;

const choiceOf = (pinned: Pinned, scoring: Scoring, choice: Choice): Choice => {
  const others = dissenters(pinned, scoring, choice.agent);
  return {
    ...choice,
    rationale: clip(choice.rationale),
    dissent: clip([...others, choice.dissent].filter((each) => each !== '').join('; ')),
  };
};

const scoresSay = (pinned: Pinned, scoring: Scoring, fit: readonly Judged[], why: string | undefined): Selection => {
  const [best, next] = fit.map(({ result }) => result);
  const than = next === undefined ? 'the only one that can win' : `${next.agent} has ${next.score}`;
  const rationale = `${best?.agent ?? ''} has ${best?.score ?? 0} of 1000, ${than}`;
  const choice = choiceOf(pinned, scoring, { agent: best?.agent ?? '', rationale, dissent: '' });
  return { kind: 'chosen', choice, ...(why !== undefined && { byScores: why }) };
};

/** Those that the architect chooses among, under letters of their own. */
export const shortlist = ({ topK }: Pinned, fit: readonly Judged[]): ReturnType<typeof lettered> =>
  lettered(fit.slice(0, Math.max(2, topK)).map(({ text }) => text));

/** `fit`: those that can win, best first; at least one. */
export const selected = (
  book: Book,
  {
    fit,
    scoring,
    select,
  }: { readonly fit: readonly Judged[]; readonly scoring: Scoring; readonly select: DeliberationSpec['select'] },
): Selection => {
  const { pinned } = book;
  if (select === 'Score' || fit.length === 1) return scoresSay(pinned, scoring, fit, undefined);
  const seat = architect(pinned);
  if (seat === undefined) return scoresSay(pinned, scoring, fit, 'no architect of another Council was ready');
  const top = shortlist(pinned, fit);
  let { readyMs } = scoring;
  for (let round = 1; round <= MAX_SELECTIONS; round += 1) {
    const place: TurnPlace = { kind: 'Selection', round, seat };
    const found = book.of(place, labelsOf(top));
    if (found === undefined) return { kind: 'open', turn: { place, inputs: inputsOf(top), readyMs } };
    const { choice: agent, rationale = '', dissent = '' } = found;
    if (agent !== undefined) return { kind: 'chosen', choice: choiceOf(pinned, scoring, { agent, rationale, dissent }) };
    readyMs = Math.max(readyMs, epochMs(found.at) ?? 0);
  }
  return scoresSay(pinned, scoring, fit, 'the architect gave no valid choice');
};
