// What comes of a turn, as it is kept: canonical JSON of one of these. Its writer is the one who takes the turn; others quote it, judge it, make a
// Plan of it, or show it to people.
import { z } from 'zod';
import { MAX_CRITERIA, MAX_SEATS } from '../contracts/turns.ts';
import { MESSAGE_LENGTH, type Immutable } from '../kinds/meta.ts';
import { planTask } from '../kinds/plan-task.ts';

/** Text up to a length in UTF-16 code units, which the schema that is sent leaves out (shapes.ts); half a surrogate pair is no text. */
export const bounded = (max: number) =>
  z
    .string()
    .refine((value) => value.length <= max, { error: `has more than ${max} characters` })
    .refine((value) => value.isWellFormed(), { error: 'holds half of a surrogate pair' });
export const text = (max: number) => bounded(max).min(1);

const SENTENCES = 1_000;
export const changes = z.array(text(SENTENCES)).max(24);

export const proposal = z.strictObject({
  summary: text(2_000),
  approach: text(16_000),
  steps: z.array(text(SENTENCES)).max(24),
  files: z.array(text(256)).max(64),
  tests: z.array(text(SENTENCES)).max(24),
  risks: z.array(text(SENTENCES)).max(16),
});

export const SEVERITIES = ['blocking', 'major', 'minor'] as const;
export const critique = z.strictObject({
  strengths: z.array(text(SENTENCES)).max(8),
  problems: z.array(z.strictObject({ severity: z.enum(SEVERITIES), problem: text(2_000), suggestion: bounded(2_000) })).max(16),
});

const label = text(16);
export const pointsOf = z.strictObject({
  proposal: label,
  points: z.array(z.int().min(0).max(1000)).min(1).max(MAX_CRITERIA),
  reason: text(2_000),
});
const scores = z.strictObject({ scores: z.array(pointsOf).min(1).max(MAX_SEATS) });

export const selection = z.strictObject({
  choice: label,
  rationale: text(MESSAGE_LENGTH),
  dissent: bounded(MESSAGE_LENGTH),
});

export const MAX_PLAN_TASKS = 64;
export const rationale = text(4_000);
const plan = z.strictObject({
  rationale,
  tasks: z.array(planTask).min(1).max(MAX_PLAN_TASKS),
  changes: changes.optional(),
});

/** With what a revision says besides. */
const anyProposal = proposal.extend({ changes: changes.optional() });

export type Proposal = Immutable<z.output<typeof anyProposal>>;
export type ProposedPlan = Immutable<z.output<typeof plan>>;
export type Critique = Immutable<z.output<typeof critique>>;
export type Scores = Immutable<z.output<typeof scores>>;
export type Selection = Immutable<z.output<typeof selection>>;

export type Artifact =
  | { readonly kind: 'proposal'; readonly value: Proposal }
  | { readonly kind: 'plan'; readonly value: ProposedPlan }
  | { readonly kind: 'critique'; readonly value: Critique }
  | { readonly kind: 'scores'; readonly value: Scores }
  | { readonly kind: 'selection'; readonly value: Selection };

/** Every kind has fields that no other has, so that a text needs no tag. */
const anyArtifact = z.union([
  anyProposal.transform((value): Artifact => ({ kind: 'proposal', value })),
  plan.transform((value): Artifact => ({ kind: 'plan', value })),
  critique.transform((value): Artifact => ({ kind: 'critique', value })),
  scores.transform((value): Artifact => ({ kind: 'scores', value })),
  selection.transform((value): Artifact => ({ kind: 'selection', value })),
]);

/** What a kept text is; undefined for one that is none of these, such as a patch. Never throws. */
export const artifactOf = (content: string): Artifact | undefined => {
  try {
    return anyArtifact.safeParse(JSON.parse(content)).data;
  } catch {
    return undefined;
  }
};
