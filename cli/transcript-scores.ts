// The part of a transcript that tells who scored what, what it came to, and who was chosen. Pure: it shows what is recorded; only the letters are
// worked out, as the words of agents speak of them.

import type { Contribution } from '../crds/deliberation/contributions.ts';
import { artifactMarkdown, cell, inline, prose } from '../crds/deliberation/markdown.ts';
import { endReason } from '../crds/deliberation/replay.ts';
import type { CheckName } from '../crds/deliberation/rigor.ts';
import { weighed, type Result } from '../crds/deliberation/scores.ts';
import { markdownTable } from './markdown-table.ts';
import { checkWords, joined, lettersLine, ofKind, textOf, turnLine, type Recorded } from './transcript-record.ts';

const LEVEL = 4;
const NOTHING = '–';

/** Whose texts were scored, in the order of the roster. */
const scoredAgents = (recorded: Recorded): readonly string[] => {
  const named = new Set([
    ...ofKind(recorded, 'Score').flatMap(({ scores = [] }) => scores.map(({ agent }) => agent)),
    ...(recorded.deliberation.status?.results ?? []).map(({ agent }) => agent),
  ]);
  return recorded.pinned.seats.map(({ agent }) => agent).filter((agent) => named.has(agent));
};

const pointsCell = ({ pinned }: Recorded, { agent: scorer, scores = [] }: Contribution, agent: string): string => {
  const given = scores.find((each) => each.agent === agent);
  if (given !== undefined) return String(weighed(pinned, given.points));
  return scorer === agent ? 'own' : NOTHING;
};

const scorerSection = (recorded: Recorded, turn: Contribution): readonly string[] => {
  const nameOf = (label: string): string => {
    const agent = recorded.workings?.scored.get(label);
    return agent === undefined ? label : `${label}, by ${agent}`;
  };
  const criteria = recorded.pinned.rubric.map(({ criterion }) => criterion);
  const show = (text: string): string => artifactMarkdown(text, { level: LEVEL, criteria, nameOf });
  return [`### ${inline(turn.agent)}`, turnLine(turn), turn.outcome === 'Answered' ? textOf(recorded, turn.digest, show) : ''];
};

const scoreSections = (recorded: Recorded): readonly string[] => {
  const turns = ofKind(recorded, 'Score');
  if (turns.length === 0) return [];
  const agents = scoredAgents(recorded);
  const letters = lettersLine(recorded.workings?.scored ?? new Map());
  return [
    '## Scores',
    'What each scorer gave each proposal, of 1000, weighed by the rubric.',
    markdownTable([
      ['scorer', ...agents.map(cell)],
      ...turns.map((turn) => [cell(turn.agent), ...agents.map((agent) => pointsCell(recorded, turn, agent))]),
    ]),
    letters === '' ? '' : `Who wrote what was hidden behind letters: ${letters}.`,
    ...turns.flatMap((turn) => scorerSection(recorded, turn)),
  ];
};

const CHECKS: readonly CheckName[] = ['policy', 'lint', 'dryrun'];

const checkRow = ({ pinned }: Recorded, results: readonly Result[], name: CheckName): readonly (readonly string[])[] => {
  const checks = results.map((result) => result.checks?.[name]);
  if (checks.every((check) => check === undefined)) return [];
  return [
    [
      `${name} check (weight ${pinned.weights[name]})`,
      ...checks.map((check) => (check === undefined ? NOTHING : checkWords(check))),
    ],
  ];
};

const unfitRow = ({ workings }: Recorded, results: readonly Result[]): readonly (readonly string[])[] =>
  workings === undefined || workings.unfit.size === 0
    ? []
    : [['cannot win', ...results.map(({ agent }) => cell(workings.unfit.get(agent) ?? ''))]];

const resultSections = (recorded: Recorded): readonly string[] => {
  const results = (recorded.deliberation.status?.results ?? []).toSorted((a, b) => a.rank - b.rank);
  if (results.length === 0) return [];
  const medians = recorded.pinned.rubric.map(({ criterion, weight }, index) => [
    `${cell(criterion)} (weight ${weight})`,
    ...results.map(({ criteria }) => String(criteria?.[index]?.score ?? NOTHING)),
  ]);
  return [
    '## Results',
    `Medians by criterion, the checks, and what they come to; the criteria together have weight ${recorded.pinned.weights.scores}.`,
    markdownTable([
      ['', ...results.map(({ agent }) => cell(agent))],
      ...medians,
      ...CHECKS.flatMap((name) => checkRow(recorded, results, name)),
      ['score', ...results.map(({ score }) => String(score))],
      ['rank', ...results.map(({ rank }) => String(rank))],
      ...unfitRow(recorded, results),
    ]),
  ];
};

const triesLines = (recorded: Recorded): string =>
  ofKind(recorded, 'Selection')
    .map((turn) => `- ${inline(turn.agent)}, try ${turn.round}: ${joined([turnLine(turn)])}`)
    .join('\n');

const chooser = (recorded: Recorded): string => {
  const { workings, deliberation } = recorded;
  const by = ofKind(recorded, 'Selection').find(({ choice }) => choice !== undefined);
  if (by !== undefined) {
    const letters = lettersLine(workings?.chosenAmong ?? new Map());
    return `${inline(by.agent)} chose${letters === '' ? '' : `, of texts under letters: ${letters}`}.`;
  }
  const why = deliberation.status?.conditions?.find(({ type }) => type === 'SelectedByScore')?.message;
  return why === undefined ? 'The scores decided.' : `The scores decided, as ${inline(why)}.`;
};

const said = (title: string, words: string | undefined): readonly string[] =>
  words === undefined || words === '' ? [] : [title, prose(words)];

const decisionSections = (recorded: Recorded): readonly string[] => {
  const { winner, rationale, dissent, message = 'nobody has said why', finishedAt } = recorded.deliberation.status ?? {};
  const tries = triesLines(recorded);
  if (winner === undefined) {
    const why = joined([endReason(recorded.deliberation), inline(message)]);
    return [
      '## Decision',
      finishedAt === undefined ? `Nothing is decided yet: ${inline(message)}.` : `Nobody won: ${why}.`,
      tries,
    ];
  }
  return [
    '## Decision',
    `**${inline(winner)}** won. ${chooser(recorded)}`,
    tries,
    ...said('Why:', rationale),
    ...(dissent === undefined || dissent === '' ? ['Nobody disagreed.'] : said('Who disagreed:', dissent)),
  ];
};

/** The text that won; one that was never revised stands among the proposals. */
const winnerSections = (recorded: Recorded): readonly string[] => {
  const { winner, results = [] } = recorded.deliberation.status ?? {};
  const digest = results.find(({ agent }) => agent === winner)?.digest;
  const isRevised = ofKind(recorded, 'Revision').some((turn) => turn.digest === digest);
  if (digest === undefined || winner === undefined || !isRevised) return [];
  const text = textOf(recorded, digest, (content) => artifactMarkdown(content, { level: LEVEL - 1 }));
  return text === '' ? [] : [`## The revised proposal of ${inline(winner)}`, text];
};

export const judgedSections = (recorded: Recorded): readonly string[] => [
  ...scoreSections(recorded),
  ...resultSections(recorded),
  ...decisionSections(recorded),
  ...winnerSections(recorded),
];
