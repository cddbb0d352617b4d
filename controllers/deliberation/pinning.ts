// What a Deliberation pins before its first turn: who takes part, by which criteria, weights and limits. Whatever becomes of the Council later, it
// goes on with what stands here.
// May: read objects once. May not: be asked again for a Deliberation that has begun.

import { DEFAULT_RIGOR, DEFAULT_RUBRIC, RULES_VERSION, WEIGHTS } from '../../crds/deliberation/rigor.ts';
import type { Pinned } from '../../crds/deliberation/seats.ts';
import type { Council } from '../../crds/kinds/council.ts';
import { agentOf, agentsOf } from '../../crds/rules/councils.ts';
import type { DeliberationSeen } from './seen.ts';

type Seat = Pinned['seats'][number];

const seatOf = (council: Council, name: string, part: Seat['part']): readonly Seat[] => {
  const agent = agentOf(council, name);
  if (agent === undefined) return [];
  const { role, model, deliberation } = council.spec;
  const own = council.spec.agents.find((each) => each.name === name)?.model;
  return [
    {
      ...{ agent: name, part, role, council: council.metadata.name, endpoint: model.endpoint },
      ...{ model: agent.model, temperature: agent.temperature, persona: agent.persona ?? '' },
      maxTokens: own?.maxTokens ?? deliberation.maxTokens,
    },
  ];
};

const proposersOf = (council: Council, numAgents: number | undefined): readonly Seat[] =>
  agentsOf(council)
    .slice(0, numAgents)
    .flatMap((name) => seatOf(council, name, 'Proposer'));

/** The first agent of the architects who proposes nothing himself. */
const architectOf = (architects: Council | undefined, taken: readonly Seat[]): readonly Seat[] => {
  if (architects === undefined || architects.status?.ready !== 'True') return [];
  const name = agentsOf(architects).find((each) => !taken.some(({ agent }) => agent === each));
  return name === undefined ? [] : seatOf(architects, name, 'Architect');
};

const rubricOf = ({ deliberation, task }: DeliberationSeen, council: Council): Pinned['rubric'] => {
  const lists = [deliberation.spec.constraints?.rubric, task?.spec.task.constraints?.rubric, council.spec.deliberation.rubric];
  return lists.find((list) => list !== undefined && list.length > 0) ?? DEFAULT_RUBRIC;
};

/** What the Deliberation says itself, else the Council. */
const limitsOf = ({ deliberation }: DeliberationSeen, { spec }: Council, most: number) => {
  const own = deliberation.spec;
  const preset = spec.deliberation;
  return {
    rounds: own.rounds ?? preset.rounds,
    quorum: Math.min(most, own.quorum ?? preset.quorum ?? Math.floor(most / 2) + 1),
    topK: own.topK ?? preset.topK,
    timeoutSeconds: own.timeoutSeconds ?? preset.timeoutSeconds,
  };
};

const subjectOf = ({ deliberation, story, task, isOfStory }: DeliberationSeen) => ({
  rootUid: isOfStory && story !== undefined ? story.metadata.uid : deliberation.metadata.uid,
  ...(story !== undefined && { storyUid: story.metadata.uid }),
  ...(task !== undefined && { taskUid: task.metadata.uid }),
  ...(story?.status?.headCommit !== undefined && { commit: story.status.headCommit }),
});

export const pinOf = (seen: DeliberationSeen, council: Council): Pinned => {
  const { deliberation, story, isOfStory, architects } = seen;
  const { spec } = deliberation;
  const writers = proposersOf(council, spec.numAgents);
  const rigor = story?.spec.rigor ?? DEFAULT_RIGOR;
  return {
    ...subjectOf(seen),
    ...limitsOf(seen, council, writers.length),
    councilUid: council.metadata.uid,
    payer: isOfStory ? 'Story' : 'Namespace',
    seats: [...writers, ...(spec.select === 'Architect' ? architectOf(architects, writers) : [])],
    rubric: rubricOf(seen, council),
    rigor,
    weights: WEIGHTS[rigor],
    rules: RULES_VERSION,
  };
};
