import { describe, expect, it } from 'vitest';
import { STORY_PHASES } from '../../../../crds/kinds/story.ts';
import { TASK_OBJECT_PHASES } from '../../../../crds/kinds/task.ts';
import { hasSucceeded, isFinished } from '../../../../crds/rules/phases.ts';

describe('finished', () => {
  it('are the last three phases of a Story and of a Task, and nothing that has no phase yet', () => {
    expect(STORY_PHASES.filter((phase) => isFinished({ status: { phase } }))).toEqual(['Done', 'Failed', 'Cancelled']);
    expect(TASK_OBJECT_PHASES.filter((phase) => isFinished({ status: { phase } }))).toEqual(['Succeeded', 'Failed', 'Cancelled']);
    expect([{}, { status: {} }].map(isFinished)).toEqual([false, false]);
  });

  it('with success is a Task that Succeeded', () => {
    expect(TASK_OBJECT_PHASES.filter((phase) => hasSucceeded({ status: { phase } }))).toEqual(['Succeeded']);
  });
});
