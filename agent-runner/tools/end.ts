// The two tools that end the agent's work. They do nothing themselves: the loop sees that they were called.
import { z } from 'zod';
import { defineTool } from './tool.ts';

export const doneArgs = z.object({
  summary: z
    .string()
    .min(1)
    .max(4_000)
    .describe('what was changed and why, in a few sentences; it becomes part of the commit message'),
});

export const giveUpArgs = z.object({ reason: z.string().min(1).max(4_000).describe('what stands in the way') });

export const done = defineTool({
  name: 'done',
  group: 'end',
  description:
    'Hand in the work: everything that is changed in the repository. Call it once, when the task is finished and tested.',
  args: doneArgs,
  run: async () => 'the work is handed in',
});

export const giveUp = defineTool({
  name: 'give_up',
  group: 'end',
  description: 'End without handing anything in, because the task cannot be done. Another attempt may follow.',
  args: giveUpArgs,
  run: async () => 'the attempt is given up',
});
