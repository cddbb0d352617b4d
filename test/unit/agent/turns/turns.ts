// A Deliberation as its turns see it, and answers that are as they should be.
import type { Model, ModelEnd } from '../../../../agent/model.ts';
import type { SharedBrief, TurnBrief } from '../../../../crds/contracts/turn-brief.ts';
import type { TurnKind } from '../../../../crds/contracts/turns.ts';
import { sha256 } from '../../../../crds/canonical.ts';

const CONTEXT = `## Place in the plan
- task form, one of 4
- builds on session
- needed by proof, style

## Decisions
- D1: Sessions in the database. Cookies are too small for what we keep.
- D2: Plain forms. No framework.`;

export const shared = (more: Partial<SharedBrief> = {}): SharedBrief => ({
  kind: 'Proposals',
  subject: 'How is the login form to be built?',
  story: {
    title: 'Visitors log in',
    description: 'So that a visitor finds her orders again.',
    acceptanceCriteria: ['Given a known visitor, then she sees her orders', 'Given a stranger, then he is asked to register'],
  },
  task: {
    ...{ id: 'form', title: 'Write the login form', description: 'A form with name and passphrase.' },
    ...{ role: 'DEV', phase: 'BUILD' },
  },
  requirements: ['It works without a mouse.'],
  rubric: [
    { criterion: 'correctness', weight: 4, text: 'It does what was asked.' },
    { criterion: 'tests', weight: 2, text: '' },
  ],
  fileScope: ['src/**', 'test/**'],
  protectedPaths: ['.github/**', 'ci/'],
  context: { digest: sha256(CONTEXT), text: CONTEXT },
  ...more,
});

export const brief = (kind: TurnKind, more: Partial<TurnBrief> = {}): TurnBrief => ({
  id: 'uid-deliberation.10100',
  place: { kind, round: kind === 'Critique' || kind === 'Revision' ? 1 : 0, seat: 0, ...(kind === 'Critique' && { target: 1 }) },
  shared: shared(),
  own: { agent: 'agent-dev-001', role: 'DEV', part: 'Proposer', persona: 'You write code that others can read.' },
  terms: { model: 'm', temperature: '0.7', maxTokens: 2048 },
  ...more,
});

export const planBrief = (kind: TurnKind): TurnBrief => brief(kind, { shared: shared({ kind: 'Plan', fileScope: [] }) });

export const proposal = {
  summary: 'A form that posts to the server.',
  approach: 'Plain HTML; the server checks the passphrase.',
  steps: ['Write the form', 'Handle the post'],
  files: ['src/form/login.ts', 'test/form/login.test.ts'],
  tests: ['npm run test:form'],
  risks: ['Somebody tries passphrases: count failures.'],
};

export const planned = {
  ...{ id: 'form', title: 'Write the form', description: 'With name and passphrase.', role: 'DEV', phase: 'BUILD' },
  ...{ dependsOn: [] as readonly string[], fileScope: ['src/form/**'], verify: { commands: ['npm test'] } },
  ...{ candidates: 1, deliberation: 'None' },
};
export const plan = {
  rationale: 'One after the other.',
  tasks: [planned, { ...planned, id: 'proof', title: 'Prove it', phase: 'TEST', dependsOn: ['form'] }],
};

export const critique = {
  strengths: ['It is small.'],
  problems: [{ severity: 'major', problem: 'No limit on tries.', suggestion: 'Count failures.' }],
};
export const scores = {
  scores: [
    { proposal: 'A', points: [700, 400], reason: 'Right, but thinly tested.' },
    { proposal: 'B', points: [600, 900], reason: 'Well tested.' },
  ],
};
export const selection = { choice: 'B', rationale: 'It is tested.', dissent: 'A is simpler.' };

export const texts = {
  ab: [
    { label: 'A', text: JSON.stringify(proposal) },
    { label: 'B', text: JSON.stringify({ ...proposal, summary: 'A page of its own.' }) },
  ],
  proposal: [{ label: 'proposal', text: JSON.stringify(proposal) }],
  revision: [
    { label: 'own', text: JSON.stringify(proposal) },
    { label: 'critique-1', text: JSON.stringify(critique) },
  ],
};

export const reply = (text: string, more: Partial<Extract<ModelEnd, { kind: 'reply' }>> = {}): ModelEnd => ({
  ...{ kind: 'reply', text, calls: [], tokens: 100, cut: false },
  ...more,
});

type Asked = Parameters<Model>[0];

/** A model that gives these answers, one after the other, and keeps what it was asked. */
export const playing = (...ends: readonly ModelEnd[]): { readonly model: Model; readonly asked: readonly Asked[] } => {
  const asked: Asked[] = [];
  return {
    asked,
    model: async (conversation) => {
      asked.push(conversation);
      const end = ends[asked.length - 1];
      if (end === undefined) throw new Error(`call ${asked.length} was not expected`);
      return end;
    },
  };
};
