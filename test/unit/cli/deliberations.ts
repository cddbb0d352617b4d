// Whole Deliberations with what their agents wrote, made by the rules alone: what `replay` and `transcript` read.
import { canonicalJson, sha256 } from '../../../crds/canonical.ts';
import { turnNumber } from '../../../crds/contracts/turns.ts';
import { deliberate, type Deliberated, type End } from '../../../crds/deliberation/deliberate.ts';
import type { Contribution } from '../../../crds/deliberation/contributions.ts';
import type { Pinned } from '../../../crds/deliberation/seats.ts';
import { deliberationStatus, type Deliberation } from '../../../crds/kinds/deliberation.ts';
import { at, condition, deliberation } from '../../builders/objects.ts';
import { pins, play, resultOf, type Asked, type Roster, type Script } from '../crds/deliberation/play.ts';

const proposalBy = (agent: string) => ({
  summary: `${agent} would build a form that posts to the server.`,
  approach: 'Plain HTML.\n\nThe server checks the passphrase.',
  steps: ['Write the form', 'Handle the post'],
  files: ['src/form/login.ts'],
  tests: ['npm run test:form'],
  risks: ['Somebody tries passphrases.'],
});

const PROBLEM = { severity: 'major', problem: 'No limit on tries.', suggestion: 'Count failures.' };

/** What the agent of a turn writes: an artifact, and what is told of it. */
const written = (asked: Asked, authors: ReadonlyMap<string, string>): { readonly artifact: object; readonly told: object } => {
  const { agent, place, inputs } = asked;
  const checks = { policy: { passed: true, errors: 0, warnings: 0 }, lint: { passed: true, errors: 0, warnings: place.seat } };
  const author = (digest: string): string => authors.get(digest) ?? '';
  switch (place.kind) {
    case 'Proposal':
      return { artifact: proposalBy(agent), told: { checks } };
    case 'Critique':
      return { artifact: { strengths: [`${agent} likes that it is small.`], problems: [PROBLEM] }, told: {} };
    case 'Revision':
      return { artifact: { ...proposalBy(agent), changes: [`${agent} counts failures now.`] }, told: { checks } };
    case 'Score': {
      const scores = inputs.map(({ label, digest }) => {
        const last = Number(author(digest).slice(-1));
        return { label, points: [500 + 100 * last, 600, 700 - 10 * place.seat, 300 + last] };
      });
      const artifact = { scores: scores.map(({ label, points }) => ({ proposal: label, points, reason: `${label} is sound.` })) };
      return { artifact, told: { scores } };
    }
    case 'Selection': {
      const choice = { label: inputs[0]?.label ?? '', rationale: `${inputs[0]?.label ?? ''} is tested.`, dissent: 'It is slow.' };
      return { artifact: { choice: choice.label, rationale: choice.rationale, dissent: choice.dissent }, told: { choice } };
    }
  }
};

interface Said {
  readonly script: Script;
  readonly texts: Map<string, string>;
}

/** Everybody writes; `goes` says of whom nothing comes, or a failure. */
const writing = (goes: (asked: Asked) => 'silent' | 'fails' | undefined): Said => {
  const texts = new Map<string, string>();
  const authors = new Map<string, string>();
  return {
    texts,
    script: (asked) => {
      const gone = goes(asked);
      if (gone !== undefined) return gone === 'silent' ? undefined : { fails: 'AnswerInvalid' };
      const { artifact, told } = written(asked, authors);
      const text = canonicalJson(artifact);
      const digest = sha256(text);
      texts.set(digest, text);
      authors.set(digest, asked.agent);
      return { digest, ...told };
    },
  };
};

const wordsOf = (end: End) => {
  if (end.kind === 'failed') return { phase: 'Failed', reason: end.reason, message: end.message } as const;
  const why = end.byScores === undefined ? '' : ` by its score, as ${end.byScores}`;
  return { phase: 'Completed', reason: 'Decided', message: `the proposal of ${end.choice.agent} won${why}` } as const;
};

/** The object as the operator leaves it. */
export const deliberatedOn = (pinned: Pinned, course: Deliberated): Deliberation => {
  const { stand, contributions, usage } = course;
  if (stand.kind === 'open') throw new Error('it has not ended');
  const { end } = stand;
  const { phase, reason, message } = wordsOf(end);
  const byScores = end.kind === 'completed' ? end.byScores : undefined;
  const chosen =
    end.kind === 'completed' ? { winner: end.choice.agent, rationale: end.choice.rationale, dissent: end.choice.dissent } : {};
  return {
    ...deliberation(),
    status: deliberationStatus.parse({
      ...{ phase, message, pinned, contributions, usage, results: end.results, ...chosen },
      ...{ startedAt: at(), finishedAt: at(90), durationMs: 90_000 },
      conditions: [
        condition('Succeeded', phase === 'Completed' ? 'True' : 'False', reason, message),
        ...(byScores === undefined ? [] : [condition('SelectedByScore', 'True', 'NoArchitect', byScores)]),
      ],
    }),
  };
};

interface Given {
  readonly roster: Roster;
  readonly goes?: Parameters<typeof writing>[0];
  /** A turn that was given up, and answered after all. */
  readonly late?: (contribution: Contribution) => boolean;
}

type Pick = (waiting: readonly unknown[]) => number;

export interface Transcribed {
  readonly deliberation: Deliberation;
  readonly texts: ReadonlyMap<string, string>;
}

export const transcribed = ({ roster, goes = () => undefined, late = () => false }: Given, pick?: Pick): Transcribed => {
  const pinned = pins(roster);
  const { script, texts } = writing(goes);
  const { course } = play(pinned, { script, ...(pick !== undefined && { pick }) });
  const seatOf = (agent: string): number => pinned.seats.findIndex((seat) => seat.agent === agent);
  const answers = course.contributions.filter(late).map(({ kind, round, agent, target }) => {
    const place = { kind, round, seat: seatOf(agent), ...(kind === 'Critique' && { target: seatOf(target) }) };
    return [turnNumber(place), { result: resultOf(pinned, { place, agent, inputs: [] }, {}), seenMs: 1 }] as const;
  });
  const { contributions } = course;
  const after = deliberate({ pinned, select: 'Architect', startedMs: 0, contributions, answers: new Map(answers) });
  return { deliberation: deliberatedOn(pinned, after), texts };
};

export const scenarios = {
  plain: { roster: { proposers: 3 } },
  rough: {
    roster: { proposers: 4 },
    goes: ({ place }) => {
      if (place.kind === 'Proposal' && place.seat === 0) return 'fails';
      return place.kind === 'Critique' && place.seat === 2 ? 'silent' : undefined;
    },
    late: ({ outcome }) => outcome === 'TimedOut',
  },
  byScores: { roster: { proposers: 2, reviewers: 1 }, goes: ({ place }) => (place.kind === 'Selection' ? 'fails' : undefined) },
  noQuorum: {
    roster: { proposers: 3 },
    // whoever is silent is given up last, so that all is said before it ends
    goes: ({ place }) => {
      if (place.kind !== 'Proposal' || place.seat === 2) return undefined;
      return place.seat === 0 ? 'fails' : 'silent';
    },
  },
} as const satisfies Readonly<Record<string, Given>>;
