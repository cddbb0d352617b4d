// How long what all agents of a Deliberation are told will be, at the most: the estimate of its cost is made from it.
import type { DeliberationSpec } from '../kinds/deliberation.ts';
import type { Story } from '../kinds/story.ts';
import type { Task } from '../kinds/task.ts';
import { canonicalJson } from '../canonical.ts';

export interface Subject {
  readonly deliberation: { readonly spec: DeliberationSpec };
  readonly story: Story | undefined;
  readonly task: Task | undefined;
}

/** The context of a task or Story has its own bound, in characters (agent/context.ts). */
const CONTEXT_BYTES = 48 * 1024;

const sizeOf = (value: unknown): number => Buffer.byteLength(canonicalJson(value));

export const sharedBytes = ({ deliberation, story, task }: Subject): number => {
  const { subject, constraints } = deliberation.spec;
  const own = sizeOf([subject, constraints ?? null]);
  const of =
    (story === undefined ? 0 : sizeOf([story.spec.title, story.spec.description, story.spec.acceptanceCriteria])) +
    (task === undefined ? 0 : sizeOf(task.spec.task));
  return own + of + (story === undefined ? 0 : CONTEXT_BYTES);
};
