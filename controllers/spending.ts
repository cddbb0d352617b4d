// What a Story has spent, as the objects record it: the sum over the attempts that ended, and never less than its status said before. The
// ledger of tokens knows more, and sooner, but may be lost.
// May: add up. May not: ask the ledger.

import type { Attempt, Task } from '../crds/kinds/task.ts';
import type { Story } from '../crds/kinds/story.ts';

export interface Spending {
  readonly tokens: number;
  readonly gpuSeconds: number;
}

const total = (attempts: readonly Attempt[], amount: 'tokens' | 'gpuSeconds'): number =>
  attempts.reduce((sum, attempt) => sum + (attempt[amount] ?? 0), 0);

/** One that is under way is not counted: what it spends stands in its record when it has ended. */
export const recordedSpending = (story: Story | undefined, tasks: readonly Task[]): Spending => {
  const ended = tasks.flatMap(({ status }) => status?.attempts ?? []).filter(({ finishedAt }) => finishedAt !== undefined);
  const before = story?.status?.usage;
  return {
    tokens: Math.max(before?.tokens ?? 0, total(ended, 'tokens')),
    gpuSeconds: Math.max(before?.gpuSeconds ?? 0, total(ended, 'gpuSeconds')),
  };
};
