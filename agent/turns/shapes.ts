// What a model must answer, by kind of turn: the schema that is sent, and the one that its answer is read with.
// May not: mend an answer. What does not hold is refused with a sentence that its author can act on.
//
// Lengths of strings are checked here and not sent: xgrammar, vLLM's usual backend, takes hundreds of times longer for each token inside of a
// string with `maxLength` (mlc-ai/xgrammar#852), and llama.cpp refuses a grammar with a large one. Counts of lists are small, and are sent.
import { z } from 'zod';
import { canonicalJson } from '../../crds/canonical.ts';
import type { TurnBrief } from '../../crds/contracts/turn-brief.ts';
import {
  bounded,
  changes,
  critique,
  MAX_PLAN_TASKS,
  pointsOf,
  proposal,
  rationale,
  selection,
  text,
  type Artifact,
} from '../../crds/deliberation/artifacts.ts';
import { TASK_PHASES } from '../../crds/kinds/plan-task.ts';
import { parsePlanSource } from '../../crds/plan-text/source.ts';
import type { AnswerFormat } from '../model.ts';

/** How one turn is answered. */
export interface Shape {
  readonly format: AnswerFormat;
  readonly schema: z.ZodType<Artifact>;
}

const shape = (name: string, schema: z.ZodType<Artifact>): Shape => {
  const { $schema: _dialect, ...sent } = z.toJSONSchema(schema, { io: 'input' });
  return { format: { name, schema: sent }, schema };
};

/** What a task says in a plan of a model; what else a task has is a person's to set. Its rules are the Plan's own, which are asked afterwards. */
const askedTask = z.strictObject({
  id: text(63),
  title: text(200),
  description: bounded(16_384),
  role: text(32),
  phase: z.enum(TASK_PHASES),
  dependsOn: z.array(text(63)).max(16),
  fileScope: z.array(text(256)).max(16),
  verify: z.strictObject({ commands: z.array(text(2_048)).max(16) }),
  candidates: z.int().min(1).max(9),
  deliberation: z.enum(['None', 'Before']),
});
const askedPlan = z.strictObject({ rationale, tasks: z.array(askedTask).min(1).max(MAX_PLAN_TASKS) });
const revisedPlan = askedPlan.extend({ changes });

type AskedPlan = z.output<typeof askedPlan> & Partial<z.output<typeof revisedPlan>>;

/** By the rules of a Plan's source, in its words: what a person would be told of such a Plan. */
const asPlan = (asked: AskedPlan, context: z.RefinementCtx): Artifact => {
  const { tasks, ...rest } = asked;
  const result = parsePlanSource(canonicalJson({ tasks }));
  if (result.ok) return { kind: 'plan', value: { ...rest, tasks: result.tasks } };
  for (const { where, message } of result.problems) context.addIssue({ code: 'custom', message: `${where}: ${message}` });
  return z.NEVER;
};

/** The list has as many entries as there are labels, so that one which is there twice leaves another out. */
const askedScores = (labels: readonly string[], criteria: number) =>
  z.strictObject({
    scores: z
      .array(pointsOf.extend({ proposal: z.enum(labels), points: pointsOf.shape.points.length(criteria) }))
      .length(labels.length)
      .refine((scores) => new Set(scores.map((score) => score.proposal)).size === scores.length, {
        error: `must judge each of ${labels.join(', ')} exactly once`,
      }),
  });

const proposalShape = (): Shape =>
  shape(
    'proposal',
    proposal.transform((value): Artifact => ({ kind: 'proposal', value })),
  );
const revisionShape = (): Shape =>
  shape(
    'revision',
    proposal.extend({ changes }).transform((value): Artifact => ({ kind: 'proposal', value })),
  );
const critiqueShape = (): Shape =>
  shape(
    'critique',
    critique.transform((value): Artifact => ({ kind: 'critique', value })),
  );
const scoresShape = (labels: readonly string[], criteria: number): Shape =>
  shape(
    'scores',
    askedScores(labels, criteria).transform((value): Artifact => ({ kind: 'scores', value })),
  );
const selectionShape = (labels: readonly string[]): Shape =>
  shape(
    'selection',
    selection.extend({ choice: z.enum(labels) }).transform((value): Artifact => ({ kind: 'selection', value })),
  );

/** `labels`: of the texts that a Score or a Selection is about, none twice and at least one; of no matter for other turns. */
export const shapeOf = ({ place, shared }: Pick<TurnBrief, 'place' | 'shared'>, labels: readonly string[]): Shape => {
  const isPlan = shared.kind === 'Plan';
  switch (place.kind) {
    case 'Proposal':
      return isPlan ? shape('plan', askedPlan.transform(asPlan)) : proposalShape();
    case 'Revision':
      return isPlan ? shape('revised_plan', revisedPlan.transform(asPlan)) : revisionShape();
    case 'Critique':
      return critiqueShape();
    case 'Score':
      return scoresShape(labels, shared.rubric.length);
    case 'Selection':
      return selectionShape(labels);
  }
};
