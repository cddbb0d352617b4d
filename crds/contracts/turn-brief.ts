// What the gateway tells the agent pool about one turn, built from the objects and from what the Deliberation pinned. `shared` is the same to the
// byte for every turn of a Deliberation, so that a model server's prefix cache serves all of its agents.
import { z } from 'zod';
import { DELIBERATION_KINDS, SEAT_PARTS } from '../kinds/deliberation.ts';
import { digest, role, type Immutable } from '../kinds/meta.ts';
import { rubricEntry } from '../kinds/plan-task.ts';
import { TURN_KINDS } from './turns.ts';

const text = z.string();
const texts = z.array(z.string());

const sharedBrief = z.object({
  kind: z.enum(DELIBERATION_KINDS),
  subject: text,
  story: z.object({ title: text, description: text, acceptanceCriteria: texts }).optional(),
  task: z.object({ id: text, title: text, description: text, role, phase: text }).optional(),
  requirements: texts,
  rubric: z.array(rubricEntry).min(1),
  /** Paths that the work may touch; empty: the whole repository. */
  fileScope: texts,
  protectedPaths: texts,
  context: z.object({ digest: digest(''), text }),
});

export const turnBrief = z.object({
  id: text,
  place: z.object({
    kind: z.enum(TURN_KINDS),
    round: z.int().min(0),
    seat: z.int().min(0),
    target: z.int().min(0).optional(),
  }),
  shared: sharedBrief,
  own: z.object({
    agent: text,
    role,
    part: z.enum(SEAT_PARTS),
    /** What this agent is told about itself; empty for one that has no persona. */
    persona: text,
  }),
  terms: z.object({ model: text, temperature: text, maxTokens: z.int().min(1) }),
});
export type TurnBrief = Immutable<z.infer<typeof turnBrief>>;
export type SharedBrief = TurnBrief['shared'];
