import { describe, expect, it } from 'vitest';
import { planDigest, planTaskDigest, scopeDigest } from '../../../crds/digests.ts';
import { planTask, type PlanTask } from '../../../crds/kinds/plan-task.ts';
import { storySpec, type StorySpec } from '../../../crds/kinds/story.ts';

const story = (more: object = {}): StorySpec =>
  storySpec.parse({ title: 'Say hello', repository: { url: 'https://git.example.com/a.git' }, ...more });
const task = (id: string, more: object = {}): PlanTask => planTask.parse({ id, title: 'Do it', ...more });
const plan = { storyUid: 'u1', scopeDigest: scopeDigest(story()), revision: 1, tasks: [task('a'), task('b')] };

describe('digests that are known: an approval must mean the same to every version', () => {
  it.each([
    { of: 'a scope', got: scopeDigest(story()), want: 'sha256:891069fe4922499f4a37772f2de0d10ad5c477b1713eb4609cb67597edb1fe48' },
    {
      of: 'a plan task',
      got: planTaskDigest(task('a')),
      want: 'sha256:f185b9491aae7422a2dc538f78797f9f2bed234952b3f0843207c21f83512579',
    },
    { of: 'a plan', got: planDigest(plan), want: 'sha256:ec601887808f7c085e809268e3d4891ce183611edc529c36ef9fca717c622c08' },
  ])('of $of', ({ got, want }) => {
    expect(got).toBe(want);
  });
});

describe('a scope', () => {
  const before = scopeDigest(story());
  it.each([
    { given: 'another title', more: { title: 'Say goodbye' } },
    { given: 'another description', more: { description: 'x' } },
    { given: 'another criterion', more: { acceptanceCriteria: ['x'] } },
    { given: 'another ref', more: { repository: { url: 'https://git.example.com/a.git', ref: 'dev' } } },
    { given: 'another rigor', more: { rigor: 'L3' } },
  ])('$given is another scope', ({ more }) => {
    expect(scopeDigest(story(more))).not.toBe(before);
  });

  it.each([
    { given: 'another priority', more: { priority: 7 } },
    { given: 'other gates', more: { gates: { test: 'Auto' } } },
    { given: 'a default that is written out', more: { rigor: 'L1', acceptanceCriteria: [] } },
  ])('$given is the same scope', ({ more }) => {
    expect(scopeDigest(story(more))).toBe(before);
  });
});

describe('a plan', () => {
  const before = planDigest(plan);
  it.each([
    { given: 'another Story', other: { ...plan, storyUid: 'u2' } },
    { given: 'another scope', other: { ...plan, scopeDigest: scopeDigest(story({ title: 'x' })) } },
    { given: 'another revision', other: { ...plan, revision: 2 } },
    { given: 'another command', other: { ...plan, tasks: [task('a', { verify: { commands: ['true'] } }), task('b')] } },
    { given: 'one task less', other: { ...plan, tasks: [task('a')] } },
  ])('$given is another plan', ({ other }) => {
    expect(planDigest(other)).not.toBe(before);
  });

  it('the same tasks in another order are the same plan', () => {
    expect(planDigest({ ...plan, tasks: [task('b'), task('a')] })).toBe(before);
  });
});
