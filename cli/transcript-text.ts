// How a Deliberation came to its outcome, as one page of Markdown. Pure: the object and the texts that were fetched in, the page out. Every word
// that is not ours goes through crds/deliberation/markdown.ts, so that none can pass for a heading, a row or a verdict of this page.

import { DELIBERATION_STEPS, type Deliberation } from '../crds/kinds/deliberation.ts';
import type { Contribution } from '../crds/deliberation/contributions.ts';
import { cell, code, inline, prose } from '../crds/deliberation/markdown.ts';
import { endReason } from '../crds/deliberation/replay.ts';
import { RULES_VERSION } from '../crds/deliberation/rigor.ts';
import { markdownTable } from './markdown-table.ts';
import { duration, plural } from './text.ts';
import { ofKind, recordOf, type Recorded, type Texts } from './transcript-record.ts';
import { judgedSections } from './transcript-scores.ts';
import { writtenSections } from './transcript-turns.ts';

const list = (items: readonly (string | undefined)[]): string =>
  items
    .filter((item) => item !== undefined)
    .map((item) => `- ${item}`)
    .join('\n');

const stateLine = (deliberation: Deliberation): string => {
  const { phase = 'New', message = '', durationMs } = deliberation.status ?? {};
  const reason = phase === 'Failed' ? endReason(deliberation) : undefined;
  return [
    `${phase}${durationMs === undefined ? '' : ` after ${duration(durationMs)}`}`,
    ...(reason === undefined ? [] : [inline(reason)]),
    ...(message === '' ? [] : [inline(message)]),
  ].join(': ');
};

const aboutLine = ({ kind, storyRef, taskRef }: Deliberation['spec']): string => {
  const about = [
    ...(taskRef === undefined ? [] : [`Task ${inline(taskRef.name)}`]),
    ...(storyRef === undefined ? [] : [`Story ${inline(storyRef.name)}`]),
  ];
  return `asked for: ${kind}${about.length === 0 ? '' : `, about ${about.join(' of ')}`}`;
};

const termsLine = ({ pinned }: Recorded): string =>
  [
    plural(pinned.rounds, 'round'),
    `quorum ${pinned.quorum}`,
    `the best ${pinned.topK} for the architect`,
    `rigor ${pinned.rigor}`,
    `rules ${inline(pinned.rules)}${pinned.rules === RULES_VERSION ? '' : ' (others than those of this command)'}`,
  ].join(', ');

const promptsLine = ({ contributions }: Recorded): string | undefined => {
  const versions = [...new Set(contributions.flatMap(({ prompts }) => (prompts === undefined ? [] : [prompts])))];
  return versions.length === 0 ? undefined : `prompts ${versions.map(inline).join(', ')}`;
};

const headSections = (deliberation: Deliberation, recorded: Recorded | undefined): readonly string[] => {
  const { metadata, spec } = deliberation;
  const commit = recorded?.pinned.commit;
  return [
    `# Deliberation ${inline(metadata.name)}`,
    list([
      stateLine(deliberation),
      aboutLine(spec),
      commit === undefined ? undefined : `commit ${code(commit)}`,
      ...(recorded === undefined ? ['no turn was asked for'] : [termsLine(recorded), promptsLine(recorded)]),
    ]),
  ];
};

const questionSections = ({ spec }: Deliberation, recorded: Recorded | undefined): readonly string[] => [
  '## The question',
  spec.subject === '' ? 'It has no words of its own: what it is about is the question.' : prose(spec.subject),
  ...((spec.constraints?.requirements.length ?? 0) === 0
    ? []
    : ['What must hold:', list(spec.constraints?.requirements.map(inline) ?? [])]),
  ...(recorded === undefined
    ? []
    : [
        'Judged by:',
        list(
          recorded.pinned.rubric.map(
            ({ criterion, weight, text }) => `${inline(criterion)} (weight ${weight})${text === '' ? '' : `: ${inline(text)}`}`,
          ),
        ),
      ]),
];

const seatsSection = ({ pinned }: Recorded): readonly string[] => [
  '## Who took part',
  markdownTable([
    ['agent', 'part', 'role', 'Council', 'model', 'endpoint', 'temperature'],
    ...pinned.seats.map(({ agent, part, role, council, model, endpoint, temperature }) =>
      [agent, part, role, council, model, endpoint, temperature].map(cell),
    ),
  ]),
];

const KIND_OF_STEP = {
  ...{ Generate: 'Proposal', Critique: 'Critique', Revise: 'Revision', Score: 'Score', Select: 'Selection' },
} as const satisfies Readonly<Record<(typeof DELIBERATION_STEPS)[number], Contribution['kind']>>;

const spentRow = (name: string, turns: readonly Contribution[]): readonly string[] => {
  const having = (outcome: Contribution['outcome']): string => String(turns.filter((turn) => turn.outcome === outcome).length);
  const tokens = turns.reduce((sum, turn) => sum + (turn.tokens ?? 0), 0);
  const longestMs = Math.max(0, ...turns.map(({ durationMs = 0 }) => durationMs));
  const late = String(turns.filter((turn) => turn.late).length);
  return [
    name,
    String(turns.length),
    having('Answered'),
    having('Failed'),
    having('TimedOut'),
    late,
    String(tokens),
    duration(longestMs),
  ];
};

const spentSection = (recorded: Recorded): readonly string[] => {
  const { usage } = recorded.deliberation.status ?? {};
  const { payer } = recorded.pinned;
  const rows = DELIBERATION_STEPS.flatMap((step) => {
    const turns = ofKind(recorded, KIND_OF_STEP[step]);
    return turns.length === 0 ? [] : [spentRow(step, turns)];
  });
  if (rows.length === 0) return [];
  const whole = usage === undefined ? '' : `${plural(usage.tokens, 'token')} in ${plural(usage.calls, 'call')}, paid by the `;
  return [
    '## What it cost',
    markdownTable([['step', 'turns', 'answered', 'failed', 'timed out', 'came late', 'tokens', 'longest'], ...rows]),
    whole === '' ? '' : `${whole}${payer === 'Story' ? 'Story' : 'namespace'}.`,
  ];
};

/** Ends with a line break. */
export const transcriptText = (deliberation: Deliberation, texts: Texts): string => {
  const recorded = recordOf(deliberation, texts);
  const sections = [
    ...headSections(deliberation, recorded),
    ...questionSections(deliberation, recorded),
    ...(recorded === undefined
      ? []
      : [...seatsSection(recorded), ...writtenSections(recorded), ...judgedSections(recorded), ...spentSection(recorded)]),
  ];
  return `${sections.filter((part) => part !== '').join('\n\n')}\n`;
};
