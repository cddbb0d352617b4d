// The part of a transcript that tells what the agents wrote: proposals, critiques, revisions, by round. Pure.

import type { Contribution } from '../crds/deliberation/contributions.ts';
import { artifactMarkdown, changesMarkdown, inline } from '../crds/deliberation/markdown.ts';
import { ofKind, textOf, turnLine, type Recorded } from './transcript-record.ts';

const LEVEL = 4;
const whole = (text: string): string => artifactMarkdown(text, { level: LEVEL });

const turnSection = (
  recorded: Recorded,
  turn: Contribution,
  { title, show }: { readonly title: string; readonly show: (text: string) => string },
): readonly string[] => [`### ${title}`, turnLine(turn), turn.outcome === 'Answered' ? textOf(recorded, turn.digest, show) : ''];

const section = (title: string, turns: readonly (readonly string[])[]): readonly string[] =>
  turns.length === 0 ? [] : [`## ${title}`, ...turns.flat()];

const proposalSections = (recorded: Recorded): readonly string[] =>
  section(
    'Proposals',
    ofKind(recorded, 'Proposal').map((turn) => turnSection(recorded, turn, { title: inline(turn.agent), show: whole })),
  );

const roundSections = (recorded: Recorded, round: number): readonly string[] => [
  ...section(
    `Critiques of round ${round}`,
    ofKind(recorded, 'Critique', round).map((turn) =>
      turnSection(recorded, turn, { title: `${inline(turn.agent)} on ${inline(turn.target)}`, show: whole }),
    ),
  ),
  // what stands at the end is shown whole where it won; here it is the difference that a reader looks for
  ...section(
    `Revisions of round ${round}: what changed`,
    ofKind(recorded, 'Revision', round).map((turn) =>
      turnSection(recorded, turn, { title: inline(turn.agent), show: changesMarkdown }),
    ),
  ),
];

export const writtenSections = (recorded: Recorded): readonly string[] => [
  ...proposalSections(recorded),
  ...Array.from({ length: recorded.pinned.rounds }, (_, index) => roundSections(recorded, index + 1)).flat(),
];
