// What bounds a workspace run: its deadline, and what an agent and its patch may use up. The operator makes Jobs by these numbers, the
// gateway tells them to the steps.
import type { Brief } from '../contracts/brief.ts';
import type { PlatformConfig } from '../contracts/platform.ts';
import type { JobKind } from '../contracts/steps.ts';
import type { Council } from '../kinds/council.ts';
import type { Story } from '../kinds/story.ts';
import type { Task } from '../kinds/task.ts';
import { epochMs, MAX_DATE_MS } from '../time.ts';

export interface Bounds {
  readonly platform: PlatformConfig;
  /** undefined: it is gone, which a courier can do without. */
  readonly council: Council | undefined;
  readonly task: Task;
}

const least = (...numbers: readonly (number | undefined)[]): number =>
  Math.min(...numbers.filter((number) => number !== undefined));

/**
 * Seconds from the start of the pod to its forced end. The task's own timeout bounds the work of an agent, so it bounds attempts alone: a
 * courier carries work that is done, and repeats its verify commands within what platform and Council allow.
 */
export const deadlineSeconds = ({ platform, council, task }: Bounds, kind: JobKind): number =>
  least(
    platform.workspace.deadlineSeconds,
    council?.spec.workspace.deadlineSeconds,
    kind === 'attempt' ? task.spec.task.constraints.timeoutSeconds : undefined,
  );

/** The end of a wall clock budget that began then. */
export const deadlineAfter = (startedMs: number, { budget }: Pick<Story['spec'], 'budget'>): number =>
  Math.min(MAX_DATE_MS, startedMs + budget.wallClockSeconds * 1000);

/** The end of a Story's wall clock budget as it is now: a person may raise or lower it. undefined: no Plan has been in force yet. */
export const storyDeadlineMs = (story: Story | undefined): number | undefined => {
  const startedMs = epochMs(story?.status?.startedAt);
  return story === undefined || startedMs === undefined ? undefined : deadlineAfter(startedMs, story.spec);
};

/** The lowest of what platform, Council, Story and task allow. */
export const runLimits = (bounds: Bounds & { readonly story: Story }, kind: JobKind): Brief['limits'] => {
  const { story, task } = bounds;
  const { limits } = bounds.platform;
  const isExempt = limits.protectedPathsAllowedFor.includes(story.metadata.namespace);
  return {
    iterations: least(limits.iterations, task.spec.task.constraints.maxIterations),
    tokens: least(limits.tokensPerTask, story.spec.budget.tokens),
    wallClockSeconds: deadlineSeconds(bounds, kind),
    outputBytes: limits.outputBytes,
    patchBytes: limits.patchBytes,
    patchFiles: limits.patchFiles,
    protectedPaths: isExempt ? [] : limits.protectedPaths,
  };
};
